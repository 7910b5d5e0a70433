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
        let newest = try Self.newestVersions(candidates)
        let sorted = Self.sorted(candidates)
        let evaluation = Evaluation(index: self.index, order: order, newest: newest)
        var findings: [Evaluation.Finding] = []
        findings.reserveCapacity(sorted.count)
        // By position in a span: a loop over the array would copy every candidate with all its texts.
        let span = candidates.span
        for place in sorted {
            findings.append(evaluation.judge(span[place.position], access: access.entry(for: span[place.position])))
        }
        var verdict = Verdict(
            outcome: .notEligible,
            chosen: nil,
            comparable: nil,
            reasons: [],
            rejected: [],
            trace: sorted.indices.map { Verdict.Trace(candidate: sorted[$0].key, findings: findings[$0].steps) },
            inputHash: Self.inputHash(order: order, candidates: candidates, sorted: sorted, access: access),
            policyHash: self.policyHash,
            engineVersion: Self.version
        )
        guard let choice = self.reject(sorted, findings, &verdict) else { return verdict }
        self.choose(
            candidates[sorted[choice].position],
            findings[choice],
            order: order,
            ordered: evaluation.ordered,
            &verdict
        )
        return verdict
    }

    /// Where a candidate stands in the order of choice.
    private struct Place {
        var reportTime: Int64
        var key: CandidateKey
        /// Among the candidates as they were given.
        var position: Int
    }

    /// Step 13: why the others are not chosen.
    ///
    /// Returns which of the sorted ones is.
    private func reject(_ sorted: [Place], _ findings: [Evaluation.Finding], _ verdict: inout Verdict) -> Int? {
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
        guard choice == nil, !findings.isEmpty else { return choice }
        if findings.allSatisfy({ $0.failure?.step == .access }) { verdict.outcome = .noAccess }
        return nil
    }

    /// Step 14, and what is said of the chosen one.
    private func choose(
        _ chosen: Candidate,
        _ finding: Evaluation.Finding,
        order: OrderContext,
        ordered: PolicyPack.Item?,
        _ verdict: inout Verdict
    ) {
        verdict.chosen = chosen.key
        verdict.comparable = ordered.flatMap { Evaluation.comparable(chosen, $0, index: self.index) }
        verdict.outcome = .mustRecognise
        if let limit = finding.limit {
            verdict.outcome = .mayRecognise
            verdict.reasons.append(limit)
        }
        var flags = order.flags
        if chosen.critical == .open { flags.insert(.criticalOpen) }
        if finding.isBreakGlass { flags.insert(.breakGlass) }
        for flag in flags.sorted(by: { $0.rawValue < $1.rawValue }) {
            let rule = self.index.flag(flag)
            verdict.outcome = .manualReview
            verdict.reasons.append(
                Verdict.Reason(.suggested(rule.reason), step: .clinical, clause: rule.clause, observed: flag.name)
            )
        }
    }

    private static func areBounded(_ candidates: [Candidate]) -> Bool {
        let span = candidates.span
        return span.indices.allSatisfy { span[$0].isBounded }
    }

    /// Newest report first; of equally new ones by the bytes of their names, the newer version, the earlier line.
    private static func sorted(_ candidates: [Candidate]) -> [Place] {
        let span = candidates.span
        var places: [Place] = []
        places.reserveCapacity(span.count)
        for position in span.indices {
            places.append(
                Place(reportTime: span[position].reportTime, key: span[position].key, position: position)
            )
        }
        places.sort(by: Self.precedes)
        return places
    }

    private static func precedes(_ one: Place, _ other: Place) -> Bool {
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
    private static func inputHash(
        order: OrderContext,
        candidates: [Candidate],
        sorted: [Place],
        access: RecognitionAccess
    ) -> Digest {
        var encoder = CanonicalEncoder(reservingCapacity: 512 + candidates.count * 512)
        encoder.encode(fixed: Self.inputContext)
        encoder.encode(order)
        encoder.encode(access)
        encoder.encode(length: candidates.count)
        let span = candidates.span
        for place in sorted { span[place.position].encode(into: &encoder) }
        return Digest(hashing: encoder.bytes)
    }

    private static let inputContext = Array("entente/verdict-input/1\0".utf8)
}
