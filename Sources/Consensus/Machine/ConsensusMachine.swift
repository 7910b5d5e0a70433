package import Primitives

/// Simplex consensus (Chan and Pass, eprint 2023/463) for one epoch, as a pure value.
///
/// Given the same inputs and times it gives the same effects. It reads no clock, touches no file or network, and holds
/// no private key: votes are signed by whoever makes them durable. `Documentation/Protocol/Consensus.md` states the
/// rules; the names V1 to V8, Q, T, F and P in comments are the ones used there.
///
/// - A vote leaves, and counts here, only after `.durable` has confirmed its record.
/// - No input from a peer traps, or makes the state grow beyond what `ConsensusLimits` allows.
/// - After `.halt` every input is ignored.
package struct ConsensusMachine: Sendable {
    enum Phase: Sendable {
        /// Can become `listening`.
        case created
        /// Takes part in everything but voting, so that a lost vote log is noticed.
        ///
        /// Can become `running`.
        case listening
        case running
        /// Final.
        case halted
    }

    package let context: EpochContext
    /// This agent; it votes if it is a member of the epoch's set.
    package let institution: InstitutionID
    package let local: UInt16?
    let checker: SignatureChecker
    let parameters: ConsensusParameters

    var phase = Phase.created
    var mayVote = false
    var jitter: Jitter
    var now = Timestamp(milliseconds: 0)
    var effects: [ConsensusEffect] = []

    /// The last committed block.
    package internal(set) var final: FinalPoint
    package internal(set) var view = View(1)
    /// The certificate by which `view` was entered.
    var entry: Certificate?
    /// Views entered since the last commit.
    var fails = 0
    package internal(set) var isPending = false
    /// Whether there is a reason to vote; while asleep no timer but the heartbeat runs.
    package internal(set) var isAwake = false
    /// The view timers are set for this view and period of being awake.
    var isArmed = false

    /// Views above the final one about which anything is known.
    var rounds: [View: Round] = [:]
    /// Views above the final one with an NC, ascending.
    var notarizedViews: [View] = []
    /// Views above the final one with an FC, ascending: decided, but the blocks are not all here yet.
    var finalizedViews: [View] = []
    /// Blocks above the final one, by hash.
    var blocks: [Digest: HeldBlock] = [:]
    /// Held blocks by their parent, in order of arrival.
    var children: [Digest: [Digest]] = [:]
    /// Blocks whose execution the application put off.
    var postponed: [Digest] = []

    /// Drafts at the disk, in order of their tokens.
    var inFlight: [(token: UInt64, drafts: [VoteLogDraft])] = []
    var lastToken: UInt64 = 0
    var lastGeneration: UInt64 = 0
    var timers: [ConsensusTimer: UInt64] = [:]

    /// Result of the last search for a parent; `nil` when something changed since.
    var parentSearch: ParentSearch?
    /// Rotates whom to ask.
    var fetchAttempt = 0
    /// Requests in a row since anything new was heard; many of them slow down.
    var unansweredFetches = 0
    var isCatchingUp = false
    /// When each validator was last heard of.
    var lastHeard: [Timestamp]
    /// When each peer last got an unasked answer.
    var lastAnswered: [InstitutionID: Timestamp] = [:]

    /// Creates a machine that waits for `.start`.
    ///
    /// - Parameters:
    /// - context: the epoch.
    /// - institution: this agent; one that is not in the epoch's set follows without voting.
    /// - genesis: the block before the epoch's first.
    /// - parameters: delays.
    /// - checker: checks every signature.
    /// - seed: spreads timers between agents; any number does.
    package init(
        context: EpochContext,
        institution: InstitutionID,
        genesis: FinalPoint,
        parameters: ConsensusParameters,
        checker: SignatureChecker,
        seed: UInt64
    ) {
        self.context = context
        self.institution = institution
        self.local = context.validators.index(of: institution)
        self.final = genesis
        self.parameters = parameters
        self.checker = checker
        self.jitter = Jitter(seed: seed)
        self.lastHeard = Array(repeating: Timestamp(milliseconds: .min), count: context.validators.count)
    }

    /// Takes one input and returns what is to be done about it, in order.
    ///
    /// - Parameters:
    /// - input: what happened.
    /// - now: the agent's clock. It may jump; only block times and rate limits look at it.
    /// - Returns: the work to do.
    package mutating func step(_ input: ConsensusInput, now: Timestamp) -> [ConsensusEffect] {
        self.now = now
        self.take(input)
        self.settle()
        defer { self.effects = [] }
        return self.effects
    }

    package var isHalted: Bool { self.phase == .halted }
    /// Whether a later block is known to be decided than could be committed so far (F3).
    package var isSyncing: Bool { !self.finalizedViews.isEmpty }

    var canVote: Bool { self.phase == .running && self.mayVote && self.local != nil }
    var isLeader: Bool { self.local == self.context.leader(of: self.view) }
    /// Δ in milliseconds, as failed views have stretched it.
    package var delay: Int64 {
        self.parameters.delay(fails: self.fails, tolerated: self.context.validators.faultLimit + 1)
    }
    var emptyRound: Round { Round(count: self.context.validators.count) }

    /// Changes what is known about a view.
    mutating func update<Result>(_ view: View, _ change: (inout Round) -> Result) -> Result {
        let count = self.context.validators.count
        return change(&self.rounds[view, default: Round(count: count)])
    }

    mutating func emit(_ effect: ConsensusEffect) { self.effects.append(effect) }

    private mutating func take(_ input: ConsensusInput) {
        switch (self.phase, input) {
        case (.halted, _): return
        case (.created, .start(let recovery)): self.start(recovery)
        case (.created, _), (_, .start): preconditionFailure("a machine is started once, before any other input")
        case (_, .message(let message, let peer)): self.received(message, from: peer)
        case (_, .connected(let peer)):
            self.hurryFetches()
            self.emit(.send(.status(self.status), to: peer))
        case (_, .timer(let timer, let generation)):
            guard self.timers[timer] == generation else { return }
            self.timers[timer] = nil
            self.expired(timer)
        case (_, .pending(let isPending)): self.pendingChanged(isPending)
        case (_, .durable(let token, let signatures)): self.becameDurable(token, signatures)
        case (_, .built(let view, let outcome)): self.built(view, outcome)
        case (_, .verified(let hash, let outcome)): self.verified(hash, outcome)
        }
    }

    /// Does everything that the present state allows.
    ///
    /// Rules are evaluated from the state, not from the event that made them true, so that no order of events can miss
    /// one.
    private mutating func settle() {
        guard self.phase == .listening || self.phase == .running else { return }
        self.commitDecided()
        self.updateTimers()
        self.finalizeNotarized()
        self.notarizeProposal()
        self.propose()
        self.nullifyIfOthersDid()
        // A rule above can have given a reason to wake.
        self.updateTimers()
        self.updateFetches()
    }

    mutating func halt(_ reason: HaltReason) {
        guard self.phase != .halted else { return }
        self.phase = .halted
        self.emit(.halt(reason))
    }
}
