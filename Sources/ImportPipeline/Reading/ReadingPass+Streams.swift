import Formats
import Primitives
import Records

/// Formats other than FHIR: messages, documents, tables and images.
extension ReadingPass {
    // MARK: HL7 version 2

    mutating func readMessages(_ file: InputFile, _ index: Int, start: Int64, _ sink: Sink) throws {
        var splitter = HL7v2MessageSplitter()
        var chunks = ChunkReader(file)
        while let chunk = try chunks.next() {
            let pieces = splitter.append(chunk[...]) + (chunks.isAtEnd ? splitter.finish() : [])
            for piece in pieces {
                switch piece {
                case .refused(let piece, let line):
                    let count = min(piece.range.count, RefusedInput.bytesMax)
                    let bytes = try file.read(at: Int64(piece.range.lowerBound), count: count)
                    try self.flush(sink)
                    try sink(.refused(self.refused(piece, index, line: line, bytes)))
                case .message(let raw):
                    try self.add(.message(raw), index, offset: Int64(raw.offset), line: raw.line, sink)
                }
            }
            try self.report(start + chunks.offset, sink)
        }
    }

    // MARK: CDA

    mutating func readDocument(_ file: InputFile, _ index: Int, _ sink: Sink) throws {
        guard file.size <= CDAInput.bytesMax else { throw FileRefusalError(.documentTooLarge) }
        let bytes = try file.read(at: 0, count: Int(file.size))
        try self.add(.document(bytes), index, offset: 0, line: 1, sink)
    }

    // MARK: Tables

    mutating func readTable(_ file: InputFile, _ index: Int, start: Int64, _ sink: Sink) throws {
        guard let mapping = self.options.mapping else {
            var refused = ImportReader.refused(self.name(index), .mappingMissing)
            refused.kept = try Self.kept(file, nil)
            try sink(.refused(refused))
            return
        }
        // As large as the beginning that the table is recognised by.
        var chunks = ChunkReader(file)
        var next = try chunks.next()
        let table: CSVTable
        do throws(CSVFault) {
            table = try CSVTable.open((next ?? [])[...], isWhole: chunks.offset == file.size, mapping: mapping)
        } catch {
            let piece = RefusedPiece(FormatRefusal(error.refusal), element: error.element, offset: 0, range: 0..<0)
            var refused = self.refused(piece, index, line: 1, [])
            refused.kept = try Self.kept(file, mapping)
            try sink(.refused(refused))
            return
        }
        let spool = try GroupSpool(in: self.folder)
        var rows = CSVReader(table.dialect)
        while let chunk = next {
            rows.append(chunk[...])
            if chunks.isAtEnd { rows.finish() }
            while let row = rows.next() { try self.sort(row, table, index, spool, sink) }
            try self.report(start + chunks.offset, sink)
            next = try chunks.next()
        }
        try self.giveOrders(table, index, spool, sink)
    }

    /// A table that is refused as a whole, so that another mapping can be tried, if it is small enough to be kept.
    private static func kept(_ file: InputFile, _ mapping: CSVMapping?) throws -> KeptInput? {
        guard file.size < KeptInput.bytesMax else { return nil }
        var parts = [RecordContent.Part(type: "file", bytes: try file.read(at: 0, count: Int(file.size)))]
        if let mapping { parts.append(RecordContent.Part(type: "mapping", bytes: mapping.canonicalBytes)) }
        return KeptInput(kind: .table, parts: parts, fault: 0)
    }

    /// All rows of an order, so that one of them can be tried again without making an exam that lacks the others.
    private static func kept(_ table: CSVTable, _ rows: [GroupSpool.Piece], fault: Int) -> KeptInput? {
        var parts = [RecordContent.Part(type: "mapping", bytes: table.mapping.canonicalBytes)]
        if !table.header.isEmpty { parts.append(RecordContent.Part(type: "header", bytes: table.header)) }
        let first = parts.count
        parts += rows.map { RecordContent.Part(type: "row", bytes: $0.bytes) }
        return KeptInput(kind: .rows, parts: parts, fault: first + fault)
    }

    private func sort(
        _ row: CSVRow,
        _ table: CSVTable,
        _ index: Int,
        _ spool: GroupSpool,
        _ sink: Sink
    ) throws {
        var piece = GroupSpool.Piece(
            type: "row",
            bytes: Array(row.bytes),
            file: index,
            offset: Int64(row.offset),
            line: row.line
        )
        switch table.classify(row) {
        case .blank: break
        case .result(let key): try spool.append(piece, to: key.exam)
        case .refused(let fault, let exam):
            piece.type = ([fault.refusal.rawValue] + [fault.element].compactMap { $0 }).joined(separator: " ")
            if let exam {
                // Told of when all rows of its order are there.
                try spool.append(piece, to: exam)
            } else {
                try self.refuse([piece], 0, table, sink)
            }
        }
    }

    /// Refuses the row at `place` of `rows`, which are all rows of its order that are known.
    private func refuse(_ rows: [GroupSpool.Piece], _ place: Int, _ table: CSVTable, _ sink: Sink) throws {
        let row = rows[place]
        let parts = row.type.split(separator: " ", maxSplits: 1)
        guard let refusal = parts.first.flatMap({ CSVRefusal(rawValue: String($0)) }) else { return }
        let position = InputPosition(file: self.name(row.file), offset: row.offset, line: row.line)
        let element = parts.count == 2 ? String(parts[1]) : nil
        var refused = Self.refused(FormatRefusal(refusal), position, row.bytes, element: element)
        refused.kept = Self.kept(table, rows, fault: place)
        try sink(.refused(refused))
    }

    private func giveOrders(_ table: CSVTable, _ index: Int, _ spool: GroupSpool, _ sink: Sink) throws {
        // One more than the builder takes, so that it is the builder that refuses.
        try spool.forEachGroup(piecesMax: CSVTable.rowsMax + 1, bytesMax: 2 * CSVTable.bytesMax) { _, group in
            let rows = group.pieces.filter { $0.type == "row" }
            for place in group.pieces.indices where group.pieces[place].type != "row" {
                try self.refuse(
                    group.isCut ? [group.pieces[place]] : group.pieces,
                    group.isCut ? 0 : place,
                    table,
                    sink
                )
            }
            // Nothing but refused rows.
            guard let first = rows.first else { return }
            let position = InputPosition(file: self.name(index), offset: first.offset, line: first.line)
            let gaps = Set(
                group.pieces.compactMap {
                    $0.type == "row" ? nil : CSVRefusal(rawValue: String($0.type.prefix { $0 != " " }))
                }
            )
            switch Self.order(table, rows, gaps: gaps) {
            case .success(let exam): try sink(Self.unit(exam, position, first.bytes))
            case .failure(let fault):
                let bytes = Array(rows.prefix(64).map(\.bytes).joined(separator: [0x0a] as [UInt8]))
                let refusal = FormatRefusal(fault.refusal)
                var refused = Self.refused(refusal, position, bytes, element: fault.element)
                if !group.isCut { refused.kept = Self.kept(table, group.pieces, fault: 0) }
                try sink(.refused(refused))
            }
        }
    }

    private static func order(
        _ table: CSVTable,
        _ rows: [GroupSpool.Piece],
        gaps: Set<CSVRefusal>
    ) -> Result<ParsedExam, CSVFault> {
        do throws(CSVFault) {
            let sources = rows.map { CSVSourceRow(bytes: $0.bytes, offset: Int($0.offset)) }
            return .success(try table.exam(sources, gaps: gaps))
        } catch {
            return .failure(error)
        }
    }

    // MARK: Exams and refusals

    /// An exam or, if it cannot be filed under a patient, the `bytes` it came from as a refusal.
    static func unit(_ exam: ParsedExam, _ position: InputPosition, _ bytes: [UInt8]) -> ImportUnit {
        if let refusal = exam.subject.refusal {
            .refused(self.refused(FormatRefusal(refusal), position, bytes))
        } else {
            .exam(exam, position)
        }
    }

    func refused(_ piece: RefusedPiece, _ index: Int, line: Int, _ bytes: [UInt8]) -> RefusedInput {
        Self.refused(
            piece.refusal,
            InputPosition(file: self.name(index), offset: Int64(piece.offset), line: line),
            bytes,
            element: piece.element
        )
    }

    static func refused(
        _ refusal: FormatRefusal,
        _ position: InputPosition,
        _ bytes: [UInt8],
        element: String? = nil
    ) -> RefusedInput {
        RefusedInput(
            position: position,
            code: refusal.code,
            message: refusal.message + (element.map { " (\($0))" } ?? ""),
            bytes: Array(bytes.prefix(RefusedInput.bytesMax))
        )
    }
}
