package import Primitives
package import Records

/// What one agent asks another for in bulk.
package enum PeerRequest: Hashable, Sendable, CanonicalCodable {
    /// A request is at most this many bytes.
    package static let bytesMax = 16 << 10
    /// Objects asked for at once: with 4 KB records a reply of about a megabyte.
    package static let objectsMax = 256

    /// Objects by address; the reply holds those that the asker may have and the asked holds.
    case objects([ContentAddress])
    /// Envelope pages of a grant from a number on.
    case pages(GrantID, from: UInt32)

    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .objects(let addresses):
            encoder.encode(variant: 0)
            encoder.encode(addresses)
        case .pages(let grant, let first):
            encoder.encode(variant: 1)
            encoder.encode(grant)
            encoder.encode(first)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 2) {
        case 0: self = .objects(try decoder.decodeArray(max: Self.objectsMax))
        default: self = .pages(try decoder.decode(), from: try decoder.decode())
        }
    }
}
