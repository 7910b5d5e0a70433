internal import Consensus
internal import Primitives

/// A validator that breaks every rule its key lets it break: it proposes two blocks in one view, also on stale parents
/// with incomplete justifications, votes for everything and against it, tells each peer something else, withholds at
/// random, and serves wrong bodies.
///
/// It cannot forge the signatures of others, and it counts as one of the f faulty validators.
struct Equivocator: Sendable {
    private let committee: Committee
    private let agent: Int
    private var random: SimulationRandom
    private var ledger: SimulatedLedger
    private var view = View(1)
    private var blocks: [Digest: Block] = [:]
    private var notarizations: [View: Certificate] = [:]
    private var nullifications: [View: Certificate] = [:]
    private var seen: Set<Certificate> = []

    init(committee: Committee, agent: Int, seed: UInt64) {
        self.committee = committee
        self.agent = agent
        self.random = SimulationRandom(seed: seed)
        self.ledger = SimulatedLedger(genesis: committee.genesis)
    }

    private var others: [Int] { (0..<self.committee.context.validators.count).filter { $0 != self.agent } }

    mutating func received(_ message: SimulatedMessage, from peer: Int) -> [ReplicaAction] {
        switch message {
        case .transaction(let transaction):
            _ = self.ledger.submit(transaction)
            return []
        case .consensus(.proposal(let proposal)):
            return self.learn(proposal.block) + self.vote(for: proposal.block)
        case .consensus(.block(let block)): return self.learn(block)
        case .consensus(.certificate(let certificate)): return self.learn(certificate)
        case .consensus(.certificates(let certificates)):
            var actions: [ReplicaAction] = []
            for certificate in certificates { actions += self.learn(certificate) }
            return actions
        case .consensus(.vote(let vote)):
            guard vote.body.kind == .nullify, self.random.happens(perMille: 300) else { return [] }
            return self.spread(.nullify(view: vote.body.view, epoch: vote.body.epoch), perMille: 500)
        case .consensus(.getBlock(let hash)):
            guard let block = self.blocks[hash], self.random.happens(perMille: 700) else { return [] }
            let isForged = self.random.happens(perMille: 500)
            let body = isForged ? SimulatedLedger.encode([0xBAD]) : block.body
            let served = Block(header: block.header, body: body, justification: block.justification)
            return [.send(.consensus(.block(served)), to: peer)]
        case .consensus(.getCertificates), .consensus(.getRange), .consensus(.range), .consensus(.status):
            return []
        }
    }

    /// Noise while the faults last: votes far ahead, and the newest certificates to a few.
    mutating func tick() -> [ReplicaAction] {
        let ahead = View(self.view.value + UInt64(self.random.index(below: 100)))
        var actions = self.spread(.nullify(view: ahead, epoch: self.committee.context.epoch), perMille: 300)
        if self.random.happens(perMille: 300) {
            actions += self.spread(.nullify(view: self.view, epoch: self.committee.context.epoch), perMille: 500)
        }
        return actions
    }

    private mutating func learn(_ block: Block) -> [ReplicaAction] {
        if self.blocks[block.hash] == nil {
            self.blocks[block.hash] = block
            _ = self.ledger.verify(block)
        }
        var actions: [ReplicaAction] = []
        for certificate in block.justification.nullifications { actions += self.learn(certificate) }
        if let parent = block.justification.parent { actions += self.learn(parent) }
        return actions
    }

    private mutating func learn(_ certificate: Certificate) -> [ReplicaAction] {
        guard self.seen.insert(certificate).inserted else { return [] }
        var actions: [ReplicaAction] = []
        let view = certificate.view
        switch certificate.kind {
        case .notarize:
            self.notarizations[view] = self.notarizations[view] ?? certificate
            if let hash = certificate.hash {
                actions += self.spread(.finalize(hash, view: view, epoch: certificate.body.epoch), perMille: 500)
            }
            if self.random.happens(perMille: 300) {
                actions += self.spread(.nullify(view: view, epoch: certificate.body.epoch), perMille: 700)
            }
        case .nullify: self.nullifications[view] = self.nullifications[view] ?? certificate
        case .finalize: self.notarizations[view] = self.notarizations[view] ?? certificate
        }
        if view >= self.view {
            self.view = view.next
            if Int(self.committee.context.leader(of: self.view)) == self.agent { actions += self.propose() }
        }
        return actions
    }

    private mutating func vote(for block: Block) -> [ReplicaAction] {
        let header = block.header
        var actions = self.spread(
            .notarize(block.hash, view: header.view, epoch: header.epoch),
            perMille: 800
        )
        if self.random.happens(perMille: 200) {
            actions += self.spread(.nullify(view: header.view, epoch: header.epoch), perMille: 500)
        }
        return actions
    }

    /// Sends a vote to each validator with the given probability.
    private mutating func spread(_ body: VoteBody, perMille: Int) -> [ReplicaAction] {
        let vote = self.committee.vote(body, by: self.agent)
        return self.others.filter { _ in self.random.happens(perMille: perMille) }
            .map { .send(.consensus(.vote(vote)), to: $0) }
    }

    // MARK: Proposing

    /// Two different blocks, each for some of the validators.
    private mutating func propose() -> [ReplicaAction] {
        let isStale = self.random.happens(perMille: 350)
        guard let (parent, just) = self.parent(isStale: isStale) else { return [] }
        var actions: [ReplicaAction] = []
        var proposals: [Proposal] = []
        for offset in 1...2 {
            guard let block = self.build(on: parent, just, timeOffset: Int64(offset), isEmpty: offset == 2) else {
                return []
            }
            let body = VoteBody.notarize(block.hash, view: self.view, epoch: block.header.epoch)
            self.blocks[block.hash] = block
            proposals.append(Proposal(block: block, signature: self.committee.sign(body, by: self.agent)))
        }
        for peer in self.others {
            // Mostly one of the two, sometimes both or none.
            let choice = self.random.index(below: 8)
            for (index, proposal) in proposals.enumerated() where choice == 6 || choice < 6 && choice % 2 == index {
                actions.append(.send(.consensus(.proposal(proposal)), to: peer))
            }
        }
        return actions
    }

    /// The right parent, or one further back, with whatever certificates there are for the views between.
    private mutating func parent(isStale: Bool) -> (parent: BlockHeader, Justification)? {
        var skipped: [Certificate] = []
        var skips = isStale ? 1 + self.random.index(below: 2) : 0
        var view = View(self.view.value - 1)
        while view > View(0) {
            if let notarization = self.notarizations[view] {
                if skips == 0 {
                    guard let block = notarization.hash.flatMap({ self.blocks[$0] }) else { return nil }
                    return (block.header, Justification(parent: notarization, nullifications: skipped.reversed()))
                }
                skips -= 1
            }
            if let nullification = self.nullifications[view] { skipped.append(nullification) }
            view = View(view.value - 1)
        }
        return (self.committee.genesis.header, Justification(parent: nil, nullifications: skipped.reversed()))
    }

    private mutating func build(
        on parent: BlockHeader,
        _ just: Justification,
        timeOffset: Int64,
        isEmpty: Bool
    ) -> Block? {
        let request = BuildRequest(
            epoch: self.committee.context.epoch,
            view: self.view,
            parent: parent,
            parentHash: parent.hash,
            parentView: parent.view,
            justificationHash: just.hash,
            proposer: UInt16(self.agent),
            time: parent.time.advanced(byMilliseconds: timeOffset),
            validatorsHash: self.committee.context.validators.hash,
            withTransactions: !isEmpty,
            allowEmpty: true
        )
        guard case .block(let header, let body) = self.ledger.build(request) else { return nil }
        return Block(header: header, body: body, justification: just)
    }
}
