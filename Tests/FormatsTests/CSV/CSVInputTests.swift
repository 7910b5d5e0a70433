import Formats
import Foundation
import Primitives
import Records
import TestSupport
import Testing

@Suite("Rows of a table become exams")
struct CSVInputTests {
    private func orders() throws -> CSVInput {
        CSVInput(try CSVVectors.bytes("orders.csv"), mapping: try CSVVectors.orders())
    }

    @Test("Rows of one order become one exam, wherever they stand, and a repeated row counts once")
    func groups() throws {
        let input = try self.orders()
        #expect(input.refused == [])
        #expect(input.rowCount == 5)
        #expect(input.duplicateCount == 1)
        #expect(
            input.exams.map(\.exam.source) == [
                ExamSource(system: "urn:test:order", value: "SQ1001"),
                ExamSource(system: "urn:test:order", value: "SQ1002"),
            ]
        )
        let exam = try #require(input.exams.first?.exam)
        #expect(exam.kind == .laboratory)
        #expect(exam.code == CodedConcept(text: "血常规", codings: []))
        #expect(exam.status == .final)
        #expect(exam.identifiers == [SourceIdentifier(system: "urn:test:order", value: "SQ1001")])
        #expect(exam.effective?.first?.text == "2026-05-10 08:15")
        #expect(exam.effective?.first?.offsetMinutes == 480)
        #expect(exam.issued?.earliest == Timestamp(milliseconds: 1_778_376_600_000))
        #expect(exam.specimens.map(\.type?.text) == ["全血"])
        #expect(exam.items.map(\.code.text) == ["白细胞计数", "血红蛋白"])
        #expect(exam.items[1].notes == ["复查\n\"已核对\""])
        let patient = PatientDemographics(
            identifiers: [SourceIdentifier(system: "MRN@T", value: "T0001")],
            name: PersonName(text: "测试甲", family: nil, given: []),
            sex: .female,
            birthDate: input.exams.first.flatMap { parsed in
                if case .patient(let patient) = parsed.subject { patient.birthDate } else { nil }
            }
        )
        #expect(input.exams.first?.subject == .patient(patient))
        #expect(patient.birthDate?.text == "1980-02-29")
    }

    @Test("Values keep their digits, signs and units, and limits and flags are read")
    func values() throws {
        let input = try self.orders()
        let items = input.exams.flatMap(\.exam.items)
        let quantity = { (comparator: Quantity.Comparator?, value: String, unit: String) in
            Quantity(comparator: comparator, value: value, unit: unit, system: nil, code: nil)
        }
        #expect(
            items.map(\.value) == [
                .quantity(quantity(nil, "9.20", "10^9/L")), .quantity(quantity(nil, "96.0", "g/L")),
                .quantity(quantity(.less, "5", "U/L")), .text("阴性(-) COI"),
            ]
        )
        #expect(items.map { $0.interpretations.first?.primary?.code } == ["N", "L", "L", "N"])
        #expect(items.map { $0.referenceRanges.first?.low?.value } == ["3.5", "115", "9", nil])
        #expect(items.map { $0.referenceRanges.first?.high?.value } == ["9.5", "150", "50", nil])
        #expect(items[2].referenceRanges.first?.text == "9～50")
        #expect(items[0].code.primary?.code == "WBC")
    }

    @Test("A part is a slice of the file, and holds nothing of another order")
    func parts() throws {
        let bytes = try CSVVectors.bytes("orders.csv")
        for parsed in CSVInput(bytes, mapping: try CSVVectors.orders()).exams {
            #expect(bytes[parsed.offset...].starts(with: parsed.parts[0].bytes))
            #expect(parsed.parts.map(\.type).suffix(2) == ["header", "mapping"])
            for part in parsed.parts.dropLast() {
                #expect(bytes.firstRange(of: part.bytes) != nil)
                #expect(
                    part.type == "header"
                        || parsed.exam.source.value.utf8.elementsEqual("SQ1001".utf8)
                            == (part.bytes.firstRange(of: Array("SQ1001".utf8)) != nil)
                )
            }
            let content = RecordContent(format: .csv, parts: parsed.parts)
            guard case .success(let again) = ExamReader.read(content) else {
                Issue.record("not read again")
                continue
            }
            #expect(again.exam == parsed.exam)
            #expect(again.subject == parsed.subject)
            #expect(again.parts == parsed.parts)
        }
    }

    @Test("A faulty row is refused alone, with its line and code")
    func faults() throws {
        let bytes = try CSVVectors.bytes("faults.csv")
        let input = CSVInput(bytes, mapping: try CSVVectors.orders())
        let expected: [(Int, CSVRefusal, String?)] = [
            (3, .badDate, "exam.collected"), (5, .patientMissing, "patient.identifiers[0]"),
            (6, .valueMissing, "results[0].value"), (7, .raggedRow, nil), (8, .badSex, "patient.sex"),
            (9, .badStatus, "results[0].status"), (10, .itemMissing, "results[0].name"),
            (11, .identifierDamaged, "patient.identifiers[0]"), (12, .orderMissing, "exam.order"), (13, .badQuote, nil),
            (16, .unclosedQuote, nil), (14, .patientConflict, nil),
        ]
        #expect(input.refused.map(\.line) == expected.map(\.0))
        #expect(input.refused.map(\.piece.refusal) == expected.map { FormatRefusal($0.1) })
        #expect(input.refused.map(\.piece.element) == expected.map(\.2))
        for refusal in input.refused {
            #expect(refusal.piece.offset == refusal.piece.range.lowerBound)
            #expect(refusal.piece.offset == 0 || bytes[refusal.piece.offset - 1] == 0x0a)
        }
        // What stands between them comes in, but never as the whole of its order.
        #expect(input.exams.map(\.exam.source.value) == ["SQ1003", "SQ1004"])
        #expect(input.exams.map(\.exam.status) == [.partial, .partial])
        #expect(input.exams.map { $0.parts.last?.type } == ["gap csv.bad-date", "gap csv.patient-missing"])
    }

    @Test("Whole orders are asked for by the mapping")
    func wholeOrders() throws {
        let mapping = try CSVVectors.orders(extra: [.init("incompleteOrders", .text("refuse"))])
        let input = CSVInput(try CSVVectors.bytes("faults.csv"), mapping: mapping)
        #expect(input.exams.isEmpty)
        #expect(
            input.refused.suffix(3).map(\.piece.refusal.code) == [
                "csv.order-incomplete", "csv.order-incomplete", "csv.patient-conflict",
            ]
        )
    }

    /// A row that cannot be read, in an order with a row that can.
    @Test(
        "An order is never called whole that lacks a row which still names it",
        arguments: [
            "P1,n,o1,2026-05-10,i,1", "P1,n,o1,2026-05-10,i,1,u,v", "P1,n,o1,2026-05-10,i,1,\"u",
            "P1,n,o1,2026-05-10,i,\"1\"x,u",
            "P1,n,o1,2026-05-10,i,\u{1},u", "P1,n,o1,2026-05-10,i,,u", "P1,n,o1,x,i,1,u", ",n,o1,2026-05-10,i,1,u",
        ]
    )
    func gaps(row: String) throws {
        let good = "P1,n,o1,2026-05-10,i,1,u\nP1,n,o2,2026-05-10,i,1,u\n"
        let input = CSVVectors.input(CSVVectors.smallHeader + good + row + "\n", try CSVVectors.small())
        #expect(input.refused.map(\.line) == [4])
        #expect(input.exams.map(\.exam.status) == [.partial, .unknown])
    }

    @Test("An undecodable row is refused, and spoils no other")
    func undecodable() throws {
        var bytes = Array((CSVVectors.smallHeader + "P1,n,o1,2026-05-10,血,1,u\nP2,n,o2,2026-05-10,i,1,").utf8)
        bytes += [0xff, 0x0a] + Array("P3,n,o3,2026-05-10,糖,1,u\nP4,n,o4,2026-05-10,i,1,\0\n".utf8)
        let mapping = try CSVVectors.small(extra: ["file": CSVVectors.texts(["characterSet": "UTF-8"])])
        let input = CSVInput(bytes, mapping: mapping)
        #expect(input.exams.map(\.exam.source.value) == ["o1", "o3"])
        #expect(input.refused.map(\.piece.refusal.code) == ["csv.undecodable", "csv.control-character"])
    }

    @Test("One damaged line does not make a file of UTF-8 one of GB 18030")
    func vote() throws {
        let rows = (0..<20).map { "P\($0),测试中文,o\($0),2026-05-10,中文测试,1,u\n" }
        var bytes = Array((CSVVectors.smallHeader + rows.joined()).utf8)
        bytes += Array("P,x,o,2026-05-10,".utf8) + [0xb3, 0xa3] + Array(",1,u\n".utf8)
        let input = CSVInput(bytes, mapping: try CSVVectors.small())
        #expect(input.exams.count == 20)
        #expect(input.exams.first?.exam.items.first?.code.text == "中文测试")
        #expect(input.refused.map(\.piece.refusal.code) == ["csv.undecodable"])
    }

    @Test("Text that may be in more than one character set is refused until the mapping names it")
    func latin() throws {
        let header = Array(CSVVectors.smallHeader.utf8)
        let bytes =
            header + Array("P1,J".utf8) + [0xe9] + Array("r".utf8) + [0xf4] + Array("me,o,2026-05-10,i,1,u\n".utf8)
        let input = CSVInput(bytes, mapping: try CSVVectors.small())
        #expect(input.refused.map(\.piece.refusal.code) == ["csv.character-set"])
        let named = try CSVVectors.small(extra: ["file": CSVVectors.texts(["characterSet": "ISO-8859-1"])])
        guard case .patient(let patient) = CSVInput(bytes, mapping: named).exams.first?.subject else {
            Issue.record("not read")
            return
        }
        #expect(patient.name?.text == "Jérôme")
    }

    @Test("The delimiter is the one by which the mapping's columns are found", arguments: [",", ";", "\t", "|"])
    func delimiters(delimiter: String) throws {
        let text = (CSVVectors.smallHeader + "P1,n,o,2026-05-10,i,1,u\n").replacingOccurrences(of: ",", with: delimiter)
        let input = CSVVectors.input(text, try CSVVectors.small())
        #expect(input.exams.count == 1)
        #expect(input.refused.isEmpty)
    }

    @Test(
        "A file that is no table of this mapping is refused as a whole",
        arguments: [
            ("", CSVRefusal.emptyFile), ("\u{feff}", .emptyFile), ("\n \r\n", .emptyFile),
            ("This is not a table.\n\nNo.", .notATable),
            ("pid,name,order,time,item,value\n", .columnMissing),
            ("pid,name,order,time,item,value,unit,PID\n", .columnAmbiguous),
            ("\u{7f}ELF\u{1}\0,b,c\n", .notATable), ("\"pid,name\n", .unclosedQuote),
        ]
    )
    func files(text: String, refusal: CSVRefusal) throws {
        let input = CSVVectors.input(text, try CSVVectors.small())
        #expect(input.exams.isEmpty)
        #expect(input.refused.map(\.piece.refusal) == [FormatRefusal(refusal)])
    }

    @Test("A header alone gives nothing and no error, and a header in between is passed over")
    func headers() throws {
        let empty = CSVVectors.input(CSVVectors.smallHeader, try CSVVectors.small())
        #expect(empty.exams.isEmpty && empty.refused.isEmpty)
        let row = "P1,n,o,2026-05-10,i,1,u\n"
        let twice = CSVVectors.input(
            CSVVectors.smallHeader + row + CSVVectors.smallHeader + row,
            try CSVVectors.small()
        )
        #expect(twice.exams.count == 1 && twice.refused.isEmpty && twice.duplicateCount == 1)
        let title = "检验结果, 2026-05\n\nsep=,\n"
        let titled = CSVVectors.input(title + CSVVectors.smallHeader + row, try CSVVectors.small())
        #expect(titled.exams.count == 1 && titled.refused.isEmpty)
        let blank = CSVVectors.input("\n\n \(CSVVectors.smallHeader)\n,,,,,,\n , \n\(row)", try CSVVectors.small())
        #expect(blank.exams.count == 1 && blank.refused.isEmpty)
    }

    @Test(
        "A row without a patient's number is refused, whatever stands for none",
        arguments: [
            "", " ", "NULL", "null", "N/A", "n/a", "unknown", "0", "0000", "-", "无", "/", "xxx", "None", "\u{3000}",
        ]
    )
    func noPatient(text: String) throws {
        let input = CSVVectors.input(CSVVectors.smallHeader + "\(text),n,o,2026-05-10,i,1,u\n", try CSVVectors.small())
        #expect(input.exams.isEmpty)
        #expect(input.refused.map(\.piece.refusal) == [FormatRefusal(CSVRefusal.patientMissing)])
    }

    @Test(
        "A number that a spreadsheet has changed is refused",
        arguments: ["3.30106E+17", "\"=\"\"0012\"\"\"", "'0012"]
    )
    func changedNumber(text: String) throws {
        for row in ["\(text),n,o,2026-05-10,i,1,u", "P1,n,\(text),2026-05-10,i,1,u"] {
            let input = CSVVectors.input(CSVVectors.smallHeader + row, try CSVVectors.small())
            #expect(input.refused.map(\.piece.refusal.code) == ["csv.identifier-damaged"])
        }
    }

    @Test("A text that is longer than any number is none")
    func longNumber() throws {
        let long = String(repeating: "1", count: 257)
        for row in ["\(long),n,o,2026-05-10,i,1,u", "P1,n,\(long),2026-05-10,i,1,u"] {
            let input = CSVVectors.input(CSVVectors.smallHeader + row, try CSVVectors.small())
            #expect(input.refused.map(\.piece.refusal.code) == ["csv.number-too-long"])
        }
    }

    @Test("Rows of one order that name different people are refused, and others are not")
    func conflicts() throws {
        let text =
            CSVVectors.smallHeader
            + "P1,n,o1,2026-05-10,i,1,u\nP2,n,o1,2026-05-10,j,1,u\nP3,n,o2,2026-05-10,i,1,u\nP3,m,o2,2026-05-10,j,1,u\n"
            + "P4,n,o3,2026-05-10,i,1,u\nP4,,o3,2026-05-11,j,1,u\n"
        let input = CSVVectors.input(text, try CSVVectors.small())
        #expect(input.refused.map(\.line) == [2, 4])
        #expect(input.refused.map(\.piece.refusal.code) == ["csv.patient-conflict", "csv.patient-conflict"])
        #expect(input.exams.map(\.exam.source.value) == ["o3"])
        #expect(input.exams.first?.exam.issued?.text == "2026-05-11")
    }

    @Test("Without order numbers, results of one patient and time are one exam, however the time is written")
    func byTime() throws {
        let text =
            CSVVectors.smallHeader
            + "P1,n,,2026-05-10 08:30,i,1,u\nP1,n,,2026/5/10 8:30,j,2,u\nP1,n,,2026-05-11 08:30,i,1,u\nP2,n,,2026-05-10 08:30,i,1,u\n"
        let input = CSVVectors.input(text, try CSVVectors.small(order: false))
        #expect(input.exams.map(\.exam.items.count) == [2, 1, 1])
        #expect(Set(input.exams.map { "\($0.exam.source) \($0.subject)" }).count == 3)
    }

    @Test("Where reports have neither number nor time, each row is one, known by its bytes")
    func byRow() throws {
        let mapping = try CSVVectors.small(order: false, extra: ["group": .list([.text("row")])])
        let row = "P1,n,,,i,1,u\n"
        let input = CSVVectors.input(CSVVectors.smallHeader + row + "P1,n,,,i,2,u\n" + row, mapping)
        #expect(input.exams.map(\.exam.source.system) == ["sha-256", "sha-256"])
        #expect(input.exams.first?.exam.source.value == Digest(hashing: Array("P1,n,,,i,1,u".utf8)).hex)
        #expect(input.duplicateCount == 1)
    }

    @Test("A corrected export has the identity of what it corrects")
    func identity() throws {
        let read = { (row: String) in
            CSVVectors.input(CSVVectors.smallHeader + row, try CSVVectors.small()).exams.first?.exam
        }
        let first = try read("P1,n,o,2026-05-10,i,1,u\n")
        let second = try read("P1,n,o,2026-05-11,i,2,u\n")
        #expect(first?.source == second?.source)
        #expect(first != second)
    }

    @Test(
        "The status of an exam is never more than its results allow",
        arguments: [
            (["F", "F"], ExamStatus.final), (["F", "P"], .partial), (["F", "C"], .corrected), (["F", "X"], .final),
            (["X", "X"], .cancelled), (["F", ""], .unknown), (["P", "P"], .preliminary), (["已审核", "已审核"], .final),
            (["entered-in-error", "entered-in-error"], .enteredInError), (["O", "F"], .partial),
        ]
    )
    func statuses(codes: [String], status: ExamStatus) throws {
        let rows = codes.enumerated().map { "T1,n,,,q,,,,,C\($0.offset),i,1,u,,,\($0.element),\n" }
        let header = "住院号,姓名,性别,出生日期,申请单号,检验目的,标本类型,采样时间,报告时间,项目代码,检验项目,结果,单位,参考范围,提示,报告状态,备注\n"
        let input = CSVVectors.input(header + rows.joined(), try CSVVectors.orders())
        #expect(input.exams.map(\.exam.status) == [status])
    }

    @Test(
        "A formula is a text like any other, and so is what is nearly a number",
        arguments: [
            "=cmd|' /C calc'!A0", "+1", "1e", ".5", "5.", "007", "1 000", "1:80", "5-10", "++", "@SUM(A1)", "-",
            "1.5.2", "<", "< >5",
        ]
    )
    func texts(text: String) throws {
        let input = CSVVectors.input(
            CSVVectors.smallHeader + "P1,n,o,2026-05-10,i,\"\(text)\",\n",
            try CSVVectors.small()
        )
        #expect(input.exams.first?.exam.items.first?.value == .text(text))
    }

    @Test("A decimal comma is read where the mapping says so, and only there")
    func decimalComma() throws {
        let text = CSVVectors.smallHeader.replacingOccurrences(of: ",", with: ";") + "P1;n;o;2026-05-10;i;4,50;u\n"
        let plain = CSVVectors.input(text, try CSVVectors.small()).exams.first?.exam.items.first?.value
        #expect(plain == .text("4,50 u"))
        let comma = try CSVVectors.small(extra: ["decimalMark": .text("comma")])
        guard case .quantity(let quantity) = CSVVectors.input(text, comma).exams.first?.exam.items.first?.value else {
            Issue.record("no quantity")
            return
        }
        #expect(quantity.value == "4.50")
    }

    @Test("Several results in a row are several items, and what was not measured is none")
    func wide() throws {
        let input = CSVInput(try CSVVectors.bytes("wide.tsv"), mapping: try CSVVectors.wide())
        #expect(input.exams.map(\.exam.items.count) == [2, 1, 3])
        #expect(input.exams.allSatisfy { $0.exam.kind == .vitalSigns && $0.exam.source.system == "csv:collected" })
        #expect(input.exams[0].exam.items.map(\.code.text) == ["HR", "Temp"])
        #expect(input.exams[1].exam.code.text == "BP")
        #expect(input.exams[1].exam.items.first?.value == .text("120/80 mm[Hg]"))
        #expect(input.exams[2].exam.items.last?.value == .text("=1+1 mm[Hg]"))
        #expect(input.refused.map(\.line) == [4])
        #expect(input.refused.map(\.piece.refusal.code) == ["csv.value-missing"])
    }

    @Test("Lines of JSON are read through the same mapping, numbers as they are written")
    func lines() throws {
        let bytes = try CSVVectors.bytes("lines.ndjson")
        let input = CSVInput(bytes, mapping: try CSVVectors.lines())
        #expect(input.refused.map(\.line) == [2, 3, 4, 5])
        #expect(
            input.refused.map(\.piece.refusal.code) == [
                "csv.value-missing", "csv.bad-date", "csv.json-syntax", "csv.json-syntax",
            ]
        )
        #expect(input.exams.map(\.exam.items.count) == [2, 1])
        guard case .quantity(let potassium) = input.exams.first?.exam.items.first?.value else {
            Issue.record("no quantity")
            return
        }
        #expect(potassium.value == "4.10")
        #expect(input.exams.first?.exam.items.last?.referenceRanges == [])
        for parsed in input.exams {
            #expect(parsed.parts.map(\.type) == ["row", "mapping"])
            #expect((try? CSVExamReader.read(parsed.parts).get())?.exam == parsed.exam)
        }
    }

    @Test("Parts that do not belong together are refused")
    func badParts() throws {
        let parsed = try #require(
            CSVInput(try CSVVectors.bytes("faults.csv"), mapping: try CSVVectors.orders()).exams.first
        )
        let other = try #require(
            CSVInput(try CSVVectors.bytes("faults.csv"), mapping: try CSVVectors.orders()).exams.last
        )
        try #require(parsed.parts.count == 4)
        let (row, header, mapping, gap) = (parsed.parts[0], parsed.parts[1], parsed.parts[2], parsed.parts[3])
        let read = { (parts: [RecordContent.Part]) in CSVExamReader.read(parts).map(\.exam).mapError(\.refusal) }
        #expect(read([row, header, mapping, gap]) == .success(parsed.exam))
        let type = { (type: String, part: RecordContent.Part) in RecordContent.Part(type: type, bytes: part.bytes) }
        for parts in [
            [], [row], [header, mapping], [row, mapping], [header, row, mapping], [row, header, mapping, gap, gap],
            [row, header, mapping, row], [row, header, mapping, type("gap csv.nothing", gap)],
            [row, header, type("other", mapping)],
            [row, header, row], [type("row", mapping), header, header],
            [RecordContent.Part(type: "row", bytes: []), header, mapping],
            [RecordContent.Part(type: "row", bytes: row.bytes + [0x0a] + row.bytes), header, mapping],
        ] { #expect(read(parts) == .failure(.badParts)) }
        #expect(read([row, other.parts[0], header, mapping]) == .failure(.patientConflict))
        #expect(read([row, RecordContent.Part(type: "header", bytes: row.bytes), mapping]) == .failure(.columnMissing))
    }

    @Test("An order of more rows than a record holds is refused, and others are not")
    func tooManyRows() throws {
        var text = CSVVectors.smallHeader
        for index in 0...CSVTable.rowsMax { text += "P1,n,o1,2026-05-10,i\(index),1,u\n" }
        let input = CSVVectors.input(text + "P1,n,o2,2026-05-10,i,1,u\n", try CSVVectors.small())
        #expect(input.exams.map(\.exam.source.value) == ["o2"])
        #expect(input.refused.map(\.piece.refusal.code) == ["csv.too-many-rows"])
    }
}
