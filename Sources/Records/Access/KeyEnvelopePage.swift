package import Primitives

/// Data keys of one custodian's records, wrapped for the grantees of one grant: the body of an object of kind
/// `keyEnvelopePage`.
///
/// Pages of a grant are numbered from 0; a custodian appends one whenever new exams fall in scope.
package struct KeyEnvelopePage: Hashable, Sendable {
    /// HPKE X-Wing encapsulation (1120) and the sealed 32-byte grant-set key with its tag (48).
    package static let sealedGrantKeyBytes = 1120 + 48
    /// Nonce (12), wrapped data key (32) and tag (16).
    package static let wrappedKeyBytes = 60
    package static let entriesMax = 1024

    /// The grant-set key, sealed to one grantee's key by HPKE (RFC 9180, KEM X-Wing 0x647a).
    package struct Recipient: Hashable, Sendable, CanonicalCodable {
        package var institution: InstitutionID
        package var sealedGrantKey: [UInt8]

        package init(institution: InstitutionID, sealedGrantKey: [UInt8]) {
            self.institution = institution
            self.sealedGrantKey = sealedGrantKey
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.institution)
            encoder.encode(fixed: self.sealedGrantKey)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.institution = try decoder.decode()
            self.sealedGrantKey = try decoder.decode(fixed: KeyEnvelopePage.sealedGrantKeyBytes)
        }
    }

    /// A record's data key under the grant-set key (AES-256-GCM, the record's address as associated data).
    package struct Entry: Hashable, Sendable, CanonicalCodable {
        package var record: ContentAddress
        package var wrappedKey: [UInt8]

        package init(record: ContentAddress, wrappedKey: [UInt8]) {
            self.record = record
            self.wrappedKey = wrappedKey
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.record)
            encoder.encode(fixed: self.wrappedKey)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.record = try decoder.decode()
            self.wrappedKey = try decoder.decode(fixed: KeyEnvelopePage.wrappedKeyBytes)
        }
    }

    package var grant: GrantID
    package var custodian: InstitutionID
    package var page: UInt32
    package var recipients: [Recipient]
    package var entries: [Entry]
    /// By the custodian, over ``signedBody`` with use `keyEnvelope`: HPKE in base mode does not say who sealed.
    package var signature: Signature

    package init(
        grant: GrantID,
        custodian: InstitutionID,
        page: UInt32,
        recipients: [Recipient],
        entries: [Entry],
        signature: Signature
    ) {
        self.grant = grant
        self.custodian = custodian
        self.page = page
        self.recipients = recipients
        self.entries = entries
        self.signature = signature
    }

    /// Everything but the signature.
    package static func signedBody(
        grant: GrantID,
        custodian: InstitutionID,
        page: UInt32,
        recipients: [Recipient],
        entries: [Entry]
    ) -> [UInt8] {
        var encoder = CanonicalEncoder()
        encoder.encode(UInt8(1))
        encoder.encode(grant)
        encoder.encode(custodian)
        encoder.encode(page)
        encoder.encode(recipients)
        encoder.encode(entries)
        return encoder.bytes
    }

    package var signedBody: [UInt8] {
        Self.signedBody(
            grant: self.grant,
            custodian: self.custodian,
            page: self.page,
            recipients: self.recipients,
            entries: self.entries
        )
    }
}

extension KeyEnvelopePage: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(fixed: self.signedBody)
        encoder.encode(self.signature)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(UInt8.self) == 1 else { throw .invalid }
        self.grant = try decoder.decode()
        self.custodian = try decoder.decode()
        self.page = try decoder.decode()
        self.recipients = try decoder.decodeArray(max: AccessGrant.granteesMax)
        self.entries = try decoder.decodeArray(max: Self.entriesMax)
        self.signature = try decoder.decode()
    }
}
