internal import Primitives

/// Waking and sleeping (Q1, Q2), timers (T1 to T5).
extension ConsensusMachine {
    mutating func setTimer(_ timer: ConsensusTimer, after delay: Int64) {
        self.lastGeneration += 1
        self.timers[timer] = self.lastGeneration
        self.emit(.setTimer(timer, generation: self.lastGeneration, after: delay))
    }

    mutating func cancelTimer(_ timer: ConsensusTimer) {
        guard self.timers.removeValue(forKey: timer) != nil else { return }
        self.emit(.cancelTimer(timer))
    }

    mutating func expired(_ timer: ConsensusTimer) {
        switch timer {
        case .listen: self.listened()
        case .proposal: if !self.hasValidProposal { self.giveUp() }
        case .view: self.giveUp()
        case .empty: self.update(self.view) { $0.isEmptyDue = true }
        case .early: break
        case .retry:
            if self.isArmed { self.retry() } else { self.emit(.resendPending) }
            self.setTimer(.retry, after: self.delay + self.jitter.next(below: self.delay / 4))
        case .fetch: self.fetch()
        case .status:
            self.emit(.broadcast(.status(self.status)))
            self.startStatus()
        }
    }

    mutating func pendingChanged(_ isPending: Bool) {
        self.isPending = isPending
        if isPending, case .nothingToAdd = self.rounds[self.view]?.build {
            self.rounds[self.view]?.build = .idle
        }
    }

    mutating func startStatus() {
        let interval = self.parameters.statusInterval
        self.setTimer(.status, after: interval - interval / 5 + self.jitter.next(below: interval * 2 / 5))
    }

    /// Q1: wakes and sleeps, and sets or cancels the view's timers with it.
    mutating func updateTimers() {
        self.isAwake =
            self.isPending || !self.notarizedViews.isEmpty || self.hasValidProposal || self.isNullifiedByFaultLimit
        let isActive = self.canVote && self.isAwake && !self.isSyncing
        if isActive, !self.isArmed { self.arm() }
        if !isActive, self.isArmed { self.disarm() }
        // Who does not vote can still be the only one to know a transaction.
        let isWaiting = self.phase == .running && !self.canVote && self.isPending
        if isWaiting, self.timers[.retry] == nil { self.setTimer(.retry, after: 3 * self.delay) }
        if !isActive, !isWaiting { self.cancelTimer(.retry) }
    }

    private var hasValidProposal: Bool {
        guard let hash = self.rounds[self.view]?.proposal, let held = self.blocks[hash], case .executed = held.state
        else { return false }
        return self.early(held.block.header) == 0
    }

    /// T2: from waking, entering the view or catching up, whichever is last.
    private mutating func arm() {
        self.isArmed = true
        // Q2: with nothing pending the leader waits before it builds an empty block.
        let drain = self.isPending ? 0 : self.delay
        self.setTimer(.proposal, after: (self.isLeaderSilent ? 0 : 2 * self.delay) + drain)
        self.setTimer(.view, after: 3 * self.delay + drain)
        // From before a restart or a sleep: the others wait for these.
        self.resendOwn(self.view)
        if self.rounds[self.view]?.own.nullify == true { self.startRetry() }
    }

    mutating func disarm() {
        self.isArmed = false
        for timer in [ConsensusTimer.proposal, .view, .retry] { self.cancelTimer(timer) }
    }

    mutating func startRetry() {
        guard self.isArmed, self.timers[.retry] == nil else { return }
        self.setTimer(.retry, after: self.delay)
    }

    /// A view timer expired.
    ///
    /// Where the vote is barred, what bars it is sent again (T4).
    private mutating func giveUp() {
        guard self.isArmed else { return }
        self.nullify()
        self.startRetry()
    }

    /// T5: local knowledge only, and safe, since nullifying is always allowed before finalizing.
    private var isLeaderSilent: Bool {
        let leader = self.context.leader(of: self.view)
        guard let local = self.local, leader != local else { return false }
        let recent = self.now.advanced(byMilliseconds: -ConsensusLimits.silenceMax)
        let heard = self.lastHeard.indices.filter {
            $0 != Int(leader) && ($0 == Int(local) || self.lastHeard[$0] >= recent)
        }
        return self.lastHeard[Int(leader)] < recent && heard.count >= self.context.validators.quorum
    }

    // MARK: T4

    /// Sends what the others may lack to leave this view or to decide: bounded, whatever the history.
    private mutating func retry() {
        let notarized = self.latestOwn { $0.notarize != nil }
        let finalized = self.latestOwn { $0.finalize != nil }
        if let notarized, notarized != finalized { self.resendOwn(notarized) }
        if let finalized { self.resendOwn(finalized) }
        self.resendOwn(self.view)
        var certificates = [self.final.certificate]
        if let view = self.notarizedViews.last { certificates.append(self.rounds[view]?.notarization) }
        if self.entry != certificates.last { certificates.append(self.entry) }
        for certificate in certificates.compactMap({ $0 }) { self.emit(.broadcast(.certificate(certificate))) }
        self.emit(.broadcast(.status(self.status)))
        self.emit(.resendPending)
    }

    private func latestOwn(_ isMeant: (OwnVotes) -> Bool) -> View? {
        self.rounds.filter { $0.key < self.view && isMeant($0.value.own) }.keys.max()
    }

    /// Broadcasts the own durable votes of a view.
    ///
    /// The leader's block goes only to those who have not voted for it.
    mutating func resendOwn(_ view: View) {
        guard let local = self.local, let round = self.rounds[view] else { return }
        for kind in VoteKind.allCases {
            guard let vote = round[tally: kind].votes[Int(local)], round.own.contains(vote.body) else { continue }
            if kind == .finalize, let notarization = round.notarization {
                self.emit(.broadcast(.certificate(notarization)))
            }
            if kind == .notarize, view == self.view, self.context.leader(of: view) == local,
                let block = vote.body.hash.flatMap({ self.blocks[$0]?.block })
            {
                let proposal = Proposal(block: block, signature: vote.signature)
                for (index, member) in self.context.validators.members.enumerated()
                where index != Int(local) && round.notarize.votes[index]?.body != vote.body {
                    self.emit(.send(.proposal(proposal), to: member.id))
                }
            } else {
                self.emit(.broadcast(.vote(vote)))
            }
        }
    }
}
