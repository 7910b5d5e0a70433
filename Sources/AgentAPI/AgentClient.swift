internal import Foundation
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import SwiftProtobuf
internal import Synchronization

/// Calls an agent over its socket.
///
/// Every method throws ``AgentAPIError``, or `CancellationError` when its task is cancelled, and nothing else.
public struct AgentClient: Sendable {
    /// Largest reply: a record's original and evidence, whose parts are at most 16 MiB each, with room.
    private static let replyBytesMax: Int = 64 << 20
    /// Bytes of an upload sent at once.
    private static let uploadPartBytes = 256 << 10

    typealias Calls = Entente_Api_V1_Agent.Client<HTTP2ClientTransport.WrappedChannel>

    private let calls: Calls

    /// Connects to the agent whose socket is at `path`, and closes the connection when `body` returns.
    ///
    /// - Throws: ``AgentAPIError`` with code `agent.not-running` if nobody listens there; what `body` throws.
    public static func connected<Result: Sendable>(
        to path: String,
        _ body: @Sendable (AgentClient) async throws -> Result
    ) async throws -> Result {
        let (transport, channel) = try await Self.transport(path)
        // Not left to gRPC: it forgets about the connection if it is stopped before it has begun.
        defer { channel.close(promise: nil) }
        let client = GRPCClient(transport: transport)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.runConnections() }
            defer { client.beginGracefulShutdown() }
            return try await body(AgentClient(calls: Calls(wrapping: client)))
        }
    }

    private static func transport(
        _ path: String
    ) async throws -> (HTTP2ClientTransport.WrappedChannel, any Channel) {
        var config = HTTP2ClientTransport.WrappedChannel.Config.defaults
        config.connection.maxIdleTime = nil
        config.connection.flushCoalescing = nil
        config.http2.authority = "agent"
        // An empty name stands for all methods. The name says request, but the transport bounds the reply by it.
        let method = MethodConfig(names: [MethodConfig.Name(service: "")], maxRequestMessageBytes: Self.replyBytesMax)
        let connected = Mutex<(any Channel)?>(nil)
        do {
            let transport = try await HTTP2ClientTransport.WrappedChannel.wrapping(
                config: config,
                serviceConfig: ServiceConfig(methodConfig: [method])
            ) { configure in
                let configured = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(unixDomainSocketPath: path) { configure($0) }
                // NIO traps when gRPC's part of a connection goes away before the connection is closed.
                configured.channel.closeFuture.whenComplete { _ in withExtendedLifetime(configured) {} }
                connected.withLock { $0 = configured.channel }
                return configured
            }
            guard let channel = connected.withLock({ $0 }) else {
                preconditionFailure("a transport is made of a channel")
            }
            return (transport, channel)
        } catch let error as IOError where [ENOENT, ECONNREFUSED, ENOTDIR].contains(error.errnoCode) {
            throw AgentAPIError.notRunning
        } catch let error as IOError {
            throw AgentSocket.unusable(error.errnoCode)
        } catch SocketAddressError.unixDomainSocketPathTooLong {
            throw AgentSocket.unusable(ENAMETOOLONG)
        }
    }

    func call<Reply>(_ body: (Calls) async throws -> Reply) async throws -> Reply {
        do {
            return try await body(self.calls)
        } catch {
            try Task.checkCancellation()
            throw AgentAPIError(error)
        }
    }

    /// Heights, peers, backlog and figures.
    public func status(
        _ request: Entente_Api_V1_StatusRequest
    ) async throws -> Entente_Api_V1_StatusReply {
        try await self.call { try await $0.status(request) }
    }

    /// Checks the home, the stores and the network.
    public func doctor(
        _ request: Entente_Api_V1_DoctorRequest
    ) async throws -> Entente_Api_V1_DoctorReply {
        try await self.call { try await $0.doctor(request) }
    }

    /// Rejected inputs.
    public func quarantineList(
        _ request: Entente_Api_V1_QuarantineListRequest
    ) async throws -> Entente_Api_V1_QuarantineListReply {
        try await self.call { try await $0.quarantineList(request) }
    }

    /// One rejected input with its bytes.
    public func quarantineShow(
        _ request: Entente_Api_V1_QuarantineShowRequest
    ) async throws -> Entente_Api_V1_QuarantineShowReply {
        try await self.call { try await $0.quarantineShow(request) }
    }

    /// The catalogue, what this institution's codes stand for in it, and the codes that nobody has mapped.
    public func mappingList(
        _ request: Entente_Api_V1_MappingListRequest
    ) async throws -> Entente_Api_V1_MappingListReply {
        try await self.call { try await $0.mappingList(request) }
    }

    /// Items that unmapped codes may stand for.
    public func mappingSuggest(
        _ request: Entente_Api_V1_MappingSuggestRequest
    ) async throws -> Entente_Api_V1_MappingSuggestReply {
        try await self.call { try await $0.mappingSuggest(request) }
    }

    /// Says what a local code stands for; returns the version that says so.
    public func mappingSet(
        _ request: Entente_Api_V1_MappingSetRequest
    ) async throws -> Entente_Api_V1_MappingVersion {
        try await self.call { try await $0.mappingSet(request) }
    }

    /// Loads a catalogue, given as the canonical bytes of a code map; returns the version in force after it.
    public func mappingLoad(author: String, map: [UInt8]) async throws -> Entente_Api_V1_MappingVersion {
        try await self.call { calls in
            try await calls.mappingLoad { writer in
                try await writer.write(.with { $0.author = author })
                for start in stride(from: 0, to: map.count, by: Self.uploadPartBytes) {
                    let part = map[start..<min(start + Self.uploadPartBytes, map.count)]
                    try await writer.write(.with { $0.data = Data(part) })
                }
            }
        }
    }

    /// Signs a credential for a clinician.
    public func addClinician(
        _ request: Entente_Api_V1_AddClinicianRequest
    ) async throws -> Entente_Api_V1_AddClinicianReply {
        try await self.call { try await $0.addClinician(request) }
    }

    /// Makes the transaction that registers a patient's key.
    public func prepareEnrolment(
        _ request: Entente_Api_V1_PrepareEnrolmentRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareEnrolment(request) }
    }

    /// Makes the transaction of a grant.
    public func prepareGrant(
        _ request: Entente_Api_V1_PrepareGrantRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareGrant(request) }
    }

    /// Makes the transaction that ends a grant.
    public func prepareRevocation(
        _ request: Entente_Api_V1_PrepareRevocationRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareRevocation(request) }
    }

    /// Submits a prepared transaction and waits until it is final.
    public func submitTransaction(
        _ request: Entente_Api_V1_SubmitTransactionRequest
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.call { try await $0.submitTransaction(request) }
    }

    /// A patient's grants.
    public func listGrants(
        _ request: Entente_Api_V1_ListGrantsRequest
    ) async throws -> Entente_Api_V1_ListGrantsReply {
        try await self.call { try await $0.listGrants(request) }
    }

    /// Who read a patient's records.
    public func accessLog(
        _ request: Entente_Api_V1_AccessLogRequest
    ) async throws -> Entente_Api_V1_AccessLogReply {
        try await self.call { try await $0.accessLog(request) }
    }

    /// What institutions reported to be wrong about their exams.
    public func anomalies(
        _ request: Entente_Api_V1_AnomaliesRequest
    ) async throws -> Entente_Api_V1_AnomaliesReply {
        try await self.call { try await $0.anomalies(request) }
    }

    /// Puts a policy pack on the chain as the institution's proposal.
    public func proposePolicy(
        _ request: Entente_Api_V1_ProposePolicyRequest
    ) async throws -> Entente_Api_V1_PolicyReply {
        try await self.call { try await $0.proposePolicy(request) }
    }

    /// Approves another institution's policy pack.
    public func approvePolicy(
        _ request: Entente_Api_V1_ApprovePolicyRequest
    ) async throws -> Entente_Api_V1_PolicyReply {
        try await self.call { try await $0.approvePolicy(request) }
    }

    /// The policy packs of the chain.
    public func listPolicies(
        _ request: Entente_Api_V1_ListPoliciesRequest
    ) async throws -> Entente_Api_V1_ListPoliciesReply {
        try await self.call { try await $0.listPolicies(request) }
    }

    /// A policy pack's bytes from the chain.
    public func showPolicy(
        _ request: Entente_Api_V1_ShowPolicyRequest
    ) async throws -> Entente_Api_V1_ShowPolicyReply {
        try await self.call { try await $0.showPolicy(request) }
    }

    /// What the rules of recognition say, step by step.
    public func why(
        _ request: Entente_Api_V1_WhyRequest
    ) async throws -> Entente_Api_V1_WhyReply {
        try await self.call { try await $0.why(request) }
    }

    /// Looks a patient's exams up, without network.
    public func find(
        _ request: Entente_Api_V1_FindRequest
    ) async throws -> Entente_Api_V1_FindReply {
        try await self.call { try await $0.find(request) }
    }

    /// Names the bytes that a clinician signs to open a record.
    public func prepareFetch(
        _ request: Entente_Api_V1_PrepareFetchRequest
    ) async throws -> Entente_Api_V1_PrepareFetchReply {
        try await self.call { try await $0.prepareFetch(request) }
    }

    /// Opens a record.
    public func fetch(
        _ request: Entente_Api_V1_FetchRequest
    ) async throws -> Entente_Api_V1_FetchReply {
        try await self.call { try await $0.fetch(request) }
    }

    /// Reminds a doctor of others' results for an order.
    public func match(_ request: Entente_Api_V1_MatchRequest) async throws -> Entente_Api_V1_MatchReply {
        try await self.call { try await $0.match(request) }
    }

    /// This institution's matches, with what became of them.
    public func matches(_ request: Entente_Api_V1_MatchesRequest) async throws -> Entente_Api_V1_MatchesReply {
        try await self.call { try await $0.matches(request) }
    }

    /// Decides about every item of a match.
    public func decide(_ request: Entente_Api_V1_DecideRequest) async throws -> Entente_Api_V1_MatchReply {
        try await self.call { try await $0.decide(request) }
    }

    /// Takes a decision back.
    public func undoDecision(_ request: Entente_Api_V1_MatchActRequest) async throws -> Entente_Api_V1_MatchReply {
        try await self.call { try await $0.undoDecision(request) }
    }

    /// Notes that adopted results stand in the patient's record.
    public func cite(_ request: Entente_Api_V1_MatchActRequest) async throws -> Entente_Api_V1_MatchReply {
        try await self.call { try await $0.cite(request) }
    }

    /// Puts a reminder away.
    public func closeMatch(_ request: Entente_Api_V1_MatchActRequest) async throws -> Entente_Api_V1_MatchReply {
        try await self.call { try await $0.closeMatch(request) }
    }

    /// Declares an own record void.
    public func voidRecord(_ request: Entente_Api_V1_VoidRecordRequest) async throws -> Entente_Api_V1_VoidRecordReply {
        try await self.call { try await $0.voidRecord(request) }
    }

    /// The price list, or another in its place.
    public func prices(_ request: Entente_Api_V1_PricesRequest) async throws -> Entente_Api_V1_PricesReply {
        try await self.call { try await $0.prices(request) }
    }

    /// Figures over the facts of recognition.
    public func statistics(
        _ request: Entente_Api_V1_StatisticsRequest
    ) async throws -> Entente_Api_V1_StatisticsReply {
        try await self.call { try await $0.statistics(request) }
    }

    /// The events that made the figures, one after another.
    public func statisticsLineage(
        _ request: Entente_Api_V1_StatisticsRequest,
        _ event: @escaping @Sendable (Entente_Api_V1_LineageEvent) async -> Void
    ) async throws {
        try await self.call { calls in
            try await calls.statisticsLineage(request) { response in
                for try await message in response.messages { await event(message) }
            }
        }
    }

    /// Begins a ceremony that moves the pseudonym key to new shares.
    public func resharePseudonyms(
        _ request: Entente_Api_V1_ResharePseudonymsRequest
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.call { try await $0.resharePseudonyms(request) }
    }

    /// Makes the transaction of a partial revocation.
    public func prepareNarrowing(
        _ request: Entente_Api_V1_PrepareNarrowingRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareNarrowing(request) }
    }

    /// Makes the transaction that appoints a delegate.
    public func prepareDelegation(
        _ request: Entente_Api_V1_PrepareDelegationRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareDelegation(request) }
    }

    /// Makes the transaction that ends a delegation.
    public func prepareDelegationEnd(
        _ request: Entente_Api_V1_PrepareDelegationEndRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareDelegationEnd(request) }
    }

    /// Makes the transaction that says whether a patient is listed.
    public func prepareDiscovery(
        _ request: Entente_Api_V1_PrepareDiscoveryRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareDiscovery(request) }
    }

    /// Makes or changes a group of institutions.
    public func changeGroup(
        _ request: Entente_Api_V1_ChangeGroupRequest
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.call { try await $0.changeGroup(request) }
    }

    /// Who is in a group.
    public func showGroup(
        _ request: Entente_Api_V1_ShowGroupRequest
    ) async throws -> Entente_Api_V1_ShowGroupReply {
        try await self.call { try await $0.showGroup(request) }
    }

    /// Opens a referral to another institution.
    public func openReferral(
        _ request: Entente_Api_V1_OpenReferralRequest
    ) async throws -> Entente_Api_V1_OpenReferralReply {
        try await self.call { try await $0.openReferral(request) }
    }

    /// Closes a referral.
    public func closeReferral(
        _ request: Entente_Api_V1_CloseReferralRequest
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.call { try await $0.closeReferral(request) }
    }

    /// Which grant allows an opening, or the first rule that refuses it.
    public func explain(
        _ request: Entente_Api_V1_ExplainRequest
    ) async throws -> Entente_Api_V1_ExplainReply {
        try await self.call { try await $0.explain(request) }
    }

    /// Makes the transaction of an emergency access.
    public func prepareBreakGlass(
        _ request: Entente_Api_V1_PrepareBreakGlassRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareBreakGlass(request) }
    }

    /// Makes the transaction of a review.
    public func prepareReview(
        _ request: Entente_Api_V1_PrepareReviewRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareReview(request) }
    }

    /// Emergency accesses that concern a patient or this institution.
    public func notices(
        _ request: Entente_Api_V1_NoticesRequest
    ) async throws -> Entente_Api_V1_NoticesReply {
        try await self.call { try await $0.notices(request) }
    }

    /// Makes the transaction of a wish to erase.
    public func prepareErasure(
        _ request: Entente_Api_V1_PrepareErasureRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareErasure(request) }
    }

    /// Accepts or refuses an erasure of this institution's records.
    public func decideErasure(
        _ request: Entente_Api_V1_DecideErasureRequest
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.call { try await $0.decideErasure(request) }
    }

    /// Erasures, with who has proved and who has not.
    public func listErasures(
        _ request: Entente_Api_V1_ListErasuresRequest
    ) async throws -> Entente_Api_V1_ListErasuresReply {
        try await self.call { try await $0.listErasures(request) }
    }

    /// The state of an erasure, for somebody with the genesis file alone.
    public func proveErasure(
        _ request: Entente_Api_V1_ProveErasureRequest
    ) async throws -> Entente_Api_V1_ProveErasureReply {
        try await self.call { try await $0.proveErasure(request) }
    }

    /// The account of a period, part by part.
    public func account(
        _ request: Entente_Api_V1_AccountRequest,
        _ part: @escaping @Sendable (Entente_Api_V1_AccountPart) async -> Void
    ) async throws {
        try await self.call { calls in
            try await calls.account(request) { response in
                for try await message in response.messages { await part(message) }
            }
        }
    }

    /// A link of two identities.
    public func prepareIdentityLink(
        _ request: Entente_Api_V1_PrepareIdentityLinkRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareIdentityLink(request) }
    }

    /// The end of a link.
    public func prepareIdentityUnlink(
        _ request: Entente_Api_V1_PrepareIdentityUnlinkRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareIdentityUnlink(request) }
    }

    /// Links about a patient, or those that this institution knows.
    public func identityLinks(
        _ request: Entente_Api_V1_IdentityLinksRequest
    ) async throws -> Entente_Api_V1_IdentityLinksReply {
        try await self.call { try await $0.identityLinks(request) }
    }

    /// What came about through a link.
    public func identityFixups(
        _ request: Entente_Api_V1_IdentityFixupsRequest
    ) async throws -> Entente_Api_V1_IdentityFixupsReply {
        try await self.call { try await $0.identityFixups(request) }
    }

    /// What about who is who waits for somebody.
    public func identityCases() async throws -> Entente_Api_V1_IdentityCasesReply {
        try await self.call { try await $0.identityCases(Entente_Api_V1_IdentityCasesRequest()) }
    }

    /// Decides such a case.
    public func decideIdentity(
        _ request: Entente_Api_V1_DecideIdentityRequest
    ) async throws -> Entente_Api_V1_DecideIdentityReply {
        try await self.call { try await $0.decideIdentity(request) }
    }

    /// A new temporary identifier.
    public func temporaryIdentity() async throws -> Entente_Api_V1_TemporaryIdentityReply {
        try await self.call { try await $0.temporaryIdentity(Entente_Api_V1_TemporaryIdentityRequest()) }
    }

    /// Makes a new transport key and announces it.
    public func rotateCertificate(
        _ request: Entente_Api_V1_RotateCertificateRequest
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.call { try await $0.rotateCertificate(request) }
    }

    /// Imports files of the agent's machine.
    ///
    /// Events are given to `event` as they come; the last one is the summary.
    public func importFiles(
        _ request: Entente_Api_V1_ImportRequest,
        _ event: @escaping @Sendable (Entente_Api_V1_ImportEvent) async -> Void
    ) async throws {
        try await self.call { calls in
            try await calls.importFiles(request) { response in
                for try await message in response.messages { await event(message) }
            }
        }
    }

    /// Imports rejected inputs once more.
    ///
    /// Events are given to `event` as they come; the last one is the summary.
    public func quarantineRetry(
        _ request: Entente_Api_V1_QuarantineRetryRequest,
        _ event: @escaping @Sendable (Entente_Api_V1_ImportEvent) async -> Void
    ) async throws {
        try await self.call { calls in
            try await calls.quarantineRetry(request) { response in
                for try await message in response.messages { await event(message) }
            }
        }
    }

    /// Imports bytes that the caller has, such as its standard input.
    ///
    /// `bytes` is read as the agent takes it. Events are given to `event` as they come; the last one is the summary.
    public func importUpload(
        _ request: Entente_Api_V1_ImportRequest,
        bytes: some AsyncSequence<[UInt8], any Error> & Sendable,
        _ event: @escaping @Sendable (Entente_Api_V1_ImportEvent) async -> Void
    ) async throws {
        try await self.call { calls in
            try await calls.importUpload { writer in
                try await writer.write(.with { $0.request = request })
                for try await piece in bytes {
                    for start in stride(from: 0, to: piece.count, by: Self.uploadPartBytes) {
                        let part = piece[start..<min(start + Self.uploadPartBytes, piece.count)]
                        try await writer.write(.with { $0.data = Data(part) })
                    }
                }
            } onResponse: { response in
                for try await message in response.messages { await event(message) }
            }
        }
    }
}
