internal import Primitives

/// Starting from a vote log (P3, P6).
extension ConsensusMachine {
    mutating func start(_ recovery: Recovery) {
        self.final = recovery.final
        self.view = self.final.view.next
        self.entry = self.final.certificate
        self.mayVote = recovery.mayVote
        self.lastHeard = self.lastHeard.map { _ in self.now }
        let records = recovery.records.filter { $0.view > self.final.view }
        guard self.restore(records) else { return }
        self.restoreCertificates(records)
        guard self.phase == .created else { return }
        self.phase = .listening
        for case .notarize(_, let block) in records.sorted(by: { $0.view < $1.view }) { self.insert(block, .held) }
        for record in records { self.admit(record.vote, isVerified: true) }
        guard self.phase == .listening else { return }
        self.emit(.broadcast(.status(self.status)))
        self.startStatus()
        if self.context.validators.count == 1 {
            self.phase = .running
        } else {
            self.setTimer(.listen, after: 2 * self.parameters.baseDelay)
        }
    }

    /// The union of all records is what this validator has said, in whatever order they come.
    private mutating func restore(_ records: [VoteLogRecord]) -> Bool {
        for record in records {
            let vote = record.vote
            let view = vote.body.view
            guard vote.signer == self.local, view.value <= ConsensusLimits.viewMax,
                vote.isValid(in: self.context, checker: self.checker)
            else {
                self.halt(.contradictoryVoteLog(vote.body))
                return false
            }
            var own = self.rounds[view]?.own ?? OwnVotes()
            switch vote.body.kind {
            case .notarize:
                own.notarize = own.notarize ?? vote.body.hash
                self.update(view) { $0.proposal = own.notarize }
            case .nullify: own.nullify = true
            case .finalize: own.finalize = own.finalize ?? vote.body.hash
            }
            guard own.contains(vote.body), own.finalize == nil || !own.nullify,
                own.finalize == nil || own.notarize == nil || own.finalize == own.notarize
            else {
                self.halt(.contradictoryVoteLog(vote.body))
                return false
            }
            self.update(view) { $0.own = own }
        }
        return true
    }

    /// The certificates in the log were checked before they were written.
    ///
    /// They restore the view, so that what was entered by them can be entered again by others.
    private mutating func restoreCertificates(_ records: [VoteLogRecord]) {
        var certificates: [Certificate] = []
        for record in records {
            switch record {
            case .notarize(_, let block):
                certificates += block.justification.nullifications
                if let parent = block.justification.parent { certificates.append(parent) }
            case .nullify(_, let entry):
                if let entry { certificates.append(entry) }
            case .finalize(_, let notarization):
                certificates.append(notarization)
            }
        }
        for certificate in certificates.sorted(by: { $0.view < $1.view }) { self.learn(certificate) }
    }

    /// The listening period is over: nobody showed a vote that the log lacks.
    mutating func listened() {
        guard self.phase == .listening else { return }
        self.phase = .running
        guard self.canVote else { return }
        let views = self.rounds.keys.filter { view in
            self.rounds[view].map { $0.own.notarize != nil || $0.own.nullify || $0.own.finalize != nil } == true
        }
        for view in views.sorted().suffix(ConsensusLimits.resentViewsMax) { self.resendOwn(view) }
        self.emit(.broadcast(.status(self.status)))
    }
}
