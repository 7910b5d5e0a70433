import ArgumentParser
import Formats
import Foundation

struct MappingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mapping",
        abstract: "What local codes stand for in the catalogue, and what the columns of a table mean.",
        subcommands: [Catalogue.self, List.self, Suggest.self, Set.self, Columns.self]
    )

    struct Columns: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "columns",
            abstract: "Suggest a mapping for a table from its header row, to be checked and kept as a file."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "A CSV or TSV file. It is read here and goes nowhere.")
        var file: String

        @Option(name: .long, help: "Write the mapping to this file. Default: standard output.")
        var output: String?

        func execute() async throws {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: self.file))
            let start = Array(try handle.read(upToCount: CSVTable.startBytes) ?? Data())
            let isWhole = try handle.read(upToCount: 1)?.isEmpty ?? true
            let suggestion: CSVSuggestion
            do throws(CSVFault) {
                suggestion = try CSVSuggestion(start[...], isWhole: isWhole)
            } catch {
                throw CommandFailure(error.refusal.code, error.refusal.message, status: .quarantined)
            }
            if let output = self.output { try PrivateFile.write(Data(suggestion.yaml.utf8), to: output) }
            let undecided = suggestion.undecided.map {
                ["question": $0.question.rawValue, "name": $0.name] as [String: Any]
            }
            Answer(
                ["mapping": suggestion.yaml, "undecided": undecided, "unused": suggestion.unused],
                text: self.output == nil ? suggestion.yaml : self.remarks(suggestion)
            ).print(asJSON: self.options.json)
        }

        private func remarks(_ suggestion: CSVSuggestion) -> String {
            var lines = ["The suggestion is in \(self.output ?? ""); check it before you import with it."]
            lines += suggestion.undecided.map { "To decide: \(Terminal.harmless($0.name)) (\($0.question.rawValue))" }
            if !suggestion.unused.isEmpty {
                lines.append("Columns not used: " + suggestion.unused.map(Terminal.harmless).joined(separator: ", "))
            }
            return lines.joined(separator: "\n")
        }
    }
}
