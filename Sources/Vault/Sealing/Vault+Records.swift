internal import Crypto
package import Primitives
package import Records

/// An own record that is sealed and not stored yet.
///
/// Its data key travels with it, out of reach of other targets.
package struct SealedRecord: Sendable {
    package let object: SealedObject
    package let salt: [UInt8]
    /// What the exam's leaf binds: ``RecordContent/commitment(suite:salt:canonicalContent:)``.
    package let commitment: Primitives.Digest
    /// Size of the canonical content before compression.
    package let plainBytes: Int
    let dataKey: SymmetricKey
}

/// A record's content together with what proves it.
package struct OpenedRecord: Sendable {
    package let content: RecordContent
    package let salt: [UInt8]
    /// Computed anew from content and salt: compare it with the one in the exam's leaf.
    package let commitment: Primitives.Digest
}

extension Vault {
    /// Seals an exam as the next own object, under a data key of its own.
    ///
    /// May run on several threads at once. `canonicalBytes`: of the content, where the caller has them already.
    ///
    /// - Throws: `tooLarge`.
    package func seal(
        _ content: RecordContent,
        canonicalBytes: [UInt8]? = nil
    ) throws(VaultError) -> SealedRecord {
        try self.cipher.seal(
            content,
            canonicalBytes: canonicalBytes,
            dataKey: SymmetricKey.make(),
            origin: self.institution,
            sequence: self.takeSequence()
        )
    }

    /// Opens a record of the institution's own.
    ///
    /// - Throws: `notFound`, `damaged`, `keyMissing` or `sealBroken`.
    package func openOwn(_ address: ContentAddress) throws(VaultError) -> OpenedRecord {
        let object = try self.read(address)
        return try self.cipher.open(object, dataKey: try self.ownDataKey(object))
    }

    /// Opens a record of another institution with the keys on a page that was published for a grant.
    ///
    /// Whether the grant holds, and whether the page is the custodian's, is for the caller to check
    /// (``KeyEnvelopePage/isSigned(by:chain:)``).
    ///
    /// - Throws: `notGranted` when the page names another institution or record; `sealBroken` when it lies.
    package func openGranted(
        _ object: SealedObject,
        page: KeyEnvelopePage,
        chain: ChainID
    ) throws(VaultError) -> OpenedRecord {
        guard page.custodian == object.header.origin,
            let recipient = page.recipients.first(where: { $0.institution == self.institution }),
            let entry = page.entries.first(where: { $0.record == object.address })
        else { throw VaultError(.notGranted, "the page holds no key of this record for this institution") }
        let info = KeyWrapping.grantInfo(
            chain: chain,
            grant: page.grant,
            custodian: page.custodian,
            page: page.page,
            recipient: self.institution
        )
        let privateKey = self.keys.encryptionPrivateKey
        guard let grantKey = KeyWrapping.unwrap(recipient.sealedGrantKey, with: privateKey, info: info),
            let dataKey = Seal.open(
                entry.wrappedKey,
                key: SymmetricKey(data: grantKey),
                associated: object.address.digest.bytes
            )
        else { throw VaultError(.sealBroken, "a key of \(page.custodian) does not open: ask it for a new page") }
        return try self.cipher.open(object, dataKey: SymmetricKey(data: dataKey))
    }

    /// Wraps the data keys of own records for the grantees of one grant, under a grant-set key that is made for this
    /// page and sealed to each of them.
    ///
    /// The page is signed and not stored yet.
    ///
    /// - Throws: the errors of ``openOwn(_:)`` for a record that is not here, `sealBroken` for a key no one can seal to.
    package func makeEnvelopePage(
        grant: GrantID,
        page: UInt32,
        recipients: [(institution: InstitutionID, encryptionKey: [UInt8])],
        records: [ContentAddress],
        chain: ChainID
    ) throws(VaultError) -> KeyEnvelopePage {
        precondition(records.count <= KeyEnvelopePage.entriesMax, "a page is bounded")
        precondition(recipients.count <= AccessGrant.granteesMax, "a grant is bounded")
        let grantKey = SymmetricKey.make()
        var entries: [KeyEnvelopePage.Entry] = []
        for record in records {
            let dataKey = try self.ownDataKey(try self.read(record))
            let wrapped = Seal.close(dataKey.bytes, key: grantKey, associated: record.digest.bytes)
            entries.append(KeyEnvelopePage.Entry(record: record, wrappedKey: wrapped))
        }
        var sealed: [KeyEnvelopePage.Recipient] = []
        for recipient in recipients {
            let info = KeyWrapping.grantInfo(
                chain: chain,
                grant: grant,
                custodian: self.institution,
                page: page,
                recipient: recipient.institution
            )
            let key = try KeyWrapping.wrap(grantKey.bytes, to: recipient.encryptionKey, info: info)
            sealed.append(KeyEnvelopePage.Recipient(institution: recipient.institution, sealedGrantKey: key))
        }
        let body = KeyEnvelopePage.signedBody(
            grant: grant,
            custodian: self.institution,
            page: page,
            recipients: sealed,
            entries: entries
        )
        return KeyEnvelopePage(
            grant: grant,
            custodian: self.institution,
            page: page,
            recipients: sealed,
            entries: entries,
            signature: self.keys.sign(KeyEnvelopePage.signedBytes(body, chain: chain))
        )
    }

    private func ownDataKey(_ object: SealedObject) throws(VaultError) -> SymmetricKey {
        guard object.header.origin == self.institution, object.header.kind == .record,
            let key = try self.dataKeys.key(object.header.sequence)
        else { throw VaultError(.keyMissing, "this home holds no data key of the object") }
        return key
    }
}

extension KeyEnvelopePage {
    /// Whether the holder of `key` signed this page for `chain`.
    package func isSigned(by key: VerifyingKey, chain: ChainID) -> Bool {
        key.isValid(self.signature, over: Self.signedBytes(self.signedBody, chain: chain))
    }

    fileprivate static func signedBytes(_ body: [UInt8], chain: ChainID) -> [UInt8] {
        SignedBytes.make(chain: chain, use: .keyEnvelope, epoch: Epoch(0), body: body)
    }
}
