import AgentAPI
import ArgumentParser
import Foundation

/// Options of whatever is said about a match.
struct MatchOptions: ParsableArguments {
    @Argument(help: "The match, as match and matches print it.")
    var match: String

    @Option(name: .long, help: "When it happened, of what was queued. Default: now.")
    var time: String?

    @Option(name: .customLong("as"), help: "The clinician's credential file.")
    var credential: String

    func id() throws(CommandFailure) -> Data { try Self.id(self.match) }

    static func id(_ text: String) throws(CommandFailure) -> Data {
        try Lists.digest(text, "match", "Copy it from match or matches.")
    }

    func milliseconds() throws(CommandFailure) -> Int64 {
        try self.time.map { text throws(CommandFailure) in try Times.parse(text, option: "--time") } ?? 0
    }

    func act(items: [UInt32] = []) throws -> Entente_Api_V1_MatchActRequest {
        var request = Entente_Api_V1_MatchActRequest()
        request.match = try self.id()
        request.items = items
        request.time = try self.milliseconds()
        request.credential = try CredentialFile(path: self.credential).credentialBytes
        return request
    }

    /// The items with these numbers, which begin with 1.
    static func indexes(_ numbers: [Int]) throws(CommandFailure) -> [UInt32] {
        guard numbers.allSatisfy({ (1...256).contains($0) }) else {
            throw CommandFailure.usage("items", "--items takes numbers from 1", hint: "matches MATCH lists the items.")
        }
        return numbers.map { UInt32($0 - 1) }
    }
}

struct MatchCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "match",
        abstract: "Before ordering: make a match of the items for which others have a result.",
        discussion: """
            Reads the patient's identifier, the visit's number and the order's number, each from a line of standard input. \
            The same visit, order and question give the same match and one reminder.
            """
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var patient: PatientOptions
    @OptionGroup var order: OrderOptions

    @Option(name: .long, parsing: .upToNextOption, help: "Items of the policy pack that are ordered together.")
    var items: [String]

    @Option(name: .long, help: "The order's number. Default: a line of standard input.")
    var orderNumber: String?

    @Option(name: .long, help: "The campus, as the institution calls it.")
    var branch: String?

    @Option(name: .customLong("as"), help: "The clinician's credential file.")
    var credential: String

    func execute() async throws {
        var request = Entente_Api_V1_MatchRequest()
        request.credential = try CredentialFile(path: self.credential).credentialBytes
        request.order = try self.order.form()
        request.items = Lists.split(self.items)
        if !request.order.item.isEmpty { request.items.insert(request.order.item, at: 0) }
        request.branch = self.branch ?? ""
        request.patient = try self.patient.read()
        if request.order.visit.isEmpty { request.order.visit = try Self.line("visit") }
        request.orderNumber = try self.orderNumber ?? Self.line("order")
        let reply = try await self.options.call { [request] in try await $0.match(request) }
        let others = reply.unmatched.map { ["item": $0.item, "outcome": $0.outcome] }
        var lines = reply.unmatched.map { "\(Terminal.harmless($0.item)): \($0.outcome)" }
        guard reply.hasMatch else {
            return Answer(
                ["unmatched": others],
                text: (["Nothing to be reminded of."] + lines).joined(separator: "\n")
            ).print(asJSON: self.options.json)
        }
        let match = MatchAnswer(reply.match)
        var object = match.object
        object["unmatched"] = others
        lines.insert(match.text, at: 0)
        Answer(object, text: lines.joined(separator: "\n")).print(asJSON: self.options.json)
    }

    private static func line(_ what: String) throws(CommandFailure) -> String {
        let line = Terminal.isInputTerminal ? Terminal.readHidden(prompt: "Number of the \(what): ") : readLine()
        guard let line, !line.isEmpty else {
            throw CommandFailure.usage(
                "\(what)-number",
                "no number of the \(what) was given",
                hint: "After the patient's identifier follow the visit's and the order's number, a line each."
            )
        }
        return line
    }
}

struct MatchesCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "matches",
        abstract: "List this institution's matches, or show one with all that was said about it."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "A match; all if none is given.")
    var match: String?

    @Flag(name: .long, help: "Only those about which nothing stands and that were not put away.")
    var open = false

    @Option(name: .long, help: "At most so many, the newest first.")
    var limit: UInt32 = 100

    func execute() async throws {
        var request = Entente_Api_V1_MatchesRequest()
        request.limit = self.limit
        request.openOnly = self.open
        request.match =
            try self.match.map { text throws(CommandFailure) in try MatchOptions.id(text) } ?? Data()
        let reply = try await self.options.call { [request] in try await $0.matches(request) }
        if self.match != nil, let match = reply.matches.first {
            return MatchAnswer(match).answer.print(asJSON: self.options.json)
        }
        Answer(["matches": reply.matches.map { MatchAnswer($0).object }], text: self.table(reply.matches))
            .print(asJSON: self.options.json)
    }

    private func table(_ matches: [Entente_Api_V1_RecognitionMatch]) -> String {
        guard !matches.isEmpty else { return "No matches." }
        var table = TextTable(["Reminded", "State", "Items", "Match"])
        for match in matches {
            table.add([
                Times.format(match.time), match.state, match.items.map(\.item).joined(separator: " "), match.id.hex,
            ])
        }
        return table.text
    }
}

struct AdoptCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Adopt every result that a match offers."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var match: MatchOptions

    @Flag(name: .long, help: "It was explained to the patient.")
    var explained = false

    func execute() async throws {
        let reply = try await Deciding.decide(self.match, self.options, isExplained: self.explained, text: nil) { _ in
            ""
        }
        MatchAnswer(reply.match).answer.print(asJSON: self.options.json)
    }
}

struct RefuseCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "refuse",
        abstract: "Refuse results that a match offers, with a reason.",
        discussion: """
            A match is decided on as a whole: with --items say also what becomes of the others, --rest adopt or --rest D0n.
            """
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var match: MatchOptions

    @Option(name: .long, help: "D01 to D08; D98 and D99 count apart. D06 and D99 need a text.")
    var reason: String

    @Option(name: .long, help: "Use - to read the reason's words from standard input.")
    var text: String?

    @Option(name: .long, parsing: .upToNextOption, help: "Numbers of the items that are refused. Default: all.")
    var items: [Int] = []

    @Option(name: .long, help: "What becomes of the other items: adopt, or a reason.")
    var rest: String?

    @Flag(name: .long, help: "It was explained to the patient.")
    var explained = false

    func execute() async throws {
        let refused = Set(try MatchOptions.indexes(self.items))
        let reply = try await Deciding.decide(
            self.match,
            self.options,
            isExplained: self.explained,
            text: try self.words()
        ) { item -> String? in
            if refused.isEmpty || refused.contains(item) { return self.reason }
            return self.rest == "adopt" ? "" : self.rest
        }
        MatchAnswer(reply.match).answer.print(asJSON: self.options.json)
    }

    private func words() throws(CommandFailure) -> String? {
        guard let text = self.text else { return nil }
        guard text == "-" else {
            throw CommandFailure.usage(
                "text-on-command-line",
                "what a reason says in words must not stand on the command line",
                hint: "Use --text - and type it or pipe it in."
            )
        }
        guard let line = readLine(), !line.trimmingCharacters(in: .whitespaces).isEmpty else {
            throw CommandFailure.usage("text-missing", "no words were given", hint: "Write them as one line.")
        }
        return line
    }
}

struct CiteCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "cite",
        abstract: "Say that adopted results of a match were written into the patient's record."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var match: MatchOptions

    @Option(name: .long, parsing: .upToNextOption, help: "Numbers of the items. Default: all that were adopted.")
    var items: [Int] = []

    func execute() async throws {
        let request = try self.match.act(items: try MatchOptions.indexes(self.items))
        let reply = try await self.options.call { [request] in try await $0.cite(request) }
        MatchAnswer(reply.match).answer.print(asJSON: self.options.json)
    }
}

struct UndoCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Take the decision on a match back, while the policy pack allows it and nothing is cited."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var match: MatchOptions

    func execute() async throws {
        let request = try self.match.act()
        let reply = try await self.options.call { [request] in try await $0.undoDecision(request) }
        MatchAnswer(reply.match).answer.print(asJSON: self.options.json)
    }
}

struct CloseCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Put the reminder of a match away."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var match: MatchOptions

    func execute() async throws {
        let request = try self.match.act()
        let reply = try await self.options.call { [request] in try await $0.closeMatch(request) }
        MatchAnswer(reply.match).answer.print(asJSON: self.options.json)
    }
}

struct VoidCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "void",
        abstract: "Declare a record of this institution void: nobody decides for it or cites it from then on."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The record, as find prints it.")
    var record: String

    @Option(name: .long, help: "wrong-patient, wrong-specimen, wrong-result, withdrawn or other.")
    var reason: String

    @Option(name: .customLong("as"), help: "The clinician's credential file.")
    var credential: String

    func execute() async throws {
        var request = Entente_Api_V1_VoidRecordRequest()
        request.record = try Lists.digest(self.record, "record", "Copy it from find.")
        request.reason = self.reason
        request.credential = try CredentialFile(path: self.credential).credentialBytes
        _ = try await self.options.call { [request] in try await $0.voidRecord(request) }
        Answer(["record": self.record, "reason": self.reason], text: "Declared void: \(self.reason)")
            .print(asJSON: self.options.json)
    }
}

/// A decision over all items of a match.
private enum Deciding {
    /// `choice`: of an item by its index the reason, empty for an adoption; `nil` leaves it out.
    static func decide(
        _ match: MatchOptions,
        _ options: GlobalOptions,
        isExplained: Bool,
        text: String?,
        choice: @Sendable (UInt32) -> String?
    ) async throws -> Entente_Api_V1_MatchReply {
        var list = Entente_Api_V1_MatchesRequest()
        list.match = try match.id()
        var request = Entente_Api_V1_DecideRequest()
        request.match = list.match
        request.time = try match.milliseconds()
        request.credential = try CredentialFile(path: match.credential).credentialBytes
        request.explained = isExplained
        request.text = text ?? ""
        return try await options.call { [list, request] client in
            var request = request
            for index in try await client.matches(list).matches.first?.items.indices ?? 0..<0 {
                guard let reason = choice(UInt32(index)) else { continue }
                var item = Entente_Api_V1_ItemChoice()
                item.item = UInt32(index)
                item.reason = reason
                request.choices.append(item)
            }
            return try await client.decide(request)
        }
    }
}
