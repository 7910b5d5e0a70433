package import Oblivious
package import Primitives

/// A ceremony that gives institutions shares of the pseudonym key: who takes part, and how far it is.
///
/// Everything about it follows from the order of transactions and the times of their blocks.
package struct PseudonymCeremony: Hashable, Sendable {
    /// Ten of the windows in which an answer is awaited must have passed before the key is shared anew: nobody can keep
    /// the members busy.
    package static let restWindows: Int64 = 10

    /// How far it is.
    package enum Phase: UInt8, Sendable {
        /// Candidates name their keys. Can become `dealing`.
        case joining = 1
        /// Dealers deal. Can become `checking` or `failed`.
        case dealing = 2
        /// Holders check what they were dealt. Can become `done` or `failed`.
        case checking = 3
        /// Final.
        case done = 4
        /// Final; another ceremony may begin.
        case failed = 5
    }

    /// A future holder with its key for the ceremony; its index is its place in the list, counted from 1.
    package struct Member: Hashable, Sendable, CanonicalCodable {
        package var institution: InstitutionID
        package var key: RistrettoElement

        package init(institution: InstitutionID, key: RistrettoElement) {
            self.institution = institution
            self.key = key
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.institution)
            encoder.encode(self.key)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.institution = try decoder.decode()
            self.key = try decoder.decode()
        }
    }

    /// Who dealt, and whether a holder has proved the dealing wrong.
    package struct Dealer: Hashable, Sendable, CanonicalCodable {
        package var institution: InstitutionID
        package var isDisqualified: Bool

        package init(institution: InstitutionID, isDisqualified: Bool = false) {
            self.institution = institution
            self.isDisqualified = isDisqualified
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.institution)
            encoder.encode(self.isDisqualified)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.institution = try decoder.decode()
            self.isDisqualified = try decoder.decode()
        }
    }

    /// A dealing as it stands in the state.
    struct StoredDealing: CanonicalCodable {
        var ceremony: UInt32
        var dealing: Dealing

        init(ceremony: UInt32, dealing: Dealing) {
            self.ceremony = ceremony
            self.dealing = dealing
        }

        func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.ceremony)
            encoder.encode(self.dealing)
        }

        init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.ceremony = try decoder.decode()
            self.dealing = try decoder.decode()
        }
    }

    package var number: UInt32
    /// The generation that it leads to.
    package var generation: UInt32
    package var phase: Phase
    /// The time of the block that began the phase; while joining, of the last one that joined.
    package var since: Timestamp
    package var threshold: UInt16
    /// Who may become a holder: validators first, each part sorted.
    package var candidates: [InstitutionID]
    /// Who deals: the holders of the key as it is; for the first key whoever joined.
    package var dealersExpected: [InstitutionID]
    /// So many good dealings are needed.
    package var dealingsNeeded: UInt16
    package var members: [Member]
    /// In the order of their dealings.
    package var dealers: [Dealer]
    package var confirmed: [InstitutionID]

    package init(
        number: UInt32,
        generation: UInt32,
        since: Timestamp,
        threshold: UInt16,
        candidates: [InstitutionID],
        current: PseudonymKeyState?
    ) {
        self.number = number
        self.generation = generation
        self.phase = .joining
        self.since = since
        self.threshold = threshold
        self.candidates = candidates
        self.dealersExpected = current.map { $0.holders.map(\.institution) } ?? []
        self.dealingsNeeded = current?.threshold ?? threshold
        self.members = []
        self.dealers = []
        self.confirmed = []
    }

    /// Of `members`, sorted, those who may become holders: validators first.
    static func candidates(_ members: [(id: InstitutionID, isValidator: Bool)]) -> [InstitutionID] {
        let validators = members.filter(\.isValidator).map(\.id)
        let others = members.filter { !$0.isValidator }.map(\.id)
        return Array((validators + others).prefix(Dealing.holdersMax))
    }

    package var isOpen: Bool { self.phase != .done && self.phase != .failed }

    package var isResharing: Bool { self.generation > 1 }

    /// `nil` for who is no future holder.
    package func index(of institution: InstitutionID) -> UInt16? {
        self.members.firstIndex { $0.institution == institution }.map { UInt16($0 + 1) }
    }

    package var qualified: [InstitutionID] {
        self.dealers.filter { !$0.isDisqualified }.map(\.institution)
    }

    /// The phase that follows by rule at `time`; `nil` while the present one goes on.
    ///
    /// Whoever is missing is waited for during one `window` in milliseconds.
    package func due(at time: Timestamp, window: Int64) -> Phase? {
        let isLate = time.milliseconds - self.since.milliseconds >= window
        switch self.phase {
        case .joining:
            let isComplete = self.members.count == self.candidates.count
            return isComplete || isLate && self.members.count >= Int(self.threshold) ? .dealing : nil
        case .dealing:
            let isEnough = self.qualified.count >= Int(self.dealingsNeeded)
            if self.dealers.count == self.dealersExpected.count || isLate { return isEnough ? .checking : .failed }
            return nil
        case .checking:
            guard self.qualified.count >= Int(self.dealingsNeeded) else { return .failed }
            if self.confirmed.count == self.members.count { return .done }
            guard isLate else { return nil }
            return self.confirmed.count >= Int(self.threshold) ? .done : .failed
        case .done, .failed: return nil
        }
    }

    /// Enters `phase`.
    mutating func enter(_ phase: Phase, at time: Timestamp) {
        self.phase = phase
        self.since = time
        if phase == .dealing, !self.isResharing { self.dealersExpected = self.members.map(\.institution) }
    }
}

extension PseudonymCeremony: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.number)
        encoder.encode(self.generation)
        encoder.encode(self.phase.rawValue)
        encoder.encode(self.since)
        encoder.encode(self.threshold)
        encoder.encode(self.candidates)
        encoder.encode(self.dealersExpected)
        encoder.encode(self.dealingsNeeded)
        encoder.encode(self.members)
        encoder.encode(self.dealers)
        encoder.encode(self.confirmed)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.number = try decoder.decode()
        self.generation = try decoder.decode()
        guard let phase = Phase(rawValue: try decoder.decode()) else { throw .invalid }
        self.phase = phase
        self.since = try decoder.decode()
        self.threshold = try decoder.decode()
        self.candidates = try decoder.decodeArray(max: Dealing.holdersMax)
        self.dealersExpected = try decoder.decodeArray(max: Dealing.holdersMax)
        self.dealingsNeeded = try decoder.decode()
        self.members = try decoder.decodeArray(max: Dealing.holdersMax)
        self.dealers = try decoder.decodeArray(max: Dealing.holdersMax)
        self.confirmed = try decoder.decodeArray(max: Dealing.holdersMax)
    }
}
