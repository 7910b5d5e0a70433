import AgentAPI
import Foundation
import GRPCCore
import ImportPipeline
import Ledger
import LedgerStore
import PeerLink
import Primitives
import Records
import SwiftProtobuf
import Vault

/// Decodes what callers of the local API ask, calls the services, and encodes what they answer.
struct AgentHarness: Entente_Api_V1_Agent.SimpleServiceProtocol {
    let context: AgentContext
    let desk: TransactionDesk
    let finder: Finder
    let verdicts: VerdictDesk
    let policies: PolicyDesk
    let fetcher: Fetcher
    let grants: GrantDesk
    let emergencies: EmergencyDesk
    let mandates: MandateDesk
    let erasures: ErasureDesk
    let identities: IdentityDesk
    let log: AccessLog
    let anomalies: AnomalyList
    let facts: FactDesk
    let matching: MatchDesk
    let statistics: StatisticsDesk
    let imports: ImportSession
    let reporter: StatusReporter
    let transport: TransportKeys
    let identity: TransportIdentitySource
    let passphrase: [UInt8]?
    let kept = PreparedList<TransactionID>(max: 4096)

    /// Runs `body` and turns whatever it throws into the API's error, which comes at the end of a step of time.
    ///
    /// `paced`: the reply does so as well, because it may say that there is nothing.
    func answer<Reply>(paced: Bool = false, _ body: () async throws -> Reply) async throws -> Reply {
        let start = ContinuousClock.now
        do {
            let reply = try await body()
            if paced { await AnswerPace.hold(since: start, step: AnswerPace.list) }
            return reply
        } catch {
            await AnswerPace.hold(since: start, step: AnswerPace.refusal)
            throw AgentAPIError(failure: error, logger: self.context.logger)
        }
    }

    // MARK: Running

    func status(
        request: Entente_Api_V1_StatusRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_StatusReply {
        try await self.answer { try await self.reporter.status() }
    }

    func doctor(
        request: Entente_Api_V1_DoctorRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_DoctorReply {
        try await self.answer { try await self.reporter.doctor(isFull: request.full) }
    }

    func rotateCertificate(
        request: Entente_Api_V1_RotateCertificateRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.answer {
            try self.context.keys.rotateTransportKey(passphrase: self.passphrase)
            let call = InstitutionsCall.rotateTransportKey(
                self.context.institution,
                digest: self.context.keys.transportKeyDigest,
                oldUntil: Height(self.context.board.tip.height.value + TransportKeys.overlapBlocks)
            )
            let reply = try await self.submitted(.institutions(call))
            // Only now do the peers know the new key.
            try self.identity.replace(with: self.transport.identity())
            return reply
        }
    }

    /// Signs a call for this institution and waits until it is final.
    func submitted(_ call: LedgerCall) async throws -> Entente_Api_V1_TransactionReply {
        let transaction = self.desk.signed(call)
        let height = try await self.desk.submit(transaction)
        return .with {
            $0.transactionID = Data(transaction.id.digest.bytes)
            $0.height = height.value
        }
    }

    /// `name`: what the bytes are, for the message.
    static func digest(_ bytes: Data, _ name: String) throws -> Digest {
        guard let digest = Digest(Array(bytes)) else { throw AgentFailure(.badRequest, "\(name) is 32 bytes") }
        return digest
    }

    /// A time that may be left out: 0.
    static func time(_ milliseconds: Int64) -> Timestamp? {
        milliseconds == 0 ? nil : Timestamp(milliseconds: milliseconds)
    }

    static func purpose(_ code: String) throws(AgentFailure) -> PurposeOfUse {
        guard let purpose = PurposeOfUse(code: code) else {
            throw AgentFailure(
                .badRequest,
                "there is no purpose of use of this name",
                hint: "Purposes: " + PurposeOfUse.allCases.map(\.code).joined(separator: ", ")
            )
        }
        return purpose
    }

    // MARK: Clinicians

    func addClinician(
        request: Entente_Api_V1_AddClinicianRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_AddClinicianReply {
        try await self.answer {
            guard let key = VerifyingKey(Array(request.publicKey)) else {
                throw AgentFailure(.badRequest, "the clinician's key is not a key")
            }
            let max = ClinicianCredential.textBytesMax
            for text in [request.clinician, request.name, request.department] {
                guard !text.isEmpty, text.utf8.count <= max else {
                    throw AgentFailure(.badRequest, "id, name and department have 1 to \(max) bytes each")
                }
            }
            guard request.role.utf8.count <= max else {
                throw AgentFailure(.badRequest, "a role has at most \(max) bytes")
            }
            var rights: ClinicianCredential.Rights = []
            if request.breakGlass { rights.insert(.breakGlass) }
            if request.review { rights.insert(.review) }
            guard (1...3660).contains(request.validDays) else {
                throw AgentFailure(.badRequest, "a credential is valid for 1 to 3660 days")
            }
            let now = Clock.now
            let credential = self.context.keys.makeCredential(
                clinician: request.clinician,
                name: request.name,
                department: request.department,
                role: request.role,
                rights: rights,
                key: key,
                issuedAt: now,
                expiresAt: now.advanced(byMilliseconds: Int64(request.validDays) * 86_400_000),
                chain: self.context.rules.chain
            )
            return .with {
                $0.credential = Data(credential.canonicalBytes)
                $0.id = Data(credential.id.bytes)
                $0.expiresAt = credential.expiresAt.milliseconds
            }
        }
    }

    // MARK: Reading

    func find(
        request: Entente_Api_V1_FindRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_FindReply {
        try await self.answer(paced: true) {
            let started = ContinuousClock.now
            let credential = try self.fetcher.credentials.credential(Array(request.credential), now: Clock.now)
            let pseudonyms = try await self.finder.pseudonyms(of: request.patient)
            let all = try self.finder.find(pseudonyms: pseudonyms, credential: credential)
            let since = Self.time(request.since)
            let found = all.filter { self.finder.isWanted($0, items: request.items, since: since) }
            let judged = try self.judged(found, of: all, request.order, credential)
            let state = self.context.board.tip.state
            let possible = try self.finder.possibleIdentities(pseudonyms)
            return .with { reply in
                reply.possibleIdentities = possible
                reply.results = found.map { exam in
                    var message = ExamMessages.found(exam, state)
                    if let verdict = judged.exams[exam.summary.record] { message.verdict = verdict }
                    return message
                }
                if let policy = judged.policy { reply.policy = policy }
                if let verdict = judged.verdict { reply.verdict = verdict }
                // As coarse as the answer: a finer figure would tell what was left out.
                let given = AnswerPace.given(after: ContinuousClock.now - started, step: AnswerPace.list)
                let (seconds, attoseconds) = given.components
                reply.elapsedMicroseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
            }
        }
    }

    func prepareFetch(
        request: Entente_Api_V1_PrepareFetchRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PrepareFetchReply {
        try await self.answer {
            let record = ContentAddress(try Self.digest(request.record, "a record"))
            let purpose = try Self.purpose(request.purpose)
            let opened = try self.fetcher.prepare(
                record: record,
                purpose: purpose,
                credential: Array(request.credential)
            )
            return .with {
                $0.request = Data(opened.canonicalBytes)
                $0.toSign = Data(self.fetcher.credentials.bytesToSign(opened))
            }
        }
    }

    func fetch(
        request: Entente_Api_V1_FetchRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_FetchReply {
        try await self.answer {
            guard let signature = Signature(Array(request.signature)) else {
                throw AgentFailure(.badRequest, "a signature is 64 bytes")
            }
            let opened = try await self.fetcher.open(
                try FetchRequest(canonicalBytes: Array(request.request)),
                signature: signature,
                credential: Array(request.credential),
                wantsWhole: request.wantsOriginal,
                wantsEvidence: request.wantsEvidence
            )
            return ExamMessages.fetched(opened, wantsOriginal: request.wantsOriginal)
        }
    }

    func accessLog(
        request: Entente_Api_V1_AccessLogRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_AccessLogReply {
        try await self.answer(paced: true) {
            let readings = try await self.log.readings(of: request.patient)
            return .with { $0.reads = readings.map(ExamMessages.read) }
        }
    }
}
