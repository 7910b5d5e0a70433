import Primitives
import Records
import Replication
import TestSupport
import Testing

func institution(_ number: Int) -> InstitutionID {
    guard let id = InstitutionID("hospital-\(number)") else { preconditionFailure("the name is well formed") }
    return id
}

func address(_ number: Int) -> ContentAddress { ContentAddress(Digest(hashing: Array("object \(number)".utf8))) }

func grant(_ number: Int) -> GrantID { GrantID(Digest(hashing: Array("grant \(number)".utf8))) }

@Suite("Replication asks the right peer at the right time")
struct ReplicationMachineTests {
    private let a = institution(1)
    private let b = institution(2)
    private let c = institution(3)

    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    private func want(_ number: Int, _ priority: FetchPriority, _ sources: InstitutionID...) -> Want {
        Want(address: address(number), priority: priority, sources: sources)
    }

    private func fetches(_ effects: [ReplicationEffect]) -> [ReplicationEffect] {
        effects.filter { if case .setTimer = $0 { false } else { true } }
    }

    private func timer(_ effects: [ReplicationEffect]) -> Timestamp? {
        effects.compactMap { if case .setTimer(let time) = $0 { time } else { nil } }.last
    }

    @Test("A want waits without a timer until its source is there, and is asked for once")
    func waitsForPeer() {
        var machine = ReplicationMachine(seed: 1)
        #expect(machine.step(.wanted([self.want(1, .record, self.a)]), now: self.time(0)).isEmpty)
        #expect(machine.step(.peerUp(self.b), now: self.time(1)).isEmpty)
        #expect(machine.step(.peerUp(self.a), now: self.time(2)) == [.fetch(address(1), from: self.a)])
        #expect(machine.step(.wanted([self.want(1, .record, self.a)]), now: self.time(3)).isEmpty)
        #expect(machine.step(.stored(address(1), from: self.a), now: self.time(4)) == [.satisfied(address(1))])
        #expect(machine.wantCount == 0)
    }

    @Test("A source that refuses, fails, lies or is away gives the turn to the next", arguments: 0..<4)
    func nextSource(kind: Int) {
        var machine = ReplicationMachine(seed: 1)
        _ = machine.step(.peerUp(self.b), now: self.time(0))
        if kind < 3 { _ = machine.step(.peerUp(self.a), now: self.time(0)) }
        var effects = machine.step(.wanted([self.want(1, .manifest, self.a, self.b)]), now: self.time(0))
        if kind < 3 {
            #expect(effects == [.fetch(address(1), from: self.a)])
            let failure: FetchFailure = [.refused, .failed, .wrong][kind]
            effects = machine.step(.notFetched(address(1), from: self.a, failure), now: self.time(1))
        }
        #expect(self.fetches(effects) == [.fetch(address(1), from: self.b)])
    }

    @Test("A peer that sent wrong bytes is left alone for long, one that failed for a short time")
    func penalties() throws {
        for (failure, range) in [(FetchFailure.failed, 250...500), (.wrong, 30_000...60_000)]
            as [(FetchFailure, ClosedRange<Int64>)]
        {
            var machine = ReplicationMachine(seed: 1)
            _ = machine.step(.peerUp(self.a), now: self.time(0))
            _ = machine.step(.wanted([self.want(1, .record, self.a)]), now: self.time(0))
            _ = machine.step(.notFetched(address(1), from: self.a, failure), now: self.time(0))
            let effects = machine.step(.wanted([self.want(2, .record, self.a)]), now: self.time(0))
            #expect(self.fetches(effects).isEmpty)
            let early = machine.step(.timer, now: self.time(range.lowerBound - 1))
            #expect(self.fetches(early).isEmpty)
            let asked = machine.step(.timer, now: self.time(range.upperBound))
            #expect(asked.contains(.fetch(address(2), from: self.a)))
        }
    }

    @Test("Delays of a want that nobody has grow to a minute and no further")
    func backoff() throws {
        var machine = ReplicationMachine(seed: 1)
        _ = machine.step(.peerUp(self.a), now: self.time(0))
        var now = self.time(0)
        var effects = machine.step(.wanted([self.want(1, .record, self.a)]), now: now)
        var delays: [Int64] = []
        for _ in 0..<12 {
            #expect(self.fetches(effects) == [.fetch(address(1), from: self.a)])
            let due = try #require(
                self.timer(machine.step(.notFetched(address(1), from: self.a, .refused), now: now))
            )
            delays.append(due.milliseconds - now.milliseconds)
            now = due
            effects = machine.step(.timer, now: now)
        }
        for (round, delay) in delays.enumerated() {
            let whole = min(500 << Int64(round), 60_000) as Int64
            #expect((whole / 2...whole).contains(delay), "round \(round)")
        }
    }

    @Test("More urgent wants go first; among equals the origins take turns")
    func order() {
        let wants =
            (0..<40).map { self.want($0, .record, self.a) } + (40..<44).map { self.want($0, .record, self.b) }
            + [self.want(50, .manifest, self.c), self.want(51, .interactive, self.c)]
        var limits = ReplicationLimits()
        limits.inFlight = 6
        var machine = ReplicationMachine(seed: 1, limits: limits)
        for peer in [self.a, self.b, self.c] { _ = machine.step(.peerUp(peer), now: self.time(0)) }
        _ = machine.step(.wanted([self.want(90, .record, self.c)]), now: self.time(0))
        let effects = self.fetches(machine.step(.wanted(wants), now: self.time(0)))
        #expect(
            effects == [
                .fetch(address(51), from: self.c), .fetch(address(50), from: self.c), .fetch(address(0), from: self.a),
                .fetch(address(40), from: self.b), .fetch(address(1), from: self.a),
            ]
        )
        // A clinician's want finds room although everything is taken.
        let urgent = machine.step(.wanted([self.want(60, .interactive, self.a)]), now: self.time(1))
        #expect(urgent == [.fetch(address(60), from: self.a)])
    }

    @Test("At one peer no more is asked at once than the limit")
    func perPeer() {
        var machine = ReplicationMachine(seed: 1)
        _ = machine.step(.peerUp(self.a), now: self.time(0))
        let wants = (0..<20).map { self.want($0, .record, self.a, self.b) }
        #expect(machine.step(.wanted(wants), now: self.time(0)).count == ReplicationLimits().perPeer)
        let effects = machine.step(.stored(address(0), from: self.a), now: self.time(1))
        #expect(effects == [.satisfied(address(0)), .fetch(address(8), from: self.a)])
        // The limit of one is no reason to burden another, but its absence is.
        #expect(machine.step(.peerUp(self.b), now: self.time(2)).isEmpty)
        #expect(machine.step(.peerDown(self.a), now: self.time(3)).count == ReplicationLimits().perPeer)
    }

    @Test("A clinician is told at once that nobody is there; the want stays and is fetched later")
    func unavailable() {
        var machine = ReplicationMachine(seed: 1)
        let effects = machine.step(.wanted([self.want(1, .interactive, self.a, self.b)]), now: self.time(0))
        #expect(self.fetches(effects) == [.unavailable(address(1))])
        #expect(machine.step(.peerUp(self.b), now: self.time(1)).contains(.fetch(address(1), from: self.b)))
    }

    @Test("A clinician's want overtakes its own delay and is tried at a peer that failed just before")
    func urgency() {
        var machine = ReplicationMachine(seed: 1)
        _ = machine.step(.peerUp(self.a), now: self.time(0))
        _ = machine.step(.wanted([self.want(1, .record, self.a)]), now: self.time(0))
        _ = machine.step(.notFetched(address(1), from: self.a, .failed), now: self.time(1))
        let effects = machine.step(.wanted([self.want(1, .interactive, self.a)]), now: self.time(2))
        #expect(self.fetches(effects) == [.fetch(address(1), from: self.a)])
        let after = machine.step(.notFetched(address(1), from: self.a, .failed), now: self.time(3))
        #expect(self.fetches(after) == [.unavailable(address(1))])
    }

    @Test("What is not wanted any more is not asked for; a fetch under way ends before another begins")
    func unwanted() {
        var machine = ReplicationMachine(seed: 1)
        _ = machine.step(.peerUp(self.a), now: self.time(0))
        _ = machine.step(.wanted([self.want(1, .record, self.a), self.want(2, .record, self.b)]), now: self.time(0))
        _ = machine.step(.unwanted(address(1)), now: self.time(1))
        _ = machine.step(.unwanted(address(2)), now: self.time(1))
        #expect(machine.step(.peerUp(self.b), now: self.time(1)).isEmpty)
        #expect(machine.step(.wanted([self.want(1, .record, self.a)]), now: self.time(2)).isEmpty)
        let effects = machine.step(.notFetched(address(1), from: self.a, .refused), now: self.time(3))
        #expect(effects == [.fetch(address(1), from: self.a)])
    }

    @Test("Pages are asked for until there are no more, then a few times later, then when the custodian commits")
    func pages() throws {
        var machine = ReplicationMachine(seed: 1)
        _ = machine.step(.peerUp(self.a), now: self.time(0))
        let first = machine.step(.grantBegan(grant(1), custodian: self.a, page: 2), now: self.time(0))
        #expect(first == [.fetchPages(grant(1), from: self.a, page: 2)])
        let more = machine.step(.pagesStored(grant(1), from: self.a, next: 5, isLast: false), now: self.time(0))
        #expect(more == [.fetchPages(grant(1), from: self.a, page: 5)])
        var now = self.time(0)
        var delays: [Int64] = []
        for _ in 0..<7 {
            let effects = machine.step(.pagesStored(grant(1), from: self.a, next: 5, isLast: true), now: now)
            let due = try #require(self.timer(effects))
            delays.append(due.milliseconds - now.milliseconds)
            now = due
            #expect(machine.step(.timer, now: now) == [.fetchPages(grant(1), from: self.a, page: 5)])
        }
        #expect(delays == [1, 2, 4, 8, 16, 32, 64].map { $0 * 1_000 })
        #expect(machine.step(.pagesStored(grant(1), from: self.a, next: 5, isLast: true), now: now).isEmpty)
        #expect(machine.step(.batchCommitted(self.b), now: now).isEmpty)
        let again = machine.step(.batchCommitted(self.a), now: now)
        #expect(again == [.fetchPages(grant(1), from: self.a, page: 5)])
        _ = machine.step(.grantEnded(grant(1)), now: now)
        _ = machine.step(.pagesStored(grant(1), from: self.a, next: 6, isLast: true), now: now)
        #expect(machine.step(.batchCommitted(self.a), now: now).isEmpty)
        #expect(machine.wantCount == 0)
    }

    @Test("A custodian that promises more pages without giving any is not asked in a loop")
    func noProgress() {
        var machine = ReplicationMachine(seed: 1)
        _ = machine.step(.peerUp(self.a), now: self.time(0))
        _ = machine.step(.grantBegan(grant(1), custodian: self.a, page: 3), now: self.time(0))
        let effects = machine.step(.pagesStored(grant(1), from: self.a, next: 3, isLast: false), now: self.time(1))
        #expect(self.fetches(effects).isEmpty)
    }

    @Test("Wants beyond the limit are turned away and asked to be listed again when there is room")
    func overflow() {
        var limits = ReplicationLimits()
        limits.wants = 10
        var machine = ReplicationMachine(seed: 1, limits: limits)
        _ = machine.step(.wanted((0..<15).map { self.want($0, .record, self.a) }), now: self.time(0))
        #expect(machine.wantCount == 10)
        var effects: [ReplicationEffect] = []
        for number in 0..<5 {
            #expect(!effects.contains(.listAgain))
            effects = machine.step(.stored(address(number), from: self.b), now: self.time(1))
        }
        #expect(effects.contains(.listAgain))
        #expect(!machine.step(.timer, now: self.time(2)).contains(.listAgain))
    }

    @Test("Answers that nobody asked for change nothing")
    func unsolicited() {
        var machine = ReplicationMachine(seed: 1)
        let inputs: [ReplicationInput] = [
            .stored(address(1), from: self.a), .notFetched(address(1), from: self.a, .failed),
            .pagesStored(grant(1), from: self.a, next: 4, isLast: false),
            .pagesNotFetched(grant(1), from: self.a, .wrong), .grantEnded(grant(1)), .peerDown(self.a), .timer,
            .unwanted(address(1)),
        ]
        for input in inputs { #expect(machine.step(input, now: self.time(0)).isEmpty) }
    }
}
