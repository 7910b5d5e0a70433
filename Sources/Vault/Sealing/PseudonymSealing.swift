internal import Crypto
package import Primitives
package import Records

/// What is sealed under keys that follow from a patient's pseudonym: only who can form the pseudonym finds and opens it.
///
/// All of it is AES-256-GCM with random nonces; the tag or handle by which it is found is authenticated with it.
package enum PseudonymSealing {
    package static func sealLocator(
        _ summary: LocatorSummary,
        pseudonym: PatientPseudonym,
        institution: InstitutionID,
        index: UInt64
    ) -> LocatorEntry {
        Self.sealEntry(
            summary.paddedBytes,
            tag: pseudonym.locatorTag(institution: institution, index: index),
            key: pseudonym.locatorKey(institution: institution, index: index)
        )
    }

    /// - Throws: `sealBroken` when the entry is not the `index`-th of `institution` about this person.
    package static func openLocator(
        _ entry: LocatorEntry,
        pseudonym: PatientPseudonym,
        institution: InstitutionID,
        index: UInt64
    ) throws(VaultError) -> LocatorSummary {
        let key = pseudonym.locatorKey(institution: institution, index: index)
        let plain = try Self.openEntry(entry, key: key)
        do { return try LocatorSummary(paddedBytes: plain) } catch {
            throw VaultError(.sealBroken, "a locator entry of \(institution) holds no summary", cause: error)
        }
    }

    /// Seals the pseudonym under which a person's exams are listed, to be found by another pseudonym of that person.
    package static func sealAlias(
        of primary: PatientPseudonym,
        under other: PatientPseudonym,
        institution: InstitutionID,
        index: UInt64
    ) -> LocatorEntry {
        let padding = [UInt8](repeating: 0, count: LocatorSummary.byteCount - Primitives.Digest.byteCount)
        return Self.sealEntry(
            primary.digest.bytes + padding,
            tag: other.aliasTag(institution: institution, index: index),
            key: other.aliasKey(institution: institution, index: index)
        )
    }

    /// The pseudonym under which the person's exams are listed.
    package static func openAlias(
        _ entry: LocatorEntry,
        under other: PatientPseudonym,
        institution: InstitutionID,
        index: UInt64
    ) throws(VaultError) -> PatientPseudonym {
        let plain = try Self.openEntry(entry, key: other.aliasKey(institution: institution, index: index))
        guard plain[Primitives.Digest.byteCount...].allSatisfy({ $0 == 0 }),
            let digest = Primitives.Digest(plain.prefix(Primitives.Digest.byteCount))
        else { throw VaultError(.sealBroken, "an alias of \(institution) holds no pseudonym") }
        return PatientPseudonym(digest)
    }

    /// Seals a receipt of its own institution about this person.
    package static func sealReceipt(
        _ receipt: FetchReceipt,
        pseudonym: PatientPseudonym,
        index: UInt64
    ) throws(VaultError) -> SealedReceipt {
        let bytes = receipt.canonicalBytes
        guard bytes.count <= SealedReceipt.paddedBytes else {
            throw VaultError(.tooLarge, "a receipt is over \(SealedReceipt.paddedBytes) bytes")
        }
        let tag = pseudonym.receiptTag(institution: receipt.institution, index: index)
        let key = SymmetricKey(data: pseudonym.receiptKey(institution: receipt.institution, index: index))
        let leaf = receipt.leafHash
        let padded = bytes + [UInt8](repeating: 0, count: SealedReceipt.paddedBytes - bytes.count)
        let sealed = Seal.close(padded, key: key, associated: tag.bytes + leaf.bytes)
        return SealedReceipt(tag: tag, leafHash: leaf, sealed: sealed)
    }

    /// - Throws: `sealBroken` when it is not the `index`-th receipt of `institution` about this person, or holds
    ///   another receipt than its leaf hash says.
    package static func openReceipt(
        _ receipt: SealedReceipt,
        pseudonym: PatientPseudonym,
        institution: InstitutionID,
        index: UInt64
    ) throws(VaultError) -> FetchReceipt {
        let key = SymmetricKey(data: pseudonym.receiptKey(institution: institution, index: index))
        let associated = receipt.tag.bytes + receipt.leafHash.bytes
        guard let plain = Seal.open(receipt.sealed, key: key, associated: associated) else {
            throw VaultError(.sealBroken, "a receipt of \(institution) does not open for this patient")
        }
        var decoder = CanonicalDecoder(plain)
        guard let opened = try? FetchReceipt(from: &decoder), opened.institution == institution,
            opened.leafHash == receipt.leafHash, plain[decoder.position...].allSatisfy({ $0 == 0 })
        else { throw VaultError(.sealBroken, "a receipt of \(institution) is not the one its leaf names") }
        return opened
    }

    /// The scope as it stands in a grant with this salt.
    package static func sealScope(
        _ scope: GrantScope,
        pseudonym: PatientPseudonym,
        salt: [UInt8]
    ) throws(VaultError) -> [UInt8] {
        let bytes = scope.canonicalBytes
        guard bytes.count <= GrantScope.paddedBytes else {
            throw VaultError(.tooLarge, "a grant names too many items")
        }
        return Seal.close(
            bytes + [UInt8](repeating: 0, count: GrantScope.paddedBytes - bytes.count),
            key: SymmetricKey(data: pseudonym.scopeKey(salt: salt)),
            associated: pseudonym.handle(salt: salt).digest.bytes
        )
    }

    package static func openScope(
        _ sealed: [UInt8],
        pseudonym: PatientPseudonym,
        salt: [UInt8]
    ) throws(VaultError) -> GrantScope {
        let key = SymmetricKey(data: pseudonym.scopeKey(salt: salt))
        let handle = pseudonym.handle(salt: salt).digest.bytes
        guard sealed.count == AccessGrant.sealedScopeBytes, let plain = Seal.open(sealed, key: key, associated: handle)
        else { throw VaultError(.sealBroken, "a grant's scope does not open for this patient") }
        var decoder = CanonicalDecoder(plain)
        guard let scope = try? GrantScope(from: &decoder), plain[decoder.position...].allSatisfy({ $0 == 0 }) else {
            throw VaultError(.sealBroken, "a grant's scope is not well formed")
        }
        return scope
    }

    /// What was said in an emergency, as it stands beside a grant with this salt.
    package static func sealStatement(
        _ statement: EmergencyStatement,
        pseudonym: PatientPseudonym,
        salt: [UInt8]
    ) throws(VaultError) -> [UInt8] {
        let bytes = statement.canonicalBytes
        guard bytes.count <= GrantScope.paddedBytes else { throw VaultError(.tooLarge, "too much was said") }
        return Seal.close(
            bytes + [UInt8](repeating: 0, count: GrantScope.paddedBytes - bytes.count),
            key: SymmetricKey(data: pseudonym.statementKey(salt: salt)),
            associated: pseudonym.handle(salt: salt).digest.bytes
        )
    }

    package static func openStatement(
        _ sealed: [UInt8],
        pseudonym: PatientPseudonym,
        salt: [UInt8]
    ) throws(VaultError) -> EmergencyStatement {
        let key = SymmetricKey(data: pseudonym.statementKey(salt: salt))
        guard let plain = Seal.open(sealed, key: key, associated: pseudonym.handle(salt: salt).digest.bytes) else {
            throw VaultError(.sealBroken, "what was said in an emergency does not open for this patient")
        }
        var decoder = CanonicalDecoder(plain)
        guard let statement = try? EmergencyStatement(from: &decoder),
            plain[decoder.position...].allSatisfy({ $0 == 0 })
        else { throw VaultError(.sealBroken, "what was said in an emergency is not well formed") }
        return statement
    }

    /// A link's statement for those who know `pseudonym`.
    package static func sealLink(
        _ statement: IdentityStatement,
        pseudonym: PatientPseudonym,
        salt: [UInt8]
    ) throws(VaultError) -> [UInt8] {
        let bytes = statement.canonicalBytes
        guard bytes.count <= GrantScope.paddedBytes else { throw VaultError(.tooLarge, "a link says too much") }
        return Seal.close(
            bytes + [UInt8](repeating: 0, count: GrantScope.paddedBytes - bytes.count),
            key: SymmetricKey(data: pseudonym.identityKey(salt: salt)),
            associated: pseudonym.identityNode.digest.bytes
        )
    }

    /// - Throws: `sealBroken` where the link is not about this person, or holds another identity than its other side names.
    package static func openLink(
        _ link: IdentityLink,
        pseudonym: PatientPseudonym
    ) throws(VaultError) -> IdentityStatement {
        let node = pseudonym.identityNode
        let key = SymmetricKey(data: pseudonym.identityKey(salt: link.salt))
        guard let side = link.side(node), let plain = Seal.open(side.sealed, key: key, associated: node.digest.bytes)
        else { throw VaultError(.sealBroken, "a link does not open for this patient") }
        var decoder = CanonicalDecoder(plain)
        guard let statement = try? IdentityStatement(from: &decoder),
            plain[decoder.position...].allSatisfy({ $0 == 0 }),
            statement.other.identityNode == link.other(than: node).node,
            IdentityLink.contest(of: statement.contestKey) == link.contest
        else { throw VaultError(.sealBroken, "a link is not well formed") }
        return statement
    }

    private static func sealEntry(_ plain: [UInt8], tag: LocatorTag, key: [UInt8]) -> LocatorEntry {
        LocatorEntry(tag: tag, sealed: Seal.close(plain, key: SymmetricKey(data: key), associated: tag.bytes))
    }

    private static func openEntry(_ entry: LocatorEntry, key: [UInt8]) throws(VaultError) -> [UInt8] {
        let plain = Seal.open(entry.sealed, key: SymmetricKey(data: key), associated: entry.tag.bytes)
        guard let plain else { throw VaultError(.sealBroken, "a locator entry does not open for this patient") }
        return plain
    }
}
