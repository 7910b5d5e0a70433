package import Primitives

/// One entry of an institution's local chain of what was opened in emergencies without contact to the consortium.
///
/// Durable before any key is used, and put on the ledger when contact is back (`Documentation/Protocol/Emergency.md`).
package struct OfflineEntry: Hashable, Sendable {
    /// What the entry says.
    package enum Content: Hashable, Sendable {
        /// A declared emergency, with what clinician and approver signed: ``BreakGlass/offlineSignedBytes(chain:)``.
        case opening(BreakGlass, clinician: Signature, approver: Signature?)
        /// One record was opened under a declared emergency; `receipt` is ``FetchReceipt/leafHash``.
        case use(GrantID, receipt: Digest)
    }

    package var institution: InstitutionID
    /// From 0 without a gap.
    package var number: UInt64
    /// ``digest`` of the entry before; zero for entry 0.
    package var previous: Digest
    /// When it was written: never before the entry before it.
    package var time: Timestamp
    package var content: Content
    /// By the institution, over ``signedBytes(chain:)``.
    package var signature: Signature

    package init(
        institution: InstitutionID,
        number: UInt64,
        previous: Digest,
        time: Timestamp,
        content: Content,
        signature: Signature
    ) {
        self.institution = institution
        self.number = number
        self.previous = previous
        self.time = time
        self.content = content
        self.signature = signature
    }

    /// `H("entente/offline-entry/1\0" ‖ entry)`: what the next entry names.
    package var digest: Digest { Digest(hashing: Array("entente/offline-entry/1\0".utf8) + self.canonicalBytes) }

    /// What the institution signs.
    package func signedBytes(chain: ChainID) -> [UInt8] {
        var encoder = CanonicalEncoder()
        self.encodeSigned(into: &encoder)
        return SignedBytes.make(chain: chain, use: .offlineEntry, epoch: Epoch(0), body: encoder.bytes)
    }

    private func encodeSigned(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.institution)
        encoder.encode(self.number)
        encoder.encode(self.previous)
        encoder.encode(self.time)
        encoder.encode(self.content)
    }
}

extension OfflineEntry: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        self.encodeSigned(into: &encoder)
        encoder.encode(self.signature)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.institution = try decoder.decode()
        self.number = try decoder.decode()
        self.previous = try decoder.decode()
        self.time = try decoder.decode()
        self.content = try decoder.decode()
        self.signature = try decoder.decode()
    }
}

extension OfflineEntry.Content: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .opening(let opening, let clinician, let approver):
            encoder.encode(variant: 0)
            encoder.encode(opening)
            encoder.encode(clinician)
            encoder.encode(approver)
        case .use(let emergency, let receipt):
            encoder.encode(variant: 1)
            encoder.encode(emergency)
            encoder.encode(receipt)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 2) {
        case 0:
            self = .opening(
                try decoder.decode(),
                clinician: try decoder.decode(),
                approver: try decoder.decodeOptional()
            )
        default: self = .use(try decoder.decode(), receipt: try decoder.decode())
        }
    }
}

extension BreakGlass {
    /// What clinician and approver sign where no transaction can be ordered.
    package func offlineSignedBytes(chain: ChainID) -> [UInt8] {
        SignedBytes.make(chain: chain, use: .offlineEmergency, epoch: Epoch(0), body: self.canonicalBytes)
    }
}
