import Formats
import Records
import TestSupport
import Testing

@Suite("Reports, documents and DICOM JSON become exams")
struct DICOMDocumentTests {
    /// A report with a finding, a measurement and an impression.
    static func report(number: String = "12.50", flags: (completion: String, verification: String)) -> TestInstance {
        var instance = TestInstance(
            sopClass: "1.2.840.10008.5.1.4.1.1.88.22",
            uid: "1.2.3.9.1",
            seriesUID: "1.2.3.9",
            modality: "SR",
            pixelDataBytes: nil
        )
        instance.after0020 = { writer in
            writer.add(0x0040_a040, "CS", "CONTAINER")
            writer.code(0x0040_a043, "126000", "DCM", "Imaging Measurement Report")
            writer.add(0x0040_a491, "CS", flags.completion)
            writer.add(0x0040_a493, "CS", flags.verification)
            writer.add(
                0x0040_a073,
                items: [
                    {
                        $0.add(0x0040_a030, "DT", "20260302101112+0800")
                        $0.add(0x0040_a075, "PN", "Reader^R")
                    }
                ]
            )
            let items: [(inout DICOMWriter) -> Void] = [
                { Self.addMeasurement(number, to: &$0) },
                {
                    $0.add(0x0040_a010, "CS", "CONTAINS")
                    $0.add(0x0040_a040, "CS", "IMAGE")
                },
                { Self.addImpression(to: &$0) },
            ]
            writer.add(0x0040_a730, items: items, isUndefined: true)
        }
        return instance
    }

    private static func addMeasurement(_ number: String, to writer: inout DICOMWriter) {
        writer.add(0x0040_a010, "CS", "CONTAINS")
        writer.add(0x0040_a040, "CS", "NUM")
        writer.code(0x0040_a043, "410668003", "SCT", "Length")
        let value: (inout DICOMWriter) -> Void = {
            $0.code(0x0040_08ea, "mm", "UCUM", "millimeter")
            $0.add(0x0040_a30a, "DS", number)
        }
        writer.add(0x0040_a300, items: [value])
        let side: (inout DICOMWriter) -> Void = {
            $0.add(0x0040_a010, "CS", "HAS CONCEPT MOD")
            $0.add(0x0040_a040, "CS", "CODE")
            $0.code(0x0040_a043, "272741003", "SCT", "Laterality")
            $0.code(0x0040_a168, "7771000", "SCT", "Left")
        }
        writer.add(0x0040_a730, items: [side])
    }

    private static func addImpression(to writer: inout DICOMWriter) {
        writer.add(0x0040_a010, "CS", "CONTAINS")
        writer.add(0x0040_a040, "CS", "CONTAINER")
        writer.code(0x0040_a043, "121072", "DCM", "Impressions")
        let text: (inout DICOMWriter) -> Void = {
            $0.add(0x0040_a010, "CS", "CONTAINS")
            $0.add(0x0040_a040, "CS", "TEXT")
            $0.code(0x0040_a043, "121073", "DCM", "Impression")
            $0.add(0x0040_a160, "UT", "Nodule, left; see \\ follow up")
        }
        writer.add(0x0040_a730, items: [text])
    }

    @Test("A structured report gives its content tree, its measurements and its conclusion")
    func structuredReport() throws {
        let report = Self.report(flags: ("COMPLETE", "VERIFIED")).file()
        let parsed = try #require(DICOMInput(files: [TestInstance().file(), report]).exams.first)
        let exam = parsed.exam
        #expect(exam.items.map(\.level) == [0, 1, 2, 1, 2])
        #expect(
            exam.items.map(\.code.label)
                == ["Imaging Measurement Report", "Length", "Laterality", "Impressions", "Impression"]
        )
        #expect(exam.items.allSatisfy { $0.status == .final })
        #expect(
            exam.items[1].value
                == .quantity(
                    Quantity(
                        comparator: nil,
                        value: "12.50",
                        unit: "millimeter",
                        system: "http://unitsofmeasure.org",
                        code: "mm"
                    )
                )
        )
        #expect(exam.items[1].code.primary?.system == "http://snomed.info/sct")
        guard case .coded(let side) = exam.items[2].value else {
            Issue.record("no code")
            return
        }
        #expect(side.label == "Left")
        #expect(exam.conclusion == "Nodule, left; see \\ follow up")
        #expect(exam.issued?.text == "20260302101112+0800")
        #expect(exam.performers.map(\.display) == ["Test Hospital", "Reader R"])
        #expect(exam.imaging[0].series.map(\.modality.code) == ["CT", "SR"])
        #expect(DICOMExamReader.read(parsed.parts) == .success(parsed))
    }

    @Test("A report whose content does not say what it is is refused")
    func untyped() {
        var instance = TestInstance(sopClass: "1.2.840.10008.5.1.4.1.1.88.33", pixelDataBytes: nil)
        instance.after0020 = { $0.add(0x0040_a730, items: [{ $0.add(0x0040_a160, "UT", "x") }]) }
        #expect(DICOMInput(files: [instance.file()]).code == "dicom.value-type-missing")
    }

    @Test(
        "A report's results have its status",
        arguments: [
            ("COMPLETE", "UNVERIFIED", ExamStatus.preliminary), ("PARTIAL", "UNVERIFIED", .partial),
            ("", "VERIFIED", .unknown),
        ]
    )
    func status(_ completion: String, _ verification: String, _ status: ExamStatus) {
        let report = Self.report(flags: (completion, verification)).file()
        let exam = DICOMInput(files: [report]).exams.first?.exam
        #expect(exam?.items.first?.status == status)
        #expect(exam?.status == .available)
    }

    @Test("A measurement that is no number refuses the report", arguments: ["12,5", "1.2.3", "NaN", "1e", "+", "."])
    func numbers(_ number: String) {
        let report = Self.report(number: number, flags: ("COMPLETE", "VERIFIED")).file()
        #expect(DICOMInput(files: [report]).code == "dicom.bad-number")
    }

    @Test("An encapsulated document is described, and its bytes stay in the part")
    func encapsulated() throws {
        let pdf = [UInt8](repeating: 0x25, count: 100_000)
        var instance = TestInstance(sopClass: "1.2.840.10008.5.1.4.1.1.104.1", modality: "DOC", pixelDataBytes: nil)
        instance.after0020 = {
            $0.add(0x0042_0010, "ST", "Report")
            $0.add(0x0042_0011, "OB", pdf)
            $0.add(0x0042_0012, "LO", "application/pdf")
        }
        let parsed = try #require(DICOMInput(files: [instance.file()]).exams.first)
        #expect(
            parsed.exam.presentedForms
                == [PresentedForm(contentType: "application/pdf", title: "Report", size: 100_000)]
        )
        #expect(parsed.parts[0].bytes.count > 100_000)
        #expect(DICOMExamReader.read(parsed.parts) == .success(parsed))
    }

    @Test("DICOM JSON gives the exam that the file gives")
    func json() throws {
        let text = #"""
            [{"00080005":{"vr":"CS","Value":["ISO_IR 100"]},
            "00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.2"]},
            "00080018":{"vr":"UI","Value":["1.2.3.4.1"]},"00080020":{"vr":"DA","Value":["20260301"]},
            "00080030":{"vr":"TM","Value":["081500.25"]},"00080050":{"vr":"SH","Value":["A-1"]},
            "00080060":{"vr":"CS","Value":["CT"]},"00080080":{"vr":"LO","Value":["Test Hospital"]},
            "00081030":{"vr":"LO","Value":["Chest"]},"0008103E":{"vr":"LO","Value":["Axial"]},
            "00100010":{"vr":"PN","Value":[{"Alphabetic":"Test^One","Ideographic":"测^一"}]},
            "00100020":{"vr":"LO","Value":["P-1"]},"00100030":{"vr":"DA","Value":["19800229"]},
            "00100040":{"vr":"CS","Value":["F"]},"00180015":{"vr":"CS","Value":["CHEST"]},
            "0020000D":{"vr":"UI","Value":["1.2.3"]},"0020000E":{"vr":"UI","Value":["1.2.3.4"]},
            "00280010":{"vr":"US","Value":[512]},"7FE00010":{"vr":"OW","BulkDataURI":"x"}}]
            """#
        let parsed = try #require(DICOMInput(files: [Array(text.utf8)]).exams.first)
        let file = TestInstance(characterSet: "ISO_IR 192", name: Array("Test^One=测^一".utf8)).file()
        let expected = try #require(DICOMInput(files: [file]).exams.first)
        #expect(parsed.exam == expected.exam)
        #expect(parsed.subject == expected.subject)
        #expect(parsed.offset == 1)
        #expect(DICOMExamReader.read(parsed.parts).map(\.exam) == .success(parsed.exam))
    }

    @Test("The answer to a query for studies gives studies with the counts that it states")
    func query() throws {
        let text = #"""
            [{"0020000D":{"vr":"UI","Value":["1.2.3"]},"00080061":{"vr":"CS","Value":["CT","SR"]},
            "00100020":{"vr":"LO","Value":["P-1"]},"00201206":{"vr":"IS","Value":[2]},
            "00201208":{"vr":"IS","Value":["300"]}},{"0020000D":{"vr":"UI","Value":["1.x"]}}]
            """#
        let input = DICOMInput(files: [Array(text.utf8)])
        let study = try #require(input.exams.first?.exam.imaging.first)
        #expect(study.modalities.map(\.code) == ["CT", "SR"])
        #expect(study.numberOfSeries == 2)
        #expect(study.numberOfInstances == 300)
        #expect(study.series.isEmpty)
        #expect(input.refused.map(\.refusal) == [.badUID])
    }

    @Test(
        "What is not DICOM JSON is refused",
        arguments: [
            ("[1]", "dicom.json-structure"), (#"{"resourceType":"Patient"}"#, "dicom.json-structure"),
            ("[{]", "dicom.json-syntax"), (#"{"0020000D":{"vr":"UI","Value":"1.2"}}"#, "dicom.json-structure"),
            (#"{"0020000D":{"vr":"UI","Value":["1.2"]},"00100020":{"vr":"LO","Value":["a\\b"]}}"#, "dicom.bad-string"),
            (#"{"00280010":{"vr":"US","Value":[-1]}}"#, "dicom.bad-number"),
        ]
    )
    func jsonRefusals(_ text: String, _ code: String) {
        #expect(DICOMInput(files: [Array(text.utf8)]).code == code)
    }
}
