import AgentAPI
import Foundation
import GRPCCore
import Ledger
import Primitives
import Records
import SwiftProtobuf

extension AgentHarness {
    func prepareEnrolment(
        request: Entente_Api_V1_PrepareEnrolmentRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            let key = try Self.key(request.patientKey)
            return Self.prepared(try await self.grants.enrolment(patient: request.patient, key: key))
        }
    }

    func prepareGrant(
        request: Entente_Api_V1_PrepareGrantRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            let grantor: GrantDesk.Grantor
            switch request.grantor {
            case .patientKey(let key): grantor = .patient(try Self.key(key))
            case .witnessEvidence(let evidence): grantor = .witness(try Self.evidence(evidence))
            case nil: throw AgentFailure(.badRequest, "nobody speaks for the patient")
            }
            return Self.prepared(try await self.grants.grant(GrantDesk.Wish(request, by: grantor)))
        }
    }

    func prepareRevocation(
        request: Entente_Api_V1_PrepareRevocationRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            guard let id = Digest(Array(request.grant)).map(GrantID.init) else {
                throw AgentFailure(.badRequest, "a grant is 32 bytes")
            }
            let grantor: GrantDesk.Grantor
            switch request.grantor {
            case .patientKey(let key): grantor = .patient(try Self.key(key))
            case .witnessEvidence(let evidence): grantor = .witness(try Self.evidence(evidence))
            case nil: throw AgentFailure(.badRequest, "nobody speaks for the patient")
            }
            return Self.prepared(try self.grants.revocation(id, by: grantor))
        }
    }

    func submitTransaction(
        request: Entente_Api_V1_SubmitTransactionRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.answer {
            let body = try TransactionBody(canonicalBytes: Array(request.transaction))
            // This institution signs what it prepared itself and nothing that a caller made up about it.
            guard case .grants = try LedgerCall(of: body) else {
                throw AgentFailure(.badRequest, "only grants, enrolments and revocations are submitted here")
            }
            var signatures: [VerifyingKey: Signature] = [:]
            if !request.patientKey.isEmpty {
                guard let signature = Signature(Array(request.patientSignature)) else {
                    throw AgentFailure(.badRequest, "the patient's signature is not 64 bytes")
                }
                signatures[try Self.key(request.patientKey)] = signature
            }
            let transaction = try self.desk.complete(body, with: signatures)
            let seconds = request.timeoutSeconds == 0 ? 60 : min(request.timeoutSeconds, 3600)
            let height = try await self.desk.submit(transaction, timeout: .seconds(Int(seconds)))
            return .with {
                $0.transactionID = Data(transaction.id.digest.bytes)
                $0.height = height.value
            }
        }
    }

    func listGrants(
        request: Entente_Api_V1_ListGrantsRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ListGrantsReply {
        try await self.answer {
            let grants = try await self.grants.grants(of: request.patient)
            let now = Clock.now
            return .with { $0.grants = grants.map { ExamMessages.grant($0, now: now) } }
        }
    }

    private static func key(_ bytes: Data) throws -> VerifyingKey {
        guard let key = VerifyingKey(Array(bytes)) else {
            throw AgentFailure(.badRequest, "the patient's key is not a key")
        }
        return key
    }

    private static func evidence(_ bytes: Data) throws -> Digest {
        guard let digest = Digest(Array(bytes)) else {
            throw AgentFailure(.badRequest, "the digest of the evidence is 32 bytes")
        }
        return digest
    }

    private static func prepared(_ prepared: GrantDesk.Prepared) -> Entente_Api_V1_PreparedTransaction {
        .with { reply in
            reply.transaction = Data(prepared.body.canonicalBytes)
            let needsPatient = prepared.body.signers.contains { if case .key = $0 { true } else { false } }
            if needsPatient { reply.toSign = Data(prepared.body.signedBytes) }
            reply.subject = Data(prepared.subject.bytes)
        }
    }
}

extension GrantDesk.Wish {
    init(_ request: Entente_Api_V1_PrepareGrantRequest, by grantor: GrantDesk.Grantor) {
        func time(_ milliseconds: Int64) -> Timestamp? {
            milliseconds == 0 ? nil : Timestamp(milliseconds: milliseconds)
        }
        self.init(
            patient: request.patient,
            grantees: request.grantees,
            custodians: request.custodians,
            kinds: request.kinds,
            items: request.items,
            purpose: request.purpose,
            examsFrom: time(request.examsFrom),
            examsUntil: time(request.examsUntil),
            notBefore: time(request.notBefore),
            notAfter: time(request.notAfter),
            leaseSeconds: request.leaseSeconds,
            grantor: grantor
        )
    }
}
