package import Primitives

/// Where a value stands in the state: `H(module ‖ tag ‖ fields)`, so that modules cannot reach each other's values.
package struct StateKey: Hashable, Sendable {
    package let module: ModuleID
    package let digest: Digest

    /// The place of the value of kind `tag` inside `module` that `fields` tells apart from others of its kind.
    package init(_ module: ModuleID, tag: UInt8, fields: (inout CanonicalEncoder) -> Void = { _ in }) {
        var encoder = CanonicalEncoder(reservingCapacity: 80)
        encoder.encode(module)
        encoder.encode(tag)
        fields(&encoder)
        self.module = module
        self.digest = Digest(hashing: encoder.bytes)
    }

    package init(_ module: ModuleID, tag: UInt8, _ field: some CanonicalEncodable) {
        self.init(module, tag: tag) { encoder in encoder.encode(field) }
    }
}

/// The new value of one place of the state; `nil` removes it.
package struct StateChange: Hashable, Sendable {
    package var key: Digest
    package var value: [UInt8]?

    package init(key: Digest, value: [UInt8]?) {
        self.key = key
        self.value = value
    }
}

/// Something that can be asked for values of the state.
///
/// The modules' questions are extensions of it.
package protocol StateReading {
    func bytes(at key: StateKey) -> [UInt8]?
}

extension StateReading {
    /// The value at `key`.
    ///
    /// The state holds only what modules wrote, so its bytes are always readable.
    package func value<Value: CanonicalDecodable>(_: Value.Type = Value.self, at key: StateKey) -> Value? {
        guard let bytes = self.bytes(at: key) else { return nil }
        return LedgerState.decode(bytes)
    }
}

/// Everything the chain knows after one block.
///
/// A value: a copy costs nothing, so blocks on several parents can be executed side by side.
package struct LedgerState: Sendable, StateReading {
    private var map = SparseMerkleMap()

    package init() {}

    /// The state with these values, as a store gives them back.
    ///
    /// Whoever loads a state compares its root.
    package init(entries: some Sequence<(key: Digest, value: [UInt8])>) {
        self.map.apply(entries.map { ($0.key, $0.value) })
    }

    package var root: Digest { self.map.root }
    package var count: Int { self.map.count }

    package func bytes(at key: StateKey) -> [UInt8]? { self.map[key.digest] }

    package func proof(for key: StateKey) -> SparseMerkleProof { self.map.proof(for: key.digest) }

    /// Every place and value, in ascending order of keys.
    package var entries: some Sequence<(key: Digest, value: [UInt8])> { self.map }

    package mutating func apply(_ changes: [StateChange]) {
        self.map.apply(changes.map { ($0.key, $0.value) })
    }

    static func decode<Value: CanonicalDecodable>(_ bytes: [UInt8]) -> Value {
        do {
            return try Value(canonicalBytes: bytes)
        } catch {
            preconditionFailure("the state holds a value that no module wrote")
        }
    }
}
