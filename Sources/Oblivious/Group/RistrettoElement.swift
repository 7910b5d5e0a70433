internal import CSodium
package import Primitives

/// An element of ristretto255 (RFC 9496) in its only encoding of 32 bytes.
///
/// What is read from bytes is never the identity; sums and multiples may be it, and whoever sends or stores one asks
/// ``isIdentity`` first.
package struct RistrettoElement: Hashable, Sendable {
    package static let byteCount = 32

    package static let identity = RistrettoElement(unchecked: [UInt8](repeating: 0, count: byteCount))
    package static let generator = RistrettoElement(generatorTimes: .one)

    package let bytes: [UInt8]

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Returns `nil` unless the bytes are the encoding of an element other than the identity.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount, bytes != Self.identity.bytes,
            unsafe crypto_core_ristretto255_is_valid_point(bytes) == 1
        else { return nil }
        self.bytes = bytes
    }

    /// The element that 64 uniform bytes map to (RFC 9496, 4.3.4).
    package init(uniform bytes: [UInt8]) {
        precondition(bytes.count == RistrettoScalar.uniformByteCount, "64 bytes map to an element")
        var element = [UInt8](repeating: 0, count: Self.byteCount)
        unsafe crypto_core_ristretto255_from_hash(&element, bytes)
        self.init(unchecked: element)
    }

    package init(generatorTimes scalar: RistrettoScalar) {
        var element = [UInt8](repeating: 0, count: Self.byteCount)
        // Fails for zero only, and then leaves nothing that may be used.
        guard unsafe crypto_scalarmult_ristretto255_base(&element, scalar.bytes) == 0 else {
            self = .identity
            return
        }
        self.init(unchecked: element)
    }

    package var isIdentity: Bool { self == .identity }

    package static func + (left: RistrettoElement, right: RistrettoElement) -> RistrettoElement {
        var result = [UInt8](repeating: 0, count: Self.byteCount)
        let status = unsafe crypto_core_ristretto255_add(&result, left.bytes, right.bytes)
        precondition(status == 0, "an element's bytes are always its encoding")
        return RistrettoElement(unchecked: result)
    }

    package static func - (left: RistrettoElement, right: RistrettoElement) -> RistrettoElement {
        var result = [UInt8](repeating: 0, count: Self.byteCount)
        let status = unsafe crypto_core_ristretto255_sub(&result, left.bytes, right.bytes)
        precondition(status == 0, "an element's bytes are always its encoding")
        return RistrettoElement(unchecked: result)
    }

    package static func * (scalar: RistrettoScalar, element: RistrettoElement) -> RistrettoElement {
        var result = [UInt8](repeating: 0, count: Self.byteCount)
        // The order is prime and the bytes are an encoding, so that the library fails for the identity only.
        guard unsafe crypto_scalarmult_ristretto255(&result, scalar.bytes, element.bytes) == 0 else { return .identity }
        return RistrettoElement(unchecked: result)
    }
}

extension RistrettoElement: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        precondition(!self.isIdentity, "the identity is never sent or stored")
        encoder.encode(fixed: self.bytes)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let element = RistrettoElement(try decoder.decode(fixed: Self.byteCount)) else { throw .invalid }
        self = element
    }
}
