import AgentRuntime
import ArgumentParser
import Foundation
import Primitives
import Records

struct InitCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a home with keys and a public card for an institution."
    )

    @OptionGroup var options: GlobalOptions

    @Option(name: .long, help: "Short name on the chain: a-z, 0-9 and -, at most 32.")
    var id: String

    @Option(name: .long, help: "The institution's name for people.")
    var name: String

    @Option(name: .long, help: "HOST:PORT at which other agents reach this one.")
    var listen: String

    @Option(name: .long, help: "Hospital level, such as 3A.")
    var level = ""

    @Option(name: .long, help: "GB/T 2260 area code, such as 330100.")
    var area = ""

    @Option(name: .long, help: "validator or verifier.")
    var role = "validator"

    @Flag(name: .long, help: "Protect the keys by a passphrase (asked for, or from $ENTENTE_PASSPHRASE_FILE).")
    var passphrase = false

    func execute() async throws {
        let layout = HomeLayout(root: self.options.homeURL)
        let wish = Founding.Wish(
            id: self.id,
            name: self.name,
            level: self.level,
            area: self.area,
            role: self.role,
            address: self.listen
        )
        let passphrase = self.passphrase ? try Passphrase.new() : nil
        let card = try Founding.initialise(layout, wish, passphrase: passphrase)
        Answer(
            ["institution": card.card.id.text, "card": layout.card.path],
            text: """
                Home of \(card.card.id.text) made in \(layout.root.path)
                Card: \(layout.card.path)
                Give the card to whoever founds the chain. Keep everything else in the home private.
                """
        ).print(asJSON: self.options.json)
    }
}

struct GenesisCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "genesis",
        abstract: "Found a chain from its members' cards."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The members' card files.")
    var cards: [String]

    @Option(name: .shortAndLong, help: "Where to write the genesis file, for every member.")
    var output: String

    @Option(name: .long, help: "A file of chain parameters, NAME=VALUE a line.")
    var policy: String?

    func execute() async throws {
        try PrivateFile.checkWritable(self.output)
        let cards = try self.cards.map { path in
            let bytes = try PrivateFile.read(path, bytesMax: CardFile.bytesMax, what: "the card \(path)")
            guard let card = try? CardFile(canonicalBytes: Array(bytes)) else {
                throw CommandFailure.usage("card", "\(path) is not a card", hint: "Use the file card of a home.")
            }
            return card
        }
        let parameters = try self.policy.map(PolicyFile.read) ?? ChainParameters()
        let genesis = try Founding.genesis(cards, parameters: parameters)
        try PrivateFile.write(Data(genesis.canonicalBytes), to: self.output)
        let faults = (genesis.validators.count - 1) / 3
        Answer(
            [
                "chain": genesis.chain.digest.hex, "validators": genesis.validators.map(\.id.text),
                "file": self.output,
            ],
            text: """
                Chain \(genesis.chain.digest.hex)
                \(genesis.members.count) members, \(genesis.validators.count) validators; \
                \(faults) may fail or lie at the same time
                Genesis: \(self.output). Give it to every member; each runs: entente join \(self.output)
                """
        ).print(asJSON: self.options.json)
    }
}

/// Chain parameters as an operator writes them.
enum PolicyFile {
    static func read(_ path: String) throws -> ChainParameters {
        let bytes = try PrivateFile.read(path, bytesMax: 64 << 10, what: "the policy file")
        var parameters = ChainParameters()
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.isEmpty || text.hasPrefix("#") { continue }
            let parts = text.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard parts.count == 2, Self.set(parts[0], parts[1], in: &parameters) else {
                throw CommandFailure.usage(
                    "policy",
                    "a line of the policy file cannot be read: \(text)",
                    hint:
                        "Names: message-delay-ms, block-bytes-max, transaction-bytes-max, replay-window-blocks, allow-self-witnessed-grants, pseudonym-threshold, pseudonym-window-ms, pseudonym-daily-quota."
                )
            }
        }
        // The bounds are those of the format itself.
        guard (try? ChainParameters(canonicalBytes: parameters.canonicalBytes)) == parameters else {
            throw CommandFailure.usage(
                "policy",
                "a parameter is out of its bounds",
                hint: "See Documentation/Operations."
            )
        }
        return parameters
    }

    private static func set(_ name: String, _ value: String, in parameters: inout ChainParameters) -> Bool {
        switch name {
        case "allow-self-witnessed-grants":
            guard let flag = Bool(value) else { return false }
            parameters.allowsSelfWitnessedGrants = flag
        case "pseudonym-threshold":
            guard let number = UInt16(value) else { return false }
            parameters.pseudonymThreshold = number
        case "pseudonym-window-ms", "pseudonym-daily-quota":
            guard let number = UInt32(value) else { return false }
            if name == "pseudonym-window-ms" {
                parameters.pseudonymWindowMilliseconds = number
            } else {
                parameters.pseudonymDailyQuota = number
            }
        case "message-delay-ms", "block-bytes-max", "transaction-bytes-max", "replay-window-blocks":
            guard let number = UInt32(value) else { return false }
            switch name {
            case "message-delay-ms": parameters.messageDelayMilliseconds = number
            case "block-bytes-max": parameters.blockBytesMax = number
            case "transaction-bytes-max": parameters.transactionBytesMax = number
            default: parameters.replayWindowBlocks = number
            }
        default: return false
        }
        return true
    }
}

struct JoinCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Tie this home to a chain."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The genesis file.")
    var genesis: String

    func execute() async throws {
        let bytes = try PrivateFile.read(self.genesis, bytesMax: Genesis.bytesMax, what: "the genesis file")
        let genesis = try Founding.join(HomeLayout(root: self.options.homeURL), Array(bytes))
        Answer(
            ["chain": genesis.chain.digest.hex],
            text:
                "Joined chain \(genesis.chain.digest.hex)\nCompare this name with the other members', then run: entente agent"
        ).print(asJSON: self.options.json)
    }
}
