package import Primitives
package import Records

/// What a block changed, in the words of the domain: stores index by these, so that nobody walks the state.
package enum LedgerEvent: Hashable, Sendable {
    case examsCommitted(BatchAnchor)
    case receiptsAnchored(BatchAnchor)
    case anomaliesReported(InstitutionID, number: UInt64)
    case patientEnrolled(Enrolment)
    case grantCreated(GrantID, GrantState)
    case grantRevoked(GrantID, GrantState)
    case grantNarrowed(GrantID, GrantState)
    case groupChanged(GroupID)
    case discoveryChosen(DiscoveryChoice)
    case emergencyOpened(GrantID, EmergencyState)
    case institutionChanged(InstitutionID)
}
