package import Oblivious
package import Primitives
package import Records

/// What one agent asks another for in bulk.
package enum PeerRequest: Hashable, Sendable, CanonicalCodable {
    /// Objects asked for at once: with 4 KB records a reply of about a megabyte.
    package static let objectsMax = 256

    /// Objects by address; the reply holds those that the asker may have and the asked holds.
    case objects([ContentAddress])
    /// Envelope pages of a grant from a number on.
    case pages(GrantID, from: UInt32)
    /// Blinded elements to be evaluated with the asked institution's share of this generation.
    case evaluate(generation: UInt32, [RistrettoElement])

    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .objects(let addresses):
            encoder.encode(variant: 0)
            encoder.encode(addresses)
        case .pages(let grant, let first):
            encoder.encode(variant: 1)
            encoder.encode(grant)
            encoder.encode(first)
        case .evaluate(let generation, let blinded):
            encoder.encode(variant: 2)
            encoder.encode(generation)
            encoder.encode(blinded)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 3) {
        case 0: self = .objects(try decoder.decodeArray(max: Self.objectsMax))
        case 1: self = .pages(try decoder.decode(), from: try decoder.decode())
        default:
            self = .evaluate(
                generation: try decoder.decode(),
                try decoder.decodeArray(max: PartialEvaluation.elementsMax)
            )
        }
    }
}
