package import Primitives
package import Records

/// The rules of mutual recognition as one pure function of order, exams, policy and access.
///
/// No clock, locale, floating point or network: equal inputs give equal bytes on every machine. The engine informs the
/// doctor; it never decides.
package struct RecognitionEngine: Sendable {
    /// Changes when the same inputs can give another verdict.
    package static let version: UInt32 = 1

    let index: PolicyIndex

    package init(_ policy: PolicyPack) { self.index = PolicyIndex(policy) }

    package var policy: PolicyPack { self.index.pack }
    package var policyHash: Digest { self.index.hash }

    /// Judges the exams that could answer an order; their order does not matter.
    ///
    /// The cost is bounded: at most 256 candidates against the rules of one pack.
    package func verdict(
        for order: OrderContext,
        among candidates: [Candidate],
        access: RecognitionAccess
    ) throws(RecognitionRefusal) -> Verdict {
        guard candidates.count <= Verdict.candidatesMax else { throw .tooManyCandidates }
        guard self.policy.isInForce(at: order.time) else { throw .policyNotInForce }
        guard order.isBounded, access.isBounded, Self.areBounded(candidates) else { throw .inputTooLarge }
        let sorted = candidates.sorted(by: Self.precedes)
        let newest = try Self.newestVersions(sorted)
        let evaluation = Evaluation(index: self.index, order: order, newest: newest)
        var findings: [Evaluation.Finding] = []
        findings.reserveCapacity(sorted.count)
        // By index in a span: a loop over the array would copy every candidate with all its texts.
        let span = sorted.span
        for index in span.indices {
            findings.append(evaluation.judge(span[index], access: access.entry(for: span[index])))
        }
        let input = Self.inputHash(order: order, candidates: sorted, access: access)
        return self.conclude(
            order: order,
            ordered: evaluation.ordered,
            sorted: sorted,
            findings: findings,
            input: input
        )
    }

    /// Step 13 and 14.
    private func conclude(
        order: OrderContext,
        ordered: PolicyPack.Item?,
        sorted: [Candidate],
        findings: [Evaluation.Finding],
        input: Digest
    ) -> Verdict {
        var verdict = Verdict(
            outcome: .notEligible,
            chosen: nil,
            comparable: nil,
            reasons: [],
            rejected: [],
            trace: sorted.indices.map { Verdict.Trace(candidate: sorted[$0].key, findings: findings[$0].steps) },
            inputHash: input,
            policyHash: self.policyHash,
            engineVersion: Self.version
        )
        let choice = findings.firstIndex { $0.failure == nil }
        for (position, finding) in findings.enumerated() where position != choice {
            let reason: Verdict.Reason
            if let failure = finding.failure {
                reason = failure
            } else {
                let chosen = choice.map { sorted[$0].key.report } ?? ""
                reason = Verdict.Reason(.ineligible(.notChosen), step: .choice, required: chosen)
            }
            verdict.rejected.append(Verdict.Rejection(candidate: sorted[position].key, reason: reason))
        }
        guard let choice else {
            let isClosed = !findings.isEmpty && findings.allSatisfy { $0.failure?.step == .access }
            verdict.outcome = isClosed ? .noAccess : .notEligible
            return verdict
        }
        verdict.chosen = sorted[choice].key
        verdict.comparable = ordered.flatMap { Evaluation.comparable(sorted[choice], $0, index: self.index) }
        verdict.outcome = .mustRecognise
        if let limit = findings[choice].limit {
            verdict.outcome = .mayRecognise
            verdict.reasons.append(limit)
        }
        var flags = order.flags
        if sorted[choice].critical == .open { flags.insert(.criticalOpen) }
        if findings[choice].isBreakGlass { flags.insert(.breakGlass) }
        for flag in flags.sorted(by: { $0.rawValue < $1.rawValue }) {
            let rule = self.index.flag(flag)
            verdict.outcome = .manualReview
            verdict.reasons.append(
                Verdict.Reason(.suggested(rule.reason), step: .clinical, clause: rule.clause, observed: flag.name)
            )
        }
        return verdict
    }

    private static func areBounded(_ candidates: [Candidate]) -> Bool {
        let span = candidates.span
        return span.indices.allSatisfy { span[$0].isBounded }
    }

    /// Newest report first; of equally new ones by the bytes of their names, the newer version, the earlier line.
    private static func precedes(_ one: Candidate, _ other: Candidate) -> Bool {
        if one.reportTime != other.reportTime { return one.reportTime > other.reportTime }
        let (left, right) = (one.key, other.key)
        if left.report != right.report {
            return left.report.utf8.lexicographicallyPrecedes(right.report.utf8)
        }
        if left.version != right.version { return left.version > right.version }
        return left.line < right.line
    }

    /// The newest version of each report among the candidates, and a refusal of equal ones.
    private static func newestVersions(_ candidates: [Candidate]) throws(RecognitionRefusal) -> [String: UInt32] {
        var keys: Set<CandidateKey> = []
        var newest: [String: UInt32] = [:]
        keys.reserveCapacity(candidates.count)
        newest.reserveCapacity(candidates.count)
        let span = candidates.span
        for index in span.indices {
            guard keys.insert(span[index].key).inserted else { throw .duplicateCandidate }
            newest[span[index].key.report, default: 0] = max(
                newest[span[index].key.report, default: 0],
                span[index].key.version
            )
        }
        return newest
    }

    /// `H("entente/verdict-input/1\0" ‖ order ‖ access ‖ list of candidates in their order)`.
    private static func inputHash(order: OrderContext, candidates: [Candidate], access: RecognitionAccess) -> Digest {
        var encoder = CanonicalEncoder(reservingCapacity: 512 + candidates.count * 512)
        encoder.encode(fixed: Self.inputContext)
        encoder.encode(order)
        encoder.encode(access)
        encoder.encode(candidates)
        return Digest(hashing: encoder.bytes)
    }

    private static let inputContext = Array("entente/verdict-input/1\0".utf8)
}
