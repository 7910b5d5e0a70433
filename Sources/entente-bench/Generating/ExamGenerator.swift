import Foundation

/// Makes exams of people who do not exist, as FHIR R4: the same seed gives the same bytes.
struct ExamGenerator {
    /// Exams of one person, on average.
    static let examsPerPatient = 4

    /// One exam as its resources.
    struct Exam {
        var patient: SyntheticPatient
        var patientResource: String
        var report: String
        var observations: [String]
    }

    private let count: Int
    private var random: SeededRandom
    private var next = 0

    init(count: Int, seed: UInt64) {
        self.count = count
        self.random = SeededRandom(seed)
    }

    /// The next exam; `nil` after the last.
    mutating func exam() -> Exam? {
        guard self.next < self.count else { return nil }
        let number = self.next
        self.next += 1
        let patients = max(1, self.count / Self.examsPerPatient)
        let patient = SyntheticPatient(Int(self.random.next() % UInt64(patients)))
        let panel = Panel.all[Int(self.random.next() % UInt64(Panel.all.count))]
        let time = self.time()
        let observations = panel.analytes.enumerated().map { index, analyte in
            self.observation("e\(number)-\(index)", patient, analyte, time)
        }
        return Exam(
            patient: patient,
            patientResource: Self.resource(of: patient),
            report: Self.report(number, patient, panel, time),
            observations: observations
        )
    }

    /// The exam alone, as one line: a Bundle with everything it needs.
    static func bundle(_ exam: Exam) -> String {
        let entries = ([exam.patientResource, exam.report] + exam.observations).map { #"{"resource":\#($0)}"# }
        return #"{"resourceType":"Bundle","type":"collection","entry":[\#(entries.joined(separator: ","))]}"# + "\n"
    }

    private mutating func time() -> String {
        let day = Int(self.random.next() % 28) + 1
        let month = Int(self.random.next() % 12) + 1
        let minute = Int(self.random.next() % 600) + 420
        return String(format: "2025-%02d-%02dT%02d:%02d:00+08:00", month, day, minute / 60, minute % 60)
    }

    private static func resource(of patient: SyntheticPatient) -> String {
        let gender = patient.isFemale ? "female" : "male"
        return """
            {"resourceType":"Patient","id":"p\(patient.index)","identifier":[\
            {"system":"urn:oid:2.16.156.10011.1.3","value":"\(patient.residentNumber)"},\
            {"system":"urn:example:bench:mrn","value":"M\(patient.index)"}],\
            "name":[{"text":"\(patient.name)"}],"gender":"\(gender)","birthDate":"\(patient.birthDate)"}
            """
    }

    private static func report(_ number: Int, _ patient: SyntheticPatient, _ panel: Panel, _ time: String) -> String {
        let results = panel.analytes.indices.map { #"{"reference":"Observation/e\#(number)-\#($0)"}"# }
        return """
            {"resourceType":"DiagnosticReport","id":"r\(number)","identifier":[\
            {"system":"urn:example:bench:report","value":"R\(number)"}],"status":"final",\
            "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0074","code":"LAB"}]}],\
            "code":{"coding":[{"system":"http://loinc.org","code":"\(panel.code)","display":"\(panel.display)"}],\
            "text":"\(panel.display)"},"subject":{"reference":"Patient/p\(patient.index)"},\
            "effectiveDateTime":"\(time)","issued":"\(time)","performer":[{"display":"Clinical Laboratory"}],\
            "result":[\(results.joined(separator: ","))]}
            """
    }

    private mutating func observation(
        _ id: String,
        _ patient: SyntheticPatient,
        _ analyte: Panel.Analyte,
        _ time: String
    ) -> String {
        // A quarter lies outside of the range.
        let width = analyte.high - analyte.low
        let value = analyte.low - width / 6 + Int(self.random.next() % UInt64(width * 4 / 3 + 1))
        let flag = value < analyte.low ? "L" : value > analyte.high ? "H" : "N"
        let (text, low, high) = (
            Self.decimal(value, analyte.decimals), Self.decimal(analyte.low, analyte.decimals),
            Self.decimal(analyte.high, analyte.decimals)
        )
        let quantity = #""unit":"\#(analyte.unit)","system":"http://unitsofmeasure.org","code":"\#(analyte.unit)""#
        return """
            {"resourceType":"Observation","id":"\(id)","status":"final",\
            "code":{"coding":[{"system":"http://loinc.org","code":"\(analyte.code)","display":"\(analyte.display)"}]},\
            "subject":{"reference":"Patient/p\(patient.index)"},"effectiveDateTime":"\(time)",\
            "valueQuantity":{"value":\(text),\(quantity)},\
            "interpretation":[{"coding":[{"system":\
            "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"\(flag)"}]}],\
            "referenceRange":[{"low":{"value":\(low),"unit":"\(analyte.unit)"},\
            "high":{"value":\(high),"unit":"\(analyte.unit)"}}]}
            """
    }

    private static func decimal(_ value: Int, _ decimals: Int) -> String {
        guard decimals > 0 else { return String(value) }
        let scale = decimals == 1 ? 10 : 100
        let fraction = String(value % scale + scale).dropFirst()
        return "\(value / scale).\(fraction)"
    }
}

/// Writes text to a file in large pieces.
final class TextFile {
    private static let pieceBytes = 1 << 20

    private let handle: FileHandle
    private var buffer = Data()
    private(set) var bytes = 0

    init(_ url: URL) throws {
        guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
            throw BenchFailure("\(url.path) cannot be written")
        }
        self.handle = try FileHandle(forWritingTo: url)
    }

    func write(_ text: String) throws {
        self.buffer.append(contentsOf: text.utf8)
        self.bytes += text.utf8.count
        if self.buffer.count >= Self.pieceBytes { try self.flush() }
    }

    func close() throws {
        try self.flush()
        try self.handle.close()
    }

    private func flush() throws {
        try self.handle.write(contentsOf: self.buffer)
        self.buffer.removeAll(keepingCapacity: true)
    }
}

/// The forms in which the exams are written.
enum ExamFiles {
    /// One line an exam; returns the number of bytes.
    static func writeBundles(_ count: Int, seed: UInt64, to url: URL) throws -> Int {
        let file = try TextFile(url)
        var generator = ExamGenerator(count: count, seed: seed)
        while let exam = generator.exam() { try file.write(ExamGenerator.bundle(exam)) }
        try file.close()
        return file.bytes
    }

    /// A bulk export: a file for each type of resource; returns the number of bytes.
    static func writeBulk(_ count: Int, seed: UInt64, to folder: URL) throws -> Int {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let patients = try TextFile(folder.appending(path: "Patient.ndjson"))
        let reports = try TextFile(folder.appending(path: "DiagnosticReport.ndjson"))
        let observations = try TextFile(folder.appending(path: "Observation.ndjson"))
        var generator = ExamGenerator(count: count, seed: seed)
        var seen: Set<Int> = []
        while let exam = generator.exam() {
            if seen.insert(exam.patient.index).inserted { try patients.write(exam.patientResource + "\n") }
            try reports.write(exam.report + "\n")
            for observation in exam.observations { try observations.write(observation + "\n") }
        }
        for file in [patients, reports, observations] { try file.close() }
        return patients.bytes + reports.bytes + observations.bytes
    }
}
