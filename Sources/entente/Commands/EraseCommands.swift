import AgentAPI
import AgentRuntime
import ArgumentParser
import Foundation
import Primitives

struct EraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Erase records by destroying their keys everywhere, with proof; ask, decide, follow, prove.",
        discussion: """
            A patient asks with a key, the institution that made the records with a request on paper; its records office
            confirms or refuses. The law has records kept for years: before that they are not erased.
            """,
        subcommands: [Request.self, Status.self, Confirm.self, Refuse.self, Proof.self]
    )

    struct Request: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "request",
            abstract: "Ask that records be erased."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "Records of one institution, as find prints them.")
        var records: [String]

        @Option(name: .long, help: "The patient's key file.")
        var key: String?

        @Option(name: .long, help: "The patient's request on paper, as a file; only its digest is kept.")
        var evidence: String?

        mutating func validate() throws {
            guard (self.key != nil) != (self.evidence != nil) else {
                throw ValidationError("give either --key or --evidence")
            }
        }

        func execute() async throws {
            var request = Entente_Api_V1_PrepareErasureRequest()
            request.records = try Lists.split(self.records).map { try Lists.digest($0, "record", "Copy it from find.") }
            let key = try self.key.map { path throws(CommandFailure) in try PersonKey.load(path) }
            if let key { request.patientKey = key.publicKey }
            if let path = self.evidence {
                let bytes = try PrivateFile.read(path, bytesMax: 64 << 20, what: "the request on paper")
                request.evidence = Data(Digest(hashing: Array(bytes)).bytes)
            }
            let reply = try await self.options.prepareSignSubmit(key: key) { [request] client in
                try await client.prepareErasure(request)
            } check: { [request] call, key in
                try SigningCheck.erasure(call, key: key, request)
            }
            Answer(
                ["erasure": reply.subject.hex, "height": reply.height],
                text: """
                    Erasure \(reply.subject.hex)
                    asked for in block \(reply.height). The institution decides: erase status shows what became of it.
                    """
            ).print(asJSON: self.options.json)
        }
    }

    struct Status: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "List erasures, with who has proved the destruction and who has not."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "One erasure, as request printed it. Default: all.")
        var erasure: String?

        @Option(name: .long, help: "Only those about this record.")
        var record: String?

        func execute() async throws {
            var request = Entente_Api_V1_ListErasuresRequest()
            if let record = self.record { request.record = try Lists.digest(record, "record", "Copy it from find.") }
            let id = try self.erasure.map { text throws(CommandFailure) in try EraseCommand.erasure(text) }
            let reply = try await self.options.call { [request] in try await $0.listErasures(request) }
            let erasures = reply.erasures.filter { line in id.map { line.erasure == $0 } ?? true }
            guard id == nil || !erasures.isEmpty else {
                throw CommandFailure(
                    "erasure.unknown",
                    "the chain knows no such erasure",
                    hint: "List them: entente erase status.",
                    status: .notFound
                )
            }
            Answer(["erasures": erasures.map(Self.json)], text: Self.text(erasures)).print(asJSON: self.options.json)
        }

        private static func json(_ line: Entente_Api_V1_ErasureLine) -> [String: Any] {
            var object: [String: Any] = [
                "erasure": line.erasure.hex, "source": line.source, "records": line.records.map(\.hex),
                "requester": line.requester, "state": line.state, "requestedTime": Times.format(line.requestedTime),
                "requestedHeight": line.requestedHeight, "outstanding": line.outstanding,
                "proofs": line.proofs.map { proof -> [String: Any] in
                    [
                        "institution": proof.institution, "generation": proof.generation, "dataKeys": proof.dataKeys,
                        "copies": proof.copies, "height": proof.height, "time": Times.format(proof.time),
                    ]
                },
            ]
            if line.decidedHeight != 0 {
                object["decidedHeight"] = line.decidedHeight
                object["decidedTime"] = Times.format(line.decidedTime)
            }
            if !line.refusal.isEmpty { object["refusal"] = line.refusal }
            if line.until != 0 { object["until"] = Times.format(line.until) }
            if !line.recordClass.isEmpty { object["class"] = line.recordClass }
            return object
        }

        private static func text(_ lines: [Entente_Api_V1_ErasureLine]) -> String {
            guard !lines.isEmpty else { return "No erasures." }
            var table = TextTable(["Asked", "Source", "Records", "State", "Proved by", "Missing", "Erasure"])
            for line in lines {
                var state = line.state
                if !line.refusal.isEmpty { state += " (\(line.refusal))" }
                if line.until != 0 { state += " until " + Times.format(line.until) }
                table.add([
                    Times.format(line.requestedTime), line.source, "\(line.records.count)", state,
                    line.proofs.map(\.institution).joined(separator: " "), line.outstanding.joined(separator: " "),
                    line.erasure.hex,
                ])
            }
            return table.text
        }
    }

    struct Confirm: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "confirm",
            abstract: "Accept an erasure of this institution's records. It cannot be undone."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The erasure, as status prints it.")
        var erasure: String

        @Option(name: .customLong("class"), help: "outpatient or inpatient: for how long the law has the records kept.")
        var recordClass = "inpatient"

        func execute() async throws {
            var request = Entente_Api_V1_DecideErasureRequest()
            request.erasure = try EraseCommand.erasure(self.erasure)
            request.recordClass = self.recordClass
            try await EraseCommand.decide(request, "Accepted", self.options)
        }
    }

    struct Refuse: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "refuse",
            abstract: "Refuse an erasure of this institution's records."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The erasure, as status prints it.")
        var erasure: String

        @Option(name: .long, help: "retention, legal-hold, not-the-patient or unknown-record.")
        var reason: String

        @Option(name: .long, help: "When the reason lapses; needed for retention.")
        var until: String?

        func execute() async throws {
            var request = Entente_Api_V1_DecideErasureRequest()
            request.erasure = try EraseCommand.erasure(self.erasure)
            request.refusal = self.reason
            request.until = try self.until.map { try Times.parse($0, option: "--until") } ?? 0
            try await EraseCommand.decide(request, "Refused", self.options)
        }
    }

    struct Proof: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "proof",
            abstract: "Write a file that shows who destroyed what; entente verify checks it offline."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The erasure, as status prints it.")
        var erasure: String

        @Option(name: .long, help: "The file to write.")
        var output: String

        func execute() async throws {
            try PrivateFile.checkWritable(self.output)
            var request = Entente_Api_V1_ProveErasureRequest()
            request.erasure = try EraseCommand.erasure(self.erasure)
            let reply = try await self.options.call { [request] in try await $0.proveErasure(request) }
            try PrivateFile.write(reply.proof, to: self.output)
            Answer(
                ["erasure": self.erasure, "proof": self.output],
                text: "Proof written. Check it: entente verify FILE --genesis GENESIS"
            ).print(asJSON: self.options.json)
        }
    }

    private static func erasure(_ text: String) throws(CommandFailure) -> Data {
        try Lists.digest(text, "erasure", "Copy it from erase status.")
    }

    private static func decide(
        _ request: Entente_Api_V1_DecideErasureRequest,
        _ what: String,
        _ options: GlobalOptions
    ) async throws {
        let reply = try await options.call { try await $0.decideErasure(request) }
        Answer(
            ["erasure": request.erasure.hex, "height": reply.height],
            text: "\(what) in block \(reply.height)."
        ).print(asJSON: options.json)
    }
}
