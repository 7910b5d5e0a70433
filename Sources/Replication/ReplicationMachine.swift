package import Primitives
internal import Records

/// Decides what to fetch from whom, until this agent lacks nothing that a connected peer has.
///
/// Guarantees: no want is fetched twice at once; the limits hold; more urgent wants go first and wants of equal urgency
/// take turns by origin; a peer that fails, refuses or lies delays a want only until the next source is asked; without
/// wants there is no timer and no effect. It keeps nothing across a restart: the driver lists what its stores lack.
///
/// Owned by one agent value; no clock, no randomness but the seed.
package struct ReplicationMachine: Sendable {
    private struct Peer: Sendable {
        var isUp = false
        var inFlight = 0
        var failures = 0
        var wrongs = 0
        /// Nothing but interactive wants before this time.
        var notBefore = Timestamp(milliseconds: .min)
        /// Nothing at all before this time.
        var distrustedUntil = Timestamp(milliseconds: .min)
    }

    private struct Item: Sendable {
        enum State: Sendable {
            /// Can become `inFlight`, `delayed` or `queued` for the next source.
            case queued
            /// At the source with this number. Can become `queued`, `delayed` or `idle`, or the want is satisfied.
            case inFlight(Int)
            /// Can become `queued`.
            case delayed
            /// Pages only: asked again when the custodian commits a batch. Can become `queued`.
            case idle
        }

        var priority: FetchPriority
        var sources: [InstitutionID]
        var state = State.idle
        var ticket: UInt64 = 0
        /// Rounds through all sources without success.
        var rounds = 0
        /// Pages only: the first page to ask for.
        var page: UInt32 = 0
        /// Pages only: how often to ask again without being told of anything new.
        var checks = 0
    }

    /// A custodian wraps keys some time after the block that makes it do so: it is asked again after 1, 2, 4 … 64 s.
    private static let pageChecks = 7
    private static let pageCheckMilliseconds: Int64 = 1_000

    private let limits: ReplicationLimits
    private var backoff: Backoff
    private var peers: [InstitutionID: Peer] = [:]
    private var items: [FetchKey: Item] = [:]
    /// By priority, then by sources.
    private var lanes: [[[InstitutionID]: Lane]]
    /// By priority: the lanes that are not empty, in the order of their turns.
    private var turns: [[[InstitutionID]]]
    private var delayed = DelayedTickets()
    /// Grants of which pages are asked for, in the order in which they began.
    private var followed: [(grant: GrantID, custodian: InstitutionID)] = []
    /// Fetches under way for what is not wanted any more.
    private var orphans: [FetchKey: InstitutionID] = [:]
    private var inFlight = 0
    private var nextTicket: UInt64 = 0
    private var timer: Timestamp?
    private var hasTurnedAway = false
    private var effects: [ReplicationEffect] = []

    package init(seed: UInt64, limits: ReplicationLimits = ReplicationLimits()) {
        self.limits = limits
        self.backoff = Backoff(seed: seed)
        self.lanes = Array(repeating: [:], count: FetchPriority.allCases.count)
        self.turns = Array(repeating: [], count: FetchPriority.allCases.count)
    }

    /// Objects that are wanted and grants that are followed.
    package var wantCount: Int { self.items.count }

    /// Objects that are wanted.
    package var lackingObjects: Int { self.items.count - self.followed.count }

    package mutating func step(_ input: ReplicationInput, now: Timestamp) -> [ReplicationEffect] {
        self.effects = []
        switch input {
        case .wanted(let wants): for want in wants { self.want(want) }
        case .unwanted(let address): self.forget(.object(address))
        case .grantBegan(let grant, let custodian, let page): self.follow(grant, custodian, page)
        case .grantEnded(let grant):
            for entry in self.followed where entry.grant == grant { self.forget(.pages(grant, entry.custodian)) }
            self.followed.removeAll { $0.grant == grant }
        case .batchCommitted(let institution):
            for entry in self.followed where entry.custodian == institution {
                self.askAgain(.pages(entry.grant, institution))
            }
        case .peerUp(let peer): self.peerUp(peer)
        case .peerDown(let peer): self.peers[peer, default: Peer()].isUp = false
        case .stored(let address, let peer): self.stored(address, peer)
        case .notFetched(let address, let peer, let failure):
            self.failed(.object(address), peer, failure, now: now)
        case .pagesStored(let grant, let peer, let next, let isLast):
            self.pagesStored(.pages(grant, peer), peer, next, isLast, now: now)
        case .pagesNotFetched(let grant, let peer, let failure):
            self.failed(.pages(grant, peer), peer, failure, now: now)
        case .timer: break
        }
        self.releaseDue(now)
        for priority in FetchPriority.allCases { self.dispatch(priority, now: now) }
        self.arm(now)
        if self.hasTurnedAway, self.items.count <= self.limits.wants / 2 {
            self.hasTurnedAway = false
            self.effects.append(.listAgain)
        }
        return self.effects
    }

    // MARK: Wants

    private mutating func want(_ want: Want) {
        precondition(!want.sources.isEmpty, "an object has an origin")
        let key = FetchKey.object(want.address)
        guard var item = self.items[key] else {
            guard self.items.count < self.limits.wants || want.priority == .interactive else {
                self.hasTurnedAway = true
                return
            }
            self.items[key] = Item(priority: want.priority, sources: want.sources)
            self.enqueue(key, at: 0)
            return
        }
        // Behind those that are known, whose places in the list must stay.
        let added = want.sources.filter { !item.sources.contains($0) }
        item.sources += added
        guard want.priority < item.priority else {
            self.items[key] = item
            return
        }
        item.priority = want.priority
        if case .inFlight = item.state {
            // The answer under way may be all that is needed; its source's place in the list must stay.
            self.items[key] = item
            return
        }
        self.items[key] = item
        self.enqueue(key, at: 0)
    }

    private mutating func follow(_ grant: GrantID, _ custodian: InstitutionID, _ page: UInt32) {
        let key = FetchKey.pages(grant, custodian)
        if self.items[key] == nil {
            self.items[key] = Item(priority: .grantPages, sources: [custodian], page: page)
            self.followed.append((grant, custodian))
        }
        self.askAgain(key)
    }

    private mutating func askAgain(_ key: FetchKey) {
        guard var item = self.items[key] else { return }
        item.checks = Self.pageChecks
        self.items[key] = item
        switch item.state {
        case .idle, .delayed: self.enqueue(key, at: 0)
        case .queued, .inFlight: break
        }
    }

    private mutating func forget(_ key: FetchKey) {
        guard let item = self.items.removeValue(forKey: key) else { return }
        // A fetch under way is answered all the same, and counts until then.
        if case .inFlight(let source) = item.state { self.orphans[key] = item.sources[source] }
    }

    // MARK: Peers and answers

    private mutating func peerUp(_ peer: InstitutionID) {
        var state = self.peers[peer, default: Peer()]
        state.isUp = true
        state.failures = 0
        state.notBefore = Timestamp(milliseconds: .min)
        self.peers[peer] = state
        for ticket in self.delayed.tickets {
            guard let item = self.items[ticket.key], item.ticket == ticket.number, item.sources.contains(peer) else {
                continue
            }
            self.enqueue(ticket.key, at: 0)
        }
    }

    /// Ends the fetch of `key` at `peer` and returns the number of that source; `nil` if nothing is to be done.
    private mutating func land(_ key: FetchKey, _ peer: InstitutionID) -> Int? {
        if self.orphans[key] == peer {
            self.orphans[key] = nil
            self.release(peer)
            // Meanwhile it may be wanted again; it was then held back from this very fetch.
            if let item = self.items[key], case .idle = item.state { self.enqueue(key, at: 0) }
            return nil
        }
        guard let item = self.items[key], case .inFlight(let source) = item.state, item.sources[source] == peer else {
            return nil
        }
        self.release(peer)
        return source
    }

    private mutating func release(_ peer: InstitutionID) {
        self.peers[peer, default: Peer()].inFlight -= 1
        self.inFlight -= 1
    }

    private mutating func stored(_ address: ContentAddress, _ peer: InstitutionID) {
        let key = FetchKey.object(address)
        let source = self.land(key, peer)
        if source != nil { self.succeeded(peer) }
        // However it came, it is there.
        guard self.items[key] != nil else { return }
        if source == nil { self.forget(key) } else { self.items[key] = nil }
        self.effects.append(.satisfied(address))
    }

    private mutating func pagesStored(
        _ key: FetchKey,
        _ peer: InstitutionID,
        _ next: UInt32,
        _ isLast: Bool,
        now: Timestamp
    ) {
        guard let page = self.items[key]?.page else {
            _ = self.land(key, peer)
            return
        }
        guard isLast || next > page else {
            // An answer without progress would be asked for again at once, forever.
            return self.failed(key, peer, .wrong, now: now)
        }
        guard self.land(key, peer) != nil, var item = self.items[key] else { return }
        self.succeeded(peer)
        item.page = max(item.page, next)
        item.rounds = 0
        item.state = .idle
        let check = Self.pageChecks - item.checks
        if isLast, item.checks > 0 { item.checks -= 1 }
        self.items[key] = item
        guard isLast else { return self.enqueue(key, at: 0) }
        guard check < Self.pageChecks else { return }
        self.delay(key, until: now.advanced(byMilliseconds: Self.pageCheckMilliseconds << Int64(check)))
    }

    private mutating func succeeded(_ peer: InstitutionID) {
        self.peers[peer]?.failures = 0
        self.peers[peer]?.notBefore = Timestamp(milliseconds: .min)
    }

    private mutating func failed(_ key: FetchKey, _ peer: InstitutionID, _ failure: FetchFailure, now: Timestamp) {
        let source = self.land(key, peer)
        var state = self.peers[peer, default: Peer()]
        switch failure {
        case .refused: state.failures = 0
        case .failed:
            state.failures += 1
            state.notBefore = now.advanced(byMilliseconds: self.backoff.delay(failures: state.failures))
        case .wrong:
            state.wrongs += 1
            let delay = self.backoff.delay(
                failures: state.wrongs,
                first: Backoff.wrongFirstMilliseconds,
                last: Backoff.wrongLastMilliseconds
            )
            state.distrustedUntil = now.advanced(byMilliseconds: delay)
        }
        self.peers[peer] = state
        if let source { self.advance(key, past: source, now: now) }
    }

    /// Puts a want in line for the source after `source`, or ends its round.
    private mutating func advance(_ key: FetchKey, past source: Int, now: Timestamp) {
        guard var item = self.items[key] else { return }
        if source + 1 < item.sources.count { return self.enqueue(key, at: source + 1) }
        if item.priority == .interactive, case .object(let address) = key {
            item.priority = .record
            self.effects.append(.unavailable(address))
        }
        item.rounds += 1
        self.items[key] = item
        self.delay(key, until: now.advanced(byMilliseconds: self.backoff.delay(failures: item.rounds)))
    }

    // MARK: Queues

    private mutating func enqueue(_ key: FetchKey, at source: Int) {
        guard var item = self.items[key] else { return }
        if self.orphans[key] != nil {
            item.state = .idle
            self.items[key] = item
            return
        }
        let ticket = self.ticket(for: key, &item)
        item.state = .queued
        self.items[key] = item
        let priority = item.priority.rawValue
        if self.lanes[priority][item.sources] == nil { self.turns[priority].append(item.sources) }
        self.lanes[priority][item.sources, default: Lane(sourceCount: item.sources.count)].queues[source]
            .append(ticket)
    }

    private mutating func delay(_ key: FetchKey, until due: Timestamp) {
        guard var item = self.items[key] else { return }
        let ticket = self.ticket(for: key, &item)
        item.state = .delayed
        self.items[key] = item
        self.delayed.insert(ticket, due: due)
    }

    private mutating func ticket(for key: FetchKey, _ item: inout Item) -> Ticket {
        self.nextTicket += 1
        item.ticket = self.nextTicket
        return Ticket(key: key, number: self.nextTicket)
    }

    /// Puts in line what has waited long enough; in front of what still waits nothing stale is left.
    private mutating func releaseDue(_ now: Timestamp) {
        while let (due, ticket) = self.delayed.first {
            let isCurrent = self.items[ticket.key]?.ticket == ticket.number
            if isCurrent, due > now { return }
            self.delayed.removeFirst()
            if isCurrent { self.enqueue(ticket.key, at: 0) }
        }
    }

    // MARK: Dispatch

    /// Starts fetches of one priority, one lane after the other, until no lane can start another.
    private mutating func dispatch(_ priority: FetchPriority, now: Timestamp) {
        let reserve = priority == .interactive ? self.limits.interactiveReserve : 0
        var blocked = 0
        while blocked < self.turns[priority.rawValue].count, self.inFlight < self.limits.inFlight + reserve {
            let sources = self.turns[priority.rawValue].removeFirst()
            guard var lane = self.lanes[priority.rawValue].removeValue(forKey: sources) else { continue }
            let ticket = self.take(from: &lane, sources, priority, reserve: reserve, now: now)
            if !lane.isEmpty {
                self.lanes[priority.rawValue][sources] = lane
                self.turns[priority.rawValue].append(sources)
            }
            if let (ticket, source) = ticket {
                self.start(ticket.key, at: source, of: sources[source])
                blocked = 0
            } else if !lane.isEmpty {
                blocked += 1
            }
        }
    }

    /// Takes the next want of a lane that can be asked for now, and the number of its source.
    ///
    /// Wants whose source cannot be asked move on to the next.
    private mutating func take(
        from lane: inout Lane,
        _ sources: [InstitutionID],
        _ priority: FetchPriority,
        reserve: Int,
        now: Timestamp
    ) -> (ticket: Ticket, source: Int)? {
        let usable = sources.map { self.isUsable($0, priority, now: now) }
        for (source, name) in sources.enumerated() {
            while let ticket = lane.queues[source].first {
                guard self.items[ticket.key]?.ticket == ticket.number else {
                    lane.queues[source].removeFirst()
                    continue
                }
                if usable[source] {
                    guard self.peers[name, default: Peer()].inFlight < self.limits.perPeer + reserve else { break }
                    lane.queues[source].removeFirst()
                    return (ticket, source)
                }
                // With no source to ask, wants stay where they are; but a clinician is told at once.
                guard usable.contains(true) || priority == .interactive else { break }
                lane.queues[source].removeFirst()
                if source + 1 < sources.count {
                    lane.queues[source + 1].append(ticket)
                } else {
                    self.advance(ticket.key, past: source, now: now)
                }
            }
        }
        return nil
    }

    private func isUsable(_ name: InstitutionID, _ priority: FetchPriority, now: Timestamp) -> Bool {
        guard let peer = self.peers[name], peer.isUp, peer.distrustedUntil <= now else { return false }
        return priority == .interactive || peer.notBefore <= now
    }

    private mutating func start(_ key: FetchKey, at source: Int, of peer: InstitutionID) {
        guard let page = self.items[key]?.page else { return }
        self.items[key]?.state = .inFlight(source)
        self.peers[peer]?.inFlight += 1
        self.inFlight += 1
        switch key {
        case .object(let address): self.effects.append(.fetch(address, from: peer))
        case .pages(let grant, _): self.effects.append(.fetchPages(grant, from: peer, page: page))
        }
    }

    /// Sets the timer to the next time at which something could be done that cannot be done now.
    private mutating func arm(_ now: Timestamp) {
        self.releaseDue(now)  // What is first in line now may have been satisfied by this step.
        var next = self.delayed.first?.due
        if self.turns.contains(where: { !$0.isEmpty }) {
            // The order of peers does not matter to a minimum.
            for peer in self.peers.values where peer.isUp {
                let free = max(peer.notBefore, peer.distrustedUntil)
                if free > now { next = min(next ?? free, free) }
            }
        }
        if let timer = self.timer, timer <= now { self.timer = nil }
        guard let next, next != self.timer else { return }
        self.timer = next
        self.effects.append(.setTimer(next))
    }
}
