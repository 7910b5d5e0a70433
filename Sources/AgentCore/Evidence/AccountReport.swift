package import Primitives
package import Records

/// What an account of a period shows, step by step.
package struct AccountReport: Sendable {
    /// What does not hold; the raw value is the stable name.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        case ok = "ok"
        case malformed = "account.malformed"
        case wrongChain = "account.wrong-chain"
        case notSigned = "account.not-signed"
        case otherEpoch = "account.other-epoch"
        case notFinal = "account.not-final"
        case notInHistory = "account.not-in-history"
        case blocksMissing = "account.blocks-missing"
        case otherContent = "account.other-content"
        case periodNotCovered = "account.period-not-covered"
        case readingsMissing = "account.readings-missing"
        case readingNotAuthentic = "account.reading-not-authentic"
        case readingNotAllowed = "account.reading-not-allowed"
    }

    /// What one step of the check found.
    package struct Finding: Hashable, Sendable {
        package var code: Code
        /// One sentence for a person.
        package var text: String
        package var time: Timestamp?

        package var isOK: Bool { self.code == .ok }

        init(_ code: Code, _ text: String, time: Timestamp? = nil) {
            self.code = code
            self.text = text
            self.time = time
        }
    }

    /// Something that the chain took in the period.
    package struct Event: Hashable, Sendable {
        package var height: Height
        package var time: Timestamp
        /// Module and call, such as `emergency.open`.
        package var name: String
        /// Whether the institution of the account signed it.
        package var isOwn: Bool
        /// Calls that the chain refused count for nothing.
        package var isRefused: Bool
    }

    /// A reading, and the block that anchors it.
    package struct Reading: Hashable, Sendable {
        package var receipt: FetchReceipt
        package var anchored: Timestamp
        /// Whether the access was an emergency's, without a grant by anybody.
        package var isEmergency: Bool
    }

    package var findings: [Finding]
    /// If it could be read.
    package var account: Account?
    /// In the order of the chain; only of the period itself.
    package var events: [Event] = []
    package var readings: [Reading] = []

    /// Whether the account is whole and every reading in it was allowed.
    package var isValid: Bool { self.account != nil && self.findings.allSatisfy(\.isOK) }
}
