import Foundation
import TestSupport

/// Patients of `Samples/`.
package enum Person {
    package static let wang = "CN-RIC:999999195803121043"
    package static let wangAtHospitalA = "urn:example:hospital-a:mrn|A000104"
    package static let other = "CN-RIC:999999197111022115"
}

/// A clinician who reads at an institution.
package struct Reader {
    package let hospitals: Consortium
    package let name: String
    package let credential: String

    package init(hospitals: Consortium, name: String, credential: String) {
        self.hospitals = hospitals
        self.name = name
        self.credential = credential
    }

    @discardableResult
    package func find(_ patient: String, _ options: [String] = []) throws -> [JSON] {
        try self.hospitals.succeed(
            self.name,
            ["find", "--json", "--patient", "-", "--as", self.credential] + options,
            input: patient
        ).json["results"].list
    }

    /// Finds until `condition` holds: what others committed arrives a moment later.
    @discardableResult
    package func find(_ patient: String, until condition: ([JSON]) -> Bool) throws -> [JSON] {
        try self.hospitals.eventually(
            self.name,
            ["find", "--patient", "-", "--as", self.credential],
            input: patient
        ) { $0.status == 0 && condition($0.json["results"].list) }.json["results"].list
    }

    package func fetch(_ record: String, _ options: [String] = []) throws -> Program.Result {
        try self.hospitals.command(self.name, ["fetch", record, "--json", "--as", self.credential] + options)
    }

    /// Fetches until the result is as wished: keys and bytes follow a grant a moment later.
    @discardableResult
    package func fetch(_ record: String, until condition: (Program.Result) -> Bool) throws -> Program.Result {
        try self.hospitals.eventually(self.name, ["fetch", record, "--as", self.credential], condition)
    }
}

extension Consortium {
    /// A clinician at `name`.
    package func reader(_ name: String, id: String = "lin") throws -> Reader {
        let credential = self.path("\(id)@\(name)")
        try self.succeed(
            name,
            ["clinician", "add", "--id", id, "--name", "林医生", "--department", "呼吸内科", "--output", credential]
        )
        return Reader(hospitals: self, name: name, credential: credential)
    }

    package func importing(_ name: String, _ paths: String...) throws -> JSON {
        let result = try self.command(name, ["import", "--json"] + paths)
        // Inputs that were set aside are told by the status; the summary is there all the same.
        guard result.status == 0 || result.status == 8 else {
            throw Program.Unexpected(text: "import ended with \(result.status)\n\(result.output)\n\(result.errors)")
        }
        return result.json
    }

    /// Makes the key of a patient; returns its file.
    package func enrol(_ patient: String, at name: String, key: String = "patient.key") throws -> String {
        try self.succeed(name, ["patient", "enroll", "--patient", "-", "--key", self.path(key)], input: patient)
        return self.path(key)
    }

    /// Grants by a patient's key; returns the grant.
    package func grant(_ patient: String, at name: String, key: String, _ options: [String]) throws -> String {
        let arguments = ["grant", "--json", "--patient", "-", "--key", key] + options
        return try self.succeed(name, arguments, input: patient).json["grant"].string
    }

    /// Grants by a witness; returns the grant.
    ///
    /// Needs no enrolment, so that a test that is about something else stays short.
    package func grant(_ patient: String, witnessedBy name: String, _ options: [String]) throws -> String {
        let consent = self.file("consent")
        try Data("signed form".utf8).write(to: consent)
        let arguments = ["grant", "--json", "--patient", "-", "--witness", consent.path] + options
        return try self.succeed(name, arguments, input: patient).json["grant"].string
    }

    package func status(_ name: String) throws -> JSON { try self.succeed(name, ["status", "--json"]).json }

    /// Waits until `condition` holds for the status of `name`.
    @discardableResult
    package func status(_ name: String, until condition: (JSON) -> Bool) throws -> JSON {
        try self.eventually(name, ["status"]) { $0.status == 0 && condition($0.json) }.json
    }

    /// Waits until all running agents are at one height with nothing left to do; returns the height.
    @discardableResult
    package func settle() throws -> Int {
        let running = self.names.filter { self.agents[$0] != nil }
        var seen: [JSON] = []
        for _ in 0..<200 {
            seen = try running.map { try self.status($0) }
            let heights = Set(seen.map { $0["height"].int })
            let isQuiet = seen.allSatisfy { $0["pending"].int == 0 && $0["lacking"].int == 0 }
            if heights.count == 1, isQuiet { return heights.first ?? 0 }
        }
        throw Program.Unexpected(text: "the agents do not settle: \(seen)")
    }

    /// Writes exams to a file of the folder.
    package func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: self.file(name))
        return self.path(name)
    }
}

/// Samples of this repository.
package enum Samples {
    package static func path(_ name: String) -> String { TestData.repositoryFile("Samples").appending(path: name).path }
}
