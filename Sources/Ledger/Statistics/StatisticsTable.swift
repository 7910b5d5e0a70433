package import Primitives
internal import Records

/// By what figures are told apart.
package enum StatisticsDimension: String, CaseIterable, Hashable, Sendable {
    case institution, department, item, itemClass = "class", reason, month, day
}

/// Which facts to count and how to group them.
package struct StatisticsQuery: Hashable, Sendable {
    /// Business time, from inclusive to exclusive.
    package var from: Timestamp
    package var to: Timestamp
    package var dimensions: [StatisticsDimension]
    /// Only these; all if empty.
    package var institutions: [InstitutionID]
    package var calendar: StatisticsCalendar

    package init(
        from: Timestamp,
        to: Timestamp,
        dimensions: [StatisticsDimension],
        institutions: [InstitutionID] = [],
        calendar: StatisticsCalendar = .china
    ) {
        self.from = from
        self.to = to
        self.dimensions = dimensions
        self.institutions = institutions
        self.calendar = calendar
    }

    func covers(_ contribution: Contribution) -> Bool {
        self.from <= contribution.time && contribution.time < self.to
            && (self.institutions.isEmpty || self.institutions.contains(contribution.institution))
    }

    /// The row of a contribution; a part is empty where the contribution has no such thing.
    func key(of contribution: Contribution) -> [String] {
        self.dimensions.map { dimension in
            switch dimension {
            case .institution: contribution.institution.text
            case .department: contribution.department?.text ?? ""
            case .item: contribution.item ?? ""
            case .itemClass: contribution.itemClass?.text ?? ""
            case .reason: contribution.reason ?? ""
            case .month: self.calendar.monthText(contribution.time)
            case .day: self.calendar.dayText(contribution.time)
            }
        }
    }
}

/// Figures by row: a pure function of a book and a query, so that whoever replays the chain gets the same.
package struct StatisticsTable: Hashable, Sendable {
    /// One group's figures.
    package struct Row: Hashable, Sendable {
        /// One part for each dimension of the query.
        package var key: [String]
        fileprivate var tallies: [Measure: Tally]

        package subscript(measure: Measure) -> Tally { self.tallies[measure] ?? .zero }

        package subscript(rate: Rate) -> Ratio {
            Ratio(
                Tally(sum: rate.numerator.map { self[$0] }),
                Tally(sum: rate.denominator.map { self[$0] })
            )
        }
    }

    package let query: StatisticsQuery
    /// Ascending by the bytes of their keys.
    package let rows: [Row]
    /// The roll-up: every quantity is the sum of the rows'.
    package let total: Row

    package init(of book: RecognitionBook, _ query: StatisticsQuery) {
        var groups: [[String]: [Measure: [Contribution]]] = [:]
        var all: [Measure: [Contribution]] = [:]
        for contribution in book.contributions(query.calendar) where query.covers(contribution) {
            groups[query.key(of: contribution), default: [:]][contribution.measure, default: []].append(contribution)
            all[contribution.measure, default: []].append(contribution)
        }
        self.query = query
        self.rows = groups.map { Row(key: $0.key, tallies: $0.value.mapValues { Tally($0) }) }
            .sorted { Self.precedes($0.key, $1.key) }
        self.total = Row(key: query.dimensions.map { _ in "" }, tallies: all.mapValues { Tally($0) })
    }

    package func row(_ key: [String]) -> Row? { self.rows.first { $0.key == key } }

    /// The keys of rows in which this table and `other` do not say the same, the total as an empty key.
    ///
    /// A verifier compares what was published with what it computes itself.
    package func differences(from other: StatisticsTable) -> [[String]] {
        let mine = Dictionary(uniqueKeysWithValues: self.rows.map { ($0.key, $0) })
        let others = Dictionary(uniqueKeysWithValues: other.rows.map { ($0.key, $0) })
        var keys = Set(mine.keys).union(others.keys).filter { mine[$0] != others[$0] }.sorted(by: Self.precedes)
        if self.total != other.total { keys.append([]) }
        return keys
    }

    private static func precedes(_ left: [String], _ right: [String]) -> Bool {
        for (left, right) in zip(left, right) where left != right {
            return left.utf8.lexicographicallyPrecedes(right.utf8)
        }
        return left.count < right.count
    }
}
