import AgentAPI
import AgentTestSupport
import Foundation
import Primitives
import Vault

/// A stranger's hospital `c`, and things between `a` and `b` that exist, beside such that do not.
///
/// The patient does not want to be found. `c` had listed the exams before, so it still has notes of them.
final class Strangers {
    /// What a question is about.
    struct Subject: Sendable {
        var patient: String
        var record: Data
        var patientKey: Data
        var grant: Data
        var delegation: Data
        var emergency: Data
        var referral: Data
    }

    let hospitals: Consortium
    let existing: Subject
    let missing: Subject
    /// A credential of `c`.
    let credential: Data
    /// A key that nobody enrolled.
    let stranger: Data
    let chain: Data

    var socket: String { self.hospitals.home("c").appending(path: "agent.sock").path }

    private static func hex(_ text: String) -> Data {
        let digits = Array(text.utf8)
        return Data(
            stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
            }
        )
    }

    init() throws {
        let hospitals = try Consortium(["a", "b", "c"])
        self.hospitals = hospitals
        let patient = Person.wang
        _ = try hospitals.importing("a", Samples.path("hospital-a/blood-count.json"))
        let reader = try hospitals.reader("c")
        let record = try reader.find(patient) { $0.count == 1 }[0]["record"].string
        let key = try hospitals.enrol(patient, at: "a")
        let grant = try hospitals.grant(patient, at: "a", key: key, ["--to", "b", "--kinds", "lab"])
        let delegate = try hospitals.enrol(Person.other, at: "a", key: "delegate.key")
        let mandate = try hospitals.write("mandate", to: "mandate")
        let delegation = try hospitals.succeed(
            "a",
            [
                "delegation", "create", "--json", "--patient", "-", "--key", key, "--delegate",
                PersonalKey.load(delegate).verifyingKey.bytes.map { String(format: "%02x", $0) }.joined(),
                "--evidence", mandate,
            ],
            input: patient
        ).json["delegation"].string
        let doctor = hospitals.path("doctor")
        try hospitals.succeed(
            "b",
            [
                "clinician", "add", "--id", "wei", "--name", "急诊", "--department", "急诊科", "--break-glass", "--output",
                doctor,
            ]
        )
        let emergency = try hospitals.succeed(
            "b",
            [
                "break-glass", "--json", "--patient", "-", "--reason", "unconscious", "--text", "found",
                "--circumstances",
                "alone", "--as", doctor,
            ],
            input: patient
        ).json["emergency"].string
        let referral = try hospitals.succeed("a", ["referral", "open", "--json", "--to", "b"]).json["referral"].string
        try Reader(hospitals: hospitals, name: "b", credential: doctor).find(patient)
        try hospitals.eventually("b", ["fetch", record, "--purpose", "BTG", "--as", doctor]) { $0.status == 0 }
        try hospitals.succeed("a", ["discovery", "hide", "--patient", "-", "--key", key], input: patient)
        // The reading is on the chain, the choice at every agent.
        try hospitals.eventually("a", ["access-log", "--patient", "-"], input: patient) {
            $0.json["reads"][0]["anchored"].bool
        }
        try hospitals.settle()
        self.existing = Subject(
            patient: patient,
            record: Self.hex(record),
            patientKey: Data(try PersonalKey.load(key).verifyingKey.bytes),
            grant: Self.hex(grant),
            delegation: Self.hex(delegation),
            emergency: Self.hex(emergency),
            referral: Self.hex(referral)
        )
        func nothing(_ seed: String) -> Data { Data(Digest(hashing: Array(seed.utf8)).bytes) }
        self.missing = Subject(
            patient: "CN-RIC:110105196802293424",
            record: nothing("record"),
            patientKey: Data(try PersonalKey.create(hospitals.path("nobody.key")).verifyingKey.bytes),
            grant: nothing("grant"),
            delegation: nothing("delegation"),
            emergency: nothing("emergency"),
            referral: nothing("referral")
        )
        self.credential = try Data(contentsOf: URL(fileURLWithPath: reader.credential + ".cert"))
        self.stranger = Data(try PersonalKey.create(hospitals.path("stranger.key")).verifyingKey.bytes)
        self.chain = Self.hex(try hospitals.status("c")["chain"].string)
    }
}
