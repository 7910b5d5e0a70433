import Formats
import Foundation
import Primitives
import Records
import TestSupport
import Testing

@Suite("Instances of one study become one exam")
struct DICOMStudyTests {
    private static func patient(_ parsed: ParsedExam?) -> PatientDemographics? {
        guard case .patient(let patient) = parsed?.subject else { return nil }
        return patient
    }

    @Test("A study has its series and instances in the order of their numbers, whatever the order of the files")
    func order() throws {
        let files = [
            ("1.2.3.5", "2", "1.2.3.5.1", "1"), ("1.2.3.4", "1", "1.2.3.4.9", "2"), ("1.2.3.4", "1", "1.2.3.4.1", "10"),
        ]
        .map { series, seriesNumber, uid, number in
            TestInstance(uid: uid, seriesUID: series, seriesNumber: seriesNumber, number: number).file()
        }
        let parsed = try #require(DICOMInput(files: files).exams.first)
        #expect(parsed.exam.kind == .imaging)
        #expect(parsed.exam.source == ExamSource(system: "urn:dicom:uid", value: "urn:oid:1.2.3"))
        #expect(parsed.exam.code == CodedConcept(text: "Chest", codings: []))
        #expect(parsed.exam.performers.map(\.display) == ["Test Hospital"])
        let study = try #require(parsed.exam.imaging.first)
        #expect(study.series.map(\.uid) == ["1.2.3.4", "1.2.3.5"])
        #expect(study.series[0].instances.map(\.uid) == ["1.2.3.4.9", "1.2.3.4.1"])
        #expect(study.series[0].bodySite?.code == "CHEST")
        #expect(study.series[0].modality.code == "CT")
        #expect(study.numberOfInstances == 3)
        #expect(study.numberOfSeries == 2)
        #expect(DICOMInput(files: files.reversed()).exams == [parsed])
        #expect(DICOMExamReader.read(parsed.parts) == .success(parsed))
    }

    @Test("An exam without a description is named by its modality")
    func unnamed() throws {
        var writer = DICOMWriter()
        writer.add(0x0008_0016, "UI", "1.2")
        writer.add(0x0008_0018, "UI", "1.2.1")
        writer.add(0x0008_0060, "CS", "MR")
        writer.add(0x0020_000d, "UI", "1.2.2")
        writer.add(0x0020_000e, "UI", "1.2.3")
        let parsed = try #require(DICOMInput(files: [writer.file()]).exams.first)
        #expect(parsed.exam.code.label == "MR")
        #expect(parsed.exam.time == nil)
        #expect(parsed.subject.refusal == .unidentified)
    }

    @Test("Date, time and offset keep their digits")
    func time() throws {
        var instance = TestInstance()
        instance.offset = "+0800"
        let time = try #require(DICOMInput(files: [instance.file()]).exams.first?.exam.time)
        #expect(time.text == "20260301081500.25+0800")
        #expect(time.precision == .fraction)
        #expect(time.offsetMinutes == 480)
        #expect(time.earliest == Timestamp(milliseconds: 1_772_324_100_250))
    }

    struct Times: Sendable {
        var date: String
        var time: String
        var offset: String?
        var result: String
    }

    @Test(
        "Dates and times that do not exist are refused",
        arguments: [
            Times(date: "20260230", time: "", result: "dicom.bad-date"),
            Times(date: "2026-03-01", time: "", result: "dicom.bad-date"),
            Times(date: "202603", time: "", result: "dicom.bad-date"),
            Times(date: "20260301", time: "2400", result: "dicom.bad-time"),
            Times(date: "20260301", time: "081", result: "dicom.bad-time"),
            Times(date: "20260301", time: "0815.5", result: "dicom.bad-time"),
            Times(date: "20260301", time: "081500.1234567", result: "dicom.bad-time"),
            Times(date: "20260301", time: "0815", offset: "+1500", result: "dicom.bad-offset"),
            Times(date: "20260301", time: "0815", offset: "-0000", result: "dicom.bad-offset"),
            Times(date: "20260301", time: "08", result: "2026030108"),
            Times(date: "20260301", time: "0815", result: "202603010815"),
            Times(date: "20260301", time: "", result: "20260301"),
            Times(date: "1997.04.24", time: "14:04:38", result: "1997.04.24 14:04:38"),
            Times(date: "", time: "0815", result: ""),
        ]
    )
    func times(_ given: Times) {
        let input = DICOMInput(
            files: [TestInstance(date: given.date, time: given.time, offset: given.offset).file()]
        )
        #expect((input.code ?? input.exams.first?.exam.time?.text ?? "") == given.result)
    }

    @Test(
        "Identifiers that are missing or malformed are refused",
        arguments: [
            (TestInstance(studyUID: nil), "dicom.study-uid-missing"),
            (TestInstance(studyUID: ""), "dicom.study-uid-missing"),
            (TestInstance(seriesUID: nil), "dicom.series-uid-missing"),
            (TestInstance(uid: ""), "dicom.instance-uid-missing"),
            (TestInstance(sopClass: ""), "dicom.class-uid-missing"),
            (TestInstance(studyUID: "1"), "dicom.bad-uid"),
            (TestInstance(studyUID: "1..2"), "dicom.bad-uid"),
            (TestInstance(studyUID: "1.2."), "dicom.bad-uid"),
            (TestInstance(uid: "1.2.x"), "dicom.bad-uid"),
            (TestInstance(uid: "1.2\\1.3"), "dicom.bad-uid"),
            (TestInstance(seriesUID: "1." + String(repeating: "2", count: 63)), "dicom.bad-uid"),
            (TestInstance(patientID: "A\\B"), "dicom.too-many-values"),
            (TestInstance(patientID: "A\u{0}B"), "dicom.bad-string"),
            (TestInstance(birthDate: "19800230"), "dicom.bad-date"),
            (TestInstance(characterSet: "ISO_IR 999", name: [0xe4]), "dicom.unknown-character-set"),
            (TestInstance(characterSet: "ISO_IR 192", name: [0xd5, 0xc5]), "dicom.undecodable-text"),
            (TestInstance(name: [0xd5, 0xc5]), "dicom.undecodable-text"),
        ]
    )
    func identifiers(_ instance: TestInstance, _ code: String) throws {
        let file = instance.file()
        let input = DICOMInput(files: [file, TestInstance(studyUID: "1.2.9").file()])
        #expect(input.refused.map(\.refusal.code) == [code])
        #expect(input.exams.count == 1, "the other file is imported")
        let fault = try #require(input.refused.first)
        #expect(file.indices.contains(fault.offset))
        #expect(fault.member == 0)
    }

    @Test(
        "Instances that contradict each other about the patient are refused together",
        arguments: [
            (TestInstance(uid: "1.2.8", patientID: "P-2"), "(0010,0020)"),
            (TestInstance(uid: "1.2.8", birthDate: "19800228"), "(0010,0030)"),
            (TestInstance(uid: "1.2.8", sex: "M"), "(0010,0040)"),
            (TestInstance(uid: "1.2.8", name: Array("Other".utf8)), "(0010,0010)"),
        ]
    )
    func patients(_ other: TestInstance, _ element: String) {
        let input = DICOMInput(files: [TestInstance().file(), other.file()])
        #expect(input.code == "dicom.patient-conflict")
        #expect(input.refused.first?.element == element)
    }

    @Test("What only some instances say of the patient is taken together")
    func merging() throws {
        let letters = TestInstance(name: Array("ZHANG^San".utf8), birthDate: "")
        let all = TestInstance(characterSet: "ISO_IR 192", uid: "1.2.8", name: Array("Zhang^San=张^三".utf8), sex: "")
        let parsed = try #require(DICOMInput(files: [letters.file(), all.file()]).exams.first)
        #expect(DICOMExamReader.read(parsed.parts) == .success(parsed), "compact headers tell it too")
        let patient = try #require(Self.patient(parsed))
        #expect(patient.name?.label == "张三")
        #expect(patient.name?.family == "张")
        #expect(patient.birthDate?.text == "19800229")
        #expect(patient.sex == .female)
        #expect(patient.identifiers == [SourceIdentifier(system: nil, value: "P-1")])
    }

    @Test("Who issued an identifier is kept, and a local name stays local")
    func issuers() throws {
        var instance = TestInstance(issuer: "HIS")
        instance.before0010 = {
            $0.add(
                0x0008_0051,
                items: [
                    {
                        $0.add(0x0040_0032, "UT", "1.2.156.1")
                        $0.add(0x0040_0033, "CS", "ISO")
                    }
                ]
            )
        }
        // Issuer and accession number's issuer are out of order here, as some writers have them.
        let local = try #require(DICOMInput(files: [instance.file()]).exams.first)
        #expect(Self.patient(local)?.identifiers.map(\.system) == ["urn:dicom:issuer:HIS"])
        #expect(local.exam.identifiers.map(\.system) == ["urn:dicom:uid", "urn:oid:1.2.156.1"])
        #expect(local.exam.identifiers.map(\.value) == ["urn:oid:1.2.3", "A-1"])
        var others = TestInstance()
        others.after0020 = {
            $0.add(
                0x0010_1002,
                items: [
                    { $0.add(0x0010_0020, "LO", "Q-7") }, { $0.add(0x0010_0020, "LO", "P-1") },
                ]
            )
        }
        let patient = Self.patient(DICOMInput(files: [others.file()]).exams.first)
        #expect(patient?.identifiers.map(\.value) == ["P-1", "Q-7"])
    }

    @Test(
        "An issuer's universal identifier becomes a namespace only if it is of the type that it says",
        arguments: [
            ("urn:x:1", "URI", "urn:x:1"), ("CN-RIC", "URI", nil), ("MRN@other:1", "URI", nil),
            ("1.2.156", "ISO", "urn:oid:1.2.156"), ("1.x", "ISO", nil), ("A-B", "UUID", "urn:uuid:a-b"),
            ("pacs.example", "DNS", "urn:dicom:issuer:pacs.example"), ("x", "", nil),
        ]
    )
    func universal(_ id: String, _ type: String, _ system: String?) throws {
        var instance = TestInstance()
        instance.before0010 = { writer in
            let issuer: (inout DICOMWriter) -> Void = {
                $0.add(0x0040_0032, "UT", id)
                $0.add(0x0040_0033, "CS", type)
            }
            writer.add(0x0010_0024, items: [issuer])
        }
        let patient = try #require(Self.patient(DICOMInput(files: [instance.file()]).exams.first))
        #expect(patient.identifiers == [SourceIdentifier(system: system, value: "P-1")])
    }

    @Test("A file that was given twice counts once; another with its UID refuses the study")
    func duplicates() throws {
        let file = TestInstance().file()
        let exam = try #require(DICOMInput(files: [file, file]).exams.first)
        #expect(exam.exam.imaging[0].numberOfInstances == 1)
        #expect(exam.parts.count == 1)
        let changed = TestInstance(accession: "A-2").file()
        #expect(DICOMInput(files: [file, changed]).code == "dicom.instance-conflict")
        let other = TestInstance(uid: "1.2.3.4.2", modality: "MR").file()
        #expect(DICOMInput(files: [file, other]).code == "dicom.series-conflict")
    }

    @Test("A part names the file it came from, and files that differ in their pixels only are told apart")
    func fileIdentity() throws {
        let header = try DICOMHeaderReader.read(TestInstance().file()).get()
        let digests = [Digest(hashing: [1]), Digest(hashing: [2])]
        let pieces = try digests.map {
            try DICOMPiece.make(header, file: DICOMPiece.FileIdentity(digest: $0, size: 7)).get()
        }
        #expect(pieces[0].part.type == "Instance sha-256:\(digests[0].hex):7")
        #expect(DICOMStudy.exam(of: pieces).failure?.refusal == .instanceConflict)
        let exam = try DICOMStudy.exam(of: [pieces[0], pieces[0]]).get()
        #expect(exam.parts == [pieces[0].part])
        #expect(DICOMExamReader.read(exam.parts) == .success(exam))
    }

    @Test("Pieces of different studies are not joined")
    func studies() throws {
        let pieces = try ["1.2.3", "1.2.4"].map { uid in
            try DICOMPiece.make(DICOMHeaderReader.read(TestInstance(uid: uid + ".1", studyUID: uid).file()).get()).get()
        }
        #expect(DICOMStudy.exam(of: pieces).failure?.refusal == .studyConflict)
        #expect(DICOMStudy.exam(of: []).failure != nil)
    }

    @Test("A study of 5,000 instances keeps what it needs, far within a record's limits")
    func manyInstances() throws {
        var pieces: [DICOMPiece] = []
        for index in 0..<5000 {
            var instance = TestInstance(uid: "1.2.3.4.\(index)", seriesUID: "1.2.3.\(index / 1000)", number: "\(index)")
            instance.after0020 = { $0.add(0x0029_1010, "OB", [UInt8](repeating: 1, count: 12_000)) }
            pieces.append(try DICOMPiece.make(DICOMHeaderReader.read(instance.file()).get()).get())
        }
        let parsed = try DICOMStudy.exam(of: pieces).get()
        #expect(parsed.exam.imaging[0].series.map(\.instances.count) == [1000, 1000, 1000, 1000, 1000])
        let sizes = parsed.parts.map(\.bytes.count)
        #expect(sizes.filter { $0 > 12_000 }.count == 5, "the first instance of each series has its whole header")
        #expect(sizes.reduce(0, +) < 5 << 20)
        #expect(DICOMExamReader.read(parsed.parts) == .success(parsed))
    }

    @Test("Every refusal has its own stable code and a sentence")
    func codes() throws {
        #expect(Set(DICOMRefusal.allCases.map(\.message)).count == DICOMRefusal.allCases.count)
        #expect(DICOMRefusal.allCases.allSatisfy { $0.code.hasPrefix("dicom.") })
        let page = TestData.repositoryFile("Documentation/Protocol/DICOM-Import.md")
        let documentation = String(decoding: try Data(contentsOf: page), as: UTF8.self)
        for refusal in DICOMRefusal.allCases {
            #expect(documentation.contains("| `\(refusal.code)` | \(refusal.message) |"))
        }
    }
}
