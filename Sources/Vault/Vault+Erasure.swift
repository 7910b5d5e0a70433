package import Primitives
package import Records

extension Vault {
    /// The number under which the data key of an own record is kept; `nil` for an object of another.
    ///
    /// - Throws: `notFound`; `damaged` only if not even the header can be read.
    package func ownSequence(of record: ContentAddress) throws(VaultError) -> UInt64? {
        let header = try self.store.header(record)
        guard header.origin == self.institution, header.kind == .record else { return nil }
        return header.sequence
    }

    /// Destroys the data keys with these numbers and returns the generation of the vault's key table since when they are
    /// gone.
    ///
    /// Returns when it is durable; the records then open to nobody, from this home or from any copy of its files that does
    /// not include an older `vault/roots`. Doing it twice does no harm.
    package func destroyDataKeys(_ sequences: Set<UInt64>) throws(VaultError) -> UInt64 {
        try self.dataKeys.destroy(sequences)
    }

    /// Whether the data key with this number was destroyed.
    package func isDestroyed(_ sequence: UInt64) throws(VaultError) -> Bool { try self.dataKeys.isDestroyed(sequence) }

    /// Removes objects for good and returns when that is durable; what is not here is no error.
    ///
    /// Blocks appends for as long as it takes to write the segments anew that hold them.
    package func remove(_ addresses: Set<ContentAddress>) throws(VaultError) { try self.store.remove(addresses) }

    /// A page of wrapped keys without those of `records`, to take the place of the page.
    ///
    /// An own page is signed anew. On a received one the custodian's signature no longer holds; it was checked when the
    /// page came, and the copy never leaves this home.
    package func trimmed(
        _ page: KeyEnvelopePage,
        without records: Set<ContentAddress>,
        chain: ChainID
    ) throws(VaultError) -> KeyEnvelopePage {
        var page = page
        page.entries.removeAll { records.contains($0.record) }
        guard page.custodian == self.institution else { return page }
        page.signature = self.keys.sign(
            SignedBytes.make(chain: chain, use: .keyEnvelope, epoch: Epoch(0), body: page.signedBody)
        )
        return page
    }
}
