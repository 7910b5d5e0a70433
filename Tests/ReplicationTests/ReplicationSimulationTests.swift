import Primitives
import Records
import Replication
import TestSupport
import Testing

/// One machine among peers that lose, refuse, lie, go and come back.
///
/// One seed decides everything.
private struct Simulation {
    enum Event {
        case answer(ReplicationInput)
        case input(ReplicationInput)
        case timer(Timestamp)
    }

    /// When the world calms down: every peer that will ever be up is up, and nothing is lost any more.
    static let calm = Timestamp(milliseconds: 120_000)

    let limits: ReplicationLimits
    var machine: ReplicationMachine
    var random: SeededGenerator
    var now = Timestamp(milliseconds: 0)
    var events: [(due: Timestamp, order: Int, event: Event)] = []
    var order = 0

    let peers = (0..<6).map(institution)
    /// Never gives what it has not.
    var holdings: [InstitutionID: Set<ContentAddress>] = [:]
    var liars: Set<InstitutionID> = []
    var gone: Set<InstitutionID> = []
    var up: Set<InstitutionID> = []
    var wanted: Set<ContentAddress> = []
    var reachable: Set<ContentAddress> = []
    var pages: [InstitutionID: UInt32] = [:]
    var followed: [InstitutionID: UInt32] = [:]

    var underWay: [String: InstitutionID] = [:]
    var stored: Set<ContentAddress> = []
    var timer: Timestamp?
    var steps = 0

    init(seed: UInt64) {
        self.random = SeededGenerator(seed: seed)
        var limits = ReplicationLimits()
        limits.perPeer = Int.random(in: 1...4, using: &self.random)
        limits.inFlight = Int.random(in: 2...10, using: &self.random)
        limits.interactiveReserve = Int.random(in: 0...2, using: &self.random)
        self.limits = limits
        self.machine = ReplicationMachine(seed: seed, limits: limits)
        for peer in self.peers where Int.random(in: 0..<5, using: &self.random) == 0 { self.liars.insert(peer) }
        for peer in self.peers where Int.random(in: 0..<6, using: &self.random) == 0 { self.gone.insert(peer) }
        for number in 0..<Int.random(in: 10...150, using: &self.random) { self.plan(number) }
        for peer in self.peers {
            for _ in 0..<4 {
                let at = Int64.random(in: 0..<Self.calm.milliseconds, using: &self.random)
                self.schedule(.input(.peerUp(peer)), at: at)
                self.schedule(.input(.peerDown(peer)), at: at + Int64.random(in: 1...20_000, using: &self.random))
            }
            let last: ReplicationInput = self.gone.contains(peer) ? .peerDown(peer) : .peerUp(peer)
            self.schedule(.input(last), at: Self.calm.milliseconds + 20_001)
            self.pages[peer] = 0
            guard Bool.random(using: &self.random) else { continue }
            self.schedule(.input(.grantBegan(grant(0), custodian: peer, page: 0)), at: 5)
            self.followed[peer] = 0
            for _ in 0..<3 {
                let at = Int64.random(in: 0..<Self.calm.milliseconds + 30_000, using: &self.random)
                self.schedule(.input(.batchCommitted(peer)), at: at)
            }
        }
    }

    private mutating func plan(_ number: Int) {
        let sources = Array(self.peers.shuffled(using: &self.random).prefix(Int.random(in: 1...3, using: &self.random)))
        var isReachable = false
        for peer in sources where Int.random(in: 0..<3, using: &self.random) > 0 {
            self.holdings[peer, default: []].insert(address(number))
            if !self.gone.contains(peer), !self.liars.contains(peer) { isReachable = true }
        }
        if isReachable { self.reachable.insert(address(number)) }
        self.wanted.insert(address(number))
        let kinds: [FetchPriority] = [.interactive, .manifest, .record, .record]
        for _ in 0..<Int.random(in: 1...2, using: &self.random) {
            let priority = kinds[Int.random(in: 0..<kinds.count, using: &self.random)]
            let want = Want(address: address(number), priority: priority, sources: sources)
            self.schedule(.input(.wanted([want])), at: Int64.random(in: 0...60_000, using: &self.random))
        }
        if Int.random(in: 0..<20, using: &self.random) == 0 {
            self.schedule(.input(.unwanted(address(number))), at: Int64.random(in: 0...90_000, using: &self.random))
            self.reachable.remove(address(number))
        }
    }

    private mutating func schedule(_ event: Event, at milliseconds: Int64) {
        self.order += 1
        self.events.append((Timestamp(milliseconds: milliseconds), self.order, event))
    }

    /// Runs until nothing is left to happen or the time is over.
    mutating func run(until end: Int64) {
        while let next = self.events.indices.min(by: {
            (self.events[$0].due, self.events[$0].order) < (self.events[$1].due, self.events[$1].order)
        }) {
            guard self.events[next].due.milliseconds <= end else { return }
            let (due, _, event) = self.events.remove(at: next)
            self.now = due
            self.handle(event)
        }
    }

    private mutating func handle(_ event: Event) {
        let input: ReplicationInput
        switch event {
        case .timer(let time):
            guard time == self.timer else { return }
            self.timer = nil
            input = .timer
        case .input(let given): input = given
        case .answer(let answer): input = answer
        }
        switch input {
        case .peerUp(let peer): self.up.insert(peer)
        case .peerDown(let peer): self.up.remove(peer)
        case .batchCommitted(let peer): self.pages[peer, default: 0] += UInt32.random(in: 0...4, using: &self.random)
        case .stored(let address, _):
            self.stored.insert(address)
            self.underWay["\(address.digest.hex)"] = nil
        case .notFetched(let address, _, _): self.underWay["\(address.digest.hex)"] = nil
        case .pagesStored(_, let peer, let next, _):
            self.underWay["pages \(peer)"] = nil
            self.followed[peer] = max(self.followed[peer] ?? 0, next)
        case .pagesNotFetched(_, let peer, _): self.underWay["pages \(peer)"] = nil
        case .wanted, .unwanted, .grantBegan, .grantEnded, .timer: break
        }
        self.steps += 1
        for effect in self.machine.step(input, now: self.now) { self.perform(effect) }
    }

    private mutating func perform(_ effect: ReplicationEffect) {
        switch effect {
        case .fetch(let address, let peer):
            self.begin("\(address.digest.hex)", peer)
            let has = self.holdings[peer]?.contains(address) ?? false
            let lost = !self.up.contains(peer) || self.isLossy
            if lost {
                self.answer(.notFetched(address, from: peer, .failed))
            } else if self.liars.contains(peer) {
                self.answer(.notFetched(address, from: peer, .wrong))
            } else if has {
                self.answer(.stored(address, from: peer))
            } else {
                self.answer(.notFetched(address, from: peer, .refused))
            }
        case .fetchPages(let grant, let peer, let page):
            self.begin("pages \(peer)", peer)
            let count = self.pages[peer] ?? 0
            if !self.up.contains(peer) || self.isLossy {
                self.answer(.pagesNotFetched(grant, from: peer, .failed))
            } else if self.liars.contains(peer) {
                self.answer(.pagesStored(grant, from: peer, next: page, isLast: false))
            } else {
                let next = max(page, min(count, page + 2))
                self.answer(.pagesStored(grant, from: peer, next: next, isLast: next >= count))
            }
        case .setTimer(let time):
            #expect(time > self.now)
            self.timer = time
            self.schedule(.timer(time), at: time.milliseconds)
        case .satisfied(let address): #expect(self.stored.contains(address))
        case .unavailable, .listAgain: break
        }
    }

    private var isLossy: Bool {
        mutating get { self.now < Self.calm && Int.random(in: 0..<3, using: &self.random) == 0 }
    }

    private mutating func begin(_ key: String, _ peer: InstitutionID) {
        #expect(self.underWay[key] == nil, "fetched twice at once")
        self.underWay[key] = peer
        let reserve = self.limits.interactiveReserve
        #expect(self.underWay.count <= self.limits.inFlight + reserve)
        #expect(self.underWay.values.count { $0 == peer } <= self.limits.perPeer + reserve)
    }

    private mutating func answer(_ input: ReplicationInput) {
        let delay = Int64.random(in: 1...800, using: &self.random)
        self.schedule(.answer(input), at: self.now.milliseconds + delay)
    }
}

@Suite("Replication among faulty peers")
struct ReplicationSimulationTests {
    @Test("Whatever an honest peer holds is fetched in the end, within the limits", arguments: 0..<150 as Range<UInt64>)
    func eventuallyFetched(seed: UInt64) {
        var simulation = Simulation(seed: seed)
        simulation.run(until: 2_000_000)
        let missing = simulation.reachable.subtracting(simulation.stored)
        #expect(missing.isEmpty, "seed \(seed): \(missing.count) of \(simulation.reachable.count)")
        for (peer, next) in simulation.followed
        where !simulation.gone.contains(peer) && !simulation.liars.contains(peer) {
            #expect(next == simulation.pages[peer], "seed \(seed): pages of \(peer)")
        }
    }

    @Test("When nothing is lacking there is no timer and nothing happens any more", arguments: 0..<40 as Range<UInt64>)
    func quiescent(seed: UInt64) {
        var simulation = Simulation(seed: seed)
        simulation.liars = []
        simulation.gone = []
        simulation.run(until: 2_000_000)
        for address in simulation.wanted.subtracting(simulation.stored) {
            for effect in simulation.machine.step(.unwanted(address), now: simulation.now) {
                if case .setTimer = effect { continue }
                Issue.record("seed \(seed): \(effect)")
            }
        }
        let before = simulation.steps
        simulation.run(until: .max)
        // At most the timers that were set while something was lacking.
        #expect(simulation.steps <= before + 2)
        #expect(simulation.events.isEmpty)
        #expect(simulation.underWay.isEmpty)
        #expect(simulation.machine.step(.timer, now: simulation.now).isEmpty)
    }

    @Test("Equal seeds give equal effects")
    func deterministic() {
        for seed in 0..<5 as Range<UInt64> {
            var left = Simulation(seed: seed)
            var right = Simulation(seed: seed)
            left.run(until: 500_000)
            right.run(until: 500_000)
            #expect(left.steps == right.steps)
            #expect(left.now == right.now)
            #expect(left.stored == right.stored)
        }
    }
}
