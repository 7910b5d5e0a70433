import AgentAPI
import Foundation
import GRPCCore
import Ledger
import Primitives
import Records
import SwiftProtobuf

extension AgentHarness {
    /// Two centuries hold everything; the calendar cannot say more.
    private static let times: ClosedRange<Int64> = -2_208_988_800_000...4_102_444_800_000 * 2
    /// Events written at once.
    private static let eventsPerRead = 512

    func statistics(
        request: Entente_Api_V1_StatisticsRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_StatisticsReply {
        try await self.answer {
            let query = try Self.query(request)
            var reply = Entente_Api_V1_StatisticsReply()
            let figures: StatisticsDesk.Figures
            if request.verify {
                let verified = try await self.statistics.verify(query)
                figures = verified.figures
                reply.verified = true
                reply.differences = verified.differences.map { key in .with { $0.parts = key } }
            } else {
                figures = try await self.statistics.figures(query)
            }
            let table = figures.table
            reply.rows = table.rows.map(Self.row)
            reply.total = Self.row(table.total)
            reply.height = figures.height.value
            for gap in figures.gaps {
                switch gap {
                case .missing(let address): reply.missing.append(Data(address.digest.bytes))
                case .wrong(let address): reply.wrong.append(Data(address.digest.bytes))
                }
            }
            let names = query.dimensions.contains(.department) ? try self.statistics.departments() : [:]
            let labels: StatisticsTable.Labels = { dimension, part in dimension == .department ? names[part] : nil }
            reply.csv = Data(table.csv(StatisticsColumn.standard, labels: labels))
            reply.text = table.text(StatisticsColumn.standard, labels: labels)
            return reply
        }
    }

    func statisticsLineage(
        request: Entente_Api_V1_StatisticsRequest,
        response: RPCWriter<Entente_Api_V1_LineageEvent>,
        context: ServerContext
    ) async throws {
        try await self.answer {
            var measures = Measure.allCases
            if !request.measure.isEmpty {
                guard let measure = Measure(rawValue: request.measure) else {
                    throw AgentFailure(
                        .badRequest,
                        "there is no such measure",
                        hint: "Measures: " + Measure.allCases.map(\.rawValue).joined(separator: ", ")
                    )
                }
                measures = [measure]
            }
            let table = try await self.statistics.figures(try Self.query(request)).table
            for row in request.dimensions.isEmpty ? [table.total] : table.rows {
                for measure in measures {
                    let ids = row[measure].facts
                    for start in stride(from: 0, to: ids.count, by: Self.eventsPerRead) {
                        let part = Array(ids[start..<min(start + Self.eventsPerRead, ids.count)])
                        for event in try self.statistics.events(part) {
                            try await response.write(Self.event(event, row.key, measure))
                        }
                    }
                }
            }
        }
    }

    private static func query(_ request: Entente_Api_V1_StatisticsRequest) throws -> StatisticsQuery {
        let dimensions = try request.dimensions.map { name in
            guard let dimension = StatisticsDimension(rawValue: name) else {
                throw AgentFailure(
                    .badRequest,
                    "figures are not told apart by this",
                    hint: "By: " + StatisticsDimension.allCases.map(\.rawValue).joined(separator: ", ")
                )
            }
            return dimension
        }
        guard Set(dimensions).count == dimensions.count else {
            throw AgentFailure(.badRequest, "figures are told apart by each thing once")
        }
        guard self.times.contains(request.from), self.times.contains(request.to), request.from < request.to else {
            throw AgentFailure(.badRequest, "the period does not end after it begins, or is none of this age")
        }
        guard (-14 * 60...14 * 60).contains(request.offsetMinutes) else {
            throw AgentFailure(.badRequest, "no clock is farther than 14 h from UTC")
        }
        return StatisticsQuery(
            from: Timestamp(milliseconds: request.from),
            to: Timestamp(milliseconds: request.to),
            dimensions: dimensions,
            institutions: try request.institutions.map { text in
                guard let id = InstitutionID(text) else {
                    throw AgentFailure(.badRequest, "an institution is 1 to 32 of a-z, 0-9 and -")
                }
                return id
            },
            calendar: StatisticsCalendar(offsetMinutes: request.offsetMinutes)
        )
    }

    private static func row(_ row: StatisticsTable.Row) -> Entente_Api_V1_StatisticsRow {
        .with { message in
            message.key = row.key
            message.figures = Measure.allCases.map { measure in
                .with {
                    $0.measure = measure.rawValue
                    $0.quantity = row[measure].quantity
                    $0.events = UInt64(row[measure].facts.count)
                }
            }
            message.rates = Rate.allCases.map { rate in
                let ratio = row[rate]
                return .with {
                    $0.rate = rate.rawValue
                    $0.numerator = ratio.numerator.quantity
                    $0.denominator = ratio.denominator.quantity
                    $0.text = (rate.isShare ? ratio.percentText : ratio.decimalText) ?? ""
                }
            }
        }
    }

    private static func event(
        _ event: StatisticsDesk.Event,
        _ key: [String],
        _ measure: Measure
    ) -> Entente_Api_V1_LineageEvent {
        .with { message in
            message.key = key
            message.measure = measure.rawValue
            message.event = event.id.text
            message.institution = event.institution.text
            message.transaction = Data(event.transaction.digest.bytes)
            message.blockTime = event.blockTime.milliseconds
            switch event.content {
            case .missing: message.kind = "missing"
            case .exam(let leaf):
                message.kind = "exam"
                message.time = event.blockTime.milliseconds
                message.record = Data(leaf.record.digest.bytes)
            case .fact(let fact):
                message.kind = fact.content.name
                message.time = fact.time.milliseconds
                if let match = fact.matches.first { message.match = Data(match.digest.bytes) }
                if case .void(let record, _) = fact.content { message.record = Data(record.digest.bytes) }
            }
        }
    }
}
