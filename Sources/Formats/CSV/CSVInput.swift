import Records

/// Everything that one table of moderate size holds.
///
/// Rows of one exam may stand anywhere. What is wrong with one row refuses that row and is known to the exam it belongs
/// to; all others are as if it were not there.
package struct CSVInput: Sendable {
    /// A refused row, order or file, and the line on which it starts.
    package struct Refusal: Hashable, Sendable {
        package var piece: RefusedPiece
        package var line: Int
    }

    /// In the order of their first rows.
    package private(set) var exams: [ParsedExam] = []
    /// Rows first, in their order, then orders.
    package private(set) var refused: [Refusal] = []
    /// Rows that were read as results.
    package private(set) var rowCount = 0
    /// Rows among them that repeat another one byte for byte.
    package private(set) var duplicateCount = 0

    private struct Group {
        var rows: [CSVSourceRow]
        var line: Int
        var gaps: Set<CSVRefusal> = []
    }

    package init(_ bytes: [UInt8], mapping: CSVMapping) {
        let table: CSVTable
        do throws(CSVFault) {
            table = try CSVTable.open(bytes[...], isWhole: true, mapping: mapping)
        } catch {
            self.refuse(error, 0..<bytes.count, line: 1)
            return
        }
        var reader = CSVReader(table.dialect)
        reader.append(bytes[...])
        reader.finish()
        self.read(table) { reader.next() }
    }

    /// Reads rows that were taken out of a file, each without its line end; `mapping` has the file's dialect.
    ///
    /// Offsets are indexes of rows.
    package init(header: [UInt8], rows: [[UInt8]], mapping: CSVMapping) {
        let table: CSVTable
        do throws(CSVFault) {
            table = try CSVTable(mapping, header: header)
        } catch {
            self.refuse(error, 0..<0, line: 1)
            return
        }
        var read: [CSVRow] = []
        for (index, bytes) in rows.enumerated() {
            if let row = CSVReader.row(bytes, table.dialect) {
                read.append(row)
            } else {
                self.refuse(CSVFault(.badParts), index..<index, line: index + 1)
            }
        }
        var rest = read.makeIterator()
        self.read(table) { rest.next() }
    }

    private mutating func read(_ table: CSVTable, _ next: () -> CSVRow?) {
        var groups: [Group] = []
        var places: [String: Int] = [:]
        var gaps: [(exam: String, refusal: CSVRefusal)] = []
        while let row = next() {
            switch table.classify(row) {
            case .blank: break
            case .result(let key):
                self.rowCount += 1
                let source = CSVSourceRow(bytes: Array(row.bytes), offset: row.offset)
                if let place = places[key.exam] {
                    groups[place].rows.append(source)
                } else {
                    places[key.exam] = groups.count
                    groups.append(Group(rows: [source], line: row.line))
                }
            case .refused(let fault, let exam):
                self.refuse(fault, row.offset..<row.offset + row.bytes.count, line: row.line)
                if let exam { gaps.append((exam, fault.refusal)) }
            }
        }
        for gap in gaps {
            if let place = places[gap.exam] { groups[place].gaps.insert(gap.refusal) }
        }
        for group in groups { self.build(group, table) }
    }

    private mutating func build(_ group: Group, _ table: CSVTable) {
        do throws(CSVFault) {
            let parsed = try table.exam(group.rows, gaps: group.gaps)
            self.duplicateCount += group.rows.count - parsed.parts.count { $0.type == CSVPart.row }
            self.exams.append(parsed)
        } catch {
            let first = group.rows[0]
            self.refuse(error, first.offset..<first.offset + first.bytes.count, line: group.line)
        }
    }

    private mutating func refuse(_ fault: CSVFault, _ range: Range<Int>, line: Int) {
        let refusal = FormatRefusal(fault.refusal)
        let piece = RefusedPiece(refusal, element: fault.element, offset: range.lowerBound, range: range)
        self.refused.append(Refusal(piece: piece, line: line))
    }
}
