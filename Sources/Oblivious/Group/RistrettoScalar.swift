internal import CSodium
package import Primitives

/// A number modulo the order of ristretto255 (RFC 9496): 32 little-endian bytes, always reduced.
///
/// Sums, products and inverses take the same time for all values (libsodium). Not `CustomStringConvertible` on purpose:
/// most scalars here are secrets.
package struct RistrettoScalar: Hashable, Sendable {
    package static let byteCount = 32
    /// What reduces to an even distribution: twice the length of a scalar.
    package static let uniformByteCount = 64

    package static let zero = RistrettoScalar(unchecked: [UInt8](repeating: 0, count: byteCount))
    package static let one = RistrettoScalar(1)

    package let bytes: [UInt8]

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Returns `nil` unless the bytes are 32 and below the order.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        let reduced = RistrettoScalar(uniform: bytes + [UInt8](repeating: 0, count: Self.byteCount))
        guard reduced.bytes == bytes else { return nil }
        self = reduced
    }

    package init(_ value: UInt16) {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes[0] = UInt8(truncatingIfNeeded: value)
        bytes[1] = UInt8(truncatingIfNeeded: value >> 8)
        self.init(unchecked: bytes)
    }

    /// The number that 64 random bytes stand for, reduced.
    package init(uniform bytes: [UInt8]) {
        precondition(bytes.count == Self.uniformByteCount, "64 bytes reduce to an evenly distributed scalar")
        var scalar = [UInt8](repeating: 0, count: Self.byteCount)
        unsafe crypto_core_ristretto255_scalar_reduce(&scalar, bytes)
        self.init(unchecked: scalar)
    }

    /// The scalar number `index` that `label` and a secret seed stand for: many scalars from one draw.
    package init(seed: [UInt8], label: String, index: UInt32) {
        var encoder = CanonicalEncoder(reservingCapacity: 128)
        encoder.encode("entente/scalar/1")
        encoder.encode(label)
        encoder.encode(index)
        encoder.encode(bytes: seed)
        self.init(uniform: SHA512.hash(encoder.bytes))
    }

    package var isZero: Bool { self == .zero }

    /// Returns `nil` for zero.
    package var inverse: RistrettoScalar? {
        var result = [UInt8](repeating: 0, count: Self.byteCount)
        guard unsafe crypto_core_ristretto255_scalar_invert(&result, self.bytes) == 0 else { return nil }
        return RistrettoScalar(unchecked: result)
    }

    package static func + (left: RistrettoScalar, right: RistrettoScalar) -> RistrettoScalar {
        var result = [UInt8](repeating: 0, count: Self.byteCount)
        unsafe crypto_core_ristretto255_scalar_add(&result, left.bytes, right.bytes)
        return RistrettoScalar(unchecked: result)
    }

    package static func - (left: RistrettoScalar, right: RistrettoScalar) -> RistrettoScalar {
        var result = [UInt8](repeating: 0, count: Self.byteCount)
        unsafe crypto_core_ristretto255_scalar_sub(&result, left.bytes, right.bytes)
        return RistrettoScalar(unchecked: result)
    }

    package static func * (left: RistrettoScalar, right: RistrettoScalar) -> RistrettoScalar {
        var result = [UInt8](repeating: 0, count: Self.byteCount)
        unsafe crypto_core_ristretto255_scalar_mul(&result, left.bytes, right.bytes)
        return RistrettoScalar(unchecked: result)
    }
}

extension RistrettoScalar: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(fixed: self.bytes) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let scalar = RistrettoScalar(try decoder.decode(fixed: Self.byteCount)) else { throw .invalid }
        self = scalar
    }
}

/// SHA-512, from the library that also gives the group.
enum SHA512 {
    static let byteCount = 64
    static let blockBytes = 128

    static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.byteCount)
        unsafe crypto_hash_sha512(&digest, bytes, UInt64(bytes.count))
        return digest
    }
}
