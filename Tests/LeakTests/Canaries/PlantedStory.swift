import AgentTestSupport
import Foundation
import TestSupport

/// A story of three hospitals in which every personal text is a canary.
///
/// Agents log everything, peers talk through wiretaps, and temporary files go to a folder of the story.
final class PlantedStory {
    static let canaries = [
        Canary("the patient's Chinese name", "欧阳槿墨"), Canary("the patient's Latin name", "Quillfeather"),
        Canary("the national identifier", "110105196802293424"), Canary("the local identifier", "MRN-ZWICKEL-0077"),
        Canary("the birth date", "1968-02-29"), Canary("a result", "73.19428"),
        Canary("a result in words", "阳性反应三加号"), Canary("the conclusion", "KRANICHSTEIN"),
        Canary("who performed it", "澹台检验师"), Canary("the report's number", "RPT-OBERLIN-4421"),
        Canary("the doctor's name", "慕容霁川"), Canary("the doctor's Latin name", "Brockelmann"),
        Canary("the doctor's number", "dr-quarzenbach"), Canary("the department", "呼吸重症监护三区"),
        Canary("the reason of the emergency", "路边昏迷无人陪同"), Canary("the circumstances", "LOCKENHAUS shock room"),
        Canary("the rejected input", "VERWORFENHEIT"),
    ]
    /// GB 11643 with a right check character, over a birth date of 1968-02-29.
    static let patient = "CN-RIC:110105196802293424"

    let hospitals: Consortium
    let search = Search(PlantedStory.canaries)
    private var taps: [Wiretap] = []
    /// Arguments of all commands, and what they printed where nobody is shown a result.
    private(set) var said: [(place: String, text: String)] = []

    var input: URL { self.hospitals.file("input") }
    var clinic: URL { self.hospitals.file("clinic") }
    var temporary: URL { self.hospitals.file("tmp") }

    init() throws {
        self.hospitals = try Consortium(["a", "b", "c"], starting: false)
        for folder in [self.input, self.clinic, self.temporary] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        for name in self.hospitals.names {
            let port = try Loopback.freePort()
            guard let outer = self.hospitals.ports[name] else { continue }
            self.taps.append(try Wiretap(port: outer, target: port, file: self.hospitals.file("\(name).capture")))
            try self.hospitals.start(
                name,
                arguments: ["--log-level", "trace", "--listen", "127.0.0.1:\(port)"],
                environment: ["TMPDIR": self.temporary.path]
            )
        }
        for name in self.hospitals.names { try self.hospitals.awaitShare(name) }
    }

    deinit { for tap in self.taps { tap.close() } }

    var captured: [URL] { self.taps.map(\.file) }

    /// Runs a command and keeps its arguments and what it printed to its error output.
    ///
    /// `shows`: whether its standard output is meant to show results to a clinician or a patient.
    @discardableResult
    func run(
        _ name: String,
        _ arguments: [String],
        input: String = "",
        shows: Bool = false,
        status: Int32? = 0
    ) throws -> Program.Result {
        let result = try self.hospitals.command(name, arguments, input: input)
        self.keep(arguments, result, shows: shows)
        if let status { try Consortium.expect(status, result) }
        return result
    }

    /// Runs a command until it succeeds.
    @discardableResult
    func eventually(_ name: String, _ arguments: [String], input: String = "") throws -> Program.Result {
        let result = try self.hospitals.eventually(name, arguments, input: input) { result in
            self.keep(arguments, result, shows: true)
            return result.status == 0
        }
        return result
    }

    private func keep(_ arguments: [String], _ result: Program.Result, shows: Bool) {
        let command = arguments.first ?? ""
        self.said.append(("the arguments of \(command)", arguments.joined(separator: "\n")))
        self.said.append(("what \(command) said of errors", result.errors))
        if !shows { self.said.append(("what \(command) printed", result.output)) }
    }

    /// A text in a file, as an argument.
    func secret(_ text: String, _ file: String) throws -> String {
        let url = self.clinic.appending(path: file)
        try Data((text + "\n").utf8).write(to: url)
        return "@" + url.path
    }

    func clinician(_ name: String, _ options: [String]) throws -> String {
        let credential = self.clinic.appending(path: "credential-\(name)-\(options.count)").path
        let arguments = [
            "clinician", "add", "--id", try self.secret("dr-quarzenbach-\(options.count)", "id"),
            "--name", try self.secret("慕容霁川 Brockelmann", "name"),
            "--department", try self.secret("呼吸重症监护三区", "department"), "--output", credential,
        ]
        // Says whose credential it is.
        try self.run(name, arguments + options, shows: true)
        return credential
    }

    // MARK: The story

    /// Imports, finds, grants, opens, is refused, opens in an emergency, and takes everything back.
    func tell() throws {
        try self.importing()
        let lin = try self.clinician("b", [])
        let find = ["find", "--json", "--patient", "-", "--as", lin]
        let found = try self.hospitals.eventually("b", find.filter { $0 != "--json" }, input: Self.patient) {
            $0.status == 0 && $0.json["results"].list.count == 2
        }
        self.keep(find, found, shows: true)
        let record = found.json["results"].list.first { $0["item"].string == "2345-7" }?["record"].string ?? ""
        try self.run("b", ["fetch", record, "--as", lin], status: 4)
        try self.run("b", ["explain", record, "--as", lin], shows: true)
        try self.granting(record, lin)
        try self.emergency(record)
        try self.asking(record, lin)
    }

    private func importing() throws {
        try Data(Self.exams.utf8).write(to: self.input.appending(path: "exams.ndjson"))
        try Data(Self.rejected.utf8).write(to: self.input.appending(path: "rejected.ndjson"))
        // Names of files are the sender's, and come up in the list of rejections.
        try self.run("a", ["import", "--json", self.input.appending(path: "exams.ndjson").path])
        try self.run("a", ["import", self.input.appending(path: "rejected.ndjson").path], status: nil)
        try self.run("a", ["import", "-"], input: Self.exams, status: nil)
        try self.run("a", ["quarantine", "list"], status: nil)
        // Shows the operator what was refused, with names and long numbers masked.
        let shown = try self.run("a", ["quarantine", "show", "1"], shows: true, status: nil)
        let masked = PlantedStory.canaries.filter { $0.name.contains("patient's") || $0.name.contains("identifier") }
        self.said += [("a masked input", Search(masked).find(in: shown.output, "").isEmpty ? "" : shown.output)]
        try self.run("a", ["quarantine", "retry"], status: nil)
        try self.run("b", ["find", "--patient", Self.patientMistyped, "--as", "none"], status: nil)
    }

    private func granting(_ record: String, _ lin: String) throws {
        let key = self.clinic.appending(path: "patient.key").path
        try self.run("b", ["patient", "enroll", "--patient", "-", "--key", key], input: Self.patient)
        let grant = ["grant", "--json", "--patient", "-", "--to", "b", "--key", key, "--kinds", "lab"]
        let granted = try self.run("b", grant, input: Self.patient).json["grant"].string
        try self.eventually("b", ["fetch", record, "--as", lin])
        for option in ["--original", "--evidence"] {
            try self.run(
                "b",
                ["fetch", record, "--as", lin, option, self.clinic.appending(path: "copy\(option)").path],
                shows: true
            )
        }
        try self.run("b", ["fetch", record, "--as", lin, "--purpose", "HRESCH"], status: 4)
        try self.run("b", ["grants", "--patient", "-"], input: Self.patient)
        try self.run("b", ["narrow", granted, "--patient", "-", "--key", key, "--hide", "2345-7"], input: Self.patient)
        try self.eventually("b", ["fetch", record, "--as", lin])
        try self.run("b", ["revoke", granted, "--key", key])
        try self.run("b", ["fetch", record, "--as", lin], status: 5)
    }

    private func emergency(_ record: String) throws {
        let doctor = try self.clinician("b", ["--break-glass"])
        let board = try self.clinician("b", ["--review", "--days", "30"])
        let opened = try self.run(
            "b",
            [
                "break-glass", "--json", "--patient", "-", "--reason", "unconscious", "--text",
                self.secret("路边昏迷无人陪同", "text"), "--circumstances",
                self.secret("LOCKENHAUS shock room", "circumstances"), "--as", doctor,
            ],
            input: Self.patient
        ).json["emergency"].string
        try self.eventually("b", ["fetch", record, "--purpose", "BTG", "--as", doctor])
        try self.run("b", ["review", opened, "--outcome", "justified", "--as", board])
        for name in ["a", "b"] { try self.run(name, ["notices", "--json"], shows: true) }
    }

    private func asking(_ record: String, _ lin: String) throws {
        for name in self.hospitals.names {
            try self.run(name, ["status", "--json"])
            try self.run(name, ["doctor", "--full", "--json"], status: nil)
            try self.run(name, ["anomalies", "--json"])
            try self.run(name, ["access-log", "--patient", "-"], input: Self.patient, shows: true)
        }
        try self.run("c", ["fetch", record, "--as", lin], status: nil)
        try self.run(
            "c",
            ["grant", "--patient", "-", "--to", "nobody", "--witness", lin],
            input: Self.patient,
            status: nil
        )
        try self.run("b", ["discovery", "hide", "--patient", "-", "--witness"], input: Self.patient, status: nil)
        try self.run("b", ["fetch", String(repeating: "0", count: 64), "--as", lin], status: 3)
    }

    // MARK: What is planted

    /// On the command line by mistake, as people do; not the patient's own.
    private static let patientMistyped = "CN-RIC:000000000000000000"

    private static let person = """
        {"resourceType":"Patient","id":"p","identifier":[{"system":"urn:oid:2.16.156.10011.1.3",\
        "value":"110105196802293424"},{"system":"urn:example:mrn","value":"MRN-ZWICKEL-0077"}],\
        "name":[{"text":"欧阳槿墨","family":"Quillfeather"}],"gender":"female","birthDate":"1968-02-29"}
        """

    private static func exam(_ id: String, _ code: String, _ value: String, patient: String = person) -> String {
        let category = #"[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0074","code":"LAB"}]}]"#
        let coding = #"{"coding":[{"system":"http://loinc.org","code":"\#(code)"}]}"#
        let report = """
            {"resourceType":"DiagnosticReport","id":"\(id)","identifier":[{"system":"urn:example:report",\
            "value":"RPT-OBERLIN-4421-\(id)"}],"status":"final","category":\(category),"code":\(coding),\
            "subject":{"reference":"Patient/p"},"effectiveDateTime":"2026-10-08T08:15:00+08:00",\
            "performer":[{"display":"澹台检验师"}],"conclusion":"KRANICHSTEIN",\
            "result":[{"reference":"Observation/\(id)-0"}]}
            """
        let observation = """
            {"resourceType":"Observation","id":"\(id)-0","status":"final","code":\(coding),\
            "subject":{"reference":"Patient/p"},"effectiveDateTime":"2026-10-08T08:15:00+08:00",\(value)}
            """
        return #"{"resourceType":"Bundle","type":"collection","entry":["#
            + [patient, report, observation].map { #"{"resource":\#($0)}"# }.joined(separator: ",") + "]}"
    }

    private static let exams =
        [
            exam("x1", "2345-7", #""valueQuantity":{"value":73.19428,"unit":"mmol/L"}"#),
            exam("x2", "5802-4", #""valueString":"阳性反应三加号""#),
        ].joined(separator: "\n") + "\n"

    /// Without a patient that could be named, and with texts all the same.
    private static let rejected =
        exam(
            "x3",
            "2345-7",
            #""valueString":"VERWORFENHEIT 73.19428""#,
            patient: #"{"resourceType":"Patient","id":"p","name":[{"text":"欧阳槿墨","family":"Quillfeather"}]}"#
        ) + "\n" + #"{"resourceType":"Bundle","VERWORFENHEIT":"110105196802293424" "# + "\n"
}
