/// How a source writes dates and times: the pattern letters of Unicode TS 35, as far as tables use them.
///
/// `yyyy` `yy` year (`yy` is 2000 to 2099), `MM` `M` month, `dd` `d` day, `HH` `H` hour 0-23, `hh` `h` hour 1-12 with
/// `a` AM or PM, `mm` minute, `ss` second, `S` fraction of any length, `Z` offset (`Z`, `+08:00`, `+0800`, `+08`). A
/// doubled letter asks for two digits, a single one takes one or two. `T` and all other characters stand for themselves.
package struct CSVTimeFormat: Hashable, Sendable {
    enum Token: Hashable, Sendable {
        case year, shortYear
        case month(isPadded: Bool), day(isPadded: Bool), hour(isPadded: Bool), halfDayHour(isPadded: Bool)
        case minute, second, fraction, halfDay, offset
        /// UTF-8 of one character.
        case literal(UInt8)
    }

    /// As the mapping writes it.
    package let pattern: String
    let tokens: [Token]

    /// A pattern longer than this is no date.
    private static let patternBytesMax = 64

    /// Returns `nil` if the pattern has other letters, has a unit twice, or lacks a larger unit of one that it has.
    package init?(_ pattern: String) {
        guard pattern.utf8.count <= Self.patternBytesMax else { return nil }
        var tokens: [Token] = []
        var rest = pattern.utf8[...]
        while let byte = rest.first {
            let run = rest.prefix { $0 == byte }.count
            let isLetter = (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            guard isLetter, byte != UInt8(ascii: "T") else {
                tokens.append(.literal(byte))
                rest = rest.dropFirst()
                continue
            }
            guard let token = Self.token(byte, run) else { return nil }
            tokens.append(token)
            rest = rest.dropFirst(run)
        }
        guard Self.isComplete(tokens) else { return nil }
        self.pattern = pattern
        self.tokens = tokens
    }

    /// Whether the year's century is assumed.
    package var hasShortYear: Bool { self.tokens.contains(.shortYear) }

    private static func token(_ letter: UInt8, _ run: Int) -> Token? {
        switch (letter, run) {
        case (UInt8(ascii: "y"), 4): .year
        case (UInt8(ascii: "y"), 2): .shortYear
        case (UInt8(ascii: "M"), 1...2): .month(isPadded: run == 2)
        case (UInt8(ascii: "d"), 1...2): .day(isPadded: run == 2)
        case (UInt8(ascii: "H"), 1...2): .hour(isPadded: run == 2)
        case (UInt8(ascii: "h"), 1...2): .halfDayHour(isPadded: run == 2)
        case (UInt8(ascii: "m"), 2): .minute
        case (UInt8(ascii: "s"), 2): .second
        case (UInt8(ascii: "S"), 1...9): .fraction
        case (UInt8(ascii: "a"), 1): .halfDay
        case (UInt8(ascii: "Z"), 1): .offset
        default: nil
        }
    }

    private static func isComplete(_ tokens: [Token]) -> Bool {
        var units: [ClinicalTimeUnit] = []
        for token in tokens {
            switch token {
            case .year, .shortYear: units.append(.year)
            case .month: units.append(.month)
            case .day: units.append(.day)
            case .hour, .halfDayHour: units.append(.hour)
            case .minute: units.append(.minute)
            case .second: units.append(.second)
            case .fraction: units.append(.fraction)
            case .halfDay: units.append(.halfDay)
            case .offset: units.append(.offset)
            case .literal: break
            }
        }
        let found = Set(units)
        guard found.count == units.count, found.contains(.year) else { return false }
        let order: [ClinicalTimeUnit] = [.year, .month, .day, .hour, .minute, .second, .fraction]
        guard let last = order.lastIndex(where: found.contains), order[...last].allSatisfy(found.contains) else {
            return false
        }
        // An hour alone is no time of day, and neither is a minute without one.
        guard order[last] != .hour else { return false }
        let isHalfDay = tokens.contains { if case .halfDayHour = $0 { true } else { false } }
        guard isHalfDay == found.contains(.halfDay) else { return false }
        return !found.contains(.offset) || last >= 4
    }
}

private enum ClinicalTimeUnit {
    case year, month, day, hour, minute, second, fraction, halfDay, offset
}
