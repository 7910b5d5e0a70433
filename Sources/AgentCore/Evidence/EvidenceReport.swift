package import Ledger
package import Primitives
package import Records

/// What an evidence file proves, link by link.
package struct EvidenceReport: Sendable {
    /// The links of the chain from the record to the genesis file, in the order in which they are checked.
    package enum Step: String, Hashable, Sendable, CaseIterable {
        /// The bytes are an evidence file.
        case file
        /// The file speaks of the chain of this genesis file.
        case chain
        /// The content is what the batch's leaf commits to.
        case record
        /// The leaf is in the batch that the transaction commits to.
        case batch
        /// The institution signed the transaction.
        case transaction
        /// The transaction is in its block, and succeeded.
        case block
        /// The block is an ancestor of the certified one, or it itself.
        case history
        /// A quorum of validators made the certified block final.
        case finality
        /// The reading institution signed the receipt of this reading.
        case receipt
        /// The institution vouches for the clinician, who asked for this record.
        case clinician
        /// A grant allowed the reading.
        case grant
    }

    /// Why a link is broken.
    ///
    /// The raw value is the stable name.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        case ok = "ok"
        case malformed = "evidence.malformed"
        case wrongChain = "evidence.wrong-chain"
        case unknownSuite = "evidence.unknown-suite"
        case contentMismatch = "evidence.content-mismatch"
        case contentUnreadable = "evidence.content-unreadable"
        case notInBatch = "evidence.not-in-batch"
        case notACommitment = "evidence.not-a-commitment"
        case badTransactionSignature = "evidence.bad-transaction-signature"
        case notInBlock = "evidence.not-in-block"
        case transactionFailed = "evidence.transaction-failed"
        case notInHistory = "evidence.not-in-history"
        case otherEpoch = "evidence.other-epoch"
        case notFinal = "evidence.not-final"
        case otherRecord = "evidence.other-record"
        case otherCustodian = "evidence.other-custodian"
        case unknownInstitution = "evidence.unknown-institution"
        case badReceiptSignature = "evidence.bad-receipt-signature"
        case readAfterProof = "evidence.read-after-proof"
        case otherCredential = "evidence.other-credential"
        case badCredentialSignature = "evidence.bad-credential-signature"
        case credentialNotValidThen = "evidence.credential-not-valid-then"
        case badRequestSignature = "evidence.bad-request-signature"
        case noGrant = "evidence.no-grant"
        case needlessGrant = "evidence.needless-grant"
        case otherGrant = "evidence.other-grant"
        case grantNotInState = "evidence.grant-not-in-state"
        case scopeMismatch = "evidence.scope-mismatch"
        case notAGrantee = "evidence.not-a-grantee"
        case custodianNotCovered = "evidence.custodian-not-covered"
        case otherPurpose = "evidence.other-purpose"
        case grantLater = "evidence.grant-later"
        case outsidePeriod = "evidence.outside-period"
        case revokedBefore = "evidence.revoked-before"
    }

    /// What one step of the check found.
    package struct Finding: Hashable, Sendable {
        package var step: Step
        package var code: Code
        /// One sentence for a person.
        package var text: String
        /// The time that the step proves, if it proves one.
        package var time: Timestamp?

        package var isOK: Bool { self.code == .ok }

        package init(step: Step, code: Code, text: String, time: Timestamp? = nil) {
            self.step = step
            self.code = code
            self.text = text
            self.time = time
        }
    }

    /// In the order of the steps.
    ///
    /// Each link is judged on its own, so a report may name several broken ones.
    package var findings: [Finding]
    /// The file, if it could be read.
    package var file: EvidenceFile?
    /// The grant's value in the state, if there is one that could be read.
    package var grant: GrantState?

    /// Whether every link holds.
    package var isValid: Bool { self.file != nil && self.findings.allSatisfy(\.isOK) }

    /// The first link that does not hold.
    package var brokenLink: Finding? { self.findings.first { !$0.isOK } }
}
