import Consensus
import Crypto
import Primitives

/// The validators of a test chain with their private keys, and blocks, votes and certificates made with them.
struct Committee {
    let keys: [Curve25519.Signing.PrivateKey]
    let context: EpochContext
    let genesis: FinalPoint

    init(_ count: Int) throws {
        var keys: [InstitutionID: Curve25519.Signing.PrivateKey] = [:]
        var members: [Validator] = []
        for index in 0..<count {
            let seed = Digest(hashing: Array("validator \(index)".utf8)).bytes
            let key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
            let id = InstitutionID("hospital-\(String(UnicodeScalar(UInt8(97 + index))))")!
            keys[id] = key
            members.append(Validator(id: id, key: VerifyingKey(Array(key.publicKey.rawRepresentation))!))
        }
        let validators = ValidatorSet(members)!
        self.keys = validators.members.map { keys[$0.id]! }
        let chain = ChainID(Digest(hashing: Array("test chain".utf8)))
        let header = BlockHeader(
            suite: .international,
            chain: chain,
            epoch: Epoch(0),
            view: View(0),
            height: Height(0),
            time: Timestamp(milliseconds: 1_000),
            proposer: 0,
            parentView: View(0),
            parentHash: .zero,
            justificationHash: .zero,
            transactionCount: 0,
            transactionRoot: .zero,
            receiptRoot: .zero,
            stateRoot: .zero,
            historySize: 0,
            historyRoot: .zero,
            validatorsHash: validators.hash,
            parametersHash: .zero
        )
        self.genesis = FinalPoint(header: header, certificate: nil)
        self.context = EpochContext(chain: chain, epoch: Epoch(0), validators: validators, boundary: header.hash)
    }

    func id(_ index: UInt16) -> InstitutionID { self.context.validators.members[Int(index)].id }

    func leader(_ view: UInt64) -> UInt16 { self.context.leader(of: View(view)) }

    /// The first `count` validators that neither lead `view` nor are `other`.
    func followers(of view: UInt64, _ count: Int, except other: UInt16? = nil) -> [UInt16] {
        let all = 0..<UInt16(self.keys.count)
        return Array(all.filter { $0 != self.leader(view) && $0 != other }.prefix(count))
    }

    func sign(_ body: VoteBody, by index: UInt16) throws -> Signature {
        let bytes = try self.keys[Int(index)].signature(for: body.signedBytes(chain: self.context.chain))
        return Signature(Array(bytes))!
    }

    func vote(_ body: VoteBody, by index: UInt16) throws -> Vote {
        Vote(body: body, signer: index, signature: try self.sign(body, by: index))
    }

    func notarize(_ block: Block) -> VoteBody {
        .notarize(block.hash, view: block.header.view, epoch: self.context.epoch)
    }

    func finalize(_ block: Block) -> VoteBody {
        .finalize(block.hash, view: block.header.view, epoch: self.context.epoch)
    }

    func nullify(_ view: UInt64) -> VoteBody { .nullify(view: View(view), epoch: self.context.epoch) }

    /// Signed by a quorum; by default its first members.
    func certificate(_ body: VoteBody, by signers: [UInt16]? = nil) throws -> Certificate {
        let signers = signers ?? Array(0..<UInt16(self.context.validators.quorum))
        let bits = signers.reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
        return Certificate(
            body: body,
            signers: bits,
            signatures: try signers.sorted().map { try self.sign(body, by: $0) }
        )
    }

    /// A block on `parent` (`nil`: the genesis block), justified by certificates of everybody in a quorum.
    func block(view: UInt64, on parent: Block?, body: [UInt8] = [], time: Int64? = nil) throws -> Block {
        let parentView = parent?.header.view ?? View(0)
        let just = Justification(
            parent: try parent.map { try self.certificate(self.notarize($0)) },
            nullifications: try (parentView.value + 1..<view).map { try self.certificate(self.nullify($0)) }
        )
        return self.block(view: view, on: parent, just, body: body, time: time)
    }

    func block(view: UInt64, on parent: Block?, _ just: Justification, body: [UInt8] = [], time: Int64? = nil) -> Block
    {
        let above = parent?.header ?? self.genesis.header
        let header = BlockHeader(
            suite: .international,
            chain: self.context.chain,
            epoch: self.context.epoch,
            view: View(view),
            height: above.height.next,
            time: Timestamp(milliseconds: time ?? above.time.milliseconds + 1),
            proposer: self.leader(view),
            parentView: parent?.header.view ?? View(0),
            parentHash: parent?.hash ?? self.genesis.hash,
            justificationHash: just.hash,
            transactionCount: 0,
            transactionRoot: Digest(hashing: body),
            receiptRoot: .zero,
            stateRoot: .zero,
            historySize: above.height.value + 1,
            historyRoot: .zero,
            validatorsHash: self.context.validators.hash,
            parametersHash: .zero
        )
        return Block(header: header, body: body, justification: just)
    }

    func proposal(_ block: Block) throws -> Proposal {
        Proposal(block: block, signature: try self.sign(self.notarize(block), by: block.header.proposer))
    }
}

/// One machine under test: signs and confirms what it is told to, and writes effects as short lines.
struct Subject {
    let committee: Committee
    let index: UInt16?
    var machine: ConsensusMachine
    var now = Timestamp(milliseconds: 10_000)
    private(set) var timers: [ConsensusTimer: UInt64] = [:]
    private(set) var drafts: [(token: UInt64, drafts: [VoteLogDraft])] = []
    private(set) var log: [VoteLogRecord] = []
    private(set) var requests: [BuildRequest] = []
    private(set) var committed: [Block] = []
    private(set) var sent: [ConsensusMessage] = []

    /// Makes the machine of the validator at `index`, or with `nil` of an agent that only follows.
    init(_ committee: Committee, index: UInt16?) {
        self.committee = committee
        self.index = index
        self.machine = ConsensusMachine(
            context: committee.context,
            institution: index.map { committee.id($0) } ?? InstitutionID("verifier")!,
            genesis: committee.genesis,
            parameters: .loopback,
            checker: .direct,
            seed: 7
        )
    }

    /// A machine past its listening period.
    static func running(_ committee: Committee, index: UInt16?) -> Subject {
        var subject = Subject(committee, index: index)
        subject.start()
        subject.expire(.listen)
        return subject
    }

    @discardableResult
    mutating func start(_ records: [VoteLogRecord] = [], final: FinalPoint? = nil, mayVote: Bool = true) -> [String] {
        let recovery = Recovery(final: final ?? self.committee.genesis, records: records, mayVote: mayVote)
        return self.give(.start(recovery))
    }

    @discardableResult
    mutating func give(_ input: ConsensusInput) -> [String] {
        let effects = self.machine.step(input, now: self.now)
        for effect in effects { self.note(effect) }
        return effects.compactMap { self.line($0) }
    }

    @discardableResult
    mutating func receive(_ message: ConsensusMessage, from peer: UInt16) -> [String] {
        self.give(.message(message, from: self.committee.id(peer)))
    }

    @discardableResult
    mutating func expire(_ timer: ConsensusTimer) -> [String] {
        self.give(.timer(timer, generation: self.timers[timer] ?? 0))
    }

    /// Signs and confirms the oldest records that wait for the disk.
    @discardableResult
    mutating func persist() throws -> [String] {
        let (token, drafts) = self.drafts.removeFirst()
        let signatures = try drafts.map { try self.committee.sign($0.body, by: self.index!) }
        self.log += zip(drafts, signatures).map { $0.signed(by: self.index!, $1) }
        return self.give(.durable(token: token, signatures: signatures))
    }

    /// Answers the newest order for a block.
    @discardableResult
    mutating func build(body: [UInt8] = []) -> [String] {
        let request = self.requests.last!
        let header = request.header(
            transactionCount: UInt32(body.count),
            transactionRoot: Digest(hashing: body),
            receiptRoot: .zero,
            stateRoot: .zero,
            historyRoot: .zero,
            parametersHash: .zero
        )
        return self.give(.built(view: request.view, .block(header, body: body)))
    }

    /// Receives a proposal and executes it.
    @discardableResult
    mutating func propose(_ block: Block) throws -> [String] {
        let lines = self.receive(.proposal(try self.committee.proposal(block)), from: block.header.proposer)
        return lines + self.give(.verified(hash: block.hash, .valid))
    }

    private mutating func note(_ effect: ConsensusEffect) {
        switch effect {
        case .persist(let token, let drafts): self.drafts.append((token, drafts))
        case .setTimer(let timer, let generation, _): self.timers[timer] = generation
        case .build(let request): self.requests.append(request)
        case .commit(let blocks, _): self.committed += blocks
        case .broadcast(let message), .send(let message, _): self.sent.append(message)
        default: break
        }
    }

    /// Timers are left out: they are tested apart.
    private func line(_ effect: ConsensusEffect) -> String? {
        switch effect {
        case .persist(_, let drafts): "persist " + drafts.map { Self.name($0.body) }.joined(separator: ", ")
        case .broadcast(let message): "all: " + Self.name(message)
        case .send(let message, let peer): "\(peer): " + Self.name(message)
        case .setTimer, .cancelTimer: nil
        case .build(let request): "build \(request.view) on \(request.parent.height)"
        case .verify(let block): "verify \(block.header.view)"
        case .commit(let blocks, _): "commit " + blocks.map { "\($0.header.height)" }.joined(separator: ", ")
        case .serveBlock(_, let peer): "serve block to \(peer)"
        case .serveRange(let from, _, let peer): "serve range from \(from) to \(peer)"
        case .resendPending: "resend pending"
        case .conflict(let conflict): "conflict of \(conflict.first.signer) in \(conflict.first.body.view)"
        case .halt(let reason): "halt: " + Self.name(reason)
        }
    }

    static func name(_ body: VoteBody) -> String { "\(body.kind) \(body.view)" }

    private static func name(_ message: ConsensusMessage) -> String {
        switch message {
        case .proposal(let proposal): "proposal \(proposal.block.header.view)"
        case .vote(let vote): "vote \(Self.name(vote.body))"
        case .certificate(let certificate): "certificate \(Self.name(certificate.body))"
        case .getBlock: "get block"
        case .block(let block): "block \(block.header.view)"
        case .getCertificates(_, let from, let through): "get certificates \(from)-\(through)"
        case .certificates(let all): "certificates " + all.map { Self.name($0.body) }.joined(separator: ", ")
        case .getRange(let from, _): "get range \(from)"
        case .range: "range"
        case .status(let status): "status \(status.view) \(status.finalHeight)"
        }
    }

    private static func name(_ reason: HaltReason) -> String {
        switch reason {
        case .conflictingFinalization: "conflicting finalization"
        case .stateDivergence: "state divergence"
        case .unknownOwnVote: "unknown own vote"
        case .contradictoryVoteLog: "contradictory vote log"
        }
    }
}

extension BuildRequest {
    /// The header, with everything that consensus decides filled in.
    func header(
        transactionCount: UInt32,
        transactionRoot: Primitives.Digest,
        receiptRoot: Primitives.Digest,
        stateRoot: Primitives.Digest,
        historyRoot: Primitives.Digest,
        parametersHash: Primitives.Digest
    ) -> BlockHeader {
        BlockHeader(
            suite: self.parent.suite,
            chain: self.parent.chain,
            epoch: self.epoch,
            view: self.view,
            height: self.parent.height.next,
            time: self.time,
            proposer: self.proposer,
            parentView: self.parentView,
            parentHash: self.parentHash,
            justificationHash: self.justificationHash,
            transactionCount: transactionCount,
            transactionRoot: transactionRoot,
            receiptRoot: receiptRoot,
            stateRoot: stateRoot,
            historySize: self.parent.height.value + 1,
            historyRoot: historyRoot,
            validatorsHash: self.validatorsHash,
            parametersHash: parametersHash
        )
    }
}
