internal import AgentCore
internal import Consensus
internal import Ledger
internal import Primitives

/// A validator that breaks every rule its key lets it break: it proposes two blocks in one view, also on stale parents
/// with incomplete justifications, with forged transactions or wrong roots, votes for everything and against it, tells
/// each peer something else, withholds at random, serves wrong bodies, and sends bytes that are no message.
///
/// It cannot forge the signatures of others, and it counts as one of the f faulty validators.
struct Equivocator: Sendable {
    /// Something that it sends.
    struct Letter: Sendable {
        let bytes: [UInt8]
        let peer: Int

        init(_ message: ConsensusMessage, to peer: Int) { self.init(.consensus(message), to: peer) }

        init(_ message: AgentMessage, to peer: Int) { self.init(message.canonicalBytes, to: peer) }

        init(_ bytes: [UInt8], to peer: Int) {
            self.bytes = bytes
            self.peer = peer
        }
    }

    private static let poolMax = 100

    private let committee: Committee
    private let agent: Int
    private var random: SimulationRandom
    private var view = View(1)
    /// Of the highest block that it knows.
    private var height = Height(0)
    private var blocks: [Digest: Block] = [:]
    private var executed: [Digest: ExecutedBlock]
    /// Blocks whose parent is not executed yet, by that parent.
    private var waiting: [Digest: [Block]] = [:]
    private var pool: [Transaction] = []
    private var forgeries: UInt64 = 0
    private var notarizations: [View: Certificate] = [:]
    private var nullifications: [View: Certificate] = [:]
    private var seen: Set<Certificate> = []
    private var lastHeard: [UInt8] = []

    init(committee: Committee, agent: Int, seed: UInt64) {
        self.committee = committee
        self.agent = agent
        self.random = SimulationRandom(seed: seed)
        self.executed = [committee.rules.genesisBlock.hash: committee.rules.genesisBlock]
    }

    private var others: [Int] { (0..<self.committee.context.validators.count).filter { $0 != self.agent } }

    mutating func received(_ bytes: [UInt8], from peer: Int) -> [Letter] {
        self.lastHeard = bytes
        switch try? AgentMessage(canonicalBytes: bytes) {
        case .transactions(let transactions):
            self.pool = (self.pool + transactions).suffix(Self.poolMax)
            return []
        case .consensus(let message): return self.received(message, from: peer)
        case .pagesPublished, nil: return []
        }
    }

    private mutating func received(_ message: ConsensusMessage, from peer: Int) -> [Letter] {
        switch message {
        case .proposal(let proposal):
            return self.learn(proposal.block, from: peer) + self.vote(for: proposal.block)
        case .block(let block): return self.learn(block, from: peer)
        case .certificate(let certificate): return self.learn(certificate)
        case .certificates(let certificates):
            var letters: [Letter] = []
            for certificate in certificates { letters += self.learn(certificate) }
            return letters
        case .vote(let vote):
            guard vote.body.kind == .nullify, self.random.happens(perMille: 300) else { return [] }
            return self.spread(.nullify(view: vote.body.view, epoch: vote.body.epoch), perMille: 500)
        case .getBlock(let hash):
            guard let block = self.blocks[hash], self.random.happens(perMille: 700) else { return [] }
            let isForged = self.random.happens(perMille: 500)
            let body = isForged ? BlockBody(transactions: [self.forgery()]).canonicalBytes : block.body
            let served = Block(header: block.header, body: body, justification: block.justification)
            return [Letter(.block(served), to: peer)]
        case .getCertificates, .getRange, .range, .status: return []
        }
    }

    /// Noise while the faults last: votes far ahead, forged transactions, and damaged messages.
    mutating func tick() -> [Letter] {
        let ahead = View(self.view.value + UInt64(self.random.index(below: 100)))
        var letters = self.spread(.nullify(view: ahead, epoch: self.committee.context.epoch), perMille: 300)
        if self.random.happens(perMille: 300) {
            letters += self.spread(.nullify(view: self.view, epoch: self.committee.context.epoch), perMille: 500)
        }
        if self.random.happens(perMille: 200) {
            let forgery = self.forgery()
            letters += self.others.map { Letter(.transactions([forgery]), to: $0) }
        }
        if self.random.happens(perMille: 300), !self.lastHeard.isEmpty {
            var bytes = self.lastHeard
            bytes[self.random.index(below: bytes.count)] ^= UInt8(1 + self.random.index(below: 255))
            if self.random.happens(perMille: 300) { bytes.removeLast(self.random.index(below: bytes.count)) }
            letters += self.others.map { Letter(bytes, to: $0) }
        }
        return letters
    }

    /// A call in the name of another member, which did not sign it.
    private mutating func forgery() -> Transaction {
        self.forgeries += 1
        let victim = self.others.first ?? self.agent
        let call = InstitutionsCall.changeAddress(
            Committee.id(victim),
            address: "10.0.0.\(self.agent):\(1_000 + self.forgeries)"
        )
        // Valid but for the signature.
        let validUntil = Height(self.height.value + UInt64(self.random.index(below: Int(Committee.replayWindow))))
        return self.committee.transaction(.institutions(call), by: victim, validUntil: validUntil, signer: self.agent)
    }

    // MARK: Learning

    private mutating func learn(_ block: Block, from peer: Int) -> [Letter] {
        var letters: [Letter] = []
        if self.blocks.updateValue(block, forKey: block.hash) == nil {
            self.waiting[block.header.parentHash, default: []].append(block)
            self.execute(on: block.header.parentHash)
            if self.executed[block.hash] == nil { letters.append(Letter(.getBlock(block.header.parentHash), to: peer)) }
        }
        for certificate in block.justification.nullifications { letters += self.learn(certificate) }
        if let parent = block.justification.parent { letters += self.learn(parent) }
        return letters
    }

    /// Executes what has waited for this block, without looking at any signature.
    private mutating func execute(on parentHash: Digest) {
        var parents = [parentHash]
        while let hash = parents.popLast() {
            guard let parent = self.executed[hash] else { continue }
            for block in self.waiting.removeValue(forKey: hash) ?? [] {
                let executed = (try? BlockBody(canonicalBytes: block.body)).flatMap { body in
                    try? self.committee.rules.execute(
                        header: block.header,
                        body: body,
                        on: parent,
                        isSignatureKnown: { _ in true }
                    )
                }
                self.executed[block.hash] = executed
                self.height = max(self.height, executed?.header.height ?? self.height)
                parents.append(block.hash)
            }
        }
    }

    private mutating func learn(_ certificate: Certificate) -> [Letter] {
        guard self.seen.insert(certificate).inserted else { return [] }
        var letters: [Letter] = []
        let view = certificate.view
        switch certificate.kind {
        case .notarize:
            self.notarizations[view] = self.notarizations[view] ?? certificate
            if let hash = certificate.hash {
                letters += self.spread(.finalize(hash, view: view, epoch: certificate.body.epoch), perMille: 500)
            }
            if self.random.happens(perMille: 300) {
                letters += self.spread(.nullify(view: view, epoch: certificate.body.epoch), perMille: 700)
            }
        case .nullify: self.nullifications[view] = self.nullifications[view] ?? certificate
        case .finalize: self.notarizations[view] = self.notarizations[view] ?? certificate
        }
        if view >= self.view {
            self.view = view.next
            if Int(self.committee.context.leader(of: self.view)) == self.agent { letters += self.propose() }
        }
        return letters
    }

    // MARK: Voting and proposing

    private mutating func vote(for block: Block) -> [Letter] {
        let header = block.header
        var letters = self.spread(
            .notarize(block.hash, view: header.view, epoch: header.epoch),
            perMille: 800
        )
        if self.random.happens(perMille: 200) {
            letters += self.spread(.nullify(view: header.view, epoch: header.epoch), perMille: 500)
        }
        return letters
    }

    /// Sends a vote to each validator with the given probability.
    private mutating func spread(_ body: VoteBody, perMille: Int) -> [Letter] {
        let vote = self.committee.vote(body, by: self.agent)
        return self.others.filter { _ in self.random.happens(perMille: perMille) }.map { Letter(.vote(vote), to: $0) }
    }

    /// Two different blocks, each for some of the validators; or one for all, which may be refused but never split them.
    private mutating func propose() -> [Letter] {
        let isStale = self.random.happens(perMille: 350)
        guard let (parent, just) = self.parent(isStale: isStale) else { return [] }
        var letters: [Letter] = []
        var proposals: [Proposal] = []
        for offset in 1...2 {
            let block = self.build(on: parent, just, timeOffset: Int64(offset), isEmpty: offset == 2)
            let body = VoteBody.notarize(block.hash, view: self.view, epoch: block.header.epoch)
            self.blocks[block.hash] = block
            proposals.append(Proposal(block: block, signature: self.committee.sign(body, by: self.agent)))
        }
        let isSingle = self.random.happens(perMille: 400)
        for peer in self.others {
            // Mostly one of the two, sometimes both or none.
            let choice = isSingle ? 0 : self.random.index(below: 8)
            for (index, proposal) in proposals.enumerated() where choice == 6 || choice < 6 && choice % 2 == index {
                letters.append(Letter(.proposal(proposal), to: peer))
            }
        }
        return letters
    }

    /// The right parent, or one further back, with whatever certificates there are for the views between.
    private mutating func parent(isStale: Bool) -> (parent: ExecutedBlock, Justification)? {
        var skipped: [Certificate] = []
        var skips = isStale ? 1 + self.random.index(below: 2) : 0
        var view = View(self.view.value - 1)
        while view > View(0) {
            if let notarization = self.notarizations[view] {
                if skips == 0 {
                    guard let parent = notarization.hash.flatMap({ self.executed[$0] }) else { return nil }
                    return (parent, Justification(parent: notarization, nullifications: skipped.reversed()))
                }
                skips -= 1
            }
            if let nullification = self.nullifications[view] { skipped.append(nullification) }
            view = View(view.value - 1)
        }
        let just = Justification(parent: nil, nullifications: skipped.reversed())
        return (self.committee.rules.genesisBlock, just)
    }

    private mutating func build(
        on parent: ExecutedBlock,
        _ just: Justification,
        timeOffset: Int64,
        isEmpty: Bool
    ) -> Block {
        let position = BlockPosition(
            epoch: self.committee.context.epoch,
            view: self.view,
            time: parent.header.time.advanced(byMilliseconds: timeOffset),
            proposer: UInt16(self.agent),
            justificationHash: just.hash
        )
        var candidates = isEmpty ? [] : self.pool
        if self.random.happens(perMille: 250) { candidates.append(self.forgery()) }
        let block = self.committee.rules.build(
            on: parent,
            at: position,
            candidates: candidates,
            isSignatureKnown: { _ in true }
        )
        var header = block.header
        if self.random.happens(perMille: 100) { header.stateRoot = Digest(hashing: header.stateRoot.bytes) }
        if header == block.header { self.executed[block.hash] = block }
        return Block(header: header, body: block.body.canonicalBytes, justification: just)
    }
}
