package import Primitives

/// A clinician's signed wish to open one record for one purpose.
package struct FetchRequest: Hashable, Sendable, CanonicalCodable {
    package static let nonceBytes = 16

    package var record: ContentAddress
    package var purpose: PurposeOfUse
    /// Chosen by the agent for this request: an old signature opens nothing.
    package var nonce: [UInt8]
    package var credential: Digest

    package init(record: ContentAddress, purpose: PurposeOfUse, nonce: [UInt8], credential: Digest) {
        precondition(nonce.count == Self.nonceBytes, "a nonce is 16 bytes")
        self.record = record
        self.purpose = purpose
        self.nonce = nonce
        self.credential = credential
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(UInt8(1))
        encoder.encode(self.record)
        encoder.encode(self.purpose)
        encoder.encode(fixed: self.nonce)
        encoder.encode(self.credential)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(UInt8.self) == 1 else { throw .invalid }
        self.record = try decoder.decode()
        self.purpose = try decoder.decode()
        self.nonce = try decoder.decode(fixed: Self.nonceBytes)
        self.credential = try decoder.decode()
    }
}

/// The signed record of who read what, when and why: durable before the plaintext is handed out.
package struct FetchReceipt: Hashable, Sendable {
    package var institution: InstitutionID
    package var request: FetchRequest
    /// By the clinician, over the request with use `fetchRequest`.
    package var requestSignature: Signature
    package var credential: ClinicianCredential
    /// The institution whose record was read.
    package var custodian: InstitutionID
    /// The grant that allowed it; `nil` for the institution's own record.
    package var grant: GrantID?
    /// The final height at which the grant was checked.
    package var height: Height
    package var time: Timestamp
    /// By the institution, over ``signedBody`` with use `fetchReceipt`.
    package var signature: Signature

    package init(
        institution: InstitutionID,
        request: FetchRequest,
        requestSignature: Signature,
        credential: ClinicianCredential,
        custodian: InstitutionID,
        grant: GrantID?,
        height: Height,
        time: Timestamp,
        signature: Signature
    ) {
        self.institution = institution
        self.request = request
        self.requestSignature = requestSignature
        self.credential = credential
        self.custodian = custodian
        self.grant = grant
        self.height = height
        self.time = time
        self.signature = signature
    }

    /// Everything but the signature.
    package var signedBody: [UInt8] {
        var encoder = CanonicalEncoder()
        encoder.encode(UInt8(1))
        encoder.encode(self.institution)
        encoder.encode(self.request)
        encoder.encode(self.requestSignature)
        encoder.encode(self.credential)
        encoder.encode(self.custodian)
        encoder.encode(self.grant)
        encoder.encode(self.height)
        encoder.encode(self.time)
        return encoder.bytes
    }

    /// The leaf of a receipt batch's Merkle tree.
    package var leafHash: Digest { MerkleTree.leafHash(use: "receipt/1", self.canonicalBytes) }
}

extension FetchReceipt: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(fixed: self.signedBody)
        encoder.encode(self.signature)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(UInt8.self) == 1 else { throw .invalid }
        self.institution = try decoder.decode()
        self.request = try decoder.decode()
        self.requestSignature = try decoder.decode()
        self.credential = try decoder.decode()
        self.custodian = try decoder.decode()
        self.grant = try decoder.decodeOptional()
        self.height = try decoder.decode()
        self.time = try decoder.decode()
        self.signature = try decoder.decode()
    }
}

/// A receipt as it is replicated: sealed so that only who can form the patient's pseudonym can find and read it.
package struct SealedReceipt: Hashable, Sendable, CanonicalCodable {
    /// Largest receipt, zero-padded to this size before sealing.
    package static let paddedBytes = 900
    package static let sealedBytes = 12 + paddedBytes + 16

    package var tag: LocatorTag
    /// ``FetchReceipt/leafHash`` of what is inside.
    package var leafHash: Digest
    package var sealed: [UInt8]

    package init(tag: LocatorTag, leafHash: Digest, sealed: [UInt8]) {
        self.tag = tag
        self.leafHash = leafHash
        self.sealed = sealed
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.tag)
        encoder.encode(self.leafHash)
        encoder.encode(fixed: self.sealed)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.tag = try decoder.decode()
        self.leafHash = try decoder.decode()
        self.sealed = try decoder.decode(fixed: Self.sealedBytes)
    }
}

/// The list of one receipt batch, replicated to every agent as the body of an object of kind `receiptManifest`.
package struct ReceiptManifest: Hashable, Sendable, CanonicalCodable {
    package static let entriesMax = 1024

    package var institution: InstitutionID
    package var batch: UInt64
    package var entries: [SealedReceipt]

    package init(institution: InstitutionID, batch: UInt64, entries: [SealedReceipt]) {
        self.institution = institution
        self.batch = batch
        self.entries = entries
    }

    /// Root of the Merkle tree over the receipts' leaf hashes: what the chain commits to.
    package var root: Digest { MerkleTree.root(self.entries.map(\.leafHash)) }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(UInt8(1))
        encoder.encode(self.institution)
        encoder.encode(self.batch)
        encoder.encode(self.entries)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(UInt8.self) == 1 else { throw .invalid }
        self.institution = try decoder.decode()
        self.batch = try decoder.decode()
        self.entries = try decoder.decodeArray(max: Self.entriesMax)
    }
}
