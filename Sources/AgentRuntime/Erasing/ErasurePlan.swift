import Primitives
import Records

/// What this institution has to destroy for one erasure.
///
/// Durable before anything is touched: what has been removed can afterwards not be asked what it was.
struct ErasurePlan: Sendable {
    private static let objectsMax = 1 << 20

    /// A data key of an own record.
    struct OwnKey: Hashable, Sendable, CanonicalCodable {
        var record: ContentAddress
        var sequence: UInt64

        init(record: ContentAddress, sequence: UInt64) {
            self.record = record
            self.sequence = sequence
        }

        func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.record)
            encoder.encode(self.sequence)
        }

        init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.record = try decoder.decode()
            self.sequence = try decoder.decode()
        }
    }

    var keys: [OwnKey] = []
    /// Pages of wrapped keys, and ciphertexts.
    var objects: [ContentAddress] = []
    /// Wrapped keys and ciphertexts among them.
    var copies: UInt32 = 0
    /// Of the table of keys when everything was gone; `nil` until then.
    var generation: UInt64?

    init() {}
}

extension ErasurePlan: CanonicalCodable {
    func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.keys)
        encoder.encode(self.objects)
        encoder.encode(self.copies)
        encoder.encode(self.generation)
    }

    init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.keys = try decoder.decodeArray(max: Erasure.recordsMax)
        self.objects = try decoder.decodeArray(max: Self.objectsMax)
        self.copies = try decoder.decode()
        self.generation = try decoder.decodeOptionalUInt64()
    }
}
