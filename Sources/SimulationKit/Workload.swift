internal import Ledger
internal import Primitives
internal import Records

/// What the users of the agents ask for: signed transactions of several modules, some of them too short-lived to get
/// into a block, out of order, handed in twice, or forged.
struct Workload: Sendable {
    /// A transaction for an agent.
    struct Wish: Sendable {
        let transaction: Transaction
        let isForged: Bool
    }

    private let committee: Committee
    /// What each institution's next batch must be, if nothing that it handed in gets lost.
    private var heads: [BatchHead]
    private var past: [Transaction] = []
    private var count: UInt64 = 0

    init(committee: Committee, agents: Int) {
        self.committee = committee
        self.heads = Array(repeating: .start, count: agents)
    }

    /// A wish of `agent`'s user, who sees the chain up to `tip`; `isOrderly` keeps it plain and long-lived.
    mutating func next(
        for agent: Int,
        at tip: ExecutedBlock,
        isOrderly: Bool,
        using random: inout SimulationRandom
    ) -> Wish {
        let fate = isOrderly ? 999 : random.index(below: 1_000)
        if fate < 100, !self.past.isEmpty {
            return Wish(transaction: self.past[random.index(below: self.past.count)], isForged: false)
        }
        let longest = Int(Committee.replayWindow)
        let blocks = fate < 250 ? random.index(below: 2) : longest / 2 + random.index(below: longest / 2)
        let validUntil = Height(tip.header.height.next.value + UInt64(blocks))
        let call = self.call(agent, at: tip, using: &random)
        guard fate >= 330 else {
            let signer = (agent + 1) % self.heads.count
            let forged = self.committee.transaction(call, by: agent, validUntil: validUntil, signer: signer)
            return Wish(transaction: forged, isForged: signer != agent)
        }
        let transaction = self.committee.transaction(call, by: agent, validUntil: validUntil)
        self.past.append(transaction)
        return Wish(transaction: transaction, isForged: false)
    }

    private mutating func call(
        _ agent: Int,
        at tip: ExecutedBlock,
        using random: inout SimulationRandom
    ) -> LedgerCall {
        self.count += 1
        let id = Committee.id(agent)
        let digest = Digest(hashing: Array("simulated wish \(self.count)".utf8))
        switch random.index(below: 5) {
        case 0: return .institutions(.changeAddress(id, address: "127.0.0.1:\(1_000 + self.count)"))
        case 1:
            let oldUntil = Height(tip.header.height.value + 30)
            return .institutions(.rotateTransportKey(id, digest: digest, oldUntil: oldUntil))
        default:
            // What the chain knows, after a loss; the own count otherwise, also ahead of the chain.
            if random.happens(perMille: 250) { self.heads[agent] = tip.state.commitmentHead(id) }
            let anchor = BatchAnchor(
                institution: id,
                number: self.heads[agent].next,
                previous: self.heads[agent].previous,
                count: 1 + UInt32(random.index(below: 100)),
                root: digest,
                manifest: ContentAddress(digest)
            )
            self.heads[agent] = BatchHead(next: anchor.number + 1, previous: anchor.digest)
            return .commitments(.commitExams(anchor))
        }
    }
}
