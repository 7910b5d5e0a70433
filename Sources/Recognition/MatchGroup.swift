package import Primitives
package import Records

/// The items of one order for which exams of others were found, put before the doctor as one.
///
/// The doctor decides about all of them in one go, or about none. The group names the policy that it was made under, and
/// stays as it is when that policy changes.
package struct MatchGroup: Hashable, Sendable {
    /// One item of the order with what the rules say about it.
    package struct Line: Hashable, Sendable {
        /// The catalogue's code.
        package var item: String
        package var laterality: Laterality
        package var contrast: Contrast
        package var verdict: Verdict

        package init(item: String, laterality: Laterality, contrast: Contrast, verdict: Verdict) {
            self.item = item
            self.laterality = laterality
            self.contrast = contrast
            self.verdict = verdict
        }
    }

    package let policyHash: Digest
    /// Seconds since 1970-01-01T00:00:00Z: the order's own time, also of one that was queued while offline.
    package let time: Int64
    /// Those that need a decision, in the order of the request.
    package let lines: [Line]
    /// Those without an exam to decide about; they are ordered as if nothing had been asked.
    package let unmatched: [Line]

    init(policyHash: Digest, time: Int64, lines: [Line], unmatched: [Line]) {
        self.policyHash = policyHash
        self.time = time
        self.lines = lines
        self.unmatched = unmatched
    }

    /// Whether the doctor is to be reminded at all.
    package var needsDecision: Bool { !self.lines.isEmpty }

    /// `H("entente/match-verdicts/1\0" ‖ list of digests)`: what the fact of the reminder names.
    package var verdictDigest: Digest {
        var encoder = CanonicalEncoder()
        encoder.encode(fixed: Array("entente/match-verdicts/1\0".utf8))
        encoder.encode(self.lines.map(\.verdict.digest))
        return Digest(hashing: encoder.bytes)
    }
}

extension RecognitionEngine {
    /// Components of joint items included; an order sheet has fewer.
    package static let orderItemsMax = 64

    /// Judges an order of several items; `order.item` is not looked at.
    ///
    /// A joint item stands for its components, each with a verdict of its own. An item that is asked for twice, under
    /// whichever of its codes, counts once.
    package func match(
        _ order: OrderContext,
        items: [ItemReference],
        among candidates: [Candidate],
        access: RecognitionAccess
    ) throws(RecognitionRefusal) -> MatchGroup {
        try self.group(try self.parts(of: items), at: order.time) { item throws(RecognitionRefusal) in
            var single = order
            single.item = item
            return try self.verdict(for: single, among: candidates, access: access)
        }
    }

    /// The items that an order asks for: of a joint one its components, each once.
    package func parts(of items: [ItemReference]) throws(RecognitionRefusal) -> [ItemReference] {
        var asked: [ItemReference] = []
        for item in items {
            for part in self.parts(of: item) where !asked.contains(part) { asked.append(part) }
            guard asked.count <= Self.orderItemsMax else { throw .tooManyItems }
        }
        return asked
    }

    /// The group of these ``parts(of:)``, each judged by `judge`.
    package func group<Failure: Error>(
        _ asked: [ItemReference],
        at time: Int64,
        judge: (ItemReference) throws(Failure) -> Verdict
    ) throws(Failure) -> MatchGroup {
        var (lines, unmatched): ([MatchGroup.Line], [MatchGroup.Line]) = ([], [])
        for item in asked {
            let line = MatchGroup.Line(
                item: item.code,
                laterality: item.laterality,
                contrast: item.contrast,
                verdict: try judge(item)
            )
            if line.verdict.outcome.hasChoice { lines.append(line) } else { unmatched.append(line) }
        }
        return MatchGroup(
            policyHash: self.policyHash,
            time: time,
            lines: lines,
            unmatched: unmatched
        )
    }

    private func parts(of reference: ItemReference) -> [ItemReference] {
        guard let item = self.index.item(reference.code) else { return [reference] }
        var reference = reference
        reference.code = item.code
        guard item.isJoint else { return [reference] }
        return item.components.map { code in
            var part = reference
            part.code = code
            // The whole's regions are those of all parts together.
            part.bodySites = []
            return part
        }
    }
}
