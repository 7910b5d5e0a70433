import AgentAPI
import ArgumentParser
import Foundation
import Records

struct WhyCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Say step by step what the rules of mutual recognition say of an exam, or of an order.",
        discussion: """
            With a record: by an order of its own item, or by --order. With --patient and --order: all exams. With --as-of the
            rules, grants and exams of that time. With --input a verdict is made again from the file that --output wrote.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The record, as find prints it.")
    var record: String?

    @Option(name: .long, help: "The patient whose exams could answer the order: - for a line of standard input.")
    var patient: String?

    @Flag(name: .long, help: "Take the patient's identifier from the command line; for synthetic data only.")
    var insecureArguments = false

    @OptionGroup var order: OrderOptions
    @OptionGroup var language: LanguageOptions

    @Option(name: .customLong("as"), help: "The clinician's credential file.")
    var credential: String?

    @Option(name: .long, help: "Make the verdict of this file again.")
    var input: String?

    @Option(name: .long, help: "Write what the verdict was made from to this file; it holds results.")
    var output: String?

    mutating func validate() throws {
        let asked = [self.record, self.patient, self.input].compactMap { $0 }.count
        guard asked == 1 else { throw ValidationError("give one of a record, --patient and --input") }
        guard self.input != nil || self.credential != nil else { throw ValidationError("give --as CREDENTIAL") }
        guard self.patient == nil || self.order.order != nil else {
            throw ValidationError("with --patient give --order as well")
        }
    }

    func execute() async throws {
        var request = Entente_Api_V1_WhyRequest()
        if let input = self.input {
            request.input = try PrivateFile.read(input, bytesMax: VerdictInput.bytesMax, what: "the verdict's input")
        } else {
            request.credential = try CredentialFile(path: self.credential ?? "").credentialBytes
            request.order = try self.order.form()
            if let record = self.record {
                request.record = try Lists.digest(record, "record", "Copy it from find.")
            } else if let patient = self.patient {
                request.patient = try PatientInput.read(patient, allowsLiteral: self.insecureArguments)
            }
        }
        if let output = self.output {
            try PrivateFile.checkWritable(output)
            request.wantsInput = true
        }
        let reply = try await self.options.call { [request] in try await $0.why(request) }
        if let output = self.output { try PrivateFile.write(reply.input, to: output) }
        let shown = reply.verdict.exams.filter { request.record.isEmpty || $0.record == request.record }
        var object = VerdictJSON.order(reply.verdict)
        object["exams"] = shown.map(VerdictJSON.exam)
        object["policy"] = VerdictJSON.policy(reply.policy)
        let printer = VerdictPrinter(language: self.language.chosen)
        let text = printer.order(reply.verdict, reply.policy) + "\n" + printer.trace(reply.verdict, shown)
        Answer(object, text: text).print(asJSON: self.options.json)
    }
}
