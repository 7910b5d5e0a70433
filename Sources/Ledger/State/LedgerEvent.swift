package import Primitives
package import Records

/// What a block changed, in the words of the domain: stores index by these, so that nobody walks the state.
package enum LedgerEvent: Hashable, Sendable {
    case examsCommitted(BatchAnchor)
    case receiptsAnchored(BatchAnchor)
    case anomaliesReported(InstitutionID, number: UInt64)
    case factsAnchored(BatchAnchor)
    case policyProposed(PolicyProposal)
    case policyChunkPublished(PolicyProposalID, index: UInt16)
    /// Enough institutions approved.
    case policyAdopted(PolicyState)
    case patientEnrolled(Enrolment)
    case grantCreated(GrantID, GrantState)
    case grantRevoked(GrantID, GrantState)
    case grantNarrowed(GrantID, GrantState)
    case groupChanged(GroupID)
    case discoveryChosen(DiscoveryChoice)
    case emergencyOpened(GrantID, EmergencyState)
    case institutionChanged(InstitutionID)
    /// A ceremony began, or went on.
    case pseudonymCeremonyChanged(number: UInt32)
    /// The pseudonym key has new shares.
    case pseudonymKeyShared(generation: UInt32)
}
