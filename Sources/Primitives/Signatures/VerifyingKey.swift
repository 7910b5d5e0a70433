internal import Crypto

/// The public half of a signing key: 32 bytes of Ed25519.
package struct VerifyingKey: Hashable, Comparable, Sendable {
    package static let byteCount = 32

    package let bytes: [UInt8]

    /// Returns `nil` unless the bytes are the canonical form of a point that is not of small order.
    ///
    /// A small-order key would make one signature valid for many messages; every library refuses or accepts such keys
    /// by its own rule, so the rule is pinned here.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount, Self.isCanonical(bytes), !Self.smallOrder.contains(bytes) else {
            return nil
        }
        self.bytes = bytes
    }

    /// Whether `signature` was made over `message` by the holder of this key (RFC 8032 5.1.7, S below the group order).
    package func isValid(_ signature: Signature, over message: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: self.bytes) else { return false }
        return key.isValidSignature(signature.bytes, for: message)
    }

    package static func < (left: VerifyingKey, right: VerifyingKey) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    /// Whether y, without the sign bit, is below 2^255 - 19.
    private static func isCanonical(_ bytes: [UInt8]) -> Bool {
        guard bytes[31] & 0x7f == 0x7f, bytes[1..<31].allSatisfy({ $0 == 0xff }) else { return true }
        return bytes[0] < 0xed
    }

    /// The canonical encodings of the eight points of small order, with both sign bits
    /// (Chalkias, Garillot, Nikolaenko: Taming the many EdDSAs, table 1).
    private static let smallOrder: Set<[UInt8]> = {
        let encodings = [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ]
        var all: Set<[UInt8]> = []
        for encoding in encodings {
            guard var bytes = Hex.decode(encoding) else { preconditionFailure("the table is hexadecimal") }
            all.insert(bytes)
            bytes[31] |= 0x80
            all.insert(bytes)
        }
        return all
    }()
}

extension VerifyingKey: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(fixed: self.bytes) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let key = VerifyingKey(try decoder.decode(fixed: Self.byteCount)) else { throw .invalid }
        self = key
    }
}

/// Checks signatures.
///
/// The production value checks each anew; the simulator hands in one that remembers results, since all its agents live
/// in one process and would check each vote once per agent.
package struct SignatureChecker: Sendable {
    private let check: @Sendable (VerifyingKey, Signature, [UInt8]) -> Bool

    package init(_ check: @escaping @Sendable (VerifyingKey, Signature, [UInt8]) -> Bool) { self.check = check }

    package static let direct = SignatureChecker { key, signature, message in key.isValid(signature, over: message) }

    package func isValid(_ signature: Signature, by key: VerifyingKey, over message: [UInt8]) -> Bool {
        self.check(key, signature, message)
    }
}
