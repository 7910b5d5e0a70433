package import Primitives

/// The rules of a chain that its members agreed on; stands in every header as `parametersHash`.
package struct ChainParameters: Hashable, Sendable {
    /// Assumed bound on message delay between agents, in milliseconds.
    package var messageDelayMilliseconds: UInt32
    /// Largest block body in bytes.
    package var blockBytesMax: UInt32
    /// Largest transaction in bytes.
    package var transactionBytesMax: UInt32
    /// A transaction is valid for at most so many blocks ahead of the tip.
    package var replayWindowBlocks: UInt32
    /// Whether an institution may witness a grant to itself.
    ///
    /// Such grants are flagged wherever they show.
    package var allowsSelfWitnessedGrants: Bool
    /// So many holders of the pseudonym key must answer; 0 stands for more than half of them.
    package var pseudonymThreshold: UInt16
    /// How long a ceremony of the pseudonym key waits for whoever is missing, in milliseconds.
    package var pseudonymWindowMilliseconds: UInt32
    /// So many identifiers may one institution have evaluated in a day.
    package var pseudonymDailyQuota: UInt32

    package init(
        messageDelayMilliseconds: UInt32 = 100,
        blockBytesMax: UInt32 = 1 << 20,
        transactionBytesMax: UInt32 = 64 << 10,
        replayWindowBlocks: UInt32 = 1000,
        allowsSelfWitnessedGrants: Bool = true,
        pseudonymThreshold: UInt16 = 0,
        pseudonymWindowMilliseconds: UInt32 = 20_000,
        pseudonymDailyQuota: UInt32 = 200_000
    ) {
        self.messageDelayMilliseconds = messageDelayMilliseconds
        self.blockBytesMax = blockBytesMax
        self.transactionBytesMax = transactionBytesMax
        self.replayWindowBlocks = replayWindowBlocks
        self.allowsSelfWitnessedGrants = allowsSelfWitnessedGrants
        self.pseudonymThreshold = pseudonymThreshold
        self.pseudonymWindowMilliseconds = pseudonymWindowMilliseconds
        self.pseudonymDailyQuota = pseudonymDailyQuota
    }

    /// How many of `holders` must answer: the number that the chain names, or more than half, and never more than all.
    package func pseudonymThreshold(holders: Int) -> UInt16 {
        let majority = UInt16(clamping: holders / 2 + 1)
        let wanted = self.pseudonymThreshold == 0 ? majority : self.pseudonymThreshold
        return max(1, min(wanted, UInt16(clamping: holders)))
    }

    package var hash: Digest { Digest(hashing: Array("entente/params\0".utf8) + self.canonicalBytes) }
}

extension ChainParameters: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.messageDelayMilliseconds)
        encoder.encode(self.blockBytesMax)
        encoder.encode(self.transactionBytesMax)
        encoder.encode(self.replayWindowBlocks)
        encoder.encode(self.allowsSelfWitnessedGrants)
        encoder.encode(self.pseudonymThreshold)
        encoder.encode(self.pseudonymWindowMilliseconds)
        encoder.encode(self.pseudonymDailyQuota)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.messageDelayMilliseconds = try decoder.decode()
        self.blockBytesMax = try decoder.decode()
        self.transactionBytesMax = try decoder.decode()
        self.replayWindowBlocks = try decoder.decode()
        self.allowsSelfWitnessedGrants = try decoder.decode()
        self.pseudonymThreshold = try decoder.decode()
        self.pseudonymWindowMilliseconds = try decoder.decode()
        self.pseudonymDailyQuota = try decoder.decode()
        // Bounds within which timers, frames and memory stay sensible.
        guard (10...30_000).contains(self.messageDelayMilliseconds),
            (64 << 10...4 << 20).contains(self.blockBytesMax),
            (4 << 10...self.blockBytesMax / 2).contains(self.transactionBytesMax),
            (16...100_000).contains(self.replayWindowBlocks),
            self.pseudonymThreshold <= 32,
            (1000...7 * 86_400_000).contains(self.pseudonymWindowMilliseconds), self.pseudonymDailyQuota > 0
        else { throw .invalid }
    }
}

/// The founding document of a chain.
///
/// Its digest is the chain's name, and whoever holds it can verify evidence.
package struct Genesis: Hashable, Sendable {
    private static let magic = Array("ENTGENE1".utf8)
    package static let institutionsMax = 1024
    package static let bytesMax = 4 << 20

    /// A founding member.
    package struct Member: Hashable, Sendable, CanonicalCodable {
        package var card: InstitutionCard

        package init(card: InstitutionCard) { self.card = card }

        package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.card) }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) { self.card = try decoder.decode() }
    }

    package var suite: SuiteID
    package var parameters: ChainParameters
    package var pseudonymScheme: PatientPseudonym.Scheme
    /// Ordered by institution id, each id, signing key and transport key once, at least one validator.
    package var members: [Member]

    package init(
        suite: SuiteID,
        parameters: ChainParameters,
        pseudonymScheme: PatientPseudonym.Scheme,
        members: [Member]
    ) {
        self.suite = suite
        self.parameters = parameters
        self.pseudonymScheme = pseudonymScheme
        self.members = members.sorted { $0.card.id < $1.card.id }
    }

    package var chain: ChainID { ChainID(Digest(hashing: Array("entente/chain\0".utf8) + self.canonicalBytes)) }

    package var validators: [InstitutionCard] { self.members.map(\.card).filter { $0.role == .validator } }

    package func card(of id: InstitutionID) -> InstitutionCard? { self.members.first { $0.card.id == id }?.card }

    /// Whether the members can form a chain: no id, signing key or transport key twice, and somebody votes.
    package var isWellFormed: Bool {
        let cards = self.members.map(\.card)
        return zip(cards, cards.dropFirst()).allSatisfy { $0.id < $1.id }
            && Set(cards.map(\.signingKey)).count == cards.count
            && Set(cards.map(\.transportKeyDigest)).count == cards.count
            && cards.contains { $0.role == .validator }
    }
}

extension Genesis: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(fixed: Self.magic)
        encoder.encode(self.suite)
        encoder.encode(self.parameters)
        encoder.encode(self.pseudonymScheme.rawValue)
        encoder.encode(self.members)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(fixed: Self.magic.count) == Self.magic else { throw .invalid }
        self.suite = try decoder.decode()
        self.parameters = try decoder.decode()
        guard let scheme = PatientPseudonym.Scheme(rawValue: try decoder.decode(UInt8.self)) else { throw .invalid }
        self.pseudonymScheme = scheme
        self.members = try decoder.decodeArray(max: Self.institutionsMax)
        guard self.suite == .international, self.isWellFormed else { throw .invalid }
    }
}
