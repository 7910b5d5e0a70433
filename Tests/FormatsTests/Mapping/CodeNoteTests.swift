import Formats
import Primitives
import Records
import TestSupport
import Testing

@Suite("A record's note says what its codes stood for")
struct CodeNoteTests {
    private static func exam(_ items: [(code: String, unit: String?)]) -> Exam {
        var exam = Exam(
            kind: .laboratory,
            source: ExamSource(system: "lab", value: "1"),
            identifiers: [],
            code: CodedConcept(text: "panel", codings: [Coding(system: "L", code: "P", display: nil)]),
            categories: [],
            status: .final
        )
        for item in items {
            let concept = CodedConcept(text: nil, codings: [Coding(system: "L", code: item.code, display: nil)])
            var result = ExamItem(code: concept, status: .final, effective: nil, level: 0)
            result.value = .quantity(
                Quantity(comparator: .less, value: "99", unit: item.unit, system: nil, code: nil)
            )
            exam.items.append(result)
        }
        return exam
    }

    private static func note(_ exam: Exam, _ entries: [CodeMapEntry]) throws -> CodeNote {
        let map = try CodeMapSamples.small(entries)
        let index = CodeMapIndex(map)
        var lines: [CodeNote.Line] = []
        for question in ExamCodes.subjects(of: exam).flatMap(\.questions) {
            if case .item(_, let line?, _) = index.answer(question, source: "a") { lines.append(line) }
        }
        return CodeNote(version: map.version, digest: map.digest, lines: lines)
    }

    private static func entry(_ code: String, unit: String? = nil, _ item: CatalogueItem) -> CodeMapEntry {
        CodeMapEntry(source: "a", system: "L", code: code, unit: unit, item: item.code)
    }

    @Test("It has one byte form, and no source's part is taken for it")
    func bytes() throws {
        let note = try Self.note(Self.exam([("GLU", "mg/dL")]), [Self.entry("GLU", CodeMapSamples.glucose)])
        #expect(note.lines.count == 1)
        #expect(try CodeNote(canonicalBytes: note.canonicalBytes) == note)
        #expect(note.part.type == "entente/codes")
        for length in 0..<note.canonicalBytes.count {
            #expect(throws: CanonicalError.self) {
                try CodeNote(canonicalBytes: Array(note.canonicalBytes.prefix(length)))
            }
        }
    }

    @Test("Read by it, a result has the catalogue's code and amount beside its own, which stay as written")
    func read() throws {
        var exam = Self.exam([("GLU", "mg/dL"), ("X", "mg/dL")])
        let note = try Self.note(exam, [Self.entry("GLU", CodeMapSamples.glucose)])
        note.apply(to: &exam)
        #expect(exam.items[0].code.codings.map(\.code) == ["GLU", "14749-6"])
        #expect(exam.items[0].canonical?.value == "5.50")
        #expect(exam.items[0].canonical?.unit == "mmol/L")
        #expect(exam.items[0].canonical?.comparator == .less)
        guard case .quantity(let written) = exam.items[0].value else {
            Issue.record("the value stays an amount")
            return
        }
        #expect(written.value == "99")
        #expect(written.unit == "mg/dL")
        #expect(exam.items[1].code.codings.count == 1)
        #expect(exam.items[1].canonical == nil)
        // Again, nothing is added twice.
        let once = exam
        note.apply(to: &exam)
        #expect(exam == once)
    }

    @Test("An entry's unit is that of values without one, or with one that cannot be read", arguments: [nil, "??"])
    func assumed(unit: String?) throws {
        var exam = Self.exam([("HB", unit)])
        try Self.note(exam, [Self.entry("HB", unit: "g/dL", CodeMapSamples.hemoglobin)]).apply(to: &exam)
        #expect(exam.items[0].canonical?.value == "990")
        exam = Self.exam([("HB", "g/L")])
        try Self.note(exam, [Self.entry("HB", unit: "g/dL", CodeMapSamples.hemoglobin)]).apply(to: &exam)
        #expect(exam.items[0].canonical?.value == "99", "a unit that is written goes before what the entry says")
    }

    @Test("A unit that cannot be converted is told of, and the code is mapped all the same")
    func unitFault() throws {
        let index = CodeMapIndex(try CodeMapSamples.small([Self.entry("GLU", CodeMapSamples.glucose)]))
        let unit = ExamCodes.Question.Unit(text: "U/L", isDeclared: false)
        let question = ExamCodes.Question(system: "L", code: "GLU", specimen: nil, unit: unit)
        guard case .item(let item, .some, true) = index.answer(question, source: "a") else {
            Issue.record("a fault of the unit is told of")
            return
        }
        #expect(item.code.code == "14749-6")
    }

    @Test("A code of the catalogue in the catalogue's unit needs no line; in another unit it does")
    func own() throws {
        let index = CodeMapIndex(try CodeMapSamples.small([]))
        func line(_ unit: String) -> CodeNote.Line? {
            let unit = ExamCodes.Question.Unit(text: unit, isDeclared: true)
            let question = ExamCodes.Question(system: CodeSystem.loinc, code: "14749-6", specimen: nil, unit: unit)
            guard case .item(_, let line, false) = index.answer(question, source: "a") else { return nil }
            return line
        }
        #expect(line("mmol/L") == nil)
        #expect(line("mg/dL")?.item.molarMass == "180.156")
    }

    @Test("Entries set over a catalogue go before its own, and those for items it lacks wait")
    func overlay() throws {
        let map = try CodeMapSamples.small([Self.entry("GLU", CodeMapSamples.urineGlucose)])
        let lost = CodeMapEntry(
            source: "a",
            system: "L",
            code: "Z",
            item: CatalogueCode(system: CodeSystem.loinc, code: "1-8")
        )
        let changed = try map.overlaid(by: [Self.entry("GLU", CodeMapSamples.glucose), lost])
        #expect(changed.version == "1+2")
        #expect(changed.entries.map(\.item.code) == ["14749-6"])
        #expect(try map.overlaid(by: []) == map)
    }
}
