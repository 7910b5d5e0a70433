import Consensus
import Ledger
import LedgerStore
package import Primitives
package import Records
import Vault

/// Gathers what this institution has to account for in a period, as one file for a regulator.
package struct AccountBuilder: Sendable {
    private static let bytesPerRead = 4 << 20

    private let context: AgentContext

    package init(context: AgentContext) { self.context = context }

    /// - Throws: ``AgentFailure`` `badRequest` for an empty period and for one whose account is larger than a file may be;
    ///   `proofIncomplete` where this home lacks what the chain says it anchored.
    package func build(from: Timestamp, until: Timestamp) throws -> AccountFile {
        guard from < until else { throw AgentFailure(.badRequest, "the period ends before it begins") }
        let tip = self.context.board.tip
        guard let certificate = tip.certificate else {
            throw Self.incomplete("the chain has no final block yet", hint: "Run entente doctor.")
        }
        let blocks = try self.blocks(from, until, tip)
        guard let last = blocks.last?.header else {
            throw Self.incomplete("the chain of that time is not stored", hint: "Run entente doctor.")
        }
        var history: [Digest] = []
        if last.height < tip.height {
            let path = try self.context.chain.historyPath(of: last.height, size: tip.block.header.historySize)
            guard let path else {
                throw Self.incomplete("the history of the chain is not stored", hint: "Run entente doctor.")
            }
            history = path
        }
        let readings = try self.readings(try blocks.flatMap(self.anchors))
        let account = Account(
            chain: self.context.rules.chain,
            institution: self.context.institution,
            from: from,
            until: until,
            header: tip.block.header,
            finalization: certificate.canonicalBytes,
            history: history,
            blocks: blocks,
            readings: readings,
            grants: self.grants(readings.flatMap { $0 }, tip.state)
        )
        return AccountFile(account, sign: self.context.keys.sign)
    }

    /// From the last block before the period to the first one behind it.
    private func blocks(_ from: Timestamp, _ until: Timestamp, _ tip: ChainBoard.Tip) throws -> [Account.Block] {
        let before = Timestamp(milliseconds: from.milliseconds - (from.milliseconds == .min ? 0 : 1))
        var next = try VerdictMoments(context: self.context).height(at: before, tip)
        var blocks: [Account.Block] = []
        var bytes = 0
        while next <= tip.height {
            let stored = try self.context.chain.blocks(from: next, maxBytes: Self.bytesPerRead)
            for block in stored where block.header.height <= tip.height {
                let receiptBytes = block.receipts.reduce(0) { $0 + $1.count }
                bytes += block.body.count + receiptBytes + 512
                guard bytes <= Account.bytesMax, blocks.count < Account.blocksMax else { throw Self.tooLong }
                let body = try BlockBody(canonicalBytes: block.body)
                blocks.append(
                    Account.Block(
                        header: block.header,
                        transactions: body.transactions.map(\.bytes),
                        receipts: block.receipts
                    )
                )
                if block.header.time >= until { return blocks }
            }
            guard let last = stored.last?.header.height else { break }
            next = last.next
        }
        return blocks
    }

    /// The batches of this institution's receipts that a block took in.
    private func anchors(_ block: Account.Block) throws -> [BatchAnchor] {
        try zip(block.transactions, block.receipts).compactMap { bytes, said in
            let transaction = try Transaction(canonicalBytes: bytes)
            guard case .receipts(.anchorReceipts(let anchor)) = try? LedgerCall(of: transaction.body),
                anchor.institution == self.context.institution,
                try TransactionReceipt(canonicalBytes: said).code == .ok
            else { return nil }
            return anchor
        }
    }

    private func readings(_ anchors: [BatchAnchor]) throws -> [[FetchReceipt]] {
        guard let first = anchors.first, let last = anchors.last else { return [] }
        let count = anchors.reduce(0) { $0 + Int($1.count) }
        guard count * SealedReceipt.paddedBytes <= Account.bytesMax else { throw Self.tooLong }
        var batches: [UInt64: [FetchReceipt]] = [:]
        for stored in try self.context.custody.receipts(batches: first.number...last.number) {
            guard let place = stored.place else { continue }
            batches[place.batch, default: []].append(try self.context.secrets.openReceipt(stored.sealed))
        }
        return try anchors.map { anchor in
            let receipts = batches[anchor.number] ?? []
            guard receipts.count == Int(anchor.count), MerkleTree.root(receipts.map(\.leafHash)) == anchor.root else {
                throw Self.incomplete(
                    "this home lacks readings that the chain says it anchored",
                    hint: "Was it restored from a backup? Use the backup that has them."
                )
            }
            return receipts
        }
    }

    /// What the readings name, in the order of their first naming; what is not on the chain is left out.
    private func grants(_ receipts: [FetchReceipt], _ state: LedgerState) -> [Account.Grant] {
        var seen: Set<GrantID> = []
        return receipts.compactMap(\.grant).filter { seen.insert($0).inserted }.compactMap { id in
            guard let bytes = state.bytes(at: .grant(id)), let grant = state.grant(id) else { return nil }
            // A grantee by name needs no group.
            let isNamed = grant.grant.grantees.contains(self.context.institution)
            let groups = isNamed ? [] : state.groups(of: grant.grant)
            return Account.Grant(
                state: bytes,
                proof: state.proof(for: .grant(id)),
                groups: groups.filter { $0.memberships.contains { $0.institution == self.context.institution } }
                    .compactMap { group in
                        state.bytes(at: .group(group.id)).map {
                            EvidenceFile.Support(state: $0, proof: state.proof(for: .group(group.id)))
                        }
                    }
            )
        }
    }

    private static let tooLong = AgentFailure(
        .badRequest,
        "the account of that period is larger than 64 MiB",
        hint: "Write several, each of a shorter period."
    )

    private static func incomplete(_ what: String, hint: String) -> AgentFailure {
        AgentFailure(.proofIncomplete, what, hint: hint)
    }
}
