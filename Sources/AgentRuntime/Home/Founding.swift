package import Foundation
import Ledger
import Primitives
package import Records
import Vault

/// What happens to a home before an agent runs on it: keys and card, genesis, and the tie between the two.
package enum Founding {
    /// What an operator says about a new institution.
    package struct Wish: Sendable {
        package var id: String
        package var name: String
        package var level: String
        package var area: String
        package var role: String
        package var address: String

        package init(id: String, name: String, level: String, area: String, role: String, address: String) {
            self.id = id
            self.name = name
            self.level = level
            self.area = area
            self.role = role
            self.address = address
        }
    }

    /// Makes a home with keys and a card.
    ///
    /// `passphrase`: `nil` keeps the master key in a file of the home.
    package static func initialise(
        _ layout: HomeLayout,
        _ wish: Wish,
        passphrase: [UInt8]?
    ) throws -> CardFile {
        guard let id = InstitutionID(wish.id) else {
            throw AgentFailure(
                .badRequest,
                "an institution's id is 1 to 32 of a-z, 0-9 and -, starting with a letter",
                hint: "Choose a short name such as hospital-a."
            )
        }
        guard let role = InstitutionRole(name: wish.role) else {
            throw AgentFailure(.badRequest, "a role is validator or verifier")
        }
        guard InstitutionsCall.isAddress(wish.address) else {
            throw AgentFailure(.badRequest, "the address is not HOST:PORT", hint: "Write --listen 10.1.2.3:9400.")
        }
        guard !wish.name.isEmpty, wish.name.utf8.count <= InstitutionCard.nameBytesMax,
            wish.level.utf8.count <= InstitutionCard.levelBytesMax, wish.area.utf8.count <= InstitutionCard.areaBytesMax
        else { throw AgentFailure(.badRequest, "the name, level or area is missing or too long") }
        try FileManager.default.createDirectory(
            at: layout.root,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let keys = try HomeKeys.create(home: layout.root.path, institution: id, passphrase: passphrase)
        let card = InstitutionCard(
            id: id,
            name: wish.name,
            level: wish.level,
            area: wish.area,
            role: role,
            address: wish.address,
            signingKey: keys.verifyingKey,
            encryptionKey: keys.encryptionKey,
            transportKeyDigest: keys.transportKeyDigest
        )
        let file = CardFile(card: card, signature: keys.sign(CardFile.signedBytes(card)))
        try Self.write(file.canonicalBytes, to: layout.card)
        return file
    }

    /// Founds a chain from its members' cards.
    ///
    /// The same cards and parameters give the same file, whoever founds it, in whatever order.
    package static func genesis(_ cards: [CardFile], parameters: ChainParameters) throws -> Genesis {
        guard !cards.isEmpty, cards.count <= Genesis.institutionsMax else {
            throw AgentFailure(.badRequest, "a chain has 1 to \(Genesis.institutionsMax) members")
        }
        for card in cards where !card.isSignatureValid {
            throw AgentFailure(
                .badRequest,
                "the card of \(card.card.id) was changed after it was made",
                hint: "Ask the institution for its card again."
            )
        }
        let genesis = Genesis(
            suite: .international,
            parameters: parameters,
            pseudonymScheme: .thresholdOblivious,
            members: cards.map { Genesis.Member(card: $0.card) }
        )
        guard genesis.isWellFormed else {
            throw AgentFailure(
                .badRequest,
                "the cards cannot form a chain: an id or key appears twice, or nobody is a validator",
                hint: "Give each institution's card once."
            )
        }
        return genesis
    }

    /// Ties a home to a chain.
    package static func join(_ layout: HomeLayout, _ bytes: [UInt8]) throws -> Genesis {
        let genesis = try Self.readGenesis(bytes)
        guard let file = try? CardFile(canonicalBytes: Self.read(layout.card, bytesMax: CardFile.bytesMax)) else {
            throw AgentFailure(.notReady, "this home has no card", hint: "Run entente init first.")
        }
        guard let card = genesis.card(of: file.card.id) else {
            throw AgentFailure(
                .badRequest,
                "this institution is not a member of the chain",
                hint: "Ask whoever founds the chain to include your card."
            )
        }
        guard card.signingKey == file.card.signingKey, card.encryptionKey == file.card.encryptionKey else {
            throw AgentFailure(
                .badRequest,
                "the chain lists this institution with other keys than this home's",
                hint: "The genesis file was made from another card, or the home was made anew."
            )
        }
        if let present = try? Self.read(layout.genesis, bytesMax: Genesis.bytesMax), present != bytes {
            throw AgentFailure(
                .badRequest,
                "this home belongs to another chain already",
                hint: "A home stays with its chain. Make another home for another chain."
            )
        }
        try Self.write(bytes, to: layout.genesis)
        return genesis
    }

    package static func readGenesis(_ bytes: [UInt8]) throws(AgentFailure) -> Genesis {
        do throws(CanonicalError) {
            return try Genesis(canonicalBytes: bytes)
        } catch {
            throw AgentFailure(.badRequest, "the file is not a genesis file", hint: "Use what entente genesis wrote.")
        }
    }

    package static func read(_ url: URL, bytesMax: Int) throws -> [UInt8] {
        let handle = try FileHandle(forReadingFrom: url)
        defer { try? handle.close() }
        let data = try handle.read(upToCount: bytesMax + 1) ?? Data()
        guard data.count <= bytesMax else { throw CanonicalError.overLimit }
        return Array(data)
    }

    /// Whole or not at all: a torn card or genesis would be found only when it is needed.
    package static func write(_ bytes: [UInt8], to url: URL) throws {
        let temporary = url.appendingPathExtension("part")
        try Data(bytes).write(to: temporary)
        let handle = try FileHandle(forWritingTo: temporary)
        try handle.synchronize()
        try handle.close()
        guard rename(temporary.path, url.path) == 0 else {
            throw AgentFailure(.internalError, "a file of the home cannot be written")
        }
    }

    /// Gives a damaged file another name, so that a new one takes its place and it can still be looked at.
    static func setAside(_ url: URL) throws {
        guard rename(url.path, url.appendingPathExtension("damaged").path) == 0 else {
            throw AgentFailure(.internalError, "a damaged file of the home cannot be set aside")
        }
    }
}
