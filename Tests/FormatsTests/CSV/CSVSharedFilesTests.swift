import Formats
import Records
import TestSupport
import Testing

@Suite("Third-party tables give what an independent reader found in them")
struct CSVSharedFilesTests {
    private static func isFile(_ file: CSVExpectedTruth.File, _ name: String) -> Bool { file.path.hasSuffix(name) }

    /// Rows that are not blank.
    private func rows(_ bytes: [UInt8]) throws -> [[String]] {
        let set: CharacterSet = String(validating: bytes, as: UTF8.self) == nil ? .gb18030 : .utf8
        let dialect = CSVDialect(characterSet: set, delimiter: .comma)
        var reader = CSVReader(dialect)
        reader.append(bytes[...])
        reader.finish()
        var rows: [[String]] = []
        while let row = reader.next() {
            let texts = try row.texts(dialect).map { try #require($0) }
            if texts.contains(where: { !$0.isEmpty }) { rows.append(texts) }
        }
        return rows
    }

    @Test("A table has the columns, rows and values that were found in it", arguments: CSVExpectedTruth.tables)
    func tables(_ file: CSVExpectedTruth.File) throws {
        let rows = try self.rows(try file.bytes())
        let truth = file.truth
        guard let columns = truth.columns else {
            #expect(rows.isEmpty)
            return
        }
        let header = try #require(rows.first)
        #expect(header.count == columns)
        for (name, expected) in zip(header, truth.header ?? []) where expected != "..." { #expect(name == expected) }
        let body = rows.dropFirst()
        #expect(body.count == truth.rows)
        #expect(body.count { $0.count != columns } == truth.ragged)
        for (name, count) in truth.distinct ?? [:] {
            let index = try #require(header.firstIndex { $0.lowercased() == name })
            let texts = body.compactMap { index < $0.count ? $0[index] : nil }
            #expect(Set(texts).count == count)
            for (value, count) in truth.values?[name] ?? [:] { #expect(texts.count { $0 == value } == count) }
        }
        if let duplicates = truth.duplicateRows { #expect(body.count - Set(body).count == duplicates) }
    }

    @Test("The mapping that a file's header suggests reads its rows", arguments: CSVExpectedTruth.suggested)
    func suggested(_ file: CSVExpectedTruth.File) throws {
        let bytes = try file.bytes()
        let mapping = try #require(try CSVSuggestion(bytes[...], isWhole: true).mapping)
        let input = CSVInput(bytes, mapping: mapping)
        #expect(input.rowCount == file.truth.rows)
        // Three rows of one file have the same patient number and result number, and three different names.
        let conflicts = Self.isFile(file, "simple_report_example.csv") ? ["csv.patient-conflict"] : []
        #expect(input.refused.map(\.piece.refusal.code) == conflicts)
        let items = input.exams.reduce(0) { $0 + $1.exam.items.count }
        #expect(items + input.duplicateCount == (file.truth.rows ?? 0) - 3 * conflicts.count)
        #expect(input.duplicateCount == file.truth.duplicateRows)
        let patients = file.truth.distinct?["patient_id"] ?? file.truth.distinct?["门诊号"]
        let subjects = Set(
            input.exams.map { parsed -> [String] in
                guard case .patient(let patient) = parsed.subject else { return [] }
                return patient.identifiers.map(\.value)
            }
        )
        #expect(subjects.count == (patients ?? 0) - conflicts.count)
        for parsed in input.exams {
            guard case .success(let again) = CSVExamReader.read(parsed.parts) else {
                Issue.record("an exam is not read again")
                continue
            }
            #expect(again.exam == parsed.exam)
            #expect(again.subject == parsed.subject)
            #expect(again.parts == parsed.parts)
            #expect(bytes[parsed.offset...].starts(with: parsed.parts[0].bytes))
        }
    }

    /// A mapping for the smallest layout, which has no patient number: a sample is of one patient.
    private func minimal() throws -> CSVMapping {
        try CSVMapping(
            CSVVectors.map([
                "mapping": CSVVectors.version,
                "patient": CSVVectors.map([
                    "identifiers": .list([.text("specimen_id")]), "family": .text("last_name"),
                    "given": .text("first_name"),
                ]),
                "exam": CSVVectors.texts(["specimenID": "specimen_id", "collected": "test_time", "performer": "lab"]),
                "results": .list([
                    CSVVectors.map([
                        "name": CSVVectors.texts(["constant": "SARS-CoV-2"]), "value": .text("observation"),
                    ])
                ]),
            ])
        )
    }

    @Test(
        "A file is read, refused or empty as its verdict says",
        arguments: CSVExpectedTruth.tables.filter { !$0.path.contains("clinosim") && !$0.path.contains("too-many") }
    )
    func verdict(_ file: CSVExpectedTruth.File) throws {
        let bytes = try file.bytes()
        let suggested = CSVExpectedTruth.suggested.contains { $0.path == file.path }
        let mapping = suggested ? try CSVSuggestion(bytes[...], isWhole: true).mapping : try self.minimal()
        let input = CSVInput(bytes, mapping: try #require(mapping))
        switch file.verdict {
        case "import":
            #expect(input.rowCount == file.truth.rows)
            if Self.isFile(file, "path.csv") { #expect(input.exams.count == 7 && input.refused.isEmpty) }
        case "refuse": #expect(input.exams.isEmpty && input.refused.count == 1)
        case "empty": #expect(input.exams.isEmpty && input.refused.isEmpty)
        case "flag":
            #expect(input.exams.isEmpty)
            #expect(input.refused.map(\.piece.refusal.code) == ["csv.ragged-row"])
        default: Issue.record("an unknown verdict")
        }
    }

    @Test("The order of columns and the character set make no difference")
    func equivalents() throws {
        guard !CSVExpectedTruth.tables.isEmpty else { return }
        let exams = { (name: String) in
            let file = try #require(CSVExpectedTruth.tables.first { Self.isFile($0, name) })
            let bytes = try file.bytes()
            let mapping = try CSVSuggestion(bytes[...], isWhole: true).mapping ?? self.minimal()
            return CSVInput(bytes, mapping: mapping).exams.map(\.exam)
        }
        #expect(try exams("happy-path.csv") == exams("change-column-ordering.csv"))
        #expect(try exams("lis_zh_gb18030.csv") == exams("lis_zh_utf8_bom.csv"))
        #expect(try exams("lis_zh_gb18030.csv").count == 6)
    }

    @Test(
        "Vital signs in columns are read",
        arguments: CSVExpectedTruth.tables.filter { isFile($0, "vital_signs.csv") }
    )
    func vitalSigns(_ file: CSVExpectedTruth.File) throws {
        let names = ["temperature", "heart_rate", "systolic_bp", "diastolic_bp", "respiratory_rate", "spo2"]
        let mapping = try CSVMapping(
            CSVVectors.map([
                "mapping": CSVVectors.version, "kind": .text("vital-signs"),
                "patient": CSVVectors.map(["identifiers": .list([.text("patient_id")])]),
                "exam": CSVVectors.texts(["collected": "timestamp"]),
                "results": .list(
                    names.map { CSVVectors.map(["name": CSVVectors.texts(["constant": $0]), "value": .text($0)]) }
                ),
            ])
        )
        let input = CSVInput(try file.bytes(), mapping: mapping)
        #expect(input.refused == [])
        #expect(input.rowCount == file.truth.rows)
        #expect(input.exams.allSatisfy { $0.exam.kind == .vitalSigns && $0.exam.items.count <= 6 })
    }

    @Test("Lines of a site's own JSON are read through a mapping", arguments: CSVExpectedTruth.lines)
    func lines(_ file: CSVExpectedTruth.File) throws {
        let mapping = try CSVMapping(
            CSVVectors.map([
                "mapping": CSVVectors.version,
                "file": CSVVectors.texts(["layout": "jsonLines", "results": "lab_results"]),
                // One report has no date, and none has a number.
                "group": .list([.text("row")]),
                "timeFormats": .list([.text("dd.MM.yy")]),
                "patient": CSVVectors.map([
                    "identifiers": .list([.text("patient_id")]), "name": .text("name"), "sex": .text("sex"),
                ]),
                "exam": CSVVectors.texts([
                    "collected": "collection_date", "performer": "lab_name", "conclusion": "notes",
                ]),
                "results": .list([
                    CSVVectors.texts([
                        "name": "lab_results.test", "value": "lab_results.result", "unit": "lab_results.units",
                        "range": "lab_results.ref_range", "flag": "lab_results.flag",
                    ])
                ]),
            ])
        )
        let input = CSVInput(try file.bytes(), mapping: mapping)
        #expect(input.refused == [])
        #expect(input.rowCount == file.truth.rows)
        #expect(input.exams.count == file.truth.patients)
        #expect(input.exams.reduce(0) { $0 + $1.exam.items.count } == file.truth.results)
        for parsed in input.exams {
            let again = try CSVExamReader.read(parsed.parts).get()
            #expect(again.exam == parsed.exam && again.subject == parsed.subject && again.parts == parsed.parts)
        }
    }
}
