internal import Records

/// A column of a printed table.
package enum StatisticsColumn: Hashable, Sendable {
    case count(Measure)
    /// A measure in fen, shown in yuan.
    case yuan(Measure)
    case rate(Rate)

    package var title: String {
        switch self {
        case .count(let measure): measure.rawValue
        case .yuan(let measure): "\(measure.rawValue)-yuan"
        case .rate(.lag): "lag-mean-seconds"
        case .rate(let rate): "\(rate.rawValue)-rate-percent"
        }
    }

    /// All that a department of a hospital or a health commission asks for.
    package static let standard: [StatisticsColumn] =
        [
            .count(.reminded), .count(.eligible), .count(.viewed), .count(.adopted), .count(.refused),
            .count(.refusedApart), .count(.overlooked), .count(.undone), .count(.cited), .count(.contributed),
            .yuan(.saved), .count(.unpriced), .count(.reported), .count(.produced), .count(.committed), .count(.late),
        ] + Rate.allCases.map { .rate($0) }

    /// What is shown of a row; empty where a rate is not defined.
    fileprivate func text(_ row: StatisticsTable.Row) -> String {
        switch self {
        case .count(let measure): String(row[measure].quantity)
        case .yuan(let measure): Fen.yuanText(row[measure].quantity)
        case .rate(let rate): (rate.isShare ? row[rate].percentText : row[rate].decimalText) ?? ""
        }
    }
}

extension StatisticsTable {
    private static let totalLabel = "total"

    /// The names that a reader knows for parts of keys; a part without one stands as it is.
    package typealias Labels = (StatisticsDimension, String) -> String?

    /// The cells, the heads first and the total last.
    package func cells(_ columns: [StatisticsColumn], labels: Labels = { _, _ in nil }) -> [[String]] {
        let heads = self.query.dimensions.map(\.rawValue) + columns.map(\.title)
        let rows = self.rows.map { row in
            zip(self.query.dimensions, row.key).map { labels($0, $1) ?? $1 } + columns.map { $0.text(row) }
        }
        var totalKey = self.query.dimensions.map { _ in "" }
        if !totalKey.isEmpty { totalKey[0] = Self.totalLabel }
        return [heads] + rows + [totalKey + columns.map { $0.text(self.total) }]
    }

    /// RFC 4180 with a byte order mark, which spreadsheets need to read Chinese.
    package func csv(_ columns: [StatisticsColumn], labels: Labels = { _, _ in nil }) -> [UInt8] {
        var text = "\u{FEFF}"
        for line in self.cells(columns, labels: labels) {
            text += line.map(Self.quoted).joined(separator: ",") + "\r\n"
        }
        return Array(text.utf8)
    }

    /// For a terminal: columns two spaces apart, a wide character counting for two.
    package func text(_ columns: [StatisticsColumn], labels: Labels = { _, _ in nil }) -> String {
        let cells = self.cells(columns, labels: labels)
        let widths = (cells.first ?? []).indices.map { column in cells.map { Self.width($0[column]) }.max() ?? 0 }
        let keys = self.query.dimensions.count
        return cells.map { line in
            let padded = zip(line, widths).enumerated().map { column, cell in
                let padding = String(repeating: " ", count: cell.1 - Self.width(cell.0))
                return column < keys ? cell.0 + padding : padding + cell.0
            }
            var text = padded.joined(separator: "  ")
            while text.last == " " { text.removeLast() }
            return text + "\n"
        }.joined()
    }

    /// A cell that a spreadsheet would take for a formula is marked as text: codes and names come from other members.
    private static func quoted(_ cell: String) -> String {
        var cell = cell
        if let first = cell.utf8.first, "=+-@\t\r".utf8.contains(first), Int64(cell) == nil { cell = "'" + cell }
        guard cell.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) else { return cell }
        return "\"" + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    private static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { width, scalar in
            switch scalar.value {
            case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
                0xFFE0...0xFFE6, 0x20000...0x3FFFD:
                width + 2
            default: width + 1
            }
        }
    }
}
