import Primitives
import Records

/// Which exam a row belongs to, and whose it is; equal for the rows of one exam.
package struct CSVRowKey: Hashable, Sendable {
    /// Tells exams of one file apart; for sorting rows by, never shown.
    package var exam: String
    /// Tells patients of one file apart.
    package var patient: String
}

/// What a row is.
package enum CSVRowClass: Hashable, Sendable {
    /// A result that can be read.
    case result(CSVRowKey)
    /// Nothing stands in it.
    case blank
    /// It is refused; `exam` is the exam that lacks it, as far as the row tells.
    case refused(CSVFault, exam: String?)
}

extension CSVTable {
    /// Checks a row and says which exam it belongs to.
    ///
    /// A row that is a result here does not fail later for its own sake: only rows of one exam together can, by
    /// contradicting each other.
    package func classify(_ row: CSVRow) -> CSVRowClass {
        // Files that were put together repeat the header.
        if row.offset < self.headerOffset || self.isHeader(row) { return .blank }
        do throws(CSVFault) {
            guard let cells = try self.cells(row) else { return .blank }
            return .result(try self.check(cells))
        } catch {
            return .refused(error, exam: self.spoiledExam(row))
        }
    }

    private func isHeader(_ row: CSVRow) -> Bool {
        !self.header.isEmpty && row.bytes.count == self.header.count && row.bytes.elementsEqual(self.header)
    }

    /// Checks all that an exam takes from a row.
    func check(_ cells: CSVCells) throws(CSVFault) -> CSVRowKey {
        let patient = try self.patientKey(cells)
        for field in self.times { _ = try self.time(field, cells) }
        _ = try self.time(self.patient[.birthDate], cells)
        _ = try self.sex(cells)
        let exam = try self.examKey(cells, patient: patient)
        var hasResult = false
        for element in 0..<cells.elementCount {
            for result in self.results where try self.checkResult(result, cells, element) { hasResult = true }
        }
        guard hasResult else { throw CSVFault(.valueMissing, "results") }
        return CSVRowKey(exam: exam, patient: patient)
    }

    /// Whether there is a result; in a table with many results in a row, some were not measured.
    private func checkResult(
        _ result: [CSVResultField: CSVField],
        _ cells: CSVCells,
        _ element: Int
    ) throws(CSVFault) -> Bool {
        let status = try self.status(result, cells, element)
        let value = try self.text(result[.value], cells, element)
        let valueCode = try self.text(result[.valueCode], cells, element)
        if value == nil, valueCode == nil, !CSVTerms.withoutValue.contains(status) {
            guard self.results.count == 1 else { return false }
            throw CSVFault(.valueMissing, (result[.value] ?? result[.valueCode])?.element)
        }
        let name = try self.text(result[.name], cells, element)
        let code = try self.text(result[.code], cells, element)
        guard name != nil || code != nil else {
            throw CSVFault(.itemMissing, (result[.name] ?? result[.code])?.element)
        }
        return true
    }

    func status(
        _ result: [CSVResultField: CSVField],
        _ cells: CSVCells,
        _ element: Int
    ) throws(CSVFault) -> ExamStatus {
        guard let field = result[.status], let text = try self.text(field, cells, element) else { return .unknown }
        guard let status = CSVTerms.statuses[text] else { throw CSVFault(.badStatus, field.element) }
        return status
    }

    func sex(_ cells: CSVCells) throws(CSVFault) -> PatientDemographics.Sex? {
        guard let field = self.patient[.sex], let text = try self.text(field, cells) else { return nil }
        guard let sex = CSVTerms.sexes[text] else { throw CSVFault(.badSex, field.element) }
        return sex
    }

    /// An identifier that names somebody, or `nil` if the cell is empty or says that there is none.
    func identifier(_ field: CSVField, _ cells: CSVCells) throws(CSVFault) -> String? {
        guard let text = try self.text(field, cells) else { return nil }
        try self.checkNumber(text, field)
        var isZero = true
        var isCross = true
        var hasLetterOrDigit = false
        for byte in text.utf8 {
            let isLetter = (0x61...0x7a).contains(byte | 0x20)
            if isLetter || (0x30...0x39).contains(byte) { hasLetterOrDigit = true }
            if byte != UInt8(ascii: "0") { isZero = false }
            if byte | 0x20 != UInt8(ascii: "x") { isCross = false }
        }
        guard hasLetterOrDigit, !isZero, !isCross else { return nil }
        // All placeholders are short.
        if text.utf8.count <= 9, CSVTerms.noIdentifiers.contains(text.uppercased()) { return nil }
        return text
    }

    /// Longer than any number of a patient or order; such a text is a shifted cell.
    private static let numberBytesMax = 256

    private func checkNumber(_ text: String, _ field: CSVField) throws(CSVFault) {
        guard text.utf8.count <= Self.numberBytesMax else { throw CSVFault(.numberTooLong, field.element) }
        // `="0012"` and `'0012` keep a spreadsheet from rounding, and are not the number.
        guard !CSVText.isRounded(text), !text.hasPrefix("="), !text.hasPrefix("'") else {
            throw CSVFault(.identifierDamaged, field.element)
        }
    }

    private func patientKey(_ cells: CSVCells) throws(CSVFault) -> String {
        for (index, field) in self.identifiers.enumerated() {
            if let text = try self.identifier(field, cells) { return "\(index):\(text)" }
        }
        throw CSVFault(.patientMissing, self.identifiers.first?.element)
    }

    /// What the mapping groups by, with a length before each text so that no two groups have one key.
    private func examKey(_ cells: CSVCells, patient: String) throws(CSVFault) -> String {
        var key = ""
        for group in self.mapping.group {
            let part: String
            switch group {
            case .patient: part = patient
            case .row: part = Digest(hashing: Array(cells.row.bytes)).hex
            case .field(let field): part = try self.groupText(field, cells)
            }
            key += "\(part.utf8.count):\(part)"
        }
        return key
    }

    /// What rows of one exam have in common: of a time what it means, whatever it is written like.
    func groupText(_ name: CSVExamField, _ cells: CSVCells) throws(CSVFault) -> String {
        guard let field = self.exam[name] else { throw CSVFault(.orderMissing, "group") }
        if name.isTime {
            guard let time = try self.time(field, cells) else { throw CSVFault(.orderMissing, field.element) }
            // A day is not its first instant.
            let isDay = time.precision <= .day
            return "\(time.earliest.milliseconds)" + (isDay ? "/\(time.precision.rawValue)" : "")
        }
        guard let text = try self.text(field, cells) else { throw CSVFault(.orderMissing, field.element) }
        try self.checkNumber(text, field)
        return text
    }

    /// The exam that lacks a refused row, if the row still says so where it should.
    ///
    /// In a row whose cells are shifted another text may stand there; then either no exam is of that name, or one is
    /// called incomplete that is not, which hurts nobody.
    private func spoiledExam(_ row: CSVRow) -> String? {
        guard case .table = self.mapping.layout else {
            guard let cells = try? self.cells(row) else { return nil }
            return self.key(cells)
        }
        return self.key(CSVCells(row: row, line: nil, elements: []))
    }

    private func key(_ cells: CSVCells) -> String? {
        let isByPatient = self.mapping.group.contains(.patient)
        guard let patient = isByPatient ? try? self.patientKey(cells) : "" else { return nil }
        return try? self.examKey(cells, patient: patient)
    }
}
