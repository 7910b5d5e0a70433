import AgentAPI
import Foundation
import GRPCCore
import SwiftProtobuf

/// Answers a few calls in ways that tests can tell apart, and refuses the rest.
struct ScriptedAgent: Entente_Api_V1_Agent.SimpleServiceProtocol {
    static let refusal = AgentAPIError(
        code: "grant.expired",
        message: "the grant has ended",
        hint: "ask the patient for a new one",
        exitStatus: .revokedOrExpired
    )

    func status(request: Entente_Api_V1_StatusRequest, context: ServerContext) -> Entente_Api_V1_StatusReply {
        .with {
            $0.institution = "hospital-a"
            $0.height = 42
        }
    }

    func importFiles(
        request: Entente_Api_V1_ImportRequest,
        response: RPCWriter<Entente_Api_V1_ImportEvent>,
        context: ServerContext
    ) async throws {
        for exams in UInt64(1)...100 { try await response.write(.with { $0.progress.exams = exams }) }
        if request.format == "refused" { throw Self.refusal }
        try await response.write(.with { $0.summary.read = UInt64(request.paths.count) })
    }

    func importUpload(
        request: RPCAsyncSequence<Entente_Api_V1_ImportUploadPart, any Error>,
        response: RPCWriter<Entente_Api_V1_ImportEvent>,
        context: ServerContext
    ) async throws {
        var count: UInt64 = 0
        var format = ""
        for try await part in request {
            switch part.part {
            case .request(let request): format = request.format
            case .data(let data): count += UInt64(data.count)
            case nil: throw Self.refusal
            }
        }
        let (read, skipped) = (count, [format: UInt64(1)])
        try await response.write(
            .with {
                $0.summary.read = read
                $0.summary.skipped = skipped
            }
        )
    }

    /// A reply as large as the id says.
    func quarantineShow(
        request: Entente_Api_V1_QuarantineShowRequest,
        context: ServerContext
    ) -> Entente_Api_V1_QuarantineShowReply {
        .with { $0.content = Data(repeating: 1, count: Int(request.id) ?? 0) }
    }

    func fetch(request: Entente_Api_V1_FetchRequest, context: ServerContext) throws -> Entente_Api_V1_FetchReply {
        throw Self.refusal
    }

    /// Fails as a bug would.
    func doctor(request: Entente_Api_V1_DoctorRequest, context: ServerContext) throws -> Entente_Api_V1_DoctorReply {
        struct Unforeseen: Error {}
        throw Unforeseen()
    }

    func quarantineList(
        request: Entente_Api_V1_QuarantineListRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_QuarantineListReply {
        throw Self.refusal
    }

    func quarantineRetry(
        request: Entente_Api_V1_QuarantineRetryRequest,
        response: RPCWriter<Entente_Api_V1_ImportEvent>,
        context: ServerContext
    ) async throws {
        throw Self.refusal
    }

    func mappingList(
        request: Entente_Api_V1_MappingListRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MappingListReply {
        throw Self.refusal
    }

    func mappingSuggest(
        request: Entente_Api_V1_MappingSuggestRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MappingSuggestReply {
        throw Self.refusal
    }

    func mappingSet(
        request: Entente_Api_V1_MappingSetRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MappingVersion {
        throw Self.refusal
    }

    func mappingLoad(
        request: RPCAsyncSequence<Entente_Api_V1_MappingLoadPart, any Error>,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MappingVersion {
        throw Self.refusal
    }

    func addClinician(
        request: Entente_Api_V1_AddClinicianRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_AddClinicianReply {
        throw Self.refusal
    }

    func prepareEnrolment(
        request: Entente_Api_V1_PrepareEnrolmentRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func prepareGrant(
        request: Entente_Api_V1_PrepareGrantRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func prepareRevocation(
        request: Entente_Api_V1_PrepareRevocationRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func submitTransaction(
        request: Entente_Api_V1_SubmitTransactionRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        throw Self.refusal
    }

    func listGrants(
        request: Entente_Api_V1_ListGrantsRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ListGrantsReply {
        throw Self.refusal
    }

    func accessLog(
        request: Entente_Api_V1_AccessLogRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_AccessLogReply {
        throw Self.refusal
    }

    func prepareNarrowing(
        request: Entente_Api_V1_PrepareNarrowingRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func prepareDelegation(
        request: Entente_Api_V1_PrepareDelegationRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func prepareDelegationEnd(
        request: Entente_Api_V1_PrepareDelegationEndRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func prepareDiscovery(
        request: Entente_Api_V1_PrepareDiscoveryRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func changeGroup(
        request: Entente_Api_V1_ChangeGroupRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        throw Self.refusal
    }

    func showGroup(
        request: Entente_Api_V1_ShowGroupRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ShowGroupReply {
        throw Self.refusal
    }

    func openReferral(
        request: Entente_Api_V1_OpenReferralRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_OpenReferralReply {
        throw Self.refusal
    }

    func closeReferral(
        request: Entente_Api_V1_CloseReferralRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        throw Self.refusal
    }

    func explain(
        request: Entente_Api_V1_ExplainRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ExplainReply {
        throw Self.refusal
    }

    func prepareBreakGlass(
        request: Entente_Api_V1_PrepareBreakGlassRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func prepareOfflineBreakGlass(
        request: Entente_Api_V1_PrepareBreakGlassRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedOfflineBreakGlass {
        throw Self.refusal
    }

    func openOffline(
        request: Entente_Api_V1_OpenOfflineRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_OpenOfflineReply {
        throw Self.refusal
    }

    func declareLifeEvent(
        request: Entente_Api_V1_DeclareLifeEventRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_DeclareLifeEventReply {
        throw Self.refusal
    }

    func withdrawLifeEvent(
        request: Entente_Api_V1_WithdrawLifeEventRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        throw Self.refusal
    }

    func prepareObjection(
        request: Entente_Api_V1_PrepareObjectionRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func decideObjection(
        request: Entente_Api_V1_DecideObjectionRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        throw Self.refusal
    }

    func mandates(
        request: Entente_Api_V1_MandatesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MandatesReply {
        throw Self.refusal
    }

    func prepareReview(
        request: Entente_Api_V1_PrepareReviewRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func notices(
        request: Entente_Api_V1_NoticesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_NoticesReply {
        throw Self.refusal
    }

    func prepareErasure(
        request: Entente_Api_V1_PrepareErasureRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func prepareIdentityLink(
        request: Entente_Api_V1_PrepareIdentityLinkRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func decideErasure(
        request: Entente_Api_V1_DecideErasureRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        throw Self.refusal
    }

    func listErasures(
        request: Entente_Api_V1_ListErasuresRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ListErasuresReply {
        throw Self.refusal
    }

    func proveErasure(
        request: Entente_Api_V1_ProveErasureRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ProveErasureReply {
        throw Self.refusal
    }

    func account(
        request: Entente_Api_V1_AccountRequest,
        response: RPCWriter<Entente_Api_V1_AccountPart>,
        context: ServerContext
    ) async throws {
        throw Self.refusal
    }

    func prepareIdentityUnlink(
        request: Entente_Api_V1_PrepareIdentityUnlinkRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        throw Self.refusal
    }

    func identityLinks(
        request: Entente_Api_V1_IdentityLinksRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_IdentityLinksReply {
        throw Self.refusal
    }

    func identityFixups(
        request: Entente_Api_V1_IdentityFixupsRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_IdentityFixupsReply {
        throw Self.refusal
    }

    func identityCases(
        request: Entente_Api_V1_IdentityCasesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_IdentityCasesReply {
        throw Self.refusal
    }

    func decideIdentity(
        request: Entente_Api_V1_DecideIdentityRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_DecideIdentityReply {
        throw Self.refusal
    }

    func temporaryIdentity(
        request: Entente_Api_V1_TemporaryIdentityRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TemporaryIdentityReply {
        throw Self.refusal
    }

    func anomalies(
        request: Entente_Api_V1_AnomaliesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_AnomaliesReply {
        throw Self.refusal
    }

    func find(
        request: Entente_Api_V1_FindRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_FindReply {
        throw Self.refusal
    }

    func proposePolicy(
        request: Entente_Api_V1_ProposePolicyRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PolicyReply {
        throw Self.refusal
    }

    func approvePolicy(
        request: Entente_Api_V1_ApprovePolicyRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PolicyReply {
        throw Self.refusal
    }

    func listPolicies(
        request: Entente_Api_V1_ListPoliciesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ListPoliciesReply {
        throw Self.refusal
    }

    func showPolicy(
        request: Entente_Api_V1_ShowPolicyRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ShowPolicyReply {
        throw Self.refusal
    }

    func why(
        request: Entente_Api_V1_WhyRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_WhyReply {
        throw Self.refusal
    }

    func prepareFetch(
        request: Entente_Api_V1_PrepareFetchRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PrepareFetchReply {
        throw Self.refusal
    }

    func rotateCertificate(
        request: Entente_Api_V1_RotateCertificateRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        throw Self.refusal
    }

    func resharePseudonyms(
        request: Entente_Api_V1_ResharePseudonymsRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        throw Self.refusal
    }

    func match(
        request: Entente_Api_V1_MatchRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MatchReply {
        throw Self.refusal
    }

    func matches(
        request: Entente_Api_V1_MatchesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MatchesReply {
        throw Self.refusal
    }

    func decide(
        request: Entente_Api_V1_DecideRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MatchReply {
        throw Self.refusal
    }

    func undoDecision(
        request: Entente_Api_V1_MatchActRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MatchReply {
        throw Self.refusal
    }

    func cite(
        request: Entente_Api_V1_MatchActRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MatchReply {
        throw Self.refusal
    }

    func closeMatch(
        request: Entente_Api_V1_MatchActRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MatchReply {
        throw Self.refusal
    }

    func voidRecord(
        request: Entente_Api_V1_VoidRecordRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_VoidRecordReply {
        throw Self.refusal
    }

    func prices(
        request: Entente_Api_V1_PricesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PricesReply {
        throw Self.refusal
    }

    func statistics(
        request: Entente_Api_V1_StatisticsRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_StatisticsReply {
        throw Self.refusal
    }

    func statisticsLineage(
        request: Entente_Api_V1_StatisticsRequest,
        response: RPCWriter<Entente_Api_V1_LineageEvent>,
        context: ServerContext
    ) async throws {
        throw Self.refusal
    }
}
