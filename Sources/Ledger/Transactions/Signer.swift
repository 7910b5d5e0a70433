package import Primitives

/// Who signs a transaction.
package enum Signer: Hashable, Sendable {
    /// A member, by the signing key that the chain holds for it.
    case institution(InstitutionID)
    /// Whoever holds the key: a patient.
    case key(VerifyingKey)
}

extension Signer: Comparable {
    /// Institutions first.
    package static func < (left: Signer, right: Signer) -> Bool {
        switch (left, right) {
        case (.institution(let left), .institution(let right)): left < right
        case (.key(let left), .key(let right)): left < right
        case (.institution, .key): true
        case (.key, .institution): false
        }
    }
}

extension Signer: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .institution(let id):
            encoder.encode(variant: 0)
            encoder.encode(id)
        case .key(let key):
            encoder.encode(variant: 1)
            encoder.encode(key)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 2) {
        case 0: self = .institution(try decoder.decode())
        default: self = .key(try decoder.decode())
        }
    }
}
