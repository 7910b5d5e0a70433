import Formats
import Foundation
import Records
import TestSupport
import Testing

/// What independent readers found in the collection of third-party HL7 version 2 files.
enum HL7v2Truth {
    struct File: Sendable, CustomTestStringConvertible {
        let path: String
        let verdict: String
        let messages: [Message]
        /// Of all messages; the lists may leave some out.
        let orders: Int

        var testDescription: String { self.path }

        func bytes() throws -> [UInt8] { try TestData.sharedBytes(self.path) }
    }

    struct Message: Decodable, Sendable {
        struct Patient: Decodable, Sendable {
            let ids: [String]
            let birth: String
            let sex: String
        }

        struct Order: Decodable, Sendable {
            let code: String
            let filler: String
            let observed: String
            let status: String
        }

        let patient: Patient?
        let obr: [Order]?
        let obx: [String]?
        let obrCount: Int?
    }

    private struct Entry: Decodable {
        struct Truth: Decodable {
            let msg: [Message]?
            let obrTotal: Int?
        }

        let verdict: String
        let truth: Truth?
    }

    /// Empty where the collection is absent.
    static let files: [File] = {
        TestData.expected("hl7v2/", as: Entry.self).map { path, entry in
            File(
                path: path,
                verdict: entry.verdict,
                messages: entry.truth?.msg ?? [],
                orders: entry.truth?.obrTotal ?? 0
            )
        }
    }()
}

@Suite("Third-party HL7 version 2 files give what independent readers found in them")
struct HL7v2SharedFilesTests {
    @Test("A file gives its truth or is refused as its verdict says", arguments: HL7v2Truth.files)
    func verdict(_ file: HL7v2Truth.File) throws {
        let content = HL7v2Content(try file.bytes())
        switch file.verdict {
        case "import":
            #expect(content.refused.isEmpty)
            #expect(content.exams.allSatisfy { $0.subject.refusal == nil })
            self.expectTruth(file, content)
        case "partial":
            #expect(content.refused.count == 1)
            self.expectTruth(file, content)
        case "refuse":
            #expect(!content.refused.isEmpty && content.exams.isEmpty)
        case "not-a-result":
            #expect(content.exams.isEmpty && !content.skipped.isEmpty)
        default:
            // Nothing is filed: what is read has no patient.
            #expect(content.exams.allSatisfy { $0.subject.refusal != nil })
        }
    }

    private func expectTruth(_ file: HL7v2Truth.File, _ content: HL7v2Content) {
        #expect(content.exams.count == file.orders)
        var rest = content.exams[...]
        for message in file.messages {
            let orders = message.obr ?? []
            let exams = Array(rest.prefix(message.obrCount ?? 0))
            rest = rest.dropFirst(exams.count)
            #expect(exams.count == message.obrCount && exams.count >= orders.count)
            for (parsed, order) in zip(exams, orders) {
                #expect(parsed.exam.source.system.hasPrefix("hl7v2-"))
                let filler = order.filler.split(separator: "^").first.map(String.init)
                if let filler { #expect(parsed.exam.identifiers.contains { $0.value == filler }) }
                let code = order.code.split(separator: "^", omittingEmptySubsequences: false).map(String.init)
                #expect(parsed.exam.code.codings.contains { code.contains($0.code ?? "") })
                if !order.observed.isEmpty { #expect(parsed.exam.effective?.first?.text == order.observed) }
                if case .patient(let patient) = parsed.subject, let truth = message.patient {
                    self.expect(patient, truth)
                }
            }
            let items = exams.flatMap(\.exam.items)
            for line in message.obx ?? [] { self.expect(line, in: items, exams.flatMap(\.exam.presentedForms)) }
        }
    }

    private func expect(_ patient: PatientDemographics, _ truth: HL7v2Truth.Message.Patient) {
        #expect(patient.identifiers.map(\.value) == truth.ids.map { String($0.prefix { $0 != "^" }) })
        if let birth = patient.birthDate { #expect(birth.text == truth.birth) }
        let sexes: [String: PatientDemographics.Sex] = [
            "M": .male, "F": .female, "U": .unknown, "O": .other, "A": .other,
        ]
        #expect(patient.sex == sexes[truth.sex])
    }

    /// `OBX-2|OBX-3.1|OBX-4|OBX-5|OBX-6.1|OBX-7|OBX-8|OBX-11`, escapes not resolved.
    private func expect(_ line: String, in items: [ExamItem], _ forms: [PresentedForm]) {
        let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        guard fields.count >= 8, !fields[3].contains("\\"), !fields[3].contains("~") else { return }
        // Spaces around a value are no part of it.
        let value = fields[3].trimmingCharacters(in: .whitespaces)
        let (type, code) = (fields[0], fields[1])
        let components = value.split(separator: "^", omittingEmptySubsequences: false).map(String.init)
        if type == "ED" {
            if components.count > 4 { #expect(!forms.isEmpty) }
            return
        }
        let found = items.filter { $0.code.codings.contains { $0.code == code } || code.isEmpty }
        #expect(
            found.contains { item in
                switch (item.value, type) {
                case _ where value.isEmpty: return true
                case (nil, _): return value.isEmpty || value == "\"\""
                case (.quantity(let quantity), "NM"): return quantity.value == value
                case (.quantity(let quantity), "SN"): return components.contains(quantity.value ?? "")
                case (.coded(let concept), _):
                    return concept.codings.contains { components.contains($0.code ?? "") }
                        || components.contains(concept.text ?? "")
                case (.dateTime(let time), _): return time.text == value
                case (.text(let text), _): return text.contains(value) || text.contains(components[0]) && type == "RP"
                default: return false
                }
            },
            "\(line)"
        )
    }

    @Test("An exam is read again from its parts alone", arguments: HL7v2Truth.files)
    func parts(_ file: HL7v2Truth.File) throws {
        let bytes = try file.bytes()
        for parsed in HL7v2Content(bytes).exams {
            guard case .success(let again) = HL7v2ExamReader.read(parsed.parts) else {
                Issue.record("the parts are refused")
                continue
            }
            #expect(again.exam == parsed.exam && again.subject == parsed.subject && again.parts == parsed.parts)
            #expect(bytes[parsed.offset...].starts(with: parsed.parts[0].bytes))
            for part in parsed.parts { #expect(bytes.firstRange(of: part.bytes) != nil) }
        }
    }

    @Test("Changed bytes of the files never trap", arguments: HL7v2Truth.files)
    func mutations(_ file: HL7v2Truth.File) throws {
        let bytes = try file.bytes()
        guard !bytes.isEmpty else { return }
        var generator = SeededGenerator(seed: UInt64(bytes.count))
        for _ in 0..<20 {
            var changed = bytes
            for _ in 0..<3 {
                let place = Int.random(in: changed.indices, using: &generator)
                changed[place] = UInt8.random(in: .min ... .max, using: &generator)
            }
            for parsed in HL7v2Content(changed).exams {
                #expect(HL7v2ExamReader.read(parsed.parts).map(\.exam) == .success(parsed.exam))
            }
        }
    }
}
