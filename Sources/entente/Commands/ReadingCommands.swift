import AgentAPI
import AgentRuntime
import ArgumentParser
import Foundation

struct FindCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract: "List a patient's exams at every institution, from this agent's own index."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var patient: PatientOptions

    @Option(name: .long, parsing: .upToNextOption, help: "Item codes, such as LOINC 58410-2.")
    var items: [String] = []

    @Option(name: .long, help: "Only exams performed at or after this time.")
    var since: String?

    @Option(name: .customLong("as"), help: "The clinician's credential file.")
    var credential: String

    @OptionGroup var order: OrderOptions
    @OptionGroup var language: LanguageOptions

    func execute() async throws {
        let credential = try CredentialFile(path: self.credential)
        var request = Entente_Api_V1_FindRequest()
        request.order = try self.order.form()
        request.patient = try self.patient.read()
        request.items = self.items
        request.since = try self.since.map { try Times.parse($0, option: "--since") } ?? 0
        request.credential = credential.credentialBytes
        let reply = try await self.options.call { [request] in try await $0.find(request) }
        var object: [String: Any] = ["results": reply.results.map(self.json)]
        object["policy"] = reply.hasPolicy ? VerdictJSON.policy(reply.policy) : NSNull()
        if reply.hasVerdict { object["verdict"] = VerdictJSON.order(reply.verdict) }
        let possible = reply.possibleIdentities
        object["possibleIdentities"] = possible
        let hint = possible == 0 ? "" : "\nPossible further identities here: \(possible) (entente identity review)."
        Answer(object, text: self.table(reply) + hint).print(asJSON: self.options.json)
    }

    private func json(_ exam: Entente_Api_V1_FoundExam) -> [String: Any] {
        var object: [String: Any] = [
            "record": exam.record.hex, "institution": exam.institution, "institutionName": exam.institutionName,
            "kind": exam.kind, "itemSystem": exam.itemSystem, "item": exam.item, "display": exam.display,
            "bodySite": exam.bodySite, "status": exam.status, "access": exam.access, "images": Int(exam.images),
            "bytes": Int(exam.recordBytes), "superseded": exam.superseded,
        ]
        if exam.examTime != 0 { object["examTime"] = Times.format(exam.examTime) }
        if exam.reportTime != 0 { object["reportTime"] = Times.format(exam.reportTime) }
        object["identity"] = exam.identity
        if !exam.links.isEmpty {
            object["links"] = exam.links.map(\.hex)
            object["linkKind"] = exam.linkKind
        }
        if !exam.supersedes.isEmpty { object["supersedes"] = exam.supersedes.hex }
        if exam.hasVerdict { object["verdict"] = VerdictJSON.exam(exam.verdict) }
        return object
    }

    private func table(_ reply: Entente_Api_V1_FindReply) -> String {
        guard !reply.results.isEmpty else { return "No exams found." }
        let printer = VerdictPrinter(language: self.language.chosen)
        let columns = ["Examined", "Institution", "Kind", "Item", "Status", "Access"]
        var table = TextTable(columns + (reply.hasPolicy ? ["Verdict"] : []) + ["Record"])
        for exam in reply.results {
            var note = exam.superseded ? " (replaced)" : ""
            if !exam.links.isEmpty { note += exam.linkKind == "newborn" ? " (newborn)" : " (linked)" }
            if exam.identity != "match" { note += " (identity \(exam.identity))" }
            let cells = [
                exam.examTime == 0 ? "-" : Times.format(exam.examTime),
                exam.institution, exam.kind, exam.display.isEmpty ? exam.item : exam.display, exam.status + note,
                exam.access,
            ]
            let verdict = exam.hasVerdict ? printer.short(exam.verdict, isOrder: reply.hasVerdict) : "-"
            table.add(cells + (reply.hasPolicy ? [verdict] : []) + [exam.record.hex])
        }
        let milliseconds = Double(reply.elapsedMicroseconds) / 1000
        var judged = printer.noPolicy
        if reply.hasVerdict {
            judged = printer.order(reply.verdict, reply.policy)
        } else if reply.hasPolicy {
            judged = printer.policy(reply.policy)
        }
        return table.text + "\n" + judged + "\n"
            + Terminal.dim(String(format: "%d exams in %.1f ms", reply.results.count, milliseconds))
    }
}

struct FetchCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Open a record, check its whole chain of proof, and record the reading."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The record, as find prints it.")
    var record: String

    @Option(name: .long, help: "Purpose of use: TREAT, HPAYMT, HRESCH, PUBHLTH, or BTG after break-glass.")
    var purpose = "TREAT"

    @Option(
        name: .long,
        help: "Write the source's own bytes to this file; of a study, a folder with the images' headers."
    )
    var original: String?

    @Option(name: .long, help: "Write a file that proves this reading to anyone, offline.")
    var evidence: String?

    @Option(name: .customLong("as"), help: "The clinician's credential file.")
    var credential: String

    func execute() async throws {
        let credential = try CredentialFile(path: self.credential)
        let record = try Lists.digest(self.record, "record", "Copy it from find.")
        // Before anything is opened and recorded: a path that cannot be written must not cost a receipt.
        for path in [self.original, self.evidence].compactMap({ $0 }) { try PrivateFile.checkWritable(path) }
        var prepare = Entente_Api_V1_PrepareFetchRequest()
        prepare.record = record
        prepare.purpose = self.purpose
        prepare.credential = credential.credentialBytes
        let prepared = try await self.options.call { [prepare] in try await $0.prepareFetch(prepare) }
        try SigningCheck.reading(prepared, prepare)
        var request = Entente_Api_V1_FetchRequest()
        request.request = prepared.request
        request.signature = credential.sign(prepared.toSign)
        request.credential = credential.credentialBytes
        request.wantsOriginal = self.original != nil
        request.wantsEvidence = self.evidence != nil
        let reply = try await self.options.call { [request] in try await $0.fetch(request) }
        if let path = self.original { try OriginalFile.write(reply, to: path) }
        if let path = self.evidence { try PrivateFile.write(reply.evidence, to: path) }
        Answer(ExamJSON.object(reply), text: ReportPrinter(reply).text).print(asJSON: self.options.json)
    }
}
