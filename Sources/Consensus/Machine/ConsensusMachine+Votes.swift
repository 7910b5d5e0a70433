internal import Primitives

/// Casting votes and counting them: admission M2 and M3, persistence P1, rules V3, V5 and V6.
extension ConsensusMachine {
    // MARK: Own votes

    /// Hands a vote to the disk.
    ///
    /// It is this validator's from now on, whether or not it becomes durable: a restart may find it in the log.
    mutating func cast(_ draft: VoteLogDraft) {
        self.update(draft.body.view) { round in
            switch draft.body.kind {
            case .notarize: round.own.notarize = draft.body.hash
            case .nullify: round.own.nullify = true
            case .finalize: round.own.finalize = draft.body.hash
            }
        }
        self.lastToken += 1
        self.inFlight.append((self.lastToken, [draft]))
        self.emit(.persist(token: self.lastToken, drafts: [draft]))
    }

    /// P1: only now may the votes leave and count.
    mutating func becameDurable(_ token: UInt64, _ signatures: [Signature]) {
        guard let local = self.local, let index = self.inFlight.firstIndex(where: { $0.token == token }) else {
            preconditionFailure("the driver confirms what it was asked to persist")
        }
        let drafts = self.inFlight.remove(at: index).drafts
        precondition(drafts.count == signatures.count, "the driver signs each draft")
        for (draft, signature) in zip(drafts, signatures) {
            let vote = draft.signed(by: local, signature).vote
            guard vote.body.view > self.final.view else { continue }
            if case .notarize(_, let block) = draft, block.header.proposer == local {
                self.emit(.broadcast(.proposal(Proposal(block: block, signature: signature))))
            } else {
                self.emit(.broadcast(.vote(vote)))
            }
            self.admit(vote, isVerified: true)
        }
    }

    /// V3, once the proposal is executed.
    ///
    /// Allowed also after an own nullify vote: it is safe, and helps a network whose delays vary.
    mutating func notarizeProposal() {
        guard self.canVote, !self.isSyncing, let round = self.rounds[self.view], let hash = round.proposal,
            round.own.notarize == nil, round.own.finalize == nil || round.own.finalize == hash,
            let held = self.blocks[hash], case .executed = held.state
        else { return }
        let wait = self.early(held.block.header)
        guard wait == 0 else {
            if self.timers[.early] == nil { self.setTimer(.early, after: wait) }
            return
        }
        self.cast(.notarize(.notarize(hash, view: self.view, epoch: self.context.epoch), held.block))
    }

    /// Milliseconds until the block's time is acceptable.
    ///
    /// A proposal that is early is no fault: clocks differ.
    func early(_ header: BlockHeader) -> Int64 {
        let limit = self.now.advanced(byMilliseconds: self.parameters.clockSkewMax).milliseconds
        guard header.time.milliseconds > limit else { return 0 }
        let (wait, overflow) = header.time.milliseconds.subtractingReportingOverflow(limit)
        // Looked at again after at most the longest delay; the view's end takes the proposal away soon after.
        return overflow ? self.parameters.delayMax : min(wait, self.parameters.delayMax)
    }

    /// V5, for the current and for past views: a decision needs no honest views in a row.
    mutating func finalizeNotarized() {
        guard self.canVote else { return }
        for view in self.notarizedViews {
            guard let round = self.rounds[view], let notarization = round.notarization,
                let hash = notarization.hash, round.finalization == nil,
                !round.own.nullify, round.own.finalize == nil,
                round.own.notarize == nil || round.own.notarize == hash,
                let held = self.blocks[hash], case .executed = held.state
            else { continue }
            let body = VoteBody.finalize(hash, view: view, epoch: self.context.epoch)
            self.cast(.finalize(body, notarization: notarization))
        }
    }

    /// V6.
    ///
    /// Does nothing where the vote is barred or was cast.
    mutating func nullify() {
        let round = self.rounds[self.view] ?? self.emptyRound
        guard self.canVote, !round.own.nullify, round.own.finalize == nil else { return }
        self.cast(.nullify(.nullify(view: self.view, epoch: self.context.epoch), entry: self.entry))
        self.startRetry()
    }

    /// V6, the causes that are not timers: f + 1 others, so at least one honest one, gave the view up; the leader did;
    /// the leader proposed something invalid.
    mutating func nullifyIfOthersDid() {
        guard self.canVote, let round = self.rounds[self.view], !round.own.nullify, round.own.finalize == nil else {
            return
        }
        let leader = self.context.leader(of: self.view)
        let isRefused = round.isProposalRefused && !self.isSyncing
        if isRefused || self.isNullifiedByFaultLimit || (self.isAwake && round.nullify.isVerified(leader)) {
            self.nullify()
        }
    }

    /// Whether at least f + 1 validators, so at least one honest one, nullified the current view.
    var isNullifiedByFaultLimit: Bool {
        guard let round = self.rounds[self.view] else { return false }
        let body = VoteBody.nullify(view: self.view, epoch: self.context.epoch)
        let verified = round.nullify.votes(for: body).filter { round.nullify.isVerified($0.signer) }
        return verified.count > self.context.validators.faultLimit
    }

    // MARK: Counting

    mutating func received(_ vote: Vote, from peer: InstitutionID) {
        guard vote.body.epoch == self.context.epoch else { return }
        if vote.signer == self.local {
            self.checkOwn(vote)
            return
        }
        // Channels are authenticated, so nobody can spend another validator's only vote.
        guard vote.signer == self.context.validators.index(of: peer) else { return }
        switch vote.body.kind {
        // Late votes are ordinary; these are signs of somebody left behind.
        case .notarize: if vote.body.view <= self.final.view { self.answerBehind(peer) }
        case .nullify: if vote.body.view < self.view { self.answerBehind(peer) }
        case .finalize: break
        }
        self.admit(vote, isVerified: false)
    }

    /// P6: somebody shows a vote by the own key.
    private mutating func checkOwn(_ vote: Vote) {
        guard self.mayVote, vote.body.view > self.final.view,
            self.rounds[vote.body.view]?.own.contains(vote.body) != true,
            vote.isValid(in: self.context, checker: self.checker)
        else { return }
        self.halt(.unknownOwnVote(vote.body))
    }

    /// M2 and M3: keeps the first vote of each signer, kind and view inside the window.
    mutating func admit(_ vote: Vote, isVerified: Bool) {
        let view = vote.body.view
        guard view > self.final.view, view.value <= self.view.value + ConsensusLimits.viewWindow,
            Int(vote.signer) < self.context.validators.count
        else { return }
        let kind = vote.body.kind
        switch self.update(view, { $0[tally: kind].insert(vote, isVerified: isVerified) }) {
        case .duplicate:
            return
        case .conflict(let first):
            self.reportConflict(first, vote)
        case .inserted:
            self.count(vote.body)
            self.checkNullify(vote)
        }
    }

    /// Forms the certificate if a quorum is there.
    ///
    /// After that no more signatures are checked.
    private mutating func count(_ body: VoteBody) {
        guard self.rounds[body.view]?[certificate: body.kind] == nil,
            let votes = self.verified(body, threshold: self.context.validators.quorum)
        else { return }
        let signers = votes.prefix(self.context.validators.quorum)
        let bits = signers.reduce(UInt64(0)) { $0 | 1 << UInt64($1.signer) }
        self.learn(Certificate(body: body, signers: bits, signatures: signers.map(\.signature)))
    }

    /// Checks the signatures that the rule on f + 1 or on the leader's own nullify vote waits for.
    private mutating func checkNullify(_ vote: Vote) {
        guard vote.body.kind == .nullify, vote.body.view == self.view else { return }
        if vote.signer == self.context.leader(of: self.view) {
            self.verifyLeaderNullify()
        }
        _ = self.verified(vote.body, threshold: self.context.validators.faultLimit + 1)
    }

    /// The checks that `checkNullify` makes, for votes that came before the view was entered.
    mutating func checkNullifyVotes() {
        _ = self.verified(
            .nullify(view: self.view, epoch: self.context.epoch),
            threshold: self.context.validators.faultLimit + 1
        )
        self.verifyLeaderNullify()
    }

    private mutating func verifyLeaderNullify() {
        let leader = self.context.leader(of: self.view)
        guard var tally = self.rounds[self.view]?.nullify else { return }
        tally.verify(leader, in: self.context, checker: self.checker)
        self.rounds[self.view]?.nullify = tally
    }

    private mutating func verified(_ body: VoteBody, threshold: Int) -> [Vote]? {
        guard self.rounds[body.view] != nil else { return nil }
        let (context, checker) = (self.context, self.checker)
        return self.update(body.view) {
            $0[tally: body.kind].verifiedVotes(for: body, threshold: threshold, in: context, checker: checker)
        }
    }

    /// M3: the second vote is not counted; if both hold, the signer is reported, once for each view and kind.
    private mutating func reportConflict(_ first: Vote, _ second: Vote) {
        guard first.isValid(in: self.context, checker: self.checker),
            second.isValid(in: self.context, checker: self.checker),
            self.rounds[first.body.view]?[tally: first.body.kind].markReported(first.signer) == true
        else { return }
        self.emit(.conflict(VoteConflict(first: first, second: second)))
    }
}
