/// An Ed25519 signature (RFC 8032): 64 bytes.
package struct Signature: Hashable, Sendable, CanonicalCodable {
    package static let byteCount = 64

    package let bytes: [UInt8]

    /// Returns `nil` unless there are 64 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(fixed: self.bytes) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.bytes = try decoder.decode(fixed: Self.byteCount)
    }
}

/// What a signature is for: one made for one use never counts for another.
package enum SignatureUse: UInt8, Sendable {
    case notarize = 1
    case nullify = 2
    case finalize = 3
    case transaction = 16
    case ready = 17
    case checkpoint = 18
    case hello = 19
    /// A custodian's page of wrapped keys for one grant.
    case keyEnvelope = 32
    /// A clinician's credential, signed by the institution.
    case credential = 33
    /// A clinician's request to open a record, signed with the credential's key.
    case fetchRequest = 34
    /// An institution's record that a clinician opened a record.
    case fetchReceipt = 35
    /// A sealed segment's footer.
    case segment = 36
    /// An emergency access that a clinician, or whoever approves it, declares without contact to the chain.
    case offlineEmergency = 37
    /// An institution's entry in its local chain of emergency uses.
    case offlineEntry = 38
    /// An institution's account of a period.
    case account = 39
}

/// The bytes that are signed: `"entente/1\0" ‖ chain(32) ‖ use(u8) ‖ epoch(u64) ‖ body`.
package enum SignedBytes {
    private static let prefix = Array("entente/1\0".utf8)

    package static func make(chain: ChainID, use: SignatureUse, epoch: Epoch, body: [UInt8]) -> [UInt8] {
        var encoder = CanonicalEncoder(reservingCapacity: Self.prefix.count + 41 + body.count)
        encoder.encode(fixed: Self.prefix)
        encoder.encode(chain)
        encoder.encode(use.rawValue)
        encoder.encode(epoch)
        encoder.encode(fixed: body)
        return encoder.bytes
    }

    /// The chain that such bytes name; `nil` if they are none.
    package static func chain(of signed: [UInt8]) -> ChainID? {
        guard signed.starts(with: Self.prefix) else { return nil }
        return Digest(Array(signed.dropFirst(Self.prefix.count).prefix(Digest.byteCount))).map(ChainID.init)
    }
}
