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

    /// `H("entente/match/1\0" ‖ institution ‖ key)`: one call made twice is one match and one reminder.
    package let id: Digest
    package let policyHash: Digest
    /// Seconds since 1970-01-01T00:00:00Z: the order's own time, also of one that was queued while offline.
    package let time: Int64
    /// Those that need a decision, in the order of the request.
    package let lines: [Line]
    /// Those without an exam to decide about; they are ordered as if nothing had been asked.
    package let unmatched: [Line]

    init(id: Digest, policyHash: Digest, time: Int64, lines: [Line], unmatched: [Line]) {
        self.id = id
        self.policyHash = policyHash
        self.time = time
        self.lines = lines
        self.unmatched = unmatched
    }

    /// Whether the doctor is to be reminded at all.
    package var needsDecision: Bool { !self.lines.isEmpty }

    package static func id(institution: String, key: String) -> Digest {
        var encoder = CanonicalEncoder()
        encoder.encode(fixed: Array("entente/match/1\0".utf8))
        encoder.encode(institution)
        encoder.encode(key)
        return Digest(hashing: encoder.bytes)
    }

    /// What a match call is that comes again under the same key.
    package enum Repetition: Hashable, Sendable {
        /// The same question: answered with the first group, and nobody is reminded again.
        case same
        /// Another question under a key that is taken.
        case conflict
        /// Another key.
        case unrelated
    }

    package func repetition(of other: MatchGroup) -> Repetition {
        guard self.id == other.id else { return .unrelated }
        return self == other ? .same : .conflict
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
        access: RecognitionAccess,
        key: String
    ) throws(RecognitionRefusal) -> MatchGroup {
        var asked: [ItemReference] = []
        for item in items {
            for part in self.parts(of: item) where !asked.contains(part) { asked.append(part) }
            guard asked.count <= Self.orderItemsMax else { throw .tooManyItems }
        }
        guard key.utf8.count <= OrderContext.textBytesMax else { throw .inputTooLarge }
        var (lines, unmatched): ([MatchGroup.Line], [MatchGroup.Line]) = ([], [])
        for item in asked {
            var single = order
            single.item = item
            let line = MatchGroup.Line(
                item: item.code,
                laterality: item.laterality,
                contrast: item.contrast,
                verdict: try self.verdict(for: single, among: candidates, access: access)
            )
            if line.verdict.outcome.hasChoice { lines.append(line) } else { unmatched.append(line) }
        }
        return MatchGroup(
            id: MatchGroup.id(institution: order.institution, key: key),
            policyHash: self.policyHash,
            time: order.time,
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
