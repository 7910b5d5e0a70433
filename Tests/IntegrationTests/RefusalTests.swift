import AgentAPI
import Foundation
import Primitives
import TestSupport
import Testing
import Vault

extension IntegrationTests {
    @Suite("Commands that are refused", .serialized)
    struct RefusalTests {}
}

extension IntegrationTests.RefusalTests {
    @Test("Wrong arguments end with status 2 and a coded error, as text and as JSON")
    func arguments() throws {
        let folder = try TemporaryFolder()
        let home = folder.file("home").path
        let wrong: [[String]] = [
            ["no-such-command"], ["find"], ["fetch", "--as", "x"], ["import"], ["status", "--no-such-option"],
            ["grant", "--patient", "-", "--to", "b"], ["agent", "--log-level", "loud"],
            ["init", "--id", "Not An Id", "--name", "x", "--listen", "127.0.0.1:1"],
            ["init", "--id", "a", "--name", "x", "--listen", "no-port"], ["revoke", "xyz", "--key", "x"],
            ["import", "--format", "pdf", "."], ["import", "-", "."],
        ]
        for arguments in wrong {
            let text = try Program.run(["--home", home] + arguments)
            #expect(text.status == 2, "\(arguments): \(text.errors)")
            #expect(text.output.isEmpty)
            let json = try Program.run(["--home", home, "--json"] + arguments)
            #expect(json.status == 2, "\(arguments): \(json.errors)")
            #expect(!json.code.isEmpty, "\(arguments): \(json.errors)")
        }
    }

    @Test("Without an agent commands end with status 9, without a home it says so")
    func notRunning() throws {
        let hospitals = try Consortium(["a"], starting: false)
        for arguments in [["status"], ["doctor"], ["quarantine", "list"], ["certificate", "rotate"]] {
            #expect(try hospitals.expect(9, "a", arguments).code == "agent.not-running")
        }
        let none = #expect(throws: AgentProcess.Ended.self) { try hospitals.start("nobody") }
        #expect(none?.status == 9)
        #expect(none?.log.contains("error[") == true)
    }

    @Test("A patient's identifier on the command line is refused, and a wrong check digit is noticed")
    func patients() throws {
        let hospitals = try Consortium(["a"])
        let reader = try hospitals.reader("a")
        let literal = try hospitals.expect(2, "a", ["find", "--patient", Person.wang, "--as", reader.credential])
        #expect(literal.code == "usage.patient-on-command-line")
        #expect(!literal.errors.contains("9999991958"))
        let find = ["find", "--patient", "-", "--as", reader.credential]
        #expect(try hospitals.expect(2, "a", find, input: "").code == "usage.patient-missing")
        for text in ["CN-RIC:999999195803121044", "CN-RIC:12", "no system", "|", "urn:x|", "CN-RIC:９９"] {
            let refused = try hospitals.expect(2, "a", find, input: text)
            #expect(refused.code == "patient.identifier", "\(text)")
        }
        let allowed = ["find", "--insecure-arguments", "--patient", Person.wang, "--as", reader.credential]
        try hospitals.succeed("a", allowed)
        #expect(!hospitals.log("a").contains("9999991958"))
    }

    @Test("Keys and grants work only for their own patient, grantee and purpose")
    func grants() throws {
        let hospitals = try Consortium(["a", "b"])
        let key = try hospitals.enrol(Person.wang, at: "a")
        let other = try hospitals.enrol(Person.other, at: "a", key: "other.key")
        let grant = try hospitals.grant(Person.wang, at: "a", key: key, ["--to", "b"])
        func refused(_ status: Int32, _ code: String, _ arguments: [String], _ input: String = "") throws {
            let result = try hospitals.expect(status, "a", arguments, input: input)
            #expect(result.code == code, "\(arguments)")
        }
        let asking = ["grant", "--patient", "-"]
        // The words are the same whether there is no such grant or it is another's.
        try refused(3, "grant.unknown", ["revoke", grant, "--key", other])
        try refused(3, "patient.not-enrolled", asking + ["--to", "b", "--key", other], Person.wang)
        try refused(3, "institution.unknown", asking + ["--to", "z", "--key", key], Person.wang)
        try refused(2, "request.invalid", asking + ["--to", "b", "--key", key, "--purpose", "FUN"], Person.wang)
        try refused(2, "request.invalid", asking + ["--to", "b", "--key", key, "--kinds", "x"], Person.wang)
        try refused(2, "request.invalid", asking + ["--to", "b", "--key", key, "--lease", "8d"], Person.wang)
        let backwards = ["--from", "2027-02-01", "--until", "2027-01-01"]
        try refused(2, "request.invalid", asking + ["--to", "b", "--key", key] + backwards, Person.wang)
        try refused(3, "grant.unknown", ["revoke", String(repeating: "0", count: 64), "--key", key])
        // A key nobody enrolled.
        let stranger = hospitals.path("stranger.key")
        _ = try PersonalKey.create(stranger)
        try refused(3, "patient.not-enrolled", asking + ["--to", "b", "--key", stranger], Person.wang)
        try refused(3, "grant.unknown", ["revoke", grant, "--key", stranger])
        let listed = try hospitals.succeed("a", ["grants", "--json", "--patient", "-"], input: Person.wang)
        #expect(listed.json["grants"].list.map { $0["state"].string } == ["active"])
        try hospitals.succeed("a", ["revoke", grant, "--key", key])
        // Said twice, it is done once.
        try hospitals.succeed("a", ["revoke", grant, "--key", key])
        // An existing key file is never overwritten, and one that others can read is not used.
        chmod(key, 0o644)
        #expect(try hospitals.command("a", ["revoke", grant, "--key", key]).status == 9)
    }

    @Test("A credential works at its institution, with its own key, and unchanged")
    func credentials() throws {
        let hospitals = try Consortium(["a", "b"])
        _ = try hospitals.importing("a", hospitals.write(ExamFile.lines(count: 1, patients: 1), to: "exams.ndjson"))
        let lin = try hospitals.reader("a")
        let record = try lin.find(ExamFile.patient(0))[0]["record"].string
        try Consortium.expect(0, lin.fetch(record))

        let foreign = try Reader(hospitals: hospitals, name: "a", credential: hospitals.reader("b").credential)
        #expect(try foreign.fetch(record).status == 4)
        #expect(try foreign.fetch(record).code == "credential.invalid")

        // The certificate of one clinician with the key of another.
        let wu = try hospitals.reader("a", id: "wu")
        let mixed = hospitals.path("mixed")
        try FileManager.default.copyItem(atPath: wu.credential, toPath: mixed)
        try FileManager.default.copyItem(atPath: lin.credential + ".cert", toPath: mixed + ".cert")
        #expect(
            try Reader(hospitals: hospitals, name: "a", credential: mixed).fetch(record).code == "credential.invalid"
        )

        let certificate = try Data(contentsOf: URL(fileURLWithPath: lin.credential + ".cert"))
        let altered = hospitals.path("altered")
        try FileManager.default.copyItem(atPath: lin.credential, toPath: altered)
        for step in 0..<16 {
            var copy = certificate
            copy[(copy.count - 1) * step / 15] ^= 0x04
            try copy.write(to: URL(fileURLWithPath: altered + ".cert"))
            let result = try Reader(hospitals: hospitals, name: "a", credential: altered).fetch(record)
            #expect(result.status == 4, "byte \(step): \(result.errors)")
            #expect(result.output.isEmpty)
        }
        let none = try Reader(hospitals: hospitals, name: "a", credential: hospitals.path("none")).fetch(record)
        #expect([2, 3, 6].contains(none.status) && !none.code.isEmpty)
        // A read that was refused is no read.
        let log = try hospitals.succeed("a", ["access-log", "--json", "--patient", "-"], input: ExamFile.patient(0))
        #expect(log.json["reads"].list.count == 1)
    }

    @Test("What was signed once counts once: a reading, a transaction")
    func replays() async throws {
        let hospitals = try Consortium(["a"])
        _ = try hospitals.importing("a", hospitals.write(ExamFile.lines(count: 1, patients: 1), to: "exams.ndjson"))
        let reader = try hospitals.reader("a")
        let record = try reader.find(ExamFile.patient(0))[0]["record"].string
        let key = try PersonalKey.load(reader.credential)
        let credential = try Data(contentsOf: URL(fileURLWithPath: reader.credential + ".cert"))
        let socket = hospitals.home("a").appending(path: "agent.sock").path
        try await AgentClient.connected(to: socket) { client in
            var prepare = Entente_Api_V1_PrepareFetchRequest()
            prepare.record = Data(try #require(Digest(hex: record)).bytes)
            prepare.purpose = "TREAT"
            prepare.credential = credential
            let prepared = try await client.prepareFetch(prepare)
            var fetch = Entente_Api_V1_FetchRequest()
            fetch.request = prepared.request
            fetch.signature = Data(key.sign(Array(prepared.toSign)).bytes)
            fetch.credential = credential
            _ = try await client.fetch(fetch)
            let again = await Self.refusal { [fetch] in _ = try await client.fetch(fetch) }
            #expect(again?.code == "credential.invalid")

            var grant = Entente_Api_V1_PrepareGrantRequest()
            grant.patient = ExamFile.patient(0)
            grant.grantees = ["a"]
            grant.purpose = "TREAT"
            grant.leaseSeconds = 60
            grant.witnessEvidence = Data(repeating: 1, count: 32)
            var submit = Entente_Api_V1_SubmitTransactionRequest()
            submit.transaction = try await client.prepareGrant(grant).transaction
            let first = try await client.submitTransaction(submit).height
            let second = try await client.submitTransaction(submit).height
            #expect(first == second)
        }
        let listed = try hospitals.succeed("a", ["grants", "--json", "--patient", "-"], input: ExamFile.patient(0))
        #expect(listed.json["grants"].list.count == 1)
        let log = try hospitals.succeed("a", ["access-log", "--json", "--patient", "-"], input: ExamFile.patient(0))
        #expect(log.json["reads"].list.count == 1)
    }

    private static func refusal(_ call: () async throws -> Void) async -> AgentAPIError? {
        do {
            try await call()
            return nil
        } catch {
            return error as? AgentAPIError
        }
    }
}
