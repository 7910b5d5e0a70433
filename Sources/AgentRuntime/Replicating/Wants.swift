package import LedgerStore
package import Primitives
package import Records

/// Something that this agent should hold and does not.
package enum Want: Hashable, Sendable {
    /// A manifest or receipt manifest that the chain names.
    case manifest(ContentAddress, InstitutionID, ManifestKind, batch: UInt64)
    /// A custodian's envelope pages of a grant, from the first that is missing.
    case pages(GrantID, InstitutionID)
    /// The ciphertext of a granted record.
    case record(ContentAddress, InstitutionID)

    /// Who made it and so has it.
    package var origin: InstitutionID {
        switch self {
        case .manifest(_, let origin, _, _), .pages(_, let origin), .record(_, let origin): origin
        }
    }

    /// Lower comes first: a clinician waits for keys and records, nobody for a manifest.
    package var priority: Int {
        switch self {
        case .pages: 0
        case .record: 1
        case .manifest: 2
        }
    }

    /// The object, where it is known by address.
    package var address: ContentAddress? {
        switch self {
        case .manifest(let address, _, _, _), .record(let address, _): address
        case .pages: nil
        }
    }
}

/// The list of wants: what to ask whom for next, and when to ask again.
///
/// A value without a clock.
package struct WantList: Sendable {
    /// First and longest wait between two attempts at the same want, in milliseconds.
    private static let waitFirst: Int64 = 250
    private static let waitLast: Int64 = 60_000
    /// Requests under way at one peer, and in all.
    private static let perPeerMax = 2
    private static let inFlightMax = 8

    private struct Entry: Sendable {
        var attempts = 0
        /// Not before this time.
        var ready: Int64
        /// Order of arrival.
        var number: UInt64
        var isInFlight = false
    }

    private var entries: [Want: Entry] = [:]
    private var requests: [InstitutionID: Int] = [:]
    private var lastNumber: UInt64 = 0

    package init() {}

    package var count: Int { self.entries.count }

    package mutating func add(_ want: Want, now: Int64) {
        if var entry = self.entries[want] {
            // Asked for anew: no reason to wait any longer.
            entry.ready = min(entry.ready, now)
            entry.attempts = 0
            self.entries[want] = entry
            return
        }
        self.lastNumber += 1
        self.entries[want] = Entry(ready: now, number: self.lastNumber)
    }

    package mutating func remove(where condition: (Want) -> Bool) {
        self.entries = self.entries.filter { !condition($0.key) || $0.value.isInFlight }
    }

    /// What to ask one of `peers` for now: several objects, or the pages of one grant.
    ///
    /// `nil` when nothing is due.
    ///
    /// Manifests can be had from anyone who holds them, and are asked of others from the second attempt on.
    package mutating func next(peers: Set<InstitutionID>, objectsMax: Int, now: Int64) -> (InstitutionID, [Want])? {
        guard self.requests.values.reduce(0, +) < Self.inFlightMax else { return nil }
        let due = self.entries.filter { !$0.value.isInFlight && $0.value.ready <= now }
            .sorted { ($0.key.priority, $0.value.number) < ($1.key.priority, $1.value.number) }
        for (want, entry) in due {
            guard let peer = self.peer(for: want, entry, peers) else { continue }
            var chosen = [want]
            if want.address != nil {
                for (other, otherEntry) in due where chosen.count < objectsMax && other != want {
                    guard other.address != nil, self.peer(for: other, otherEntry, peers) == peer else { continue }
                    chosen.append(other)
                }
            }
            for want in chosen { self.entries[want]?.isInFlight = true }
            self.requests[peer, default: 0] += 1
            return (peer, chosen)
        }
        return nil
    }

    private func peer(for want: Want, _ entry: Entry, _ peers: Set<InstitutionID>) -> InstitutionID? {
        let isFree: (InstitutionID) -> Bool = { (self.requests[$0] ?? 0) < Self.perPeerMax }
        guard case .manifest = want, entry.attempts > 0 || !peers.contains(want.origin) else {
            return peers.contains(want.origin) && isFree(want.origin) ? want.origin : nil
        }
        // Takes turns among all, so that one that lies or lacks it costs one attempt.
        let candidates = peers.sorted()
        guard !candidates.isEmpty else { return nil }
        let candidate = candidates[entry.attempts % candidates.count]
        return isFree(candidate) ? candidate : nil
    }

    /// Ends a request: `satisfied` are gone, the others are asked for again later.
    package mutating func finished(_ peer: InstitutionID, _ wants: [Want], satisfied: Set<Want>, now: Int64) {
        self.requests[peer, default: 1] -= 1
        for want in wants {
            guard var entry = self.entries[want] else { continue }
            if satisfied.contains(want) {
                self.entries[want] = nil
                continue
            }
            entry.isInFlight = false
            let wait = min(Self.waitFirst << Int64(min(entry.attempts, 20)), Self.waitLast)
            // Spreads wants that failed together.
            entry.ready = now + wait + Int64(entry.number % 16) * wait / 64
            entry.attempts += 1
            self.entries[want] = entry
        }
    }

    /// A peer came: what waits for it is due at once.
    package mutating func connected(_ peer: InstitutionID, now: Int64) {
        for (want, entry) in self.entries where !entry.isInFlight {
            guard want.origin == peer || want.priority == 2 else { continue }
            self.entries[want]?.ready = min(entry.ready, now)
        }
    }

    /// When the next want is due, if any waits.
    package var nextDue: Int64? { self.entries.values.filter { !$0.isInFlight }.map(\.ready).min() }
}
