internal import Records

/// The steps 5 to 7 and 10: what the catalogue says of order and exam.
extension Evaluation {
    func catalogueReason(_ candidate: Candidate, _ examined: PolicyPack.Item?) -> Reason? {
        guard let ordered = self.ordered else {
            return Reason(.ineligible(.notInCatalogue), step: .catalogue, observed: self.order.item.code)
        }
        guard let examined else {
            return Reason(.ineligible(.notInCatalogue), step: .catalogue, observed: candidate.item.code)
        }
        guard examined.standsAlone, ordered.standsAlone else {
            return Reason(
                .ineligible(.notInCatalogue),
                step: .catalogue,
                observed: examined.standsAlone ? ordered.code : examined.code,
                required: "stands-alone"
            )
        }
        let isActive = Self.isActive(examined, at: candidate.examTime)
        guard isActive, Self.isActive(ordered, at: candidate.examTime) else {
            let observed = isActive ? ordered.code : examined.code
            return Reason(.ineligible(.itemInactive), step: .catalogue, observed: observed, required: "active")
        }
        return nil
    }

    private static func isActive(_ item: PolicyPack.Item, at time: Int64) -> Bool {
        (item.activeFrom ?? .min) <= time && time <= (item.activeTo ?? .max)
    }

    func negativeReason(
        _ candidate: Candidate,
        _ ordered: PolicyPack.Item,
        _ examined: PolicyPack.Item
    ) -> Reason? {
        let rules = self.index.pack.negatives.span
        for index in rules.indices where self.excludes(rules[index], candidate, ordered, examined) {
            return Reason(
                .ineligible(.negativeList),
                step: .negativeList,
                rule: rules[index].rule,
                clause: rules[index].clause,
                observed: examined.code
            )
        }
        return nil
    }

    private func excludes(
        _ rule: PolicyPack.NegativeRule,
        _ candidate: Candidate,
        _ ordered: PolicyPack.Item,
        _ examined: PolicyPack.Item
    ) -> Bool {
        (rule.performers.isEmpty || rule.performers.contains(candidate.performer))
            && (rule.methods.isEmpty || candidate.item.method.map(rule.methods.contains) ?? false)
            && (rule.diagnoses.isEmpty
                || self.order.diagnoses.contains { code in
                    rule.diagnoses.contains { code.utf8.starts(with: $0.utf8) }
                })
            && (rule.selector.matches(item: ordered, order: self.order)
                || rule.selector.matches(item: examined, order: self.order))
    }

    func equivalenceReason(
        _ candidate: Candidate,
        _ ordered: PolicyPack.Item,
        _ examined: PolicyPack.Item
    ) -> Reason? {
        self.siteReason(candidate, ordered, examined) ?? self.comparisonReason(candidate, ordered, examined)
    }

    private func siteReason(
        _ candidate: Candidate,
        _ ordered: PolicyPack.Item,
        _ examined: PolicyPack.Item
    ) -> Reason? {
        func mismatch(_ observed: String, _ required: String) -> Reason {
            Reason(.ineligible(.siteMismatch), step: .equivalence, observed: observed, required: required)
        }
        let (wanted, made) = (self.order.item, candidate.item)
        guard examined.code == ordered.code || examined.components.contains(ordered.code) else {
            return mismatch(examined.code, ordered.code)
        }
        if let modality = wanted.modality ?? ordered.modality, (made.modality ?? examined.modality) != modality {
            return mismatch(made.modality ?? examined.modality ?? "none", modality)
        }
        let specimen = made.specimen ?? (examined.specimens.count == 1 ? examined.specimens[0] : nil)
        if let asked = wanted.specimen {
            guard specimen == asked else { return mismatch(specimen ?? "none", asked) }
        } else if let specimen, !ordered.specimens.isEmpty, !ordered.specimens.contains(specimen) {
            return mismatch(specimen, ordered.specimens[0])
        }
        let sites = made.bodySites.isEmpty ? examined.bodySites : made.bodySites
        for site in wanted.bodySites.isEmpty ? ordered.bodySites : wanted.bodySites where !sites.contains(site) {
            return mismatch(sites.first ?? "none", site)
        }
        guard made.laterality.answers(wanted.laterality) else {
            return mismatch(made.laterality.name, wanted.laterality.name)
        }
        guard made.contrast.answers(wanted.contrast) else {
            return mismatch(made.contrast.name, wanted.contrast.name)
        }
        return nil
    }

    private func comparisonReason(
        _ candidate: Candidate,
        _ ordered: PolicyPack.Item,
        _ examined: PolicyPack.Item
    ) -> Reason? {
        func incomparable(_ observed: String, _ required: String) -> Reason {
            Reason(.ineligible(.notComparable), step: .equivalence, observed: observed, required: required)
        }
        if let asked = self.order.item.method, candidate.item.method != asked {
            return incomparable(candidate.item.method ?? "none", asked)
        }
        if !ordered.methods.isEmpty {
            guard let method = candidate.item.method, ordered.methods.contains(method) else {
                return incomparable(candidate.item.method ?? "none", ordered.methods[0])
            }
        }
        // The exam's own item says what its value is: a panel that answers for an analyte has none.
        switch examined.valueKind {
        case .none: return nil
        case .ordinal:
            guard let value = candidate.value, self.index.isOrdinal(ResultValue.folded(value)) else {
                return incomparable("value", "ordinal")
            }
            return nil
        case .titre:
            guard let value = candidate.value, case .titre = ResultValue(value) else {
                return incomparable("value", "titre")
            }
            return nil
        case .quantity:
            guard let value = candidate.value, case .quantity = ResultValue(value) else {
                return incomparable("value", "quantity")
            }
            guard let unit = candidate.unit else { return incomparable("no-unit", examined.unit ?? "") }
            guard unit == examined.unit || self.index.hasConversion(of: examined.code, from: unit) else {
                return incomparable(unit, examined.unit ?? "")
            }
            return nil
        }
    }

    /// The value in the unit of the ordered item, exactly; `nil` where it is no quantity or has too many digits.
    static func comparable(_ candidate: Candidate, _ ordered: PolicyPack.Item, index: PolicyIndex) -> String? {
        guard ordered.valueKind == .quantity, let value = candidate.value, let unit = candidate.unit,
            case .quantity(let comparator, let number) = ResultValue(value)
        else { return nil }
        if unit == ordered.unit { return comparator + number.text }
        guard let rule = index.conversion(of: ordered.code, from: unit) else { return nil }
        return number.converted(factor: rule.factor, offset: rule.offset).map { comparator + $0.text }
    }

    /// What the marks of an exam say of the receiver.
    enum MarkFinding {
        case covered
        case outside(Reason)
        case failed(Reason)
    }

    func marks(
        _ candidate: Candidate,
        _ ordered: PolicyPack.Item,
        _ examined: PolicyPack.Item
    ) -> MarkFinding {
        func failed(_ code: IneligibilityCode, _ observed: String, _ required: String) -> MarkFinding {
            .failed(Reason(.ineligible(code), step: .marks, observed: observed, required: required))
        }
        let (lattice, time) = (self.index.lattice, candidate.examTime)
        var (hasMark, hasValid, isCovered) = (false, false, false)
        var widest = ""
        for mark in candidate.marks {
            guard let limit = self.index.authorityScope(mark.authority), lattice.includes(limit, mark.scope),
                mark.item.map({ self.index.names($0, ordered, examined) }) ?? true
            else { continue }
            hasMark = true
            guard mark.validFrom <= time, time <= mark.validTo else { continue }
            if !hasValid { widest = mark.scope.description }
            hasValid = true
            isCovered =
                isCovered || lattice.covers(mark.scope, area: self.order.area, consortia: self.order.consortia)
        }
        guard hasMark else { return failed(.markAbsent, "none", "HR") }
        guard hasValid else { return failed(.markLapsed, "lapsed", "valid at exam") }
        if !ordered.schemes.isEmpty {
            let rounds = candidate.assessments.filter {
                ordered.schemes.contains($0.scheme) && self.index.names($0.item, ordered, examined)
                    && $0.from <= time && time <= $0.to
            }
            if rounds.isEmpty { return failed(.qualityAssessment, "none", ordered.schemes[0]) }
            if let lost = rounds.first(where: { !$0.passed }) {
                return failed(.qualityAssessment, "failed", lost.scheme)
            }
        }
        guard !isCovered else { return .covered }
        let area = Scope.area(self.order.area).description
        return .outside(
            Reason(.ineligible(.markScope), step: .marks, observed: widest, required: area)
        )
    }
}
