/// The name of a member institution on its chain: 1 to 32 of `a-z 0-9 -`, starting with a letter.
///
/// ASCII only, so that equal names have equal bytes and order does not depend on Unicode tables.
package struct InstitutionID: Hashable, Comparable, Sendable {
    package static let lengthMax = 32

    package let text: String

    /// Returns `nil` if `text` is not such a name.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard (1...Self.lengthMax).contains(bytes.count), Self.isLetter(bytes[0]),
            bytes.allSatisfy({ Self.isLetter($0) || Self.isDigit($0) || $0 == UInt8(ascii: "-") })
        else { return nil }
        self.text = String(text)
    }

    package static func < (left: InstitutionID, right: InstitutionID) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

extension InstitutionID: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.text) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let id = InstitutionID(try decoder.decodeString(max: Self.lengthMax)) else { throw .invalid }
        self = id
    }
}

extension InstitutionID: CustomStringConvertible {
    package var description: String { self.text }
}

/// The chain's identity: the digest of its genesis file.
package struct ChainID: Hashable, Sendable, CanonicalCodable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}

/// The set of algorithms that a chain, record or signature uses; unknown numbers are refused where they are met.
package struct SuiteID: Hashable, Sendable, CanonicalCodable {
    /// Ed25519, SHA-256, AES-256-GCM, HPKE X-Wing.
    package static let international = SuiteID(2)

    package let number: UInt8

    package init(_ number: UInt8) { self.number = number }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.number) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode(UInt8.self))
    }
}
