import AgentAPI
import Foundation
import GRPCCore
import Ledger
import LedgerStore
import Primitives
import Records
import SwiftProtobuf

extension AgentHarness {
    private static let matchesMax = 1000
    private static let pricesMax = 100_000

    // MARK: Matches

    func matches(
        request: Entente_Api_V1_MatchesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MatchesReply {
        try await self.answer {
            let limit = request.limit == 0 ? Self.matchesMax : min(Int(request.limit), Self.matchesMax)
            let seen =
                request.match.isEmpty
                ? try await self.facts.matches(limit: limit) : [try await self.facts.match(Self.match(request.match))]
            var reply = Entente_Api_V1_MatchesReply()
            for match in seen where !request.openOnly || (match.state.standing == nil && match.state.closed == nil) {
                reply.matches.append(try await self.message(match))
            }
            return reply
        }
    }

    func decide(
        request: Entente_Api_V1_DecideRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MatchReply {
        try await self.answer {
            guard request.text.utf8.count <= RecognitionDetail.textBytesMax else {
                throw AgentFailure(.badRequest, "words have at most \(RecognitionDetail.textBytesMax) bytes")
            }
            let choices = try request.choices.map { choice in
                guard choice.item < UInt32(RecognitionMatch.itemsMax),
                    choice.reason.utf8.count <= RecognitionDecision.Outcome.reasonBytesMax
                else { throw AgentFailure(rule: .malformed) }
                return FactDesk.Choice(
                    item: UInt8(choice.item),
                    reason: choice.reason.isEmpty ? nil : choice.reason
                )
            }
            guard !choices.isEmpty, choices.count <= RecognitionMatch.itemsMax else {
                throw AgentFailure(rule: .malformed)
            }
            return try await self.answered(
                self.facts.decide(
                    Self.match(request.match),
                    choices,
                    text: request.text.isEmpty ? nil : request.text,
                    isExplained: request.explained,
                    at: Self.time(request.time),
                    by: self.credential(request.credential)
                )
            )
        }
    }

    func undoDecision(
        request: Entente_Api_V1_MatchActRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MatchReply {
        try await self.answer {
            try await self.answered(
                self.facts.undo(
                    Self.match(request.match),
                    at: Self.time(request.time),
                    by: self.credential(request.credential)
                )
            )
        }
    }

    func cite(
        request: Entente_Api_V1_MatchActRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MatchReply {
        try await self.answer {
            guard request.items.count <= RecognitionMatch.itemsMax,
                request.items.allSatisfy({ $0 < UInt32(RecognitionMatch.itemsMax) })
            else { throw AgentFailure(rule: .malformed) }
            return try await self.answered(
                self.facts.cite(
                    Self.match(request.match),
                    items: request.items.map { UInt8($0) },
                    at: Self.time(request.time),
                    by: self.credential(request.credential)
                )
            )
        }
    }

    func closeMatch(
        request: Entente_Api_V1_MatchActRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MatchReply {
        try await self.answer {
            try await self.answered(
                self.facts.close(
                    Self.match(request.match),
                    at: Self.time(request.time),
                    by: self.credential(request.credential)
                )
            )
        }
    }

    func voidRecord(
        request: Entente_Api_V1_VoidRecordRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_VoidRecordReply {
        try await self.answer {
            guard let reason = VoidReason.allCases.first(where: { $0.name == request.reason }) else {
                throw AgentFailure(
                    .badRequest,
                    "there is no such reason for a void",
                    hint: "Reasons: " + VoidReason.allCases.map(\.name).joined(separator: ", ")
                )
            }
            try await self.facts.void(
                ContentAddress(try Self.digest(request.record, "a record")),
                reason,
                by: FactAuthor(try self.credential(request.credential), visit: "", branch: "")
            )
            return Entente_Api_V1_VoidRecordReply()
        }
    }

    // MARK: Prices

    func prices(
        request: Entente_Api_V1_PricesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PricesReply {
        try await self.answer {
            if request.replaces {
                guard request.prices.count <= Self.pricesMax else {
                    throw AgentFailure(.badRequest, "a price list has at most \(Self.pricesMax) entries")
                }
                try self.context.custody.setPrices(PriceList(try request.prices.map(Self.price)))
            }
            let list = try self.context.custody.prices()
            return .with { reply in
                reply.prices = list.entries.map { entry in
                    .with {
                        $0.item = entry.item
                        $0.scope = Self.text(entry.scope)
                        $0.validFrom = entry.validFrom.milliseconds
                        $0.fen = entry.amount.value
                    }
                }
            }
        }
    }

    private static let branchPrefix = "branch:"

    private static func price(_ price: Entente_Api_V1_Price) throws -> PriceList.Entry {
        let scope: PriceList.Scope
        switch price.scope {
        case "organisation": scope = .organisation
        case "institution": scope = .institution
        default:
            let branch = String(price.scope.dropFirst(Self.branchPrefix.count))
            guard price.scope.hasPrefix(Self.branchPrefix), !branch.isEmpty,
                branch.utf8.count <= RecognitionFact.branchBytesMax
            else {
                throw AgentFailure(.badRequest, "a price is for organisation, institution or branch:NAME")
            }
            scope = .branch(branch)
        }
        guard !price.item.isEmpty, price.item.utf8.count <= RecognitionMatch.Item.codeBytesMax,
            Fen(price.fen).isWithinBounds
        else { throw AgentFailure(.badRequest, "a price has an item's code and an amount that an examination costs") }
        return PriceList.Entry(
            item: price.item,
            scope: scope,
            validFrom: Timestamp(milliseconds: price.validFrom),
            amount: Fen(price.fen)
        )
    }

    private static func text(_ scope: PriceList.Scope) -> String {
        switch scope {
        case .organisation: "organisation"
        case .institution: "institution"
        case .branch(let name): Self.branchPrefix + name
        }
    }

    // MARK: Messages

    func answered(_ seen: FactDesk.Seen) async throws -> Entente_Api_V1_MatchReply {
        let message = try await self.message(seen)
        return .with { $0.match = message }
    }

    private func message(_ seen: FactDesk.Seen) async throws -> Entente_Api_V1_RecognitionMatch {
        var message = Entente_Api_V1_RecognitionMatch(seen)
        for stored in seen.facts {
            let detail = try self.facts.maker.detail(stored.entry)
            let refused = await self.facts.refusal(of: stored)
            message.facts.append(
                .with {
                    $0.kind = stored.entry.fact.content.name
                    $0.time = stored.entry.fact.time.milliseconds
                    $0.doctor = detail.doctorID
                    $0.doctorName = detail.doctorName
                    $0.department = detail.departmentName
                    $0.visit = detail.visitNumber
                    $0.explained = detail.isExplained ?? false
                    $0.text = detail.text ?? ""
                    $0.committed = stored.place != nil
                    $0.refused = refused?.name ?? ""
                }
            )
        }
        return message
    }

    private func credential(_ bytes: Data) throws -> ClinicianCredential {
        try self.fetcher.credentials.credential(Array(bytes), now: Clock.now)
    }

    private static func match(_ bytes: Data) throws -> MatchID { MatchID(try self.digest(bytes, "a match")) }
}

extension Entente_Api_V1_RecognitionMatch {
    /// A match without this institution's sealed details.
    fileprivate init(_ seen: FactDesk.Seen) {
        self.init()
        let state = seen.state
        self.id = Data(state.match.id.digest.bytes)
        self.time = state.placed.fact.time.milliseconds
        self.policy = Data(state.match.policy.bytes)
        self.verdict = Data(state.match.verdict.bytes)
        self.closed = state.closed?.fact.time.milliseconds ?? 0
        self.repeated = seen.isRepeated
        self.decisions = state.decisions.map { decided in
            .with {
                $0.number = UInt32(decided.decision.number)
                $0.time = decided.placed.fact.time.milliseconds
                $0.undone = decided.undo?.fact.time.milliseconds ?? 0
            }
        }
        if let standing = state.standing, state.citations.isEmpty {
            self.undoUntil = standing.placed.fact.time.milliseconds + Int64(state.undoMinutes) * 60_000
        }
        self.items = state.match.items.indices.map { Self.item($0, of: state) }
        self.state =
            if !state.citations.isEmpty { "cited" } else if state.standing != nil {
                "decided"
            } else if state.closed != nil {
                "closed"
            } else { "open" }
    }

    private static func item(_ index: Int, of state: MatchState) -> Entente_Api_V1_MatchItem {
        let item = state.match.items[index]
        let number = UInt8(index)
        return .with { message in
            message.item = item.code
            message.itemClass = item.itemClass.text
            message.eligibility = item.eligibility.name
            message.record = Data(item.candidate.digest.bytes)
            message.institution = item.source.text
            let views = state.views.filter { view in
                if case .view(_, let items) = view.fact.content { items.contains(number) } else { false }
            }
            message.viewed = views.map(\.fact.time.milliseconds).min() ?? 0
            message.cited = state.citations[number]?.isEmpty == false
            guard let outcome = state.standing?.decision.outcomes[index] else { return }
            message.outcome = outcome.isAdopted ? "adopted" : "refused"
            message.reason = outcome.reason ?? ""
            message.priced = outcome.amount != nil
            message.fen = outcome.amount?.value ?? 0
        }
    }
}
