package import Ledger

/// Why the agent did not do what it was asked, for a person and for a script.
package struct AgentFailure: Error, Sendable {
    /// Stable codes; `Documentation/Operations/Errors.md` lists them with what to do.
    package enum Code: String, CaseIterable, Sendable {
        case badRequest = "request.invalid"
        case patientIdentifier = "patient.identifier"
        case patientAmbiguous = "patient.ambiguous"
        case pseudonymsNotReady = "pseudonym.not-ready"
        case pseudonymsUnreachable = "pseudonym.unreachable"
        case pseudonymsOverQuota = "pseudonym.over-quota"
        case institutionUnknown = "institution.unknown"
        case recordUnknown = "record.unknown"
        case recordNotHere = "record.not-here"
        case recordDamaged = "record.damaged"
        case recordUnreadable = "record.unreadable"
        case recordErased = "record.erased"
        case erasureUnknown = "erasure.unknown"
        case erasureRetained = "erasure.retained"
        case grantUnknown = "grant.unknown"
        case enrolmentUnknown = "patient.not-enrolled"
        case notGranted = "access.not-granted"
        case grantExpired = "access.expired"
        case grantNotYet = "access.not-yet"
        case grantRevoked = "access.revoked"
        case purposeNotCovered = "access.purpose"
        case stale = "access.stale"
        case sensitive = "access.sensitive"
        case readerNotNamed = "access.reader"
        case grantNarrowed = "access.narrowed"
        case delegationOver = "access.delegation-over"
        case beyondDelegation = "access.beyond-delegation"
        case guardiansDisagree = "access.guardians-disagree"
        case referralClosed = "access.referral-closed"
        case undeclared = "access.undeclared"
        case usedUp = "access.used-up"
        case masked = "access.masked"
        case emergencyNoExport = "access.emergency-no-export"
        case emergencyNoRight = "emergency.no-right"
        case emergencyUnknown = "emergency.unknown"
        case emergencyInContact = "emergency.in-contact"
        case emergencyNotPrepared = "emergency.not-prepared"
        case emergencyLockedOut = "emergency.locked-out"
        case lifeEventUnknown = "life-event.unknown"
        case factRefused = "recognition.refused"
        case identityContradiction = "identity.contradiction"
        case identityUnknown = "identity.unknown"
        case delegationUnknown = "delegation.unknown"
        case groupUnknown = "group.unknown"
        case referralUnknown = "referral.unknown"
        case credentialInvalid = "credential.invalid"
        case credentialExpired = "credential.expired"
        case transactionRefused = "transaction.refused"
        case transactionTimeout = "transaction.timeout"
        case proofIncomplete = "proof.incomplete"
        case signatureMismatch = "signature.not-as-ordered"
        case quarantineUnknown = "quarantine.unknown"
        case mappingNoCatalogue = "mapping.no-catalogue"
        case mappingVersion = "mapping.version"
        case mappingRefused = "mapping.refused"
        case mappingItem = "mapping.no-item"
        case policyNone = "policy.none"
        case policyUnknown = "policy.unknown"
        case policyUnsound = "policy.unsound"
        case policyDiffers = "policy.differs"
        case policyDamaged = "policy.damaged"
        case verdictNotOpened = "verdict.not-opened"
        case inputUnreadable = "input.unreadable"
        case diskFull = "disk.full"
        case storeDamaged = "store.damaged"
        case notReady = "agent.not-ready"
        case stopping = "agent.stopping"
        case internalError = "agent.internal"
    }

    package var code: Code
    /// Never holds a name, identifier, result or key.
    package var message: String
    package var hint: String
    /// For the log of a developer; not shown to callers.
    package var cause: (any Error)?
    /// The rule of recognition that was broken, for ``Code/factRefused``.
    package private(set) var rule: RecognitionCode?

    /// The code as callers see it: a broken rule's own name.
    package var name: String { self.rule?.name ?? self.code.rawValue }

    package init(rule: RecognitionCode, _ message: String, hint: String = "") {
        self.init(.factRefused, message, hint: hint)
        self.rule = rule
    }

    package init(_ code: Code, _ message: String, hint: String = "", cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }

    /// The status with which the command line exits.
    package var exitStatus: Int32 {
        if let rule { return rule.exitStatus }
        return switch self.code {
        case .internalError, .diskFull: 1
        case .badRequest, .patientIdentifier, .patientAmbiguous, .inputUnreadable, .mappingVersion, .mappingRefused,
            .policyUnsound:
            2
        case .institutionUnknown, .recordUnknown, .grantUnknown, .enrolmentUnknown, .quarantineUnknown, .mappingItem,
            .delegationUnknown, .groupUnknown, .referralUnknown, .emergencyUnknown, .lifeEventUnknown, .erasureUnknown,
            .policyUnknown, .identityUnknown:
            3
        case .notGranted, .pseudonymsOverQuota, .grantNotYet, .purposeNotCovered, .credentialInvalid,
            .credentialExpired, .transactionRefused, .sensitive, .readerNotNamed, .beyondDelegation, .usedUp, .masked,
            .emergencyNoExport, .emergencyNoRight, .guardiansDisagree, .undeclared, .emergencyInContact,
            .emergencyNotPrepared, .emergencyLockedOut, .erasureRetained, .factRefused,
            .verdictNotOpened, .identityContradiction:
            4
        case .grantRevoked, .grantExpired, .grantNarrowed, .delegationOver, .referralClosed, .recordErased: 5
        case .stale, .recordNotHere, .transactionTimeout, .pseudonymsUnreachable: 6
        case .recordDamaged, .recordUnreadable, .storeDamaged, .proofIncomplete, .signatureMismatch,
            .policyDiffers, .policyDamaged:
            7
        case .notReady, .pseudonymsNotReady, .stopping, .mappingNoCatalogue, .policyNone: 9
        }
    }
}
