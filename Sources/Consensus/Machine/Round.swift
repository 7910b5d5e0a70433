internal import Primitives

/// The votes of one kind in one view: the first of each validator.
struct Tally: Sendable {
    enum Insertion {
        case inserted, duplicate
        case conflict(Vote)
    }

    private(set) var votes: [Vote?]
    /// Bit i: the signature of validator i's vote has been checked.
    private var verified: UInt64 = 0
    /// Bit i: a contradiction of validator i has been reported.
    private var reported: UInt64 = 0

    init(count: Int) { self.votes = Array(repeating: nil, count: count) }

    mutating func insert(_ vote: Vote, isVerified: Bool) -> Insertion {
        let index = Int(vote.signer)
        if let known = self.votes[index] {
            guard known.body == vote.body else { return .conflict(known) }
            return .duplicate
        }
        self.votes[index] = vote
        if isVerified { self.verified |= 1 << UInt64(index) }
        return .inserted
    }

    func isVerified(_ signer: UInt16) -> Bool { self.verified >> UInt64(signer) & 1 == 1 }

    /// Checks the vote of one signer, and drops it if it fails.
    mutating func verify(_ signer: UInt16, in context: EpochContext, checker: SignatureChecker) {
        guard let vote = self.votes[Int(signer)], !self.isVerified(signer) else { return }
        if vote.isValid(in: context, checker: checker) {
            self.verified |= 1 << UInt64(signer)
        } else {
            self.votes[Int(signer)] = nil
        }
    }

    /// Whether this is the first report of `signer`.
    mutating func markReported(_ signer: UInt16) -> Bool {
        defer { self.reported |= 1 << UInt64(signer) }
        return self.reported >> UInt64(signer) & 1 == 0
    }

    /// The votes for `body`, in signer order.
    func votes(for body: VoteBody) -> [Vote] { self.votes.compactMap { $0?.body == body ? $0 : nil } }

    /// Checks signatures only if enough votes for `body` are there that the checks can change something, and drops the
    /// votes that fail.
    ///
    /// - Returns: the verified votes for `body` in signer order if there are at least `threshold`, else `nil`.
    mutating func verifiedVotes(
        for body: VoteBody,
        threshold: Int,
        in context: EpochContext,
        checker: SignatureChecker
    ) -> [Vote]? {
        let votes = self.votes(for: body)
        guard votes.count >= threshold else { return nil }
        var good = votes.filter { self.isVerified($0.signer) }
        for vote in votes where good.count < threshold && !self.isVerified(vote.signer) {
            if vote.isValid(in: context, checker: checker) {
                self.verified |= 1 << UInt64(vote.signer)
                good.append(vote)
            } else {
                self.votes[Int(vote.signer)] = nil
            }
        }
        return good.count >= threshold ? good.sorted { $0.signer < $1.signer } : nil
    }
}

/// What this validator has said in one view, counted from the moment the vote is handed to the disk.
struct OwnVotes: Sendable {
    var notarize: Digest?
    var nullify = false
    var finalize: Digest?

    func contains(_ body: VoteBody) -> Bool {
        switch body.kind {
        case .notarize: self.notarize == body.hash
        case .nullify: self.nullify
        case .finalize: self.finalize == body.hash
        }
    }
}

/// Where a leader is with its own block.
enum BuildState: Sendable {
    case idle
    case requested(BuildRequest, Justification)
    /// There was nothing to add; asked again when a transaction arrives.
    case nothingToAdd
}

/// Everything known about one view above the last decided block.
struct Round: Sendable {
    var notarize: Tally
    var nullify: Tally
    var finalize: Tally
    var notarization: Certificate?
    var nullification: Certificate?
    var finalization: Certificate?
    var own = OwnVotes()
    /// Bit per `VoteKind`: this view's certificate of the kind has been broadcast.
    private var announced: UInt8 = 0
    /// The first proposal of the leader whose signature holds.
    var proposal: Digest?
    var isProposalRefused = false
    var build = BuildState.idle
    /// The leader has waited for transactions long enough.
    var isEmptyDue = false

    init(count: Int) {
        self.notarize = Tally(count: count)
        self.nullify = Tally(count: count)
        self.finalize = Tally(count: count)
    }

    subscript(tally kind: VoteKind) -> Tally {
        get {
            switch kind {
            case .notarize: self.notarize
            case .nullify: self.nullify
            case .finalize: self.finalize
            }
        }
        set {
            switch kind {
            case .notarize: self.notarize = newValue
            case .nullify: self.nullify = newValue
            case .finalize: self.finalize = newValue
            }
        }
    }

    subscript(certificate kind: VoteKind) -> Certificate? {
        switch kind {
        case .notarize: self.notarization
        case .nullify: self.nullification
        case .finalize: self.finalization
        }
    }

    /// Whether the certificate of this kind has not been broadcast yet; it counts as broadcast afterwards.
    mutating func announce(_ kind: VoteKind) -> Bool {
        defer { self.announced |= 1 << kind.rawValue }
        return self.announced >> kind.rawValue & 1 == 0
    }
}

/// A block above the last decided one.
struct HeldBlock: Sendable {
    enum State: Sendable {
        /// Waits for its parent to be executed.
        case held
        /// The application executes it.
        case verifying
        case executed
        /// Broken for good; kept so that a quorum's opposite opinion is noticed.
        case refused
    }

    let block: Block
    var state: State
}

/// A pseudo-random sequence (SplitMix64) that spreads timers; part of the state, so that a run can be repeated.
struct Jitter: Sendable {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    /// A number in `0 ..< bound`.
    mutating func next(below bound: Int64) -> Int64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return Int64(mixed % UInt64(max(bound, 1)))
    }
}
