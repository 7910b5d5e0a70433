import AgentAPI
import Foundation
import GRPCCore
import Primitives
import Records
import SwiftProtobuf

extension AgentHarness {
    func anomalies(
        request: Entente_Api_V1_AnomaliesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_AnomaliesReply {
        try await self.answer {
            var institution: InstitutionID?
            if !request.institution.isEmpty {
                guard let named = InstitutionID(request.institution) else {
                    throw AgentFailure(.badRequest, "an institution is 1 to 32 of a-z, 0-9 and -")
                }
                institution = named
            }
            let limit = request.limit == 0 ? AnomalyList.listedMax : Int(request.limit)
            let entries = try self.anomalies.entries(of: institution, limit: min(limit, AnomalyList.listedMax))
            return .with { $0.anomalies = entries.map(Self.line) }
        }
    }

    private static func line(_ entry: AnomalyList.Entry) -> Entente_Api_V1_AnomalyLine {
        .with { line in
            line.institution = entry.institution.description
            line.kind = entry.anomaly.kind.name
            line.records = entry.anomaly.records.map { Data($0.digest.bytes) }
            line.count = entry.anomaly.count
            line.time = entry.anomaly.time.milliseconds
            line.commitment = Data(entry.anomaly.commitment.bytes)
            if let place = entry.place {
                line.reported = true
                line.report = place.report
                line.position = UInt32(clamping: place.index)
                line.height = place.height.value
                line.blockTime = place.time.milliseconds
            }
            // Identifiers do not leave the agent in full: whoever needs them opens the records.
            line.facts = (entry.detail?.facts ?? []).map { fact in
                .with {
                    $0.name = fact.name.text
                    $0.text = fact.masked
                }
            }
        }
    }
}
