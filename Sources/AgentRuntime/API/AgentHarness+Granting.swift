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
            return self.prepared(try await self.grants.enrolment(patient: request.patient, key: key))
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
            case .delegateKey(let key):
                let id = DelegationID(try Self.digest(request.delegation, "a delegation"))
                grantor = .delegate(try Self.key(key), id)
            case nil: throw AgentFailure(.badRequest, "nobody speaks for the patient")
            }
            return self.prepared(try await self.grants.grant(GrantDesk.Wish(request, by: grantor)))
        }
    }

    func prepareRevocation(
        request: Entente_Api_V1_PrepareRevocationRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            let id = GrantID(try Self.digest(request.grant, "a grant"))
            let key: VerifyingKey?
            switch request.grantor {
            case .patientKey(let bytes): key = try Self.key(bytes)
            case .witnessEvidence(let evidence):
                _ = try Self.evidence(evidence)
                key = nil
            case nil: throw AgentFailure(.badRequest, "nobody speaks for the patient")
            }
            return self.prepared(try self.grants.revocation(id, by: key))
        }
    }

    func submitTransaction(
        request: Entente_Api_V1_SubmitTransactionRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.answer {
            let body = try TransactionBody(canonicalBytes: Array(request.transaction))
            // This institution signs what it prepared itself and nothing that a caller made up about it.
            switch try LedgerCall(of: body) {
            case .grants where self.kept.contains(body.id), .delegations where self.kept.contains(body.id): break
            // Asked for by patients; by this institution only as the source, of its own records.
            case .erasures(.request) where self.kept.contains(body.id): break
            case .identities where self.identities.takePrepared(body): break
            case .emergency where self.emergencies.takePrepared(body): break
            default:
                throw AgentFailure(
                    .badRequest,
                    "only what this agent prepared for somebody's signature is submitted here",
                    hint: "Prepare it again: the agent may have been started anew meanwhile."
                )
            }
            var signatures: [VerifyingKey: Signature] = [:]
            if !request.patientKey.isEmpty {
                guard let signature = Signature(Array(request.patientSignature)) else {
                    throw AgentFailure(.badRequest, "the patient's signature is not 64 bytes")
                }
                signatures[try Self.key(request.patientKey)] = signature
            }
            if !request.secondKey.isEmpty {
                guard let signature = Signature(Array(request.secondSignature)) else {
                    throw AgentFailure(.badRequest, "the second signature is not 64 bytes")
                }
                signatures[try Self.key(request.secondKey)] = signature
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
        try await self.answer(paced: true) {
            let grants = try await self.grants.grants(of: request.patient)
            let now = Clock.now
            return .with { $0.grants = grants.map { GrantMessages.grant($0.terms, uses: $0.uses, now: now) } }
        }
    }

    static func key(_ bytes: Data) throws -> VerifyingKey {
        guard let key = VerifyingKey(Array(bytes)) else {
            throw AgentFailure(.badRequest, "the patient's key is not a key")
        }
        return key
    }

    static func evidence(_ bytes: Data) throws -> Digest {
        try self.digest(bytes, "the digest of the evidence")
    }

    func prepared(_ prepared: GrantDesk.Prepared) -> Entente_Api_V1_PreparedTransaction {
        if prepared.doneHeight == nil { self.kept.add(prepared.body.id) }
        return .with { reply in
            reply.subject = Data(prepared.subject.bytes)
            if let height = prepared.doneHeight {
                reply.doneHeight = height.value
                return
            }
            reply.transaction = Data(prepared.body.canonicalBytes)
            let needsPatient = prepared.body.signers.contains { if case .key = $0 { true } else { false } }
            if needsPatient { reply.toSign = Data(prepared.body.signedBytes) }
        }
    }
}

extension GrantDesk.Wish {
    init(_ request: Entente_Api_V1_PrepareGrantRequest, by grantor: GrantDesk.Grantor) throws {
        var referral: ReferralID?
        if !request.referral.isEmpty {
            referral = ReferralID(try AgentHarness.digest(request.referral, "a referral"))
        }
        self.init(
            patient: request.patient,
            grantees: request.grantees,
            groups: request.groups,
            custodians: request.custodians,
            kinds: request.kinds,
            items: request.items,
            purpose: request.purpose,
            examsFrom: AgentHarness.time(request.examsFrom),
            examsUntil: AgentHarness.time(request.examsUntil),
            notBefore: AgentHarness.time(request.notBefore),
            notAfter: AgentHarness.time(request.notAfter),
            leaseSeconds: request.leaseSeconds,
            records: try request.records.map { ContentAddress(try AgentHarness.digest($0, "a record")) },
            usesMax: request.usesMax == 0 ? nil : request.usesMax,
            sensitive: request.sensitive,
            readers: request.readers,
            hidden: request.hidden,
            referral: referral,
            grantor: grantor
        )
    }
}
