import Ledger
import Primitives
import Records
import Testing

extension Bench {
    /// A chain of `b`, as its agent would write it: signed, numbered, each entry naming the one before.
    struct LocalChain {
        var next: UInt64 = 0
        var previous = Digest.zero

        mutating func append(
            _ content: OfflineEntry.Content,
            _ bench: Bench,
            time: Int64? = nil,
            change: (inout OfflineEntry) -> Void = { _ in }
        ) -> OfflineEntry {
            var entry = OfflineEntry(
                institution: institution("b"),
                number: self.next,
                previous: self.previous,
                time: Timestamp(milliseconds: time ?? bench.tip.header.time.milliseconds + 1000),
                content: content,
                signature: TestKey.blank
            )
            change(&entry)
            entry.signature = TestKey("b").sign(entry.signedBytes(chain: bench.rules.chain))
            self.next = entry.number + 1
            self.previous = entry.digest
            return entry
        }
    }

    func offline(
        _ opening: BreakGlass,
        by clinician: String = "doctor",
        approver: String? = nil
    ) -> OfflineEntry.Content {
        let message = opening.offlineSignedBytes(chain: self.rules.chain)
        return .opening(
            opening,
            clinician: TestKey(clinician).sign(message),
            approver: approver.map { TestKey($0).sign(message) }
        )
    }

    mutating func reconcile(_ entry: OfflineEntry, by signer: String = "b") throws -> TransactionCode {
        try self.code(.emergency(.reconcile(entry)), by: [signer])
    }
}

@Suite("Emergencies without contact come to the ledger")
struct EmergencyOfflineTests {
    static let scenarios: [TransactionCode: RefusalCodeTests.Scenario] = [
        .emergencyOfflineBadSignature: { bench in
            var chain = Bench.LocalChain()
            return try bench.reconcile(chain.append(bench.offline(bench.opening(), by: "other"), bench))
        },
        .emergencyOfflineKnown: { bench in
            var chain = Bench.LocalChain()
            let entry = chain.append(bench.offline(bench.opening()), bench)
            _ = try bench.reconcile(entry)
            return try bench.reconcile(entry)
        },
        .emergencyOfflineFuture: { bench in
            var chain = Bench.LocalChain()
            let time = bench.tip.header.time.milliseconds + 1000 + EmergencyCall.startToleranceMilliseconds + 1
            return try bench.reconcile(chain.append(bench.offline(bench.opening()), bench, time: time))
        },
        .emergencyOfflineBadUse: { bench in
            var chain = Bench.LocalChain()
            let opening = bench.opening()
            _ = try bench.reconcile(chain.append(bench.offline(opening), bench))
            let end = opening.grant.notAfter.milliseconds
            try bench.block([], time: end)
            return try bench.reconcile(
                chain.append(.use(opening.grant.id, receipt: .zero), bench, time: end)
            )
        },
    ]

    @Test("What was opened while cut off becomes a case with its own time, its uses, a review and a lock-out")
    func reconciled() throws {
        var bench = Bench()
        var chain = Bench.LocalChain()
        let opening = bench.opening()
        let first = chain.append(bench.offline(opening), bench)
        let uses = (0..<3).map { chain.append(.use(opening.grant.id, receipt: Digest(hashing: [$0])), bench) }
        // Days later.
        let back = bench.tip.header.time.milliseconds + 5 * 24 * 3_600_000
        try bench.block([], time: back)
        for entry in [first] + uses { #expect(try bench.reconcile(entry) == .ok) }
        let state = try #require(bench.tip.state.emergency(opening.grant.id))
        #expect(state.declaredTime == first.time && state.createdTime.milliseconds > back)
        #expect(state.offline == EmergencyState.Offline(number: 0, time: first.time, uses: 3))
        #expect(state.reviewDeadline.milliseconds > back + BreakGlass.reviewMilliseconds)
        #expect(try EmergencyState(canonicalBytes: state.canonicalBytes) == state)
        for entry in [first] + uses { #expect(try OfflineEntry(canonicalBytes: entry.canonicalBytes) == entry) }
        #expect(bench.tip.state.offlineHead(institution("b")).next == 4)
        #expect(bench.tip.state.offlineHead(institution("b")).breaks == 0)
        #expect(bench.tip.state.emergencyCounts(institution("b")) == EmergencyCounts(opened: 1, offline: 1))
        // It is over: nobody is served under it.
        #expect(!state.grantState.holds(at: bench.tip.header.height, time: bench.tip.header.time))
        // The review counts from when it could be known, and then locks out.
        #expect(try bench.open(bench.opening(nonce: 1)) == .ok)
        try bench.block([], time: state.reviewDeadline.milliseconds)
        #expect(try bench.open(bench.opening(nonce: 2)) == .emergencyReviewOverdue)
        // Being locked out hides nothing that was opened without contact.
        #expect(try bench.reconcile(chain.append(bench.offline(bench.opening(nonce: 3)), bench)) == .ok)
        #expect(try bench.review(opening.grant.id) == .ok)
    }

    @Test("A copied-back, a cut and a backwards chain are taken and marked")
    func broken() throws {
        var bench = Bench()
        var chain = Bench.LocalChain()
        #expect(try bench.reconcile(chain.append(bench.offline(bench.opening()), bench)) == .ok)
        var copy = chain
        #expect(try bench.reconcile(chain.append(bench.offline(bench.opening(nonce: 1)), bench)) == .ok)
        // The copy goes on from an older state.
        let forked = bench.opening(nonce: 2)
        #expect(try bench.reconcile(copy.append(bench.offline(forked), bench)) == .ok)
        #expect(bench.tip.state.emergency(forked.grant.id)?.offline?.broken == .fork)
        #expect(bench.tip.state.offlineHead(institution("b")).previous == chain.previous, "the longer one goes on")
        // An entry is missing.
        _ = chain.append(bench.offline(bench.opening(nonce: 3)), bench)
        let late = bench.opening(nonce: 4)
        #expect(try bench.reconcile(chain.append(bench.offline(late), bench)) == .ok)
        #expect(bench.tip.state.emergency(late.grant.id)?.offline?.broken == .gap)
        // One that says it is older than the one before.
        let before = bench.opening(nonce: 5)
        let time = bench.tip.header.time.milliseconds - 60_000
        #expect(try bench.reconcile(chain.append(bench.offline(before), bench, time: time)) == .ok)
        #expect(bench.tip.state.emergency(before.grant.id)?.offline?.broken == .clock)
        #expect(bench.tip.state.offlineHead(institution("b")).breaks == 3)
        #expect(bench.tip.state.offlineHead(institution("c")) == OfflineHead())
    }

    @Test("Nobody else, nothing wide, nothing longer than four hours, no made-up use")
    func refused() throws {
        var bench = Bench()
        let opening = bench.opening()
        func entry(_ content: OfflineEntry.Content, change: (inout OfflineEntry) -> Void = { _ in }) -> OfflineEntry {
            var chain = Bench.LocalChain()
            return chain.append(content, bench, change: change)
        }
        #expect(try bench.reconcile(entry(bench.offline(opening)), by: "a") == .emergencyWrongSigner)
        var altered = entry(bench.offline(opening))
        altered.number = 1
        #expect(try bench.reconcile(altered) == .emergencyOfflineBadSignature)
        let approved = bench.opening(approver: "chief")
        #expect(try bench.reconcile(entry(bench.offline(approved))) == .emergencyOfflineBadSignature)
        #expect(
            try bench.reconcile(entry(bench.offline(approved, approver: "other"))) == .emergencyOfflineBadSignature
        )
        #expect(try bench.reconcile(entry(bench.offline(approved, approver: "chief"))) == .ok)
        let wide = bench.opening(nonce: 1) { $0.widens = approved.grant.id }
        #expect(try bench.reconcile(entry(bench.offline(wide))) == .emergencyNothingToWiden)
        let long = bench.opening(nonce: 2) { $0.grant.notAfter = $0.grant.notAfter.advanced(byMilliseconds: 1) }
        #expect(try bench.reconcile(entry(bench.offline(long))) == .emergencyBadPeriod)
        #expect(
            try bench.reconcile(entry(.use(GrantID(.zero), receipt: .zero))) == .emergencyUnknown
        )
        // One that the ledger ordered has no uses without contact.
        let online = bench.opening(nonce: 3)
        #expect(try bench.open(online) == .ok)
        #expect(try bench.reconcile(entry(.use(online.grant.id, receipt: .zero))) == .emergencyUnknown)
        #expect(try bench.reconcile(entry(bench.offline(online)) { $0.number = 7 }) == .emergencyExists)
    }
}

@Suite("Unusually many emergencies are noticed")
struct EmergencyRateTests {
    private static let hour: Int64 = 3_600_000
    private static let day: Int64 = 24 * hour

    @Test("The fourth patient of a clinician in a day is unusual; others of the institution are not concerned")
    func clinician() throws {
        var bench = Bench()
        var first: GrantID?
        for nonce in 0..<6 as Range<UInt64> {
            let opening = bench.opening(nonce: nonce)
            first = first ?? opening.grant.id
            #expect(try bench.open(opening) == .ok)
            let state = try #require(bench.tip.state.emergency(opening.grant.id))
            #expect(state.alarms == (nonce < 3 ? [] : .user))
        }
        let other = bench.opening(by: "other", nonce: 9)
        #expect(try bench.open(other, by: ["b", "other"]) == .ok)
        #expect(bench.tip.state.emergency(other.grant.id)?.alarms == [])
        #expect(bench.tip.state.emergencyCounts(institution("b")).alarming == 3)
        // Widening is the same patient again.
        let wide = bench.opening(nonce: 10) { $0.widens = first }
        #expect(try bench.open(wide) == .ok)
        #expect(bench.tip.state.emergency(wide.grant.id)?.alarms == [])
    }

    @Test("Many clinicians with one patient each make the institution unusual")
    func institutions() throws {
        var bench = Bench()
        var alarms: [EmergencyAlarms] = []
        for number in 0..<14 as Range<UInt64> {
            let name = "doctor \(number)"
            let opening = bench.opening(by: name, nonce: number)
            #expect(try bench.open(opening, by: ["b", name]) == .ok)
            alarms.append(try #require(bench.tip.state.emergency(opening.grant.id)).alarms)
        }
        #expect(alarms == Array(repeating: [], count: 12) + [.institution, .institution])
    }

    @Test("Whoever has emergencies every day is measured by them, and quiet weeks are forgotten")
    func history() throws {
        var rate = EmergencyRate()
        // Five a day for four weeks: unusual on the first days, then not any more.
        var unusual: [Int64] = []
        for day in 0..<28 as Range<Int64> {
            for hour in 0..<5 as Range<Int64> {
                let time = Timestamp(milliseconds: day * Self.day + hour * Self.hour)
                if rate.add(time, .user) { unusual.append(day) }
            }
        }
        #expect(Set(unusual) == Set(0...6), "five in a day against four times a mean of 5 × days / 28")
        // With the four of the last hours of the day before: more than four times five from the seventeenth on.
        var busy = rate
        let alarms = (0..<21).map { number in
            busy.add(Timestamp(milliseconds: 28 * Self.day + Int64(number) * 60_000), .user)
        }
        #expect(alarms == Array(repeating: false, count: 16) + Array(repeating: true, count: 5))
        // After half a year nothing of it is left to be compared with.
        let later = (0..<4).map { rate.add(Timestamp(milliseconds: 200 * Self.day + Int64($0)), .user) }
        #expect(later == [false, false, false, true])
        #expect(try EmergencyRate(canonicalBytes: rate.canonicalBytes) == rate)
    }

    @Test("Times out of order, far away and at the ends of time neither trap nor grow without bound")
    func hostile() throws {
        var random = SeededNumbers(seed: 7)
        var rate = EmergencyRate()
        for _ in 0..<2000 {
            let near = Int64(random.next() % 1_000_000_000)
            let value = random.next() % 3 == 0 ? Int64(bitPattern: random.next()) : near
            _ = rate.add(Timestamp(milliseconds: value), .institution)
            #expect(try EmergencyRate(canonicalBytes: rate.canonicalBytes) == rate)
        }
        for value in [Int64.min, .max, .min, 0] { _ = rate.add(Timestamp(milliseconds: value), .user) }
    }

    private struct SeededNumbers {
        var state: UInt64
        init(seed: UInt64) { self.state = seed }
        mutating func next() -> UInt64 {
            self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return self.state ^ (self.state >> 29)
        }
    }
}
