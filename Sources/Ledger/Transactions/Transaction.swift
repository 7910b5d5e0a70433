package import Primitives

/// The digest that names a transaction: of everything that is signed, so that a second signature over the same wish
/// does not make a second transaction.
package struct TransactionID: Hashable, Comparable, Sendable, CanonicalCodable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package static func < (left: TransactionID, right: TransactionID) -> Bool { left.digest < right.digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}

/// What the signers of a transaction sign.
package struct TransactionBody: Hashable, Sendable {
    package static let currentVersion: UInt16 = 1
    /// Two parties that agree, each with a second person, and room for as many again.
    package static let signersMax = 8

    package var version: UInt16
    package var suite: SuiteID
    package var chain: ChainID
    package var module: ModuleID
    package var moduleVersion: UInt16
    /// The module's call, encoded.
    package var payload: [UInt8]
    /// The last height at which the transaction may stand in a block.
    package var validUntil: Height
    /// Sorted, each once, 1 to ``signersMax``.
    package var signers: [Signer]

    package init(chain: ChainID, call: LedgerCall, validUntil: Height, signers: [Signer]) {
        precondition((1...Self.signersMax).contains(signers.count), "a transaction has 1 to 8 signers")
        self.version = Self.currentVersion
        self.suite = .international
        self.chain = chain
        self.module = call.module
        self.moduleVersion = LedgerCall.version
        self.payload = call.payload
        self.validUntil = validUntil
        self.signers = Array(Set(signers)).sorted()
    }

    /// `H("entente/tx/1\0" ‖ body)`.
    package var id: TransactionID { Self.id(bodyBytes: self.canonicalBytes) }

    /// What each signer signs.
    package var signedBytes: [UInt8] {
        SignedBytes.make(chain: self.chain, use: .transaction, epoch: Epoch(0), body: self.canonicalBytes)
    }

    fileprivate static func id(bodyBytes: [UInt8]) -> TransactionID {
        TransactionID(Digest(hashing: Array("entente/tx/1\0".utf8) + bodyBytes))
    }
}

extension TransactionBody: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.version)
        encoder.encode(self.suite)
        encoder.encode(self.chain)
        encoder.encode(self.module)
        encoder.encode(self.moduleVersion)
        encoder.encode(bytes: self.payload)
        encoder.encode(self.validUntil)
        encoder.encode(self.signers)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.version = try decoder.decode()
        self.suite = try decoder.decode()
        self.chain = try decoder.decode()
        self.module = try decoder.decode()
        self.moduleVersion = try decoder.decode()
        self.payload = try decoder.decodeBytes(max: Transaction.bytesMax)
        self.validUntil = try decoder.decode()
        self.signers = try decoder.decodeArray(max: Self.signersMax)
        guard !self.signers.isEmpty else { throw .invalid }
        guard zip(self.signers, self.signers.dropFirst()).allSatisfy(<) else { throw .notCanonical }
    }
}

/// The smallest ordered change: a signed call of one module (`Documentation/Protocol/Transactions.md`).
package struct Transaction: Hashable, Sendable {
    /// No chain may allow more: half of the largest block that parameters can ask for.
    package static let bytesMax = 2 << 20

    package let body: TransactionBody
    /// One for each signer, in the order of the signers.
    package let signatures: [Signature]
    package let id: TransactionID
    /// The canonical bytes, signatures included.
    package let bytes: [UInt8]

    package init(body: TransactionBody, signatures: [Signature]) {
        precondition(signatures.count == body.signers.count, "each signer signs once")
        let bodyBytes = body.canonicalBytes
        var encoder = CanonicalEncoder(reservingCapacity: bodyBytes.count + signatures.count * Signature.byteCount)
        encoder.encode(fixed: bodyBytes)
        for signature in signatures { encoder.encode(signature) }
        self.body = body
        self.signatures = signatures
        self.id = TransactionBody.id(bodyBytes: bodyBytes)
        self.bytes = encoder.bytes
    }

    /// The leaf of the block's transaction tree.
    ///
    /// It covers the signatures, unlike the id.
    package var leafHash: Digest { MerkleTree.leafHash(use: "tx/1", self.bytes) }

    package static func == (left: Transaction, right: Transaction) -> Bool { left.bytes == right.bytes }

    package func hash(into hasher: inout Hasher) { hasher.combine(self.id) }
}

extension Transaction: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(fixed: self.bytes) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let body: TransactionBody = try decoder.decode()
        var signatures: [Signature] = []
        for _ in body.signers { signatures.append(try decoder.decode()) }
        self.init(body: body, signatures: signatures)
    }
}
