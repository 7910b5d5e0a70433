import AgentAPI
import ArgumentParser
import Foundation
import Records

struct StatisticsCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Figures of mutual recognition over all institutions, each with the events that made it.",
        discussion: """
            Times are those at which things happened; what arrives late changes the period in which it happened.
            Protocol/Recognition-Facts.md says what each column counts.
            """
    )

    @OptionGroup var options: GlobalOptions

    @Option(name: .long, help: "From this time on. Default: everything.")
    var from: String?

    @Option(name: .long, help: "Up to this time, which is left out. Default: everything.")
    var to: String?

    @Option(name: .long, parsing: .upToNextOption, help: "institution, department, item, class, reason, month, day.")
    var by: [String] = []

    @Option(name: .long, parsing: .upToNextOption, help: "Only these institutions.")
    var institutions: [String] = []

    @Option(name: .long, help: "Write the table as CSV, with a byte order mark, to this file; - for standard output.")
    var csv: String?

    @Flag(name: .long, help: "List the events that made each figure, one JSON object a line.")
    var lineage = false

    @Option(name: .long, help: "Of the lineage: only this measure.")
    var measure: String?

    @Flag(name: .long, help: "Make the figures again from the chain and the manifests alone, and compare.")
    var verify = false

    @Option(name: .long, help: "Minutes east of UTC of days and months.")
    var offset: Int32 = 480

    func execute() async throws {
        var request = Entente_Api_V1_StatisticsRequest()
        request.from =
            try self.from.map { text throws(CommandFailure) in try self.time(text, "--from") } ?? -2_208_988_800_000
        request.to = try self.to.map { text throws(CommandFailure) in try self.time(text, "--to") } ?? 4_102_444_800_000
        request.dimensions = Lists.split(self.by)
        request.institutions = Lists.split(self.institutions)
        request.offsetMinutes = self.offset
        request.verify = self.verify
        request.measure = self.measure ?? ""
        if self.lineage { return try await self.list(request) }
        let reply = try await self.options.call { [request] in try await $0.statistics(request) }
        if let path = self.csv {
            guard path != "-" else { return FileHandle.standardOutput.write(reply.csv) }
            try PrivateFile.write(reply.csv, to: path)
        }
        Answer(self.object(reply), text: self.text(reply)).print(asJSON: self.options.json)
        if !reply.differences.isEmpty || !reply.missing.isEmpty && self.verify {
            throw ExitCode(CommandFailure.Status.integrity.rawValue)
        }
    }

    /// A day begins by the calendar of the table.
    private func time(_ text: String, _ option: String) throws(CommandFailure) -> Int64 {
        let time = try Times.parse(text, option: option)
        return text.utf8.count == 10 ? time - Int64(self.offset) * 60_000 : time
    }

    private func list(_ request: Entente_Api_V1_StatisticsRequest) async throws {
        try await self.options.call { client in
            try await client.statisticsLineage(request) { event in
                var object: [String: Any] = [
                    "key": event.key, "measure": event.measure, "event": event.event, "kind": event.kind,
                    "institution": event.institution, "time": Times.format(event.time),
                    "transaction": event.transaction.hex, "blockTime": Times.format(event.blockTime),
                ]
                if !event.match.isEmpty { object["match"] = event.match.hex }
                if !event.record.isEmpty { object["record"] = event.record.hex }
                Terminal.write(Answer.line(object))
            }
        }
    }

    private func object(_ reply: Entente_Api_V1_StatisticsReply) -> [String: Any] {
        var object: [String: Any] = [
            "by": Lists.split(self.by), "height": reply.height, "rows": reply.rows.map(self.row),
            "total": self.row(reply.total), "missing": reply.missing.map(\.hex), "wrong": reply.wrong.map(\.hex),
            "complete": reply.missing.isEmpty,
        ]
        if reply.verified { object["differences"] = reply.differences.map(\.parts) }
        return object
    }

    private func row(_ row: Entente_Api_V1_StatisticsRow) -> [String: Any] {
        var (measures, events, rates): ([String: Any], [String: Any], [String: Any]) = ([:], [:], [:])
        for figure in row.figures {
            measures[figure.measure] = figure.quantity
            events[figure.measure] = figure.events
        }
        for rate in row.rates where !rate.text.isEmpty { rates[rate.rate] = rate.text }
        return ["key": row.key, "measures": measures, "events": events, "rates": rates]
    }

    private func text(_ reply: Entente_Api_V1_StatisticsReply) -> String {
        var lines = [Terminal.harmlessLines(reply.text), Terminal.dim("up to block \(reply.height)")]
        if !reply.missing.isEmpty {
            lines.append(Terminal.red("incomplete: \(reply.missing.count) manifests have not been given by anybody"))
        }
        if !reply.wrong.isEmpty {
            lines.append(
                "\(reply.wrong.count) manifests are not what their institutions committed to, and count for nobody"
            )
        }
        if reply.verified {
            lines.append(
                reply.differences.isEmpty
                    ? "verified: chain and manifests give the same figures"
                    : Terminal.red("\(reply.differences.count) rows differ from what chain and manifests give")
            )
        }
        return lines.joined(separator: "\n")
    }
}

struct PricesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prices",
        abstract: "What examinations cost here: read when a result is adopted, never afterwards.",
        subcommands: [Load.self, List.self]
    )

    struct Load: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "load",
            abstract: "Put a price list in the place of the one before.",
            discussion: """
                A line for each price: item,scope,from,yuan. The scope is organisation, institution or branch:NAME; the \
                narrowest counts. From is a time or empty; yuan have at most two decimals. A line that begins with # is none.
                """
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The file, in UTF-8.")
        var file: String

        func execute() async throws {
            guard let data = FileManager.default.contents(atPath: self.file), data.count <= 16 << 20,
                let text = String(data: data, encoding: .utf8)
            else {
                throw CommandFailure(
                    "file.unreadable",
                    "the price list cannot be read",
                    hint: "It is UTF-8 and at most 16 MiB.",
                    status: .notFound
                )
            }
            var request = Entente_Api_V1_PricesRequest()
            request.replaces = true
            for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
            {
                let line = line.drop { $0 == "\u{FEFF}" }
                if line.isEmpty || line.hasPrefix("#") { continue }
                request.prices.append(try Self.price(String(line), number: index + 1))
            }
            let reply = try await self.options.call { [request] in try await $0.prices(request) }
            Answer(["prices": reply.prices.count], text: "\(reply.prices.count) prices").print(
                asJSON: self.options.json
            )
        }

        private static func price(_ line: String, number: Int) throws(CommandFailure) -> Entente_Api_V1_Price {
            let cells = line.split(separator: ",", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 4, let fen = Fen(yuan: cells[3]) else {
                throw .usage(
                    "price",
                    "line \(number) is no price",
                    hint: "Write item,scope,from,yuan, such as CT-CHEST,institution,2026-01-01,260.00."
                )
            }
            let from = cells[2].isEmpty ? 0 : try Times.parse(cells[2], option: "line \(number)")
            var price = Entente_Api_V1_Price()
            price.item = cells[0]
            price.scope = cells[1]
            price.validFrom = from
            price.fen = fen.value
            return price
        }
    }

    struct List: EntenteCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the price list.")

        @OptionGroup var options: GlobalOptions

        func execute() async throws {
            let reply = try await self.options.call { try await $0.prices(Entente_Api_V1_PricesRequest()) }
            var table = TextTable(["Item", "For", "From", "Yuan"])
            for price in reply.prices {
                table.add([price.item, price.scope, Times.format(price.validFrom), Fen(price.fen).yuanText])
            }
            Answer(
                [
                    "prices": reply.prices.map { price in
                        [
                            "item": price.item, "scope": price.scope, "from": Times.format(price.validFrom),
                            "fen": price.fen,
                        ] as [String: Any]
                    }
                ],
                text: reply.prices.isEmpty ? "No prices." : table.text
            ).print(asJSON: self.options.json)
        }
    }
}
