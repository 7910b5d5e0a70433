package import Records

/// What whoever prepares an order and its exams asks the pack.
extension RecognitionEngine {
    /// The item that a code or alias names.
    package func item(_ code: String) -> PolicyPack.Item? { self.index.item(code) }

    /// Whether an exam of one item can answer an order of another: it is the same, or has it as a component.
    package func answers(_ examined: String, for ordered: String) -> Bool {
        guard let examined = self.index.item(examined), let ordered = self.index.item(ordered) else { return false }
        return examined.code == ordered.code || examined.components.contains(ordered.code)
    }

    /// Whether quantities of an item can be compared when they have this unit.
    package func isComparable(unit: String, of code: String) -> Bool {
        guard let item = self.index.item(code) else { return false }
        return unit == item.unit || self.index.conversion(of: item.code, from: unit) != nil
    }

    /// The pack's word for a specimen as a source writes it, if it is one.
    package func specimen(_ text: String) -> String? { self.index.specimens[text.lowercased()] }

    package func bodySite(_ text: String) -> String? { self.index.bodySites[text.lowercased()] }

    package func method(_ text: String) -> String? { self.index.methods[text.lowercased()] }

    /// The medical consortia that the pack's scopes name.
    package var consortia: Set<String> {
        let scopes = self.policy.authorities.map(\.scope) + self.policy.marks.map(\.scope)
        return Set(
            scopes.compactMap { scope in
                guard case .consortium(let name) = scope else { return nil }
                return name
            }
        )
    }

    /// The exam with the marks and assessments that the pack attests to its performer, for what is ordered and what was
    /// examined; of more than an exam can carry, the first in the pack's order.
    package func attested(_ candidate: Candidate, for order: ItemReference) -> Candidate {
        let codes = [candidate.item.code, order.code].compactMap { self.index.item($0)?.code }
        var candidate = candidate
        for mark in self.index.marks(of: candidate.performer) {
            let item = codes.first { mark.items.contains($0) }
            guard mark.items.isEmpty || item != nil else { continue }
            candidate.marks.append(
                RecognitionMark(
                    scope: mark.scope,
                    authority: mark.authority,
                    item: item,
                    validFrom: mark.validFrom,
                    validTo: mark.validTo
                )
            )
        }
        for round in self.index.assessments(of: candidate.performer) {
            guard let item = codes.first(where: { round.items.contains($0) }) else { continue }
            candidate.assessments.append(
                QualityAssessment(
                    scheme: round.scheme,
                    item: item,
                    from: round.from,
                    to: round.to,
                    passed: round.passed
                )
            )
        }
        candidate.marks = Array(candidate.marks.prefix(Candidate.marksMax))
        candidate.assessments = Array(candidate.assessments.prefix(Candidate.assessmentsMax))
        return candidate
    }
}
