package import Oblivious
package import Primitives

/// The shared pseudonym key as everybody knows it: who holds shares, and what their answers are checked against.
package struct PseudonymKeyState: Hashable, Sendable {
    /// A holder; its index is its place in the list, counted from 1.
    package struct Holder: Hashable, Sendable, CanonicalCodable {
        package var institution: InstitutionID
        /// The generator times its share; `nil` for the share zero, which only a holder that cheats itself can get.
        package var shareKey: RistrettoElement?

        package init(institution: InstitutionID, shareKey: RistrettoElement?) {
            self.institution = institution
            self.shareKey = shareKey
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.institution)
            encoder.encode(self.shareKey)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.institution = try decoder.decode()
            self.shareKey = try decoder.decodeOptional()
        }
    }

    /// Counts the sharings of the key from 1; the key itself never changes.
    package var generation: UInt32
    /// The ceremony that gave these shares.
    package var ceremony: UInt32
    /// So many holders must answer.
    package var threshold: UInt16
    package var publicKey: RistrettoElement
    package var holders: [Holder]
    /// Whose dealings of the ceremony add up to the shares, in the order in which they stand on the chain.
    package var dealers: [InstitutionID]
    /// The dealers' indexes in the generation before; empty for the first.
    package var dealerIndexes: [UInt16]
    package var height: Height
    package var time: Timestamp

    package init(
        generation: UInt32,
        ceremony: UInt32,
        threshold: UInt16,
        publicKey: RistrettoElement,
        holders: [Holder],
        dealers: [InstitutionID],
        dealerIndexes: [UInt16],
        height: Height,
        time: Timestamp
    ) {
        self.generation = generation
        self.ceremony = ceremony
        self.threshold = threshold
        self.publicKey = publicKey
        self.holders = holders
        self.dealers = dealers
        self.dealerIndexes = dealerIndexes
        self.height = height
        self.time = time
    }

    /// `nil` for who holds no share.
    package func index(of institution: InstitutionID) -> UInt16? {
        self.holders.firstIndex { $0.institution == institution }.map { UInt16($0 + 1) }
    }

    package func shareKey(of institution: InstitutionID) -> RistrettoElement? {
        self.holders.first { $0.institution == institution }?.shareKey
    }

    /// How the dealings add up.
    package var sharing: KeySharing { self.generation == 1 ? .new : .reshared(self.dealerIndexes) }
}

extension PseudonymKeyState: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.generation)
        encoder.encode(self.ceremony)
        encoder.encode(self.threshold)
        encoder.encode(self.publicKey)
        encoder.encode(self.holders)
        encoder.encode(self.dealers)
        encoder.encode(length: self.dealerIndexes.count)
        for index in self.dealerIndexes { encoder.encode(index) }
        encoder.encode(self.height)
        encoder.encode(self.time)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.generation = try decoder.decode()
        self.ceremony = try decoder.decode()
        self.threshold = try decoder.decode()
        self.publicKey = try decoder.decode()
        self.holders = try decoder.decodeArray(max: Dealing.holdersMax)
        self.dealers = try decoder.decodeArray(max: Dealing.holdersMax)
        var indexes: [UInt16] = []
        for _ in 0..<(try decoder.decodeLength(max: Dealing.holdersMax)) { indexes.append(try decoder.decode()) }
        self.dealerIndexes = indexes
        self.height = try decoder.decode()
        self.time = try decoder.decode()
    }
}

/// How many evaluations an institution asked for on the last two days that it asked on.
package struct PseudonymUsage: Hashable, Sendable {
    static let daysMax = 2
    /// The holders of one day, also if the key moves to entirely other holders on it.
    static let evaluatorsMax = 2 * Dealing.holdersMax

    /// One evaluator's count.
    package struct Count: Hashable, Sendable, CanonicalCodable {
        package var evaluator: InstitutionID
        package var total: UInt64

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.evaluator)
            encoder.encode(self.total)
        }

        package init(evaluator: InstitutionID, total: UInt64) {
            self.evaluator = evaluator
            self.total = total
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.evaluator = try decoder.decode()
            self.total = try decoder.decode()
        }
    }

    /// What the evaluators served on one day.
    package struct Day: Hashable, Sendable, CanonicalCodable {
        package var day: UInt32
        package var counts: [Count]

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.day)
            encoder.encode(self.counts)
        }

        package init(day: UInt32, counts: [Count]) {
            self.day = day
            self.counts = counts
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.day = try decoder.decode()
            self.counts = try decoder.decodeArray(max: PseudonymUsage.evaluatorsMax)
        }
    }

    /// Oldest first.
    package var days: [Day]

    package init(days: [Day] = []) { self.days = days }

    package func counts(on day: UInt32) -> [Count] { self.days.first { $0.day == day }?.counts ?? [] }

    /// How many identifiers these evaluations can have been about, at most.
    ///
    /// An identifier takes `answers` of others: as many as the threshold, one less where the institution holds a share
    /// itself. No evaluator counts for more than the quota: one that lies cannot use up another institution's day alone.
    package func identifiers(on day: UInt32, answers: UInt16, quota: UInt64) -> UInt64 {
        let total = self.counts(on: day).reduce(UInt64(0)) { $0 + min($1.total, quota) }
        return total / UInt64(max(answers, 1))
    }
}

extension PseudonymUsage: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.days) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.days = try decoder.decodeArray(max: Self.daysMax)
    }
}

extension Timestamp {
    /// The day of the daily quotas, in UTC, counted from 1970.
    package var pseudonymDay: UInt32 { UInt32(clamping: max(self.milliseconds, 0) / 86_400_000) }
}

extension StateKey {
    static let pseudonymKey = StateKey(.pseudonymKeys, tag: 1)
    static let pseudonymCeremony = StateKey(.pseudonymKeys, tag: 2)

    /// One place for each dealer: a dealing of a later ceremony takes the place of the one before.
    static func pseudonymDealing(_ dealer: InstitutionID) -> StateKey { StateKey(.pseudonymKeys, tag: 3, dealer) }

    static func pseudonymUsage(_ requester: InstitutionID) -> StateKey {
        StateKey(.pseudonymKeys, tag: 4, requester)
    }
}

extension StateReading {
    package var pseudonymKey: PseudonymKeyState? { self.value(at: .pseudonymKey) }

    /// The ceremony that is going on, or the last one.
    package var pseudonymCeremony: PseudonymCeremony? { self.value(at: .pseudonymCeremony) }

    /// A dealer's dealing of this ceremony.
    package func pseudonymDealing(_ dealer: InstitutionID, ceremony: UInt32) -> Dealing? {
        let stored: PseudonymCeremony.StoredDealing? = self.value(at: .pseudonymDealing(dealer))
        return stored?.ceremony == ceremony ? stored?.dealing : nil
    }

    /// How many identifiers an institution can have had evaluated on `day`, by what the evaluators reported.
    package func pseudonymIdentifiers(_ requester: InstitutionID, on day: UInt32, quota: UInt64) -> UInt64 {
        guard let key = self.pseudonymKey else { return 0 }
        let own: UInt16 = key.shareKey(of: requester) == nil ? 0 : 1
        let answers = key.threshold - own
        return self.pseudonymUsage(requester).identifiers(on: day, answers: answers, quota: quota)
    }

    package func pseudonymUsage(_ requester: InstitutionID) -> PseudonymUsage {
        self.value(at: .pseudonymUsage(requester)) ?? PseudonymUsage()
    }
}
