internal import Consensus
internal import Primitives

/// The smallest application that can disagree: numbered transactions, each at most once on a branch, and a state root
/// that depends on all of them in their order.
struct SimulatedLedger: Sendable {
    /// After a block.
    private struct State: Sendable {
        let header: BlockHeader
        let stateRoot: Digest
        /// Over the hashes of the blocks up to and with this one.
        let history: MerkleFrontier
        let transactions: [UInt64]
    }

    private static let transactionsMax = 8
    private static let poolMax = 10_000

    /// The last committed block's hash.
    private(set) var tip: Digest
    /// States of the last committed block and of executed blocks above it.
    private var states: [Digest: State]
    private var decided: Set<UInt64> = []
    /// Transactions that are in no decided block, in order of arrival.
    private(set) var pool: [UInt64] = []

    init(genesis: FinalPoint) {
        var history = MerkleFrontier()
        history.append(MerkleTree.leafHash(use: "blk/1", genesis.hash.bytes))
        self.tip = genesis.hash
        self.states = [
            genesis.hash: State(header: genesis.header, stateRoot: .zero, history: history, transactions: [])
        ]
    }

    var isPending: Bool { !self.pool.isEmpty }
    var stateRoot: Digest? { self.states[self.tip]?.stateRoot }

    /// Returns whether the transaction is new here.
    mutating func submit(_ transaction: UInt64) -> Bool {
        guard !self.decided.contains(transaction), !self.pool.contains(transaction), self.pool.count < Self.poolMax
        else { return false }
        self.pool.append(transaction)
        return true
    }

    func isDecided(_ transaction: UInt64) -> Bool { self.decided.contains(transaction) }

    mutating func build(_ request: BuildRequest) -> BuildOutcome {
        guard let parent = self.states[request.parentHash] else { return .failed }
        let included = self.included(request.parentHash)
        let open = request.withTransactions ? self.pool.filter { !included.contains($0) } : []
        let transactions = Array(open.prefix(Self.transactionsMax))
        guard !transactions.isEmpty || request.allowEmpty else { return .nothingToAdd }
        let body = Self.encode(transactions)
        let root = Self.root(parent.stateRoot, body)
        let header = request.header(
            transactionCount: UInt32(transactions.count),
            transactionRoot: Digest(hashing: body),
            receiptRoot: .zero,
            stateRoot: root,
            historyRoot: parent.history.root,
            parametersHash: .zero
        )
        self.hold(header, header.hash, parent, root, transactions)
        return .block(header, body: body)
    }

    mutating func verify(_ block: Block) -> VerifyOutcome {
        let header = block.header
        guard let parent = self.states[header.parentHash] else { return .unavailable }
        guard Digest(hashing: block.body) == header.transactionRoot else { return .bodyMismatch }
        guard let transactions = Self.decode(block.body), transactions.count == header.transactionCount else {
            return .invalid
        }
        let included = self.included(header.parentHash)
        let root = Self.root(parent.stateRoot, block.body)
        guard transactions.allSatisfy({ !included.contains($0) && !self.decided.contains($0) }),
            Set(transactions).count == transactions.count, header.stateRoot == root,
            header.historyRoot == parent.history.root
        else { return .invalid }
        self.hold(header, block.hash, parent, root, transactions)
        return .valid
    }

    mutating func commit(_ blocks: [Block]) {
        for block in blocks {
            guard let state = self.states[block.hash] else { preconditionFailure("a committed block was executed") }
            self.decided.formUnion(state.transactions)
            self.tip = block.hash
        }
        guard let height = self.states[self.tip]?.header.height else { return }
        self.pool.removeAll { self.decided.contains($0) }
        self.states = self.states.filter { $0.key == self.tip || $0.value.header.height > height }
    }

    private mutating func hold(
        _ header: BlockHeader,
        _ hash: Digest,
        _ parent: State,
        _ root: Digest,
        _ transactions: [UInt64]
    ) {
        var history = parent.history
        history.append(MerkleTree.leafHash(use: "blk/1", hash.bytes))
        self.states[hash] = State(header: header, stateRoot: root, history: history, transactions: transactions)
    }

    /// Transactions in undecided blocks up to `hash`.
    private func included(_ hash: Digest) -> Set<UInt64> {
        var included: Set<UInt64> = []
        var cursor = hash
        while cursor != self.tip, let state = self.states[cursor] {
            included.formUnion(state.transactions)
            cursor = state.header.parentHash
        }
        return included
    }

    private static func root(_ parent: Digest, _ body: [UInt8]) -> Digest { Digest(hashing: parent.bytes + body) }

    static func encode(_ transactions: [UInt64]) -> [UInt8] {
        var encoder = CanonicalEncoder()
        encoder.encode(length: transactions.count)
        for transaction in transactions { encoder.encode(transaction) }
        return encoder.bytes
    }

    private static func decode(_ body: [UInt8]) -> [UInt64]? {
        var decoder = CanonicalDecoder(body)
        guard let count = try? decoder.decodeLength(max: Self.transactionsMax) else { return nil }
        var transactions: [UInt64] = []
        for _ in 0..<count {
            guard let transaction = try? decoder.decode(UInt64.self) else { return nil }
            transactions.append(transaction)
        }
        return decoder.remaining == 0 ? transactions : nil
    }
}
