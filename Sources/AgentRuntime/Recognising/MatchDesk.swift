import Ledger
import LedgerStore
import Primitives
import Recognition
package import Records

/// Reminds doctors: judges an order of several items and makes one match of those for which others have a result.
package struct MatchDesk: Sendable {
    /// What is about to be ordered.
    package struct Wish: Sendable {
        package var patient: String
        package var items: [ItemReference]
        /// Without an item of its own.
        package var order: VerdictDesk.Order
        package var number: String
        /// The campus; empty where there is one.
        package var branch: String

        package init(
            patient: String,
            items: [ItemReference],
            order: VerdictDesk.Order,
            number: String,
            branch: String
        ) {
            self.patient = patient
            self.items = items
            self.order = order
            self.number = number
            self.branch = branch
        }
    }

    /// What came of a wish.
    package struct Outcome: Sendable {
        /// `nil` if there is nothing to be reminded of.
        package var seen: FactDesk.Seen?
        /// Items without a result of others; empty where the match was made before.
        package var unmatched: [(item: String, verdict: Verdict)]
    }

    private let context: AgentContext
    private let finder: Finder
    private let verdicts: VerdictDesk
    private let facts: FactDesk

    package init(context: AgentContext, finder: Finder, verdicts: VerdictDesk, facts: FactDesk) {
        self.context = context
        self.finder = finder
        self.verdicts = verdicts
        self.facts = facts
    }

    /// Makes the match of a visit and an order number, or returns the one that the same question made.
    package func match(_ wish: Wish, by credential: ClinicianCredential) async throws -> Outcome {
        guard !wish.order.visit.isEmpty, wish.order.visit.utf8.count <= RecognitionDetail.idBytesMax,
            !wish.number.isEmpty, wish.number.utf8.count <= RecognitionDetail.idBytesMax
        else {
            throw AgentFailure(
                .badRequest,
                "visit and order have a number of 1 to \(RecognitionDetail.idBytesMax) bytes each"
            )
        }
        guard !wish.items.isEmpty, wish.items.count <= RecognitionEngine.orderItemsMax else {
            throw AgentFailure(.badRequest, "an order has 1 to \(RecognitionEngine.orderItemsMax) items")
        }
        guard wish.branch.utf8.count <= RecognitionFact.branchBytesMax else {
            throw AgentFailure(.badRequest, "a campus is named in at most \(RecognitionFact.branchBytesMax) bytes")
        }
        var key = CanonicalEncoder()
        key.encode(wish.order.visit)
        key.encode(wish.number)
        let author = FactAuthor(credential, visit: wish.order.visit, branch: wish.branch)
        var unmatched: [(item: String, verdict: Verdict)] = []
        do {
            let seen = try await self.facts.remind(
                key: key.bytes,
                question: Self.question(wish, credential),
                at: wish.order.time ?? Clock.now,
                by: author
            ) {
                let (reminder, others) = try await self.judge(wish, credential)
                unmatched = others
                guard !reminder.items.isEmpty else { throw Nothing() }
                return reminder
            }
            return Outcome(seen: seen, unmatched: unmatched)
        } catch is Nothing {
            return Outcome(seen: nil, unmatched: unmatched)
        }
    }

    /// There is nothing to be reminded of, and so no match.
    private struct Nothing: Error {}

    /// All that makes two calls the same question; when it is asked does not.
    private static func question(_ wish: Wish, _ credential: ClinicianCredential) -> [UInt8] {
        var encoder = CanonicalEncoder()
        encoder.encode(wish.patient)
        encoder.encode(wish.items)
        encoder.encode(wish.order.department)
        encoder.encode(wish.order.visitType)
        encoder.encode(length: wish.order.diagnoses.count)
        for diagnosis in wish.order.diagnoses { encoder.encode(diagnosis) }
        encoder.encode(wish.order.flags.sorted { $0.rawValue < $1.rawValue })
        encoder.encode(wish.branch)
        encoder.encode(credential.clinician)
        return encoder.bytes
    }

    private func judge(
        _ wish: Wish,
        _ credential: ClinicianCredential
    ) async throws -> (FactDesk.Reminder, [(item: String, verdict: Verdict)]) {
        guard let volume = try self.verdicts.volume(for: wish.order) else {
            throw AgentFailure(rule: .policyNotInForce)
        }
        let found = try await self.finder.find(patient: wish.patient, credential: credential)
        var chosen: [Digest: VerdictDesk.Judged] = [:]
        let time = (wish.order.time ?? Clock.now).milliseconds / 1000
        let group = try volume.engine.group(volume.engine.parts(of: wish.items), at: time) { item in
            var order = wish.order
            order.item = item
            guard let answer = try self.verdicts.answer(order, among: found, by: credential),
                answer.verdict.policyHash == volume.state.proposal.pack
            else { throw AgentFailure(rule: .policyNotInForce) }
            chosen[answer.verdict.digest] = answer.chosen
            return answer.verdict
        }
        var items: [RecognitionMatch.Item] = []
        var unmatched = group.unmatched.map { (item: $0.item, verdict: $0.verdict) }
        for line in group.lines {
            // A result of one's own is no recognition of others'.
            guard let exam = chosen[line.verdict.digest], exam.found.row.institution != self.context.institution,
                let item = volume.engine.item(line.item)
            else {
                unmatched.append((line.item, line.verdict))
                continue
            }
            let record = exam.found.summary.record
            // Both sides of one exam are one item.
            guard !items.contains(where: { $0.code == item.code && $0.candidate == record }) else { continue }
            items.append(
                RecognitionMatch.Item(
                    code: item.code,
                    itemClass: ItemClass(item.category),
                    eligibility: ItemEligibility(line.verdict.outcome),
                    candidate: record,
                    source: exam.found.row.institution
                )
            )
        }
        guard items.count <= RecognitionMatch.itemsMax,
            items.allSatisfy({ $0.code.utf8.count <= RecognitionMatch.Item.codeBytesMax })
        else { throw AgentFailure(rule: .malformed) }
        let reminder = FactDesk.Reminder(
            verdict: group.verdictDigest,
            policy: volume.state.proposal.pack,
            items: items
        )
        return (reminder, unmatched)
    }
}

extension ItemClass {
    /// The class in which savings of an item are reported.
    fileprivate init(_ category: ItemCategory) {
        switch category {
        case .laboratory: self = .laboratory
        case .ct: self = .computedTomography
        case .mr: self = .magneticResonance
        case .radiography: self = .digitalRadiography
        case .ultrasound, .other: self = .other
        }
    }
}

extension ItemEligibility {
    fileprivate init(_ outcome: VerdictOutcome) {
        switch outcome {
        case .mustRecognise: self = .mustRecognise
        case .mayRecognise: self = .mayRecognise
        case .manualReview: self = .manualReview
        default: self = .notEligible
        }
    }
}
