internal import Oblivious
package import Primitives
internal import Records

/// What an institution has to do next about the pseudonym key, by what stands on the chain and what its home holds.
///
/// Decided anew after every block and every little while; doing something twice is refused by the chain.
package enum PseudonymDuty: Hashable, Sendable {
    case join(number: UInt32)
    case deal
    /// Look at what was dealt: complain, or confirm.
    case check
    case advance
    /// Take over the share that the last ceremony gave.
    case adopt
    /// Destroy a share of a generation that has passed, since there is no other.
    case leave
    case reshare(number: UInt32)
    case nothing

    /// What the home holds.
    package struct Home: Sendable {
        package var institution: InstitutionID
        /// The generation of its share.
        package var generation: UInt32?
        /// The ceremony for which it has drawn a key.
        package var takesPartIn: UInt32?
        /// A generation of which it found that its share is not there to be had.
        package var lostGeneration: UInt32?

        package init(
            institution: InstitutionID,
            generation: UInt32?,
            takesPartIn: UInt32?,
            lostGeneration: UInt32? = nil
        ) {
            self.institution = institution
            self.generation = generation
            self.takesPartIn = takesPartIn
            self.lostGeneration = lostGeneration
        }
    }

    /// Members wait for each other by this much, so that one of them says what all see.
    private static let staggerMilliseconds: Int64 = 2_000
    /// A block's time may be behind the clock of whoever asks for it.
    private static let slackMilliseconds: Int64 = 500

    package static func next(
        _ state: some StateReading,
        _ home: Home,
        window: Int64,
        now: Timestamp
    ) -> PseudonymDuty {
        let key = state.pseudonymKey
        if let key, let duty = Self.afterwards(key, home) { return duty }
        guard let ceremony = state.pseudonymCeremony, ceremony.isOpen else {
            return Self.begin(state, key, home, window: window, now: now)
        }
        if let duty = Self.step(ceremony, key, home) { return duty }
        let place = Int64(ceremony.candidates.firstIndex(of: home.institution) ?? ceremony.candidates.count)
        let late = now.advanced(byMilliseconds: -Self.slackMilliseconds - place * Self.staggerMilliseconds)
        return ceremony.due(at: late, window: window) == nil ? .nothing : .advance
    }

    /// What is left to do when the key has been shared.
    private static func afterwards(_ key: PseudonymKeyState, _ home: Home) -> PseudonymDuty? {
        guard home.generation != key.generation, home.lostGeneration != key.generation else { return nil }
        if key.shareKey(of: home.institution) != nil { return .adopt }
        return home.generation == nil ? nil : .leave
    }

    /// This institution's next step in a ceremony that goes on.
    private static func step(
        _ ceremony: PseudonymCeremony,
        _ key: PseudonymKeyState?,
        _ home: Home
    ) -> PseudonymDuty? {
        let id = home.institution
        switch ceremony.phase {
        case .joining:
            guard ceremony.candidates.contains(id), ceremony.index(of: id) == nil else { return nil }
            return .join(number: ceremony.number)
        case .dealing:
            guard ceremony.dealersExpected.contains(id), !ceremony.dealers.contains(where: { $0.institution == id }),
                key == nil || home.generation == key?.generation
            else { return nil }
            return .deal
        case .checking:
            guard ceremony.index(of: id) != nil, !ceremony.confirmed.contains(id),
                home.takesPartIn == ceremony.number
            else { return nil }
            return .check
        case .done, .failed: return nil
        }
    }

    /// A new ceremony, where one is called for: for the first key, or because this institution should be a holder.
    private static func begin(
        _ state: some StateReading,
        _ key: PseudonymKeyState?,
        _ home: Home,
        window: Int64,
        now: Timestamp
    ) -> PseudonymDuty {
        let last = state.pseudonymCeremony
        let number = (last?.number ?? 0) + 1
        guard let place = state.pseudonymCandidates.firstIndex(of: home.institution) else { return .nothing }
        guard let key, let last else { return .join(number: number) }
        let lacks = key.index(of: home.institution) == nil || home.lostGeneration == key.generation
        let rest = PseudonymCeremony.restWindows * window + Int64(place + 1) * Self.staggerMilliseconds
        guard lacks, now.milliseconds - last.since.milliseconds >= rest else { return .nothing }
        return .reshare(number: number)
    }
}

extension StateReading {
    /// Who may become a holder: validators first, each part sorted, at most 32.
    package var pseudonymCandidates: [InstitutionID] {
        let members = self.institutionIDs.prefix(PseudonymKeysCall.membersReadMax).compactMap { self.institution($0) }
        return PseudonymCeremony.candidates(members.map { ($0.card.id, $0.card.role == .validator) })
    }
}
