package import Primitives
package import Records

/// What does not fit about an entry of a local chain.
package enum OfflineBreak: UInt8, Hashable, CaseIterable, Sendable, CanonicalCodable {
    /// Entries before it are missing.
    case gap = 1
    /// It follows another entry than the one known, or stands in the place of one: the local chain was copied back.
    case fork = 2
    /// It says that it was written before the one before it.
    case clock = 3

    /// The stable name that answers and scripts use.
    package var name: String {
        switch self {
        case .gap: "gap"
        case .fork: "fork"
        case .clock: "clock"
        }
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let value = Self(rawValue: try decoder.decode()) else { throw .invalid }
        self = value
    }
}

/// How far the ledger knows an institution's local chain.
package struct OfflineHead: Hashable, Sendable, CanonicalCodable {
    package var next: UInt64
    /// ``OfflineEntry/digest`` of the entry before.
    package var previous: Digest
    package var time: Timestamp
    /// Entries that did not fit.
    package var breaks: UInt32

    package init(
        next: UInt64 = 0,
        previous: Digest = .zero,
        time: Timestamp = Timestamp(milliseconds: .min),
        breaks: UInt32 = 0
    ) {
        self.next = next
        self.previous = previous
        self.time = time
        self.breaks = breaks
    }

    /// What does not fit about `entry`; `nil` if all does.
    package func mismatch(_ entry: OfflineEntry) -> OfflineBreak? {
        if entry.number > self.next { return .gap }
        if entry.number < self.next || entry.previous != self.previous { return .fork }
        return entry.time < self.time ? .clock : nil
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.next)
        encoder.encode(self.previous)
        encoder.encode(self.time)
        encoder.encode(self.breaks)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.next = try decoder.decode()
        self.previous = try decoder.decode()
        self.time = try decoder.decode()
        self.breaks = try decoder.decode()
    }
}

extension EmergencyState {
    /// Where a case stands in its institution's local chain.
    package struct Offline: Hashable, Sendable, CanonicalCodable {
        package var number: UInt64
        /// When it was declared, by the institution's clock.
        package var time: Timestamp
        /// Records opened under it without contact.
        package var uses: UInt32
        /// The first thing that did not fit about the case's entries.
        package var broken: OfflineBreak?

        package init(number: UInt64, time: Timestamp, uses: UInt32 = 0, broken: OfflineBreak? = nil) {
            self.number = number
            self.time = time
            self.uses = uses
            self.broken = broken
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.number)
            encoder.encode(self.time)
            encoder.encode(self.uses)
            encoder.encode(self.broken)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.number = try decoder.decode()
            self.time = try decoder.decode()
            self.uses = try decoder.decode()
            self.broken = try decoder.decodeOptional()
        }
    }
}

// An entry that does not fit is taken all the same, and marked: what was opened must be known, above all if somebody
// tampered with the chain that says so.
extension EmergencyCall {
    static func reconcile(_ entry: OfflineEntry, in context: inout ExecutionContext) throws(TransactionRefusal) {
        let institution = entry.institution
        try context.require(signers: [.institution(institution)], else: .emergencyWrongSigner)
        guard let member: InstitutionState = try context.value(at: .institution(institution)) else {
            throw TransactionRefusal(.emergencyWrongSigner)
        }
        guard member.card.signingKey.isValid(entry.signature, over: entry.signedBytes(chain: context.chain)) else {
            throw TransactionRefusal(.emergencyOfflineBadSignature)
        }
        let digest = entry.digest
        guard try !context.exists(.offlineEntry(institution, digest)) else {
            throw TransactionRefusal(.emergencyOfflineKnown)
        }
        let latest = context.time.milliseconds.addingReportingOverflow(Self.startToleranceMilliseconds)
        guard latest.overflow || entry.time.milliseconds <= latest.partialValue else {
            throw TransactionRefusal(.emergencyOfflineFuture)
        }
        var head = try context.value(OfflineHead.self, at: .offlineHead(institution)) ?? OfflineHead()
        let broken = head.mismatch(entry)
        switch entry.content {
        case .opening(let opening, let clinician, let approver):
            try Self.addOffline(opening, (clinician, approver), entry, broken, in: &context)
        case .use(let id, _): try Self.addUse(id, entry, broken, in: &context)
        }
        if broken != nil { head.breaks = head.breaks.addingReportingOverflow(1).partialValue }
        // The longer chain stays the one to follow: a copied-back one is a fork as long as it is behind.
        if entry.number >= head.next {
            let (next, overflow) = entry.number.addingReportingOverflow(1)
            guard !overflow else { throw TransactionRefusal(.emergencyOfflineBadUse) }
            head.next = next
            head.previous = digest
            head.time = max(head.time, entry.time)
        }
        try context.write(head, at: .offlineHead(institution))
        try context.write(context.height, at: .offlineEntry(institution, digest))
    }

    private static func addOffline(
        _ opening: BreakGlass,
        _ signatures: (clinician: Signature, approver: Signature?),
        _ entry: OfflineEntry,
        _ broken: OfflineBreak?,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        guard try Self.checkShape(opening) == entry.institution else { throw TransactionRefusal(.emergencyBadGrant) }
        let message = opening.offlineSignedBytes(chain: context.chain)
        guard opening.clinician.isValid(signatures.clinician, over: message),
            (opening.approver != nil) == (signatures.approver != nil)
        else { throw TransactionRefusal(.emergencyOfflineBadSignature) }
        if let approver = opening.approver, let signature = signatures.approver {
            guard approver.isValid(signature, over: message) else {
                throw TransactionRefusal(.emergencyOfflineBadSignature)
            }
        }
        try Self.checkPeriod(opening.grant, around: entry.time)
        try Self.checkSizes(opening)
        // Everything is opened under the ledger's eyes only.
        guard opening.widens == nil else { throw TransactionRefusal(.emergencyNothingToWiden) }
        let state = EmergencyState(
            opening: opening,
            createdHeight: context.height,
            createdTime: context.time,
            offline: EmergencyState.Offline(number: entry.number, time: entry.time, broken: broken)
        )
        try Self.add(state, at: entry.institution, in: &context)
    }

    private static func addUse(
        _ id: GrantID,
        _ entry: OfflineEntry,
        _ broken: OfflineBreak?,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        guard var state: EmergencyState = try context.value(at: .emergency(id)), var offline = state.offline,
            state.opening.grant.grantor == .emergency(entry.institution)
        else { throw TransactionRefusal(.emergencyUnknown) }
        guard entry.time < state.opening.grant.notAfter else { throw TransactionRefusal(.emergencyOfflineBadUse) }
        offline.uses = offline.uses.addingReportingOverflow(1).partialValue
        offline.broken = offline.broken ?? broken
        state.offline = offline
        try context.write(state, at: .emergency(id))
    }
}
