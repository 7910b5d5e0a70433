import Oblivious
import Primitives
import Records

/// The calls of a ceremony, and what follows from them by rule.
extension PseudonymKeysCall {
    static func join(
        _ id: InstitutionID,
        _ number: UInt32,
        _ key: HolderKey,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        var ceremony: PseudonymCeremony
        let last: PseudonymCeremony? = try context.value(at: .pseudonymCeremony)
        if let last, last.isOpen {
            ceremony = last
        } else {
            let current: PseudonymKeyState? = try context.value(at: .pseudonymKey)
            guard current == nil else { throw TransactionRefusal(.pseudonymsWrongPhase) }
            ceremony = try Self.begin(after: last, current: nil, in: &context)
        }
        guard ceremony.number == number else {
            throw TransactionRefusal(.pseudonymsWrongNumber, detail: String(ceremony.number))
        }
        guard ceremony.phase == .joining else { throw TransactionRefusal(.pseudonymsWrongPhase) }
        guard ceremony.candidates.contains(id) else { throw TransactionRefusal(.pseudonymsNotCandidate) }
        guard ceremony.index(of: id) == nil else { throw TransactionRefusal(.pseudonymsRepeated) }
        guard key.isValid(context: Self.proofContext(number, context), holder: id) else {
            throw TransactionRefusal(.pseudonymsBadKey)
        }
        ceremony.members.append(PseudonymCeremony.Member(institution: id, key: key.element))
        ceremony.since = context.time
        try Self.save(ceremony, in: &context)
    }

    static func reshare(_ number: UInt32, in context: inout ExecutionContext) throws(TransactionRefusal) {
        guard let current: PseudonymKeyState = try context.value(at: .pseudonymKey),
            let last: PseudonymCeremony = try context.value(at: .pseudonymCeremony)
        else { throw TransactionRefusal(.pseudonymsNoKey) }
        // One that waits for members in vain does not stand in the way for ever.
        guard !last.isOpen || last.phase == .joining else { throw TransactionRefusal(.pseudonymsWrongPhase) }
        let rest = PseudonymCeremony.restWindows * Self.window(context)
        guard context.time.milliseconds - last.since.milliseconds >= rest else {
            throw TransactionRefusal(.pseudonymsTooSoon)
        }
        let ceremony = try Self.begin(after: last, current: current, in: &context)
        guard ceremony.number == number else {
            throw TransactionRefusal(.pseudonymsWrongNumber, detail: String(ceremony.number))
        }
        try Self.save(ceremony, in: &context)
    }

    static func deal(
        _ id: InstitutionID,
        _ number: UInt32,
        _ dealing: Dealing,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        var ceremony = try Self.ceremony(number, in: &context)
        guard ceremony.phase == .dealing else { throw TransactionRefusal(.pseudonymsWrongPhase) }
        guard ceremony.dealersExpected.contains(id) else { throw TransactionRefusal(.pseudonymsNotDealer) }
        guard !ceremony.dealers.contains(where: { $0.institution == id }) else {
            throw TransactionRefusal(.pseudonymsRepeated)
        }
        let isValid = dealing.isValid(
            context: Self.proofContext(number, context),
            dealer: id,
            threshold: Int(ceremony.threshold),
            holderCount: ceremony.members.count
        )
        guard isValid else { throw TransactionRefusal(.pseudonymsBadDealing) }
        if ceremony.isResharing {
            // What is dealt on is the share that the dealer holds, so that the key stays the same.
            let current: PseudonymKeyState? = try context.value(at: .pseudonymKey)
            guard current?.shareKey(of: id) == dealing.commitments.constant else {
                throw TransactionRefusal(.pseudonymsWrongConstant)
            }
        }
        ceremony.dealers.append(PseudonymCeremony.Dealer(institution: id))
        try context.write(
            PseudonymCeremony.StoredDealing(ceremony: number, dealing: dealing),
            at: .pseudonymDealing(id)
        )
        try Self.save(ceremony, in: &context)
    }

    static func complain(
        _ id: InstitutionID,
        _ number: UInt32,
        _ dealer: InstitutionID,
        _ complaint: Complaint,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        var ceremony = try Self.ceremony(number, in: &context)
        guard ceremony.phase == .dealing || ceremony.phase == .checking else {
            throw TransactionRefusal(.pseudonymsWrongPhase)
        }
        guard let index = ceremony.index(of: id) else { throw TransactionRefusal(.pseudonymsNotHolder) }
        guard let position = ceremony.dealers.firstIndex(where: { $0.institution == dealer }),
            !ceremony.dealers[position].isDisqualified,
            let stored: PseudonymCeremony.StoredDealing = try context.value(at: .pseudonymDealing(dealer))
        else { throw TransactionRefusal(.pseudonymsUnknownDealing) }
        let isJustified = complaint.isJustified(
            context: Self.proofContext(number, context),
            dealer: dealer,
            dealing: stored.dealing,
            holder: id,
            index: index,
            holderKey: ceremony.members[Int(index) - 1].key
        )
        guard isJustified else { throw TransactionRefusal(.pseudonymsFalseComplaint) }
        ceremony.dealers[position].isDisqualified = true
        try Self.save(ceremony, in: &context)
    }

    static func confirm(
        _ id: InstitutionID,
        _ number: UInt32,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        var ceremony = try Self.ceremony(number, in: &context)
        guard ceremony.phase == .checking else { throw TransactionRefusal(.pseudonymsWrongPhase) }
        guard ceremony.index(of: id) != nil else { throw TransactionRefusal(.pseudonymsNotHolder) }
        guard !ceremony.confirmed.contains(id) else { throw TransactionRefusal(.pseudonymsRepeated) }
        ceremony.confirmed.append(id)
        try Self.save(ceremony, in: &context)
    }

    static func ceremony(
        _ number: UInt32,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) -> PseudonymCeremony {
        guard let ceremony: PseudonymCeremony = try context.value(at: .pseudonymCeremony) else {
            throw TransactionRefusal(.pseudonymsWrongPhase)
        }
        guard ceremony.number == number else {
            throw TransactionRefusal(.pseudonymsWrongNumber, detail: String(ceremony.number))
        }
        return ceremony
    }

    private static func begin(
        after last: PseudonymCeremony?,
        current: PseudonymKeyState?,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) -> PseudonymCeremony {
        let ids = try context.value(InstitutionIDs.self, at: .institutionIDs)?.ids ?? []
        var members: [(InstitutionID, isValidator: Bool)] = []
        // Institutions beyond these many could not be read within the meter, and need not be.
        for id in ids.prefix(PseudonymKeysCall.membersReadMax) {
            guard let institution: InstitutionState = try context.value(at: .institution(id)) else { continue }
            members.append((id, institution.card.role == .validator))
        }
        let candidates = PseudonymCeremony.candidates(members)
        return PseudonymCeremony(
            number: (last?.number ?? 0) + 1,
            generation: (current?.generation ?? 0) + 1,
            since: context.time,
            threshold: context.parameters.pseudonymThreshold(holders: candidates.count),
            candidates: candidates,
            current: current
        )
    }

    /// A few reads are left for the ceremony itself.
    static let membersReadMax = 200

    private static func proofContext(_ number: UInt32, _ context: ExecutionContext) -> CeremonyContext {
        CeremonyContext(chain: context.chain, number: number)
    }

    /// Takes the ceremony as far as the rules say, and writes it.
    static func save(
        _ ceremony: PseudonymCeremony,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        var ceremony = ceremony
        while let phase = ceremony.due(at: context.time, window: Self.window(context)) {
            if phase == .done, try !Self.finish(ceremony, in: &context) {
                ceremony.enter(.failed, at: context.time)
            } else {
                ceremony.enter(phase, at: context.time)
            }
        }
        try context.write(ceremony, at: .pseudonymCeremony)
        context.emit(.pseudonymCeremonyChanged(number: ceremony.number))
    }

    /// Adds the dealings up and writes the key; `false` if they do not give one.
    private static func finish(
        _ ceremony: PseudonymCeremony,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) -> Bool {
        let current: PseudonymKeyState? = try context.value(at: .pseudonymKey)
        // More dealings than needed make a new key safer, and a key that is shared anew only larger sums.
        let dealers =
            ceremony.isResharing
            ? Array(ceremony.qualified.prefix(Int(ceremony.dealingsNeeded))) : ceremony.qualified
        var dealings: [Dealing] = []
        for dealer in dealers {
            guard let stored: PseudonymCeremony.StoredDealing = try context.value(at: .pseudonymDealing(dealer)) else {
                return false
            }
            dealings.append(stored.dealing)
        }
        let indexes = ceremony.isResharing ? dealers.compactMap { current?.index(of: $0) } : []
        let sharing: KeySharing = ceremony.isResharing ? .reshared(indexes) : .new
        guard let polynomial = sharing.polynomial(dealings), !polynomial.constant.isIdentity,
            current == nil || polynomial.constant == current?.publicKey
        else { return false }
        let holders = ceremony.members.enumerated().map { position, member in
            let key = polynomial.shareKey(UInt16(position + 1))
            return PseudonymKeyState.Holder(
                institution: member.institution,
                shareKey: key.isIdentity ? nil : key
            )
        }
        let key = PseudonymKeyState(
            generation: ceremony.generation,
            ceremony: ceremony.number,
            threshold: ceremony.threshold,
            publicKey: polynomial.constant,
            holders: holders,
            dealers: dealers,
            dealerIndexes: indexes,
            height: context.height,
            time: context.time
        )
        try context.write(key, at: .pseudonymKey)
        context.emit(.pseudonymKeyShared(generation: key.generation))
        return true
    }
}
