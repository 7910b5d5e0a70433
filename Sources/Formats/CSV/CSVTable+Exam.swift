import Primitives
package import Records

/// A row's original bytes with their place.
package struct CSVSourceRow: Hashable, Sendable {
    /// Without the line end.
    package var bytes: [UInt8]
    /// Index in the input of the first byte.
    package var offset: Int

    package init(bytes: [UInt8], offset: Int) {
        self.bytes = bytes
        self.offset = offset
    }
}

extension CSVTable {
    /// Rows of one exam: no more than a record has parts for, beside the header and the mapping.
    package static let rowsMax = RecordContent.partsMax - 64
    /// Results of one exam.
    package static let itemsMax = RecordContent.partsMax
    /// Bytes of one exam's parts; sealing adds its overhead to them.
    package static let bytesMax = SealedObject.bodyBytesMax / 4 * 3

    /// Makes an exam of `rows`, which are all rows of one ``CSVRowKey/exam`` in the order of the file.
    ///
    /// `gaps` says why other rows of it were refused.
    package func exam(_ rows: [CSVSourceRow], gaps: Set<CSVRefusal> = []) throws(CSVFault) -> ParsedExam {
        guard gaps.isEmpty || self.mapping.incompleteOrders == .partial else { throw CSVFault(.orderIncomplete) }
        let rows = try self.distinct(rows)
        var assembly = CSVExamAssembly(self)
        for row in rows {
            guard let parsed = CSVReader.row(row.bytes, self.dialect), let cells = try self.cells(parsed) else {
                throw CSVFault(.badParts)
            }
            try assembly.add(cells, key: try self.check(cells))
        }
        guard let first = rows.first, let (exam, patient) = assembly.finish(isComplete: gaps.isEmpty) else {
            throw CSVFault(.badParts)
        }
        return ParsedExam(
            format: .csv,
            exam: exam,
            subject: .patient(patient),
            parts: self.parts(rows, gaps),
            offset: first.offset
        )
    }

    /// Without rows that repeat another one byte for byte: an export that was run twice holds each result twice.
    private func distinct(_ rows: [CSVSourceRow]) throws(CSVFault) -> [CSVSourceRow] {
        var found: Set<[UInt8]> = []
        var distinct: [CSVSourceRow] = []
        var size = self.header.count
        for row in rows where found.insert(row.bytes).inserted {
            size += row.bytes.count + 16
            guard size <= Self.bytesMax else { throw CSVFault(.tooLarge) }
            guard distinct.count < Self.rowsMax else { throw CSVFault(.tooManyRows) }
            distinct.append(row)
        }
        return distinct
    }

    private func parts(_ rows: [CSVSourceRow], _ gaps: Set<CSVRefusal>) -> [RecordContent.Part] {
        var parts = rows.map { RecordContent.Part(type: CSVPart.row, bytes: $0.bytes) }
        if case .table = self.mapping.layout {
            parts.append(RecordContent.Part(type: CSVPart.header, bytes: self.header))
        }
        parts.append(RecordContent.Part(type: CSVPart.mapping, bytes: self.mapping.canonicalBytes))
        for gap in CSVRefusal.allCases where gaps.contains(gap) {
            parts.append(RecordContent.Part(type: CSVPart.gap + " " + gap.code, bytes: []))
        }
        return parts
    }
}

/// The parts of an exam from a table, in this order.
enum CSVPart {
    /// A row's original bytes.
    static let row = "row"
    /// The header row's original bytes; missing for JSON lines.
    static let header = "header"
    /// The mapping in its canonical form, with the character set and delimiter of the file.
    static let mapping = "mapping"
    /// After a space, the code with which a row of the exam was refused; no bytes.
    static let gap = "gap"
}

/// Reads an exam again from the original bytes it was read from.
package enum CSVExamReader {
    package static func read(_ parts: [RecordContent.Part]) -> Result<ParsedExam, CSVFault> {
        do throws(CSVFault) { return .success(try self.exam(parts)) } catch { return .failure(error) }
    }

    private static func exam(_ parts: [RecordContent.Part]) throws(CSVFault) -> ParsedExam {
        guard parts.count <= RecordContent.partsMax else { throw CSVFault(.badParts) }
        var rest = parts[...]
        var rows: [CSVSourceRow] = []
        while let part = rest.first, part.type == CSVPart.row {
            rows.append(CSVSourceRow(bytes: part.bytes, offset: 0))
            rest.removeFirst()
        }
        var header: [UInt8]?
        if let part = rest.first, part.type == CSVPart.header {
            header = part.bytes
            rest.removeFirst()
        }
        guard let part = rest.popFirst(), part.type == CSVPart.mapping,
            case .success(let mapping) = CSVMapping.read(canonical: part.bytes),
            (mapping.layout == .table) == (header != nil)
        else { throw CSVFault(.badParts) }
        var gaps: Set<CSVRefusal> = []
        for part in rest {
            let words = part.type.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 2, words[0] == CSVPart.gap, part.bytes.isEmpty,
                let gap = CSVRefusal(rawValue: String(words[1])), gaps.insert(gap).inserted
            else { throw CSVFault(.badParts) }
        }
        let table = try CSVTable(mapping, header: header ?? [])
        return try table.exam(rows, gaps: gaps)
    }
}
