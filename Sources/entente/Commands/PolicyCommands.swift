import AgentAPI
import ArgumentParser
import Formats
import Foundation
import Primitives
import Records

struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "The rules of mutual recognition: write, agree on and read policy packs.",
        subcommands: [Lint.self, Sign.self, Publish.self, Approve.self, List.self, Show.self]
    )

    struct Lint: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "lint",
            abstract: "Check a policy pack in a YAML file, offline.",
            discussion: "Exit status 8 if the file is no pack or has an error; warnings alone are status 0."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The YAML file. It is read here and goes nowhere.")
        var file: String

        func execute() async throws {
            let text = try PolicyPackFile.text(self.file)
            var lines: [String] = []
            var objects: [[String: Any]] = []
            func add(_ code: String, _ message: String, place: String, isWarning: Bool) {
                let severity = isWarning ? "warning" : "error"
                lines.append("\(severity)[\(code)]: \(message) \(Terminal.harmless(text.place(place)))")
                var object: [String: Any] = [
                    "code": code, "message": message, "place": place, "severity": severity,
                ]
                object["line"] = text.line(of: place)
                objects.append(object)
            }
            var hash: String?
            var isSound = false
            do throws(PolicyFault) {
                let pack = try PolicyPack(author: text.node)
                for finding in pack.findings {
                    let code = finding.code
                    add(code.rawValue, code.message, place: finding.place, isWarning: code.isWarning)
                }
                (hash, isSound) = (pack.hash.hex, pack.isSound)
            } catch {
                add(error.refusal.code, error.refusal.message, place: error.path, isWarning: false)
            }
            lines.append(isSound ? "sound: \(hash ?? "")" : Terminal.red("not sound"))
            var answer: [String: Any] = ["findings": objects, "sound": isSound]
            answer["policyHash"] = hash
            Answer(answer, text: lines.joined(separator: "\n")).print(asJSON: self.options.json)
            guard isSound else { throw ExitCode(CommandFailure.Status.quarantined.rawValue) }
        }
    }

    struct Show: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show what a policy pack holds: the one in force, one of the chain, or one in a file."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "A YAML file, or one of canonical bytes (.pack). Without it the pack in force on the chain.")
        var file: String?

        @Option(name: .long, help: "The pack that was in force at this time.")
        var asOf: String?

        @Option(name: .long, help: "A proposal that waits for approval, as list prints it.")
        var proposal: String?

        @Option(name: .long, help: "An adopted pack by its digest.")
        var digest: String?

        @Option(name: .long, help: "Write the canonical bytes, which are what is hashed and signed, to this file.")
        var output: String?

        mutating func validate() throws {
            let chosen = [self.file, self.asOf, self.proposal, self.digest].compactMap { $0 }.count
            guard chosen <= 1 else { throw ValidationError("give at most one of a file and the options of the chain") }
        }

        func execute() async throws {
            let pack = try await self.pack()
            if let output = self.output { try PrivateFile.write(Data(pack.canonicalBytes), to: output) }
            Answer(self.json(pack), text: self.text(pack)).print(asJSON: self.options.json)
        }

        private func pack() async throws -> PolicyPack {
            if let file = self.file { return try PolicyPackFile.read(file) }
            var request = Entente_Api_V1_ShowPolicyRequest()
            request.asOf = try self.asOf.map { try Times.parse($0, option: "--as-of") } ?? 0
            if let proposal = self.proposal {
                request.proposal = try Lists.digest(proposal, "proposal", "Copy it from policy list.")
            }
            if let digest = self.digest {
                request.digest = try Lists.digest(digest, "digest", "Copy it from policy list.")
            }
            let reply = try await self.options.call { [request] in try await $0.showPolicy(request) }
            guard let pack = try? PolicyPack(canonicalBytes: Array(reply.pack)) else {
                throw PolicyPackFile.notCanonical
            }
            return pack
        }

        private func json(_ pack: PolicyPack) -> [String: Any] {
            var object: [String: Any] = [
                "name": pack.name, "version": pack.version, "policyHash": pack.hash.hex, "example": pack.isExample,
                "effectiveFrom": Self.time(pack.effectiveFrom), "sound": pack.isSound,
                "bytes": pack.canonicalBytes.count,
                "items": pack.items.map { item in
                    [
                        "code": item.code, "zh": item.chinese, "en": item.english, "category": item.category.name,
                        "aliases": item.aliases,
                    ] as [String: Any]
                },
                "windows": pack.windows.map { window in
                    [
                        "rule": window.rule, "within": "\(window.amount) \(window.unit.name)",
                        "basis": window.basis.name, "clause": window.clause,
                    ]
                },
                "texts": pack.texts.map { ["code": $0.code, "zh": $0.chinese, "en": $0.english] },
            ]
            if let end = pack.effectiveTo { object["effectiveTo"] = Self.time(end) }
            return object
        }

        /// Times of a pack may be any; the calendar ends with the year 9999.
        private static func time(_ seconds: Int64) -> String {
            Times.format(min(max(seconds, -62_135_596_800), 253_402_300_799) * 1000)
        }

        private func text(_ pack: PolicyPack) -> String {
            let end = pack.effectiveTo.map { Self.time($0) } ?? "open"
            var lines = [
                "\(pack.name) version \(pack.version)\(pack.isExample ? " (an example, no one's rules)" : "")",
                "hash       \(pack.hash.hex)",
                "in force   \(Self.time(pack.effectiveFrom)) to \(end)",
                "bytes      \(pack.canonicalBytes.count)",
                "holds      \(pack.items.count) items, \(pack.windows.count) windows, \(pack.levels.count) levels, "
                    + "\(pack.negatives.count) exclusions, \(pack.pacts.count) pacts, \(pack.authorities.count) authorities",
                pack.isSound ? "sound" : "NOT sound: see entente policy lint",
                "",
            ]
            lines += pack.items.map { "\($0.code)  \($0.chinese)  \($0.english)  \($0.aliases.joined(separator: " "))" }
            return lines.map(Terminal.harmless).joined(separator: "\n")
        }
    }
}
