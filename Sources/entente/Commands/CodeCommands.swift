import AgentAPI
import ArgumentParser
import Foundation
import Primitives

extension MappingCommand {
    /// Who changes the code map, for its history.
    struct AuthorOption: ParsableArguments {
        @Option(name: .long, help: "Who makes the change, for the map's history. Default: the user's name.")
        var author: String?

        var name: String { self.author ?? NSUserName() }
    }

    struct Catalogue: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "catalogue",
            abstract: "Load the consortium's catalogue of items; codes that were set here stay set."
        )

        @OptionGroup var options: GlobalOptions
        @OptionGroup var author: AuthorOption

        @Argument(help: "A YAML file; Samples/catalogue/example.yaml shows its form.")
        var file: String

        func execute() async throws {
            let map = try CatalogueFile.read(self.file)
            let version = try await self.options.call { [author = self.author.name] in
                try await $0.mappingLoad(author: author, map: map.canonicalBytes)
            }
            Answer(version.json, text: version.line).print(asJSON: self.options.json)
        }
    }

    struct List: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List what local codes stand for, and the codes of imported exams that nobody has mapped."
        )

        @OptionGroup var options: GlobalOptions

        @Flag(name: .long, help: "Only the codes that nobody has mapped.")
        var unmapped = false

        func execute() async throws {
            var request = Entente_Api_V1_MappingListRequest()
            request.unmappedOnly = self.unmapped
            let reply = try await self.options.call { [request] in try await $0.mappingList(request) }
            var object: [String: Any] = [
                "current": reply.current.json, "unmapped": reply.unmapped.map(\.json), "others": reply.others,
                "history": reply.history.map(\.json),
            ]
            if !self.unmapped { object["mapped"] = reply.mapped.map(\.json) }
            Answer(object, text: self.text(reply)).print(asJSON: self.options.json)
        }

        private func text(_ reply: Entente_Api_V1_MappingListReply) -> String {
            var blocks: [String] = []
            if !self.unmapped {
                blocks.append(
                    reply.current.version.isEmpty
                        ? "No catalogue is loaded: entente mapping catalogue FILE." : reply.current.line
                )
                if !reply.mapped.isEmpty {
                    var table = TextTable(["System", "Code", "Specimen", "Unit", "Item", "Name"])
                    for code in reply.mapped {
                        table.add([code.system, code.code, code.specimen, code.unit, code.item, code.display])
                    }
                    blocks.append(table.text)
                }
            }
            if reply.unmapped.isEmpty {
                blocks.append("No imported code waits to be mapped.")
            } else {
                var table = TextTable(["Results", "System", "Code", "Name", "Unit", "Specimen", "Why"])
                for code in reply.unmapped {
                    table.add([
                        String(code.count), code.system, code.code, code.name, code.unit, code.specimen, code.why,
                    ])
                }
                blocks.append(table.text)
            }
            if reply.others > 0 { blocks.append("and \(reply.others) results with codes that are not listed") }
            return blocks.joined(separator: "\n\n")
        }
    }

    struct Suggest: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "suggest",
            abstract: "Suggest catalogue items for unmapped codes, best first, and why; a person decides."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "One code; without it, the most frequent ones.")
        var code: String?

        @Option(name: .long, help: "At most so many items for each code, 1 to 20.")
        var limit: UInt32 = 5

        func validate() throws {
            guard (1...20).contains(self.limit) else { throw ValidationError("--limit takes 1 to 20") }
        }

        func execute() async throws {
            var request = Entente_Api_V1_MappingSuggestRequest()
            request.code = self.code ?? ""
            request.limit = self.limit
            let reply = try await self.options.call { [request] in try await $0.mappingSuggest(request) }
            let codes = reply.codes.map { entry in
                ["code": entry.code.json, "items": entry.items.map(\.json)] as [String: Any]
            }
            Answer(["codes": codes], text: self.text(reply)).print(asJSON: self.options.json)
        }

        private func text(_ reply: Entente_Api_V1_MappingSuggestReply) -> String {
            guard !reply.codes.isEmpty else { return "No imported code waits to be mapped." }
            return reply.codes.map { entry in
                let code = entry.code
                let parts = [code.system, code.code, code.name, code.unit, code.specimen].filter { !$0.isEmpty }
                let head = Terminal.harmless(parts.joined(separator: "  ")) + "  (\(code.count) results)"
                guard !entry.items.isEmpty else { return head + "\n  nothing in the catalogue is like it" }
                var table = TextTable(["", "Score", "Item", "Name", "Unit", "Why"])
                for item in entry.items {
                    table.add(["", String(item.score), item.code, item.display, item.unit, item.why])
                }
                return head + "\n" + table.text
            }.joined(separator: "\n\n")
        }
    }

    struct Set: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "set",
            abstract: "Say what a local code stands for, from now on; makes a new version of the code map."
        )

        @OptionGroup var options: GlobalOptions
        @OptionGroup var author: AuthorOption

        @Argument(help: "SYSTEM|CODE as mapping list shows them; |CODE where there is no system.")
        var local: String

        @Argument(help: "The item's code: a LOINC code, or SYSTEM|CODE.")
        var item: String

        @Option(name: .long, help: "UCUM unit of values that come without one, or with one that cannot be read.")
        var unit: String?

        @Option(name: .long, help: "Only for this specimen.")
        var specimen: String?

        @Option(name: .long, help: "The source's own name for it.")
        var name: String?

        func execute() async throws {
            guard let bar = self.local.lastIndex(of: "|") else {
                throw CommandFailure.usage(
                    "code",
                    "a local code is written SYSTEM|CODE",
                    hint: "Write |CODE where the source names no system."
                )
            }
            var request = Entente_Api_V1_MappingSetRequest()
            request.system = String(self.local[..<bar])
            request.code = String(self.local[self.local.index(after: bar)...])
            if let bar = self.item.lastIndex(of: "|") {
                request.itemSystem = String(self.item[..<bar])
                request.item = String(self.item[self.item.index(after: bar)...])
            } else {
                request.item = self.item
            }
            request.unit = self.unit ?? ""
            request.specimen = self.specimen ?? ""
            request.name = self.name ?? ""
            request.author = self.author.name
            let version = try await self.options.call { [request] in try await $0.mappingSet(request) }
            Answer(version.json, text: version.line).print(asJSON: self.options.json)
        }
    }
}

extension Entente_Api_V1_MappingVersion {
    var json: [String: Any] {
        guard !self.version.isEmpty else { return [:] }
        var object: [String: Any] = [
            "version": self.version, "digest": self.digest.hex, "author": self.author, "time": Times.format(self.time),
        ]
        if !self.effective.isEmpty {
            object["effective"] = self.effective
            object["items"] = self.items
            object["entries"] = self.entries
        }
        return object
    }

    var line: String {
        "Version \(Terminal.harmless(self.version)): \(self.items) items, \(self.entries) mapped codes; "
            + "by \(Terminal.harmless(self.author)), \(Times.format(self.time))"
    }
}

extension Entente_Api_V1_MappedCode {
    var json: [String: Any] {
        [
            "source": self.source, "system": self.system, "code": self.code, "specimen": self.specimen,
            "unit": self.unit, "itemSystem": self.itemSystem, "item": self.item, "display": self.display,
        ]
    }
}

extension Entente_Api_V1_UnmappedCode {
    var json: [String: Any] {
        [
            "source": self.source, "system": self.system, "code": self.code, "specimen": self.specimen,
            "name": self.name, "unit": self.unit, "reason": self.reason, "count": self.count,
        ]
    }

    var why: String {
        switch self.reason {
        case "ambiguous": "several items"
        case "unit": "unit not convertible"
        default: "not mapped"
        }
    }
}

extension Entente_Api_V1_ItemSuggestion {
    var json: [String: Any] {
        [
            "system": self.system, "code": self.code, "display": self.display, "unit": self.unit,
            "specimen": self.specimen, "score": self.score, "likeness": self.likeness, "fitsUnit": self.fitsUnit,
            "fitsSpecimen": self.fitsSpecimen,
        ]
    }

    var why: String {
        var reasons = ["names \(self.likeness / 10) % alike"]
        if self.fitsUnit { reasons.append("unit converts") }
        if self.fitsSpecimen { reasons.append("same specimen") }
        return reasons.joined(separator: ", ")
    }
}
