package import Primitives

/// An amount of money in fen, a hundredth of a yuan.
///
/// Zero is an amount; "no price is known" is `nil` wherever an amount may be missing.
package struct Fen: Hashable, Comparable, Sendable {
    package static let zero = Fen(0)
    /// Ten million yuan: no single examination costs as much, and sums of any number of them stay within 64 bits.
    package static let max = Fen(1_000_000_000)

    package let value: Int64

    package init(_ value: Int64) { self.value = value }

    /// Reads yuan with at most two decimals, as `12`, `12.5` or `12.50`: ASCII digits, no sign, no grouping.
    ///
    /// Returns `nil` for anything else and for more than ``max``: a third decimal is never rounded away.
    package init?(yuan text: some StringProtocol) {
        let bytes = Array(text.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), !parts[0].isEmpty,
            parts.allSatisfy({ $0.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } })
        else { return nil }
        var decimals: [UInt8] = []
        if parts.count == 2 {
            guard (1...2).contains(parts[1].count) else { return nil }
            decimals = Array(parts[1])
        }
        while decimals.count < 2 { decimals.append(UInt8(ascii: "0")) }
        var value: Int64 = 0
        for digit in parts[0] + decimals {
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
            guard value <= Self.max.value else { return nil }
        }
        self.value = value
    }

    package var isWithinBounds: Bool { (0...Self.max.value).contains(self.value) }

    /// Yuan with two decimals.
    package var yuanText: String { Self.yuanText(self.value) }

    /// Yuan with two decimals, of a sum of amounts.
    package static func yuanText(_ fen: Int64) -> String {
        let magnitude = fen.magnitude
        let rest = magnitude % 100
        return "\(fen < 0 ? "-" : "")\(magnitude / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    package static func < (left: Fen, right: Fen) -> Bool { left.value < right.value }
}

extension Fen: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.value) }

    /// Any number: the rules refuse what is not an amount, by a code of their own.
    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode(Int64.self))
    }
}

/// What examinations cost, as an institution keeps it: read at the time of a decision, never afterwards.
package struct PriceList: Hashable, Sendable {
    /// For whom a price holds; the narrowest that has one counts.
    package enum Scope: Hashable, Sendable {
        case organisation
        case institution
        case branch(String)
    }

    /// One price of one item, from a time on.
    package struct Entry: Hashable, Sendable {
        package var item: String
        package var scope: Scope
        package var validFrom: Timestamp
        package var amount: Fen

        package init(item: String, scope: Scope, validFrom: Timestamp, amount: Fen) {
            self.item = item
            self.scope = scope
            self.validFrom = validFrom
            self.amount = amount
        }
    }

    package var entries: [Entry]

    package init(_ entries: [Entry]) { self.entries = entries }

    /// What `item` costs at `time` in `branch`: the branch's price, else the institution's, else the organisation's.
    ///
    /// `nil` where none is set, which stops no decision; zero is a price that somebody set. Of two prices from the same
    /// time the later entry counts.
    package func amount(of item: String, branch: String, at time: Timestamp) -> Fen? {
        for scope in [Scope.branch(branch), .institution, .organisation] {
            var best: Entry?
            for entry in self.entries where entry.item == item && entry.scope == scope && entry.validFrom <= time {
                if best.map({ $0.validFrom <= entry.validFrom }) ?? true { best = entry }
            }
            if let best { return best.amount }
        }
        return nil
    }
}
