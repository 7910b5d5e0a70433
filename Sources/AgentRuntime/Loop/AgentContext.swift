package import Consensus
package import Ledger
package import LedgerStore
package import Logging
package import Primitives
package import Records
package import Vault

/// What the services of one agent share.
///
/// Everything in it is safe to use from any thread.
package struct AgentContext: Sendable {
    package let layout: HomeLayout
    package let institution: InstitutionID
    package let genesis: Genesis
    package let rules: LedgerRules
    package let epoch: EpochContext
    package let keys: HomeKeys
    package let vault: Vault
    package let chain: ChainStore
    package let locators: LocatorStore
    package let custody: CustodyStore
    package let codes: CodeBook
    package let offline: OfflineChain
    package let board: ChainBoard
    package let confirmations: TipConfirmations
    package let secrets: HomeSecrets
    package let logger: Logger
    package let feeds = FeedBook()
    package let contacts = SourceContacts()
    package let voids = VoidedRecords()
    /// Erasures that somebody has to look at.
    package let erasures = ErasureInbox()

    /// Remembers when a quorum last confirmed the tip, for a restart without a network.
    package func keepConfirmation() throws {
        let uptime = Clock.uptime
        guard let confirmed = self.confirmations.confirmed(uptime: uptime) else { return }
        let time = Clock.now.milliseconds - (uptime - confirmed)
        guard time > 0 else { return }
        try self.custody.setMark(AgentAssembly.confirmedMark, UInt64(time))
    }

    /// The row of a person in the custody store, as it stands or as it would begin.
    package func patientChange(_ pseudonym: PatientPseudonym, known: Patient?) -> PatientChange {
        PatientChange(
            tag: known?.tag ?? self.secrets.tag(of: pseudonym),
            sealedPseudonym: known?.sealedPseudonym ?? self.secrets.seal(pseudonym),
            bucket: known?.bucket ?? pseudonym.bucket,
            nextLocator: known?.nextLocator ?? 0,
            nextAlias: known?.nextAlias ?? 0
        )
    }
}

/// What is kept sealed in this home's own databases.
package struct HomeSecrets: Sendable {
    private static let pseudonymUse = "pseudonym"
    private static let receiptUse = "receipt"
    private static let quarantineUse = "quarantine"

    private let vault: Vault

    package init(vault: Vault) { self.vault = vault }

    /// Finds a pseudonym's row without storing the pseudonym.
    package func tag(of pseudonym: PatientPseudonym) -> Digest {
        self.vault.localTag(Array("patient".utf8) + pseudonym.digest.bytes)
    }

    package func seal(_ pseudonym: PatientPseudonym) -> [UInt8] {
        self.vault.protect(pseudonym.digest.bytes, label: Self.pseudonymUse)
    }

    package func openPseudonym(_ sealed: [UInt8]) throws -> PatientPseudonym {
        guard let digest = Digest(try self.vault.unprotect(sealed, label: Self.pseudonymUse)) else {
            throw AgentFailure(.storeDamaged, "a sealed pseudonym has the wrong length", hint: "Run entente doctor.")
        }
        return PatientPseudonym(digest)
    }

    package func seal(_ receipt: FetchReceipt) -> [UInt8] {
        self.vault.protect(receipt.canonicalBytes, label: Self.receiptUse)
    }

    package func openReceipt(_ sealed: [UInt8]) throws -> FetchReceipt {
        try FetchReceipt(canonicalBytes: self.vault.unprotect(sealed, label: Self.receiptUse))
    }

    package func sealInput(_ bytes: [UInt8]) -> [UInt8] {
        self.vault.protect(bytes, label: Self.quarantineUse)
    }

    package func openInput(_ sealed: [UInt8]) throws -> [UInt8] {
        try self.vault.unprotect(sealed, label: Self.quarantineUse)
    }
}
