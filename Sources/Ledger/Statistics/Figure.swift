/// A number and the facts that made it.
package struct Tally: Hashable, Sendable {
    package static let zero = Tally()

    package private(set) var quantity: Int64 = 0
    /// Ascending, each once.
    package private(set) var facts: [FactID] = []

    package init() {}

    package init(_ contributions: some Sequence<Contribution>) {
        var facts: Set<FactID> = []
        for contribution in contributions {
            self.add(contribution.quantity)
            facts.formUnion(contribution.facts)
        }
        self.facts = facts.sorted()
    }

    /// The sum of several tallies.
    package init(sum tallies: [Tally]) {
        for tally in tallies { self.add(tally.quantity) }
        self.facts = Set(tallies.flatMap(\.facts)).sorted()
    }

    /// Stops at the end of the range: the quantities of facts are bounded, so that no true sum comes near it.
    private mutating func add(_ quantity: Int64) {
        let (sum, overflow) = self.quantity.addingReportingOverflow(quantity)
        self.quantity = overflow ? .max : sum
    }
}

/// A share or a mean of two tallies, exact.
package struct Ratio: Hashable, Sendable {
    package var numerator: Tally
    package var denominator: Tally

    package init(_ numerator: Tally, _ denominator: Tally) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Over nothing a share is not zero: it does not exist.
    package var isDefined: Bool { self.denominator.quantity > 0 }

    /// In percent with two decimals, a half rounded up; `nil` where it is not defined.
    package var percentText: String? { self.text(scale: 100) }

    /// With two decimals, a half rounded up; `nil` where it is not defined.
    package var decimalText: String? { self.text(scale: 1) }

    private func text(scale: Int128) -> String? {
        guard self.isDefined else { return nil }
        let denominator = Int128(self.denominator.quantity)
        let hundredths = (2 * Int128(self.numerator.quantity) * scale * 100 + denominator) / (2 * denominator)
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// The facts that made either part, ascending, each once.
    package var facts: [FactID] { Set(self.numerator.facts + self.denominator.facts).sorted() }
}

/// A share that authorities ask for.
///
/// Some may exceed 100 %: a decision counts in the period in which it was made, a reminder in its own.
package enum Rate: String, CaseIterable, Hashable, Sendable {
    /// 同期互认率: adopted of reminded.
    case mutual
    /// 调阅互认率: adopted of viewed.
    case viewed
    /// County form: adopted of reported and adopted.
    case county
    /// Monthly quality goal: adopted of eligible.
    case eligible
    /// Put away without a look, of reminded.
    case overlook
    /// Committed of produced.
    case completeness
    /// Committed within 72 h is the rest of this: late of committed.
    case late
    /// Seconds from release to commitment, the mean over committed.
    case lag

    package var numerator: [Measure] {
        switch self {
        case .mutual, .viewed, .county, .eligible: [.adopted]
        case .overlook: [.overlooked]
        case .completeness: [.committed]
        case .late: [.late]
        case .lag: [.lagSeconds]
        }
    }

    package var denominator: [Measure] {
        switch self {
        case .mutual, .overlook: [.reminded]
        case .viewed: [.viewed]
        case .county: [.reported, .adopted]
        case .eligible: [.eligible]
        case .completeness: [.produced]
        case .late, .lag: [.committed]
        }
    }

    /// Whether it is a share; else it is a mean.
    package var isShare: Bool { self != .lag }
}
