import AgentCore
import Consensus
import Crypto
import Ledger
import Primitives
import Records
import TestSupport
import Testing

/// A few agents that hand each other bytes at once, with every effect performed in memory.
struct Cluster {
    struct Member {
        var core: AgentCore
        var key: Curve25519.Signing.PrivateKey
        var log: [VoteLogRecord] = []
        var committed: [CommittedRange] = []
        var timers: [ConsensusTimer: (generation: UInt64, due: Int64)] = [:]
        /// Whether it was started: an agent takes nothing before.
        var isUp = false
    }

    let genesis: Genesis
    let rules: LedgerRules
    let context: EpochContext
    let ids: [InstitutionID]
    var members: [InstitutionID: Member] = [:]
    var wire: [(from: InstitutionID, to: InstitutionID, bytes: [UInt8])] = []
    var now: Int64 = 1_790_000_000_000
    var refusals: [TransactionCode] = []
    var halts = 0

    init(_ names: [String], verifiers: Set<String> = []) throws {
        let keys = names.enumerated().map { index, _ in
            try? Curve25519.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: UInt8(index + 1), count: 32))
        }
        let members = try zip(names, keys).map { name, key in
            let key = try #require(key)
            return Genesis.Member(
                card: InstitutionCard(
                    id: try #require(InstitutionID(name)),
                    name: name,
                    level: "3A",
                    area: "330100",
                    role: verifiers.contains(name) ? .verifier : .validator,
                    address: "127.0.0.1:1",
                    signingKey: try #require(VerifyingKey(Array(key.publicKey.rawRepresentation))),
                    encryptionKey: [UInt8](repeating: 7, count: InstitutionCard.encryptionKeyBytes),
                    transportKeyDigest: Digest(hashing: Array(name.utf8))
                )
            )
        }
        self.genesis = Genesis(
            suite: .international,
            parameters: ChainParameters(),
            pseudonymScheme: .thresholdOblivious,
            members: members
        )
        let validators = try #require(
            ValidatorSet(self.genesis.validators.map { Validator(id: $0.id, key: $0.signingKey) })
        )
        self.rules = LedgerRules(genesis: self.genesis, validatorsHash: validators.hash)
        self.context = EpochContext(
            chain: self.genesis.chain,
            epoch: Epoch(0),
            validators: validators,
            boundary: self.rules.genesisBlock.hash
        )
        self.ids = members.map(\.card.id).sorted()
        for (member, key) in zip(members, keys) {
            let id = member.card.id
            self.members[id] = Member(core: self.core(id, tip: nil), key: try #require(key))
        }
    }

    func core(_ id: InstitutionID, tip: (ExecutedBlock, Certificate)?) -> AgentCore {
        AgentCore(
            institution: id,
            genesis: self.genesis,
            rules: self.rules,
            context: self.context,
            tip: tip?.0 ?? self.rules.genesisBlock,
            certificate: tip?.1,
            parameters: .loopback,
            seed: id.text.utf8.reduce(1) { $0 &* 31 &+ UInt64($1) }
        )
    }

    mutating func start(_ id: InstitutionID) {
        guard let log = self.members[id]?.log else { return }
        self.members[id]?.isUp = true
        self.step(id, .start(log, mayVote: true))
        for peer in self.ids where peer != id && self.members[peer]?.isUp == true {
            self.step(id, .connected(peer))
            self.step(peer, .connected(id))
        }
    }

    mutating func step(_ id: InstitutionID, _ input: AgentInput) {
        guard var member = self.members[id], member.isUp else { return }
        var queue = [input]
        var next = 0
        while next < queue.count {
            for effect in member.core.step(queue[next], now: Timestamp(milliseconds: self.now)) {
                switch effect {
                case .persist(let token, let drafts):
                    let signatures = drafts.map { draft in
                        let bytes = try? member.key.signature(for: draft.body.signedBytes(chain: self.genesis.chain))
                        return bytes.flatMap { Signature(Array($0)) }
                    }.compactMap { $0 }
                    let index = self.context.validators.index(of: id) ?? 0
                    member.log += zip(drafts, signatures).map { $0.signed(by: index, $1) }
                    queue.append(.durable(token: token, signatures: signatures))
                case .broadcast(let message):
                    for peer in self.ids where peer != id { self.wire.append((id, peer, message.canonicalBytes)) }
                case .send(let message, let peer): self.wire.append((id, peer, message.canonicalBytes))
                case .setTimer(let timer, let generation, let after):
                    member.timers[timer] = (generation, self.now + after)
                case .cancelTimer(let timer): member.timers[timer] = nil
                case .commit(let range): member.committed.append(range)
                case .serveRange(let from, _, let peer):
                    let later = member.committed.filter { range in
                        range.blocks.last.map { $0.executed.header.height >= from } ?? false
                    }
                    guard let last = later.last else { break }
                    let blocks = later.flatMap { $0.blocks.map(\.block) }.filter { $0.header.height >= from }
                    let range = BlockRange(blocks: blocks, certificate: last.certificate)
                    self.wire.append((id, peer, AgentMessage.consensus(.range(range)).canonicalBytes))
                case .serveBlock(let hash, let peer):
                    let block = member.committed.flatMap { $0.blocks.map(\.block) }.first { $0.hash == hash }
                    guard let block else { break }
                    self.wire.append((id, peer, AgentMessage.consensus(.block(block)).canonicalBytes))
                case .refused(_, let refusal): self.refusals.append(refusal.code)
                case .halt: self.halts += 1
                case .admitted, .expired, .confirmed, .peerStatus, .malformed, .conflict, .pagesPublished: break
                }
            }
            next += 1
        }
        self.members[id] = member
    }

    /// Lets messages and timers take their course until `condition` holds or simulated time is over.
    mutating func run(forMilliseconds span: Int64 = 60_000, until condition: (Cluster) -> Bool) -> Bool {
        let end = self.now + span
        while self.now < end {
            if condition(self) { return true }
            if !self.wire.isEmpty {
                let (from, to, bytes) = self.wire.removeFirst()
                self.step(to, .message(bytes, from: from))
                continue
            }
            let due = self.ids.compactMap { id in
                self.members[id].flatMap { $0.isUp ? $0.timers.values.map(\.due).min() : nil }
            }.min()
            self.now = max(self.now + 1, min(due ?? end, end))
            for id in self.ids {
                for (timer, set) in self.members[id]?.timers.sorted(by: { $0.key.rawValue < $1.key.rawValue }) ?? []
                where set.due <= self.now && self.members[id]?.timers[timer]?.generation == set.generation {
                    self.members[id]?.timers[timer] = nil
                    self.step(id, .timer(timer, generation: set.generation))
                }
            }
        }
        return condition(self)
    }

    /// A transaction by which `id` moves to another address.
    func transaction(_ id: InstitutionID, port: Int) throws -> Transaction {
        let body = TransactionBody(
            chain: self.genesis.chain,
            call: .institutions(.changeAddress(id, address: "127.0.0.1:\(port)")),
            validUntil: Height(500),
            signers: [.institution(id)]
        )
        let key = try #require(self.members[id]?.key)
        let signature = try #require(Signature(Array(key.signature(for: body.signedBytes))))
        return Transaction(body: body, signatures: [signature])
    }

    func height(_ id: InstitutionID) -> UInt64 { self.members[id]?.core.final.header.height.value ?? 0 }

    func address(of subject: InstitutionID, at observer: InstitutionID) -> String? {
        self.members[observer]?.core.final.state.institution(subject)?.card.address
    }
}

@Suite("Agents agree")
struct ClusterTests {
    @Test("A transaction submitted at one agent is final at all", arguments: [1, 2, 3, 4, 5, 7])
    func submitted(count: Int) throws {
        var cluster = try Cluster((0..<count).map { "h\($0)" })
        for id in cluster.ids { cluster.start(id) }
        let first = cluster.ids[0]
        let transaction = try cluster.transaction(first, port: 4242)
        cluster.step(first, .submit(transaction))
        let isFinal = cluster.run { cluster in
            cluster.ids.allSatisfy { cluster.address(of: first, at: $0) == "127.0.0.1:4242" }
        }
        #expect(isFinal)
        #expect(cluster.halts == 0)
        let hashes = Set(cluster.ids.map { cluster.members[$0]?.core.final.state.root })
        #expect(hashes.count == 1)
    }

    @Test("An idle cluster makes no blocks")
    func idle() throws {
        var cluster = try Cluster(["a", "b", "c", "d"])
        for id in cluster.ids { cluster.start(id) }
        cluster.step(cluster.ids[0], .submit(try cluster.transaction(cluster.ids[0], port: 1234)))
        #expect(cluster.run { cluster in cluster.ids.allSatisfy { cluster.height($0) >= 1 } })
        _ = cluster.run(forMilliseconds: 10_000) { _ in false }
        let settled = cluster.ids.map { cluster.height($0) }
        _ = cluster.run(forMilliseconds: 600_000) { _ in false }
        #expect(cluster.ids.map { cluster.height($0) } == settled)
    }

    @Test("Three of four agents go on without the fourth, which catches up when it comes back")
    func catchUp() throws {
        var cluster = try Cluster(["a", "b", "c", "d"])
        let late = cluster.ids[3]
        for id in cluster.ids.dropLast() { cluster.start(id) }
        for port in 1...40 {
            cluster.step(cluster.ids[0], .submit(try cluster.transaction(cluster.ids[0], port: port)))
            let expected = "127.0.0.1:\(port)"
            #expect(cluster.run { cluster in cluster.address(of: cluster.ids[0], at: cluster.ids[0]) == expected })
        }
        cluster.start(late)
        let caughtUp = cluster.run { cluster in cluster.height(late) == cluster.height(cluster.ids[0]) }
        #expect(caughtUp)
        #expect(cluster.height(late) > 10)
    }

    @Test("A verifier follows without voting")
    func verifier() throws {
        var cluster = try Cluster(["a", "b", "c", "d", "v"], verifiers: ["v"])
        for id in cluster.ids { cluster.start(id) }
        let verifier = try #require(InstitutionID("v"))
        cluster.step(verifier, .submit(try cluster.transaction(verifier, port: 77)))
        #expect(cluster.run { cluster in cluster.address(of: verifier, at: verifier) == "127.0.0.1:77" })
        #expect(cluster.members[verifier]?.log.isEmpty == true)
    }

    @Test("Bytes that are no message are reported and change nothing", arguments: 0..<50 as Range<UInt64>)
    func garbage(seed: UInt64) throws {
        var cluster = try Cluster(["a", "b"])
        for id in cluster.ids { cluster.start(id) }
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 0...400, using: &generator)
        cluster.step(cluster.ids[0], .message(.random(count: count, using: &generator), from: cluster.ids[1]))
        #expect(cluster.height(cluster.ids[0]) == 0)
        #expect(cluster.halts == 0)
    }

    @Test("A transaction signed by the wrong key is refused with its code")
    func wrongKey() throws {
        var cluster = try Cluster(["a", "b"])
        for id in cluster.ids { cluster.start(id) }
        let honest = try cluster.transaction(cluster.ids[0], port: 9)
        let other = try cluster.transaction(cluster.ids[1], port: 9)
        cluster.step(cluster.ids[0], .submit(Transaction(body: honest.body, signatures: other.signatures)))
        #expect(cluster.refusals == [.badSignature])
    }
}
