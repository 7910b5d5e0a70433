import AgentAPI
import GRPCCore
import Primitives
import Records
import SwiftProtobuf

extension AgentHarness {
    func match(
        request: Entente_Api_V1_MatchRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MatchReply {
        try await self.answer {
            let order = try VerdictMessages.order(request.order)
            let items = request.items.map { code in
                // What is asked of an item, such as a side, holds for all of the order.
                var item = order.item
                item.code = code
                return item
            }
            let outcome = try await self.matching.match(
                MatchDesk.Wish(
                    patient: request.patient,
                    items: items,
                    order: order,
                    number: request.orderNumber,
                    branch: request.branch
                ),
                by: self.fetcher.credentials.credential(Array(request.credential), now: Clock.now)
            )
            var reply = Entente_Api_V1_MatchReply()
            if let seen = outcome.seen { reply = try await self.answered(seen) }
            reply.unmatched = outcome.unmatched.map { item, verdict in
                .with {
                    $0.item = item
                    $0.outcome = verdict.outcome.name
                }
            }
            return reply
        }
    }
}
