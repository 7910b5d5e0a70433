import AgentAPI
import Foundation
import GRPCCore
import Ledger
import Primitives
import Records
import SwiftProtobuf

extension AgentHarness {
    func prepareErasure(
        request: Entente_Api_V1_PrepareErasureRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            let records = try request.records.map { ContentAddress(try Self.digest($0, "a record")) }
            switch request.requester {
            case .patientKey(let key):
                return self.prepared(
                    try self.erasures.request(records, patient: try Self.key(key), evidence: .zero)
                )
            case .evidence(let evidence):
                return self.prepared(
                    try self.erasures.request(records, patient: nil, evidence: try Self.evidence(evidence))
                )
            case nil: throw AgentFailure(.badRequest, "nobody speaks for the patient")
            }
        }
    }

    func decideErasure(
        request: Entente_Api_V1_DecideErasureRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.answer {
            let id = try Self.erasure(request.erasure)
            let height: Height
            if request.refusal.isEmpty {
                guard let recordClass = RecordClass(name: request.recordClass) else {
                    throw AgentFailure(.badRequest, "a record is outpatient or inpatient")
                }
                height = try await self.erasures.confirm(id, recordClass)
            } else {
                guard let reason = ErasureRefusal(name: request.refusal) else {
                    throw AgentFailure(
                        .badRequest,
                        "there is no such reason",
                        hint: "Reasons: " + ErasureRefusal.allCases.map(\.name).joined(separator: ", ")
                    )
                }
                let until = request.until == 0 ? nil : Timestamp(milliseconds: request.until)
                height = try await self.erasures.refuse(id, reason, until: until)
            }
            return .with { $0.height = height.value }
        }
    }

    func listErasures(
        request: Entente_Api_V1_ListErasuresRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ListErasuresReply {
        try await self.answer {
            let record = try request.record.isEmpty ? nil : ContentAddress(Self.digest(request.record, "a record"))
            let erasures = try self.erasures.erasures(of: record)
            return .with { $0.erasures = erasures.map { Self.line($0.id, $0.state) } }
        }
    }

    func proveErasure(
        request: Entente_Api_V1_ProveErasureRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ProveErasureReply {
        try await self.answer {
            let proof = try self.erasures.proof(Self.erasure(request.erasure))
            return .with { $0.proof = Data(proof.canonicalBytes) }
        }
    }

    private static func line(_ id: ErasureID, _ state: ErasureState) -> Entente_Api_V1_ErasureLine {
        .with { line in
            line.erasure = Data(id.digest.bytes)
            line.source = state.erasure.source.text
            line.records = state.erasure.records.map { Data($0.digest.bytes) }
            if case .patient = state.erasure.requester { line.requester = "patient" } else { line.requester = "source" }
            line.requestedTime = state.requestedTime.milliseconds
            line.requestedHeight = state.requestedHeight.value
            line.decidedHeight = state.decision?.height.value ?? 0
            line.decidedTime = state.decision?.time.milliseconds ?? 0
            switch state.decision?.outcome {
            case nil: line.state = "requested"
            case .refused(let reason, let until):
                line.state = "refused"
                line.refusal = reason.name
                line.until = until?.milliseconds ?? 0
            case .accepted(let recordClass, _):
                line.state = state.isComplete ? "complete" : "accepted"
                line.recordClass = recordClass.name
            }
            line.proofs = state.proofs.map(Self.proof)
            line.outstanding = state.outstanding.map(\.text)
        }
    }

    private static func proof(_ proof: ErasureState.Proof) -> Entente_Api_V1_ErasureProofLine {
        .with {
            $0.institution = proof.destruction.institution.text
            $0.generation = proof.destruction.generation
            $0.dataKeys = proof.destruction.dataKeys
            $0.copies = proof.destruction.copies
            $0.height = proof.height.value
            $0.time = proof.time.milliseconds
        }
    }

    private static func erasure(_ bytes: Data) throws -> ErasureID { ErasureID(try self.digest(bytes, "an erasure")) }
}
