package import Primitives
package import Records

/// Values written over a state and not yet part of it.
struct StateOverlay: StateReading {
    let base: LedgerState
    private var writes: [Digest: [UInt8]?] = [:]

    init(base: LedgerState) { self.base = base }

    func bytes(at key: StateKey) -> [UInt8]? {
        if let written = self.writes[key.digest] { return written }
        return self.base.bytes(at: key)
    }

    mutating func write(_ value: [UInt8]?, at key: Digest) { self.writes.updateValue(value, forKey: key) }

    /// The changes, ordered by key: this order reaches stores.
    var changes: [StateChange] {
        self.writes.map { StateChange(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key }
    }
}

/// What a module sees while it executes one transaction: the block's time, the signers, and a metered view of the state
/// that is discarded if the transaction is refused.
package struct ExecutionContext {
    /// The widest call asks for 64 grantees and 64 custodians, and a few places of its own.
    package static let readsMax = 256
    package static let writesMax = 16
    /// The largest value is an institution's entry of about 2 KiB.
    package static let bytesWrittenMax = 16 << 10

    package let chain: ChainID
    package let height: Height
    package let time: Timestamp
    package let parameters: ChainParameters
    package let module: ModuleID
    package let transaction: TransactionID
    package let signers: [Signer]
    private let overlay: StateOverlay
    private var writes: [(key: Digest, value: [UInt8]?)] = []
    private var reads = 0
    private var bytesWritten = 0
    private(set) var events: [LedgerEvent] = []

    init(
        chain: ChainID,
        block: BlockContext,
        parameters: ChainParameters,
        module: ModuleID,
        transaction: TransactionID,
        signers: [Signer],
        overlay: StateOverlay
    ) {
        self.chain = chain
        self.height = block.height
        self.time = block.time
        self.parameters = parameters
        self.module = module
        self.transaction = transaction
        self.signers = signers
        self.overlay = overlay
    }

    /// A context over a state alone.
    package init(
        chain: ChainID,
        height: Height,
        time: Timestamp,
        parameters: ChainParameters,
        module: ModuleID,
        transaction: TransactionID,
        signers: [Signer],
        state: LedgerState
    ) {
        self.init(
            chain: chain,
            block: BlockContext(height: height, time: time),
            parameters: parameters,
            module: module,
            transaction: transaction,
            signers: signers,
            overlay: StateOverlay(base: state)
        )
    }

    /// The writes so far, in the order in which they were made.
    var pendingWrites: [(key: Digest, value: [UInt8]?)] { self.writes }

    /// The value at `key`, of any module.
    package mutating func value<Value: CanonicalDecodable>(
        _: Value.Type = Value.self,
        at key: StateKey
    ) throws(TransactionRefusal) -> Value? {
        guard let bytes = try self.read(key) else { return nil }
        return LedgerState.decode(bytes)
    }

    package mutating func exists(_ key: StateKey) throws(TransactionRefusal) -> Bool { try self.read(key) != nil }

    /// Writes a value of the executing module.
    package mutating func write(_ value: some CanonicalEncodable, at key: StateKey) throws(TransactionRefusal) {
        try self.write(bytes: value.canonicalBytes, at: key)
    }

    package mutating func remove(_ key: StateKey) throws(TransactionRefusal) { try self.write(bytes: nil, at: key) }

    package mutating func emit(_ event: LedgerEvent) { self.events.append(event) }

    /// Refuses unless exactly these signed.
    package func require(signers: [Signer], else code: TransactionCode) throws(TransactionRefusal) {
        guard self.signers == signers.sorted() else { throw TransactionRefusal(code) }
    }

    private mutating func read(_ key: StateKey) throws(TransactionRefusal) -> [UInt8]? {
        self.reads += 1
        guard self.reads <= Self.readsMax else { throw TransactionRefusal(.overMeter, detail: "reads") }
        if let written = self.writes.last(where: { $0.key == key.digest }) { return written.value }
        return self.overlay.bytes(at: key)
    }

    private mutating func write(bytes: [UInt8]?, at key: StateKey) throws(TransactionRefusal) {
        precondition(key.module == self.module, "a module writes its own values only")
        self.bytesWritten += bytes?.count ?? 0
        guard self.writes.count < Self.writesMax else { throw TransactionRefusal(.overMeter, detail: "writes") }
        guard self.bytesWritten <= Self.bytesWrittenMax else { throw TransactionRefusal(.overMeter, detail: "bytes") }
        self.writes.append((key.digest, bytes))
    }
}

/// What a block's transactions may know of their block.
package struct BlockContext: Hashable, Sendable {
    package var height: Height
    package var time: Timestamp

    package init(height: Height, time: Timestamp) {
        self.height = height
        self.time = time
    }
}
