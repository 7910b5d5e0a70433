import Formats
import Foundation
import Primitives
import Records
import TestSupport
import Testing

/// What pydicom found in the collection of third-party DICOM files.
enum DICOMTruth {
    struct File: Sendable, CustomTestStringConvertible {
        let path: String
        let verdict: String
        let transferSyntax: String?
        let isPart10: Bool
        /// The values of one data set, or of each in a JSON text; those that are not strings are left out.
        let dataSets: [[String: String]]
        let directoryRecords: [String: Int]

        var testDescription: String { self.path }

        func bytes() throws -> [UInt8] { try TestData.sharedBytes(self.path) }
    }

    /// Empty where the collection is absent.
    static let files: [File] = {
        TestData.expected("dicom/").compactMap { path, entry in
            // One file is CSV.
            guard !path.hasSuffix(".csv"), let verdict = entry["verdict"] as? String,
                let truth = entry["truth"] as? [String: Any]
            else { return nil }
            let sets = (truth["instances"] as? [[String: Any]]) ?? [(truth["dataset"] as? [String: Any]) ?? [:]]
            return File(
                path: path,
                verdict: verdict,
                transferSyntax: truth["transferSyntax"] as? String,
                isPart10: truth["preambleOrMetaMissing"] == nil,
                dataSets: sets.map { Self.texts($0) },
                directoryRecords: truth["directoryRecords"] as? [String: Int] ?? [:]
            )
        }
    }()

    /// Several values are joined by a backslash, as they stand in a data set.
    private static func texts(_ values: [String: Any]) -> [String: String] {
        values.compactMapValues { $0 as? String ?? ($0 as? [String])?.joined(separator: "\\") }
    }

    static let binary = Self.files.filter { !$0.path.hasSuffix(".json") }
    static let texts: [String: DICOMTag] = [
        "PatientID": .patientID, "PatientBirthDate": .patientBirthDate, "PatientSex": .patientSex,
        "AccessionNumber": .accessionNumber, "StudyInstanceUID": .studyInstanceUID, "StudyDate": .studyDate,
        "StudyTime": .studyTime, "SeriesInstanceUID": .seriesInstanceUID, "SeriesNumber": .seriesNumber,
        "Modality": .modality, "SOPClassUID": .sopClassUID, "SOPInstanceUID": .sopInstanceUID,
        "InstanceNumber": .instanceNumber, "NumberOfFrames": .numberOfFrames, "StudyDescription": .studyDescription,
        "SeriesDescription": .seriesDescription, "PatientName": .patientName,
    ]

    /// The value of a data set that has the attribute `name`, as pydicom writes it.
    static func value(_ name: String, _ dataSet: DICOMDataSet) throws -> String? {
        switch name {
        case "Rows": return dataSet.unsigned(.rows).map { String($0) }
        case "Columns": return dataSet.unsigned(.columns).map { String($0) }
        case "PatientName":
            // Groups that are empty at the end say nothing.
            var name = try dataSet.name(.patientName) ?? ""
            while name.last == "=" { name.removeLast() }
            return name
        case "SpecificCharacterSet":
            return dataSet.rawText(.specificCharacterSet)
        default:
            guard let tag = Self.texts[name] else { return nil }
            return try dataSet.string(tag) ?? ""
        }
    }
}

@Suite("Third-party DICOM files give what an independent reader found in them")
struct SharedDICOMTests {
    @Test("A file gives its truth or is refused as its verdict says", arguments: DICOMTruth.files)
    func verdict(_ file: DICOMTruth.File) throws {
        let input = DICOMInput(files: [try file.bytes()])
        switch file.verdict {
        case "import":
            #expect(input.refused.isEmpty)
            #expect(input.exams.count == file.dataSets.count)
            self.expectTruth(file, input)
        case "refuse":
            #expect(!input.refused.isEmpty)
            #expect(input.exams.isEmpty)
        case "directory":
            #expect(input.directories == 1)
            #expect(input.exams.isEmpty)
            #expect(input.refused.isEmpty)
        default:
            // What is refused has a code; what is not must be the truth.
            #expect(input.exams.count + input.refused.count == 1)
            if input.refused.isEmpty { self.expectTruth(file, input) }
        }
    }

    private func expectTruth(_ file: DICOMTruth.File, _ input: DICOMInput) {
        for (parsed, truth) in zip(input.exams, file.dataSets) {
            let exam = parsed.exam
            let study = exam.imaging.first
            #expect(study?.studyUID == truth["StudyInstanceUID"])
            #expect(exam.source.value == "urn:oid:\(truth["StudyInstanceUID"] ?? "")")
            let series = study?.series.first
            #expect(series?.uid == truth["SeriesInstanceUID"])
            #expect(series?.modality.code == truth["Modality"])
            #expect(series?.instances.first?.uid == truth["SOPInstanceUID"])
            #expect(series?.instances.first?.sopClass == truth["SOPClassUID"])
            #expect(study?.description ?? "" == truth["StudyDescription"] ?? "")
            #expect(series?.description ?? "" == truth["SeriesDescription"] ?? "")
            let time = exam.effective?.first?.text ?? ""
            let date = truth["StudyDate"] ?? ""
            #expect(time.hasPrefix(date))
            // An offset from UTC may follow, and a space stands before a time with colons.
            if date != "" { #expect(time.dropFirst(date.count).drop { $0 == " " }.hasPrefix(truth["StudyTime"] ?? "")) }
            let accession = exam.identifiers.first { $0.type?.codings.first?.code == "ACSN" }
            #expect(accession?.value ?? "" == truth["AccessionNumber"] ?? "")
            guard case .patient(let patient) = parsed.subject else {
                Issue.record("no patient")
                continue
            }
            #expect(patient.identifiers.first?.value ?? "" == truth["PatientID"] ?? "")
            #expect(patient.birthDate?.text ?? "" == truth["PatientBirthDate"] ?? "")
            let sexes = ["M": "male", "F": "female", "O": "other"]
            #expect(patient.sex?.rawValue == sexes[truth["PatientSex"] ?? ""])
            let hasName = truth["PatientName"]?.contains { $0 != "^" && $0 != "=" } ?? false
            #expect((patient.name?.label != nil) == hasName)
        }
    }

    @Test("Every attribute in the truth has its value", arguments: DICOMTruth.binary)
    func attributes(_ file: DICOMTruth.File) throws {
        guard case .success(let header) = DICOMHeaderReader.read(try file.bytes()) else {
            #expect(file.verdict != "import")
            return
        }
        if let uid = file.transferSyntax { #expect(header.transferSyntaxUID == uid) }
        #expect(file.isPart10 == header.isEncodingStated)
        let dataSet = header.dataSet()
        for (name, value) in file.dataSets.first ?? [:] where value != "1" || name != "StudyInstanceUID" {
            let found = try DICOMTruth.value(name, dataSet)
            #expect(found == value, "\(name)")
        }
        // In one directory the last record is longer than the sequence.
        if !file.directoryRecords.isEmpty, file.path != "dicom/media/DICOMDIR-nooffset" {
            var counts: [String: Int] = [:]
            for record in try dataSet.items(.directoryRecordSequence) {
                counts[try record.string(.directoryRecordType) ?? "", default: 0] += 1
            }
            #expect(counts == file.directoryRecords)
        }
    }

    @Test("An exam is read again from its parts alone", arguments: DICOMTruth.files)
    func parts(_ file: DICOMTruth.File) throws {
        for parsed in DICOMInput(files: [try file.bytes()]).exams {
            #expect(DICOMExamReader.read(parsed.parts).map(\.exam) == .success(parsed.exam))
            guard case .success(let again) = DICOMExamReader.read(parsed.parts) else { continue }
            #expect(again.subject == parsed.subject)
            #expect(again.parts == parsed.parts)
        }
    }

    @Test("A file read in small pieces gives the header that it gives at once", arguments: DICOMTruth.binary)
    func pieces(_ file: DICOMTruth.File) throws {
        let bytes = try file.bytes()
        let whole = DICOMHeaderReader.read(bytes)
        var reader = DICOMHeaderReader(fileSize: bytes.count)
        var window = 0..<min(bytes.count, 100)
        var steps = 0
        while steps < 100_000 {
            steps += 1
            switch reader.advance(Array(bytes[window]), at: window.lowerBound) {
            case .needs(let range):
                #expect(!range.isEmpty && range.upperBound <= bytes.count)
                window = range
                continue
            case .header(let header):
                guard case .success(let expected) = whole else {
                    Issue.record("accepted only in pieces")
                    return
                }
                #expect(header.storedBytes == expected.storedBytes)
            case .refused(let fault): #expect(whole.map(\.storedBytes) == .failure(fault))
            }
            return
        }
        Issue.record("no end")
    }

    @Test("The instances of a media set are joined to their studies in any order", arguments: 0..<8 as Range<UInt64>)
    func media(seed: UInt64) throws {
        let files = DICOMTruth.binary.filter { $0.path.contains("/media/") }
        guard !files.isEmpty else { return }
        var generator = SeededGenerator(seed: seed)
        let shuffled = try files.shuffled(using: &generator).map { try $0.bytes() }
        let input = DICOMInput(files: shuffled)
        #expect(input.refused.isEmpty)
        #expect(input.directories == 3)
        let expected = DICOMInput(files: try files.map { try $0.bytes() }).exams
        #expect(Set(input.exams) == Set(expected))
        let instances = input.exams.flatMap(\.exam.imaging).flatMap(\.series).flatMap(\.instances)
        #expect(instances.count == files.count - 3)
        for parsed in input.exams {
            #expect(DICOMExamReader.read(parsed.parts) == .success(parsed))
            var parts = parsed.parts
            parts.shuffle(using: &generator)
            #expect(DICOMExamReader.read(parts).map(\.exam) == .success(parsed.exam))
        }
    }
}
