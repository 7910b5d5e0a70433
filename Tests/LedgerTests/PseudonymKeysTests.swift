import Ledger
import Oblivious
import Primitives
import Records
import TestSupport
import Testing

@Suite("The pseudonym key is shared on the chain")
struct PseudonymKeysTests {
    @Test("All members join, deal and confirm: any three of four hold the key, two do not")
    func founded() throws {
        var bench = Bench()
        #expect(try bench.all(Bench.members) { $0.join($1) } == [.ok, .ok, .ok, .ok])
        #expect(bench.tip.state.pseudonymCeremony?.phase == .dealing)
        #expect(try bench.all(Bench.members) { $0.deal($1) } == [.ok, .ok, .ok, .ok])
        #expect(bench.tip.state.pseudonymCeremony?.phase == .checking)
        #expect(bench.tip.state.pseudonymKey == nil)
        let last = try bench.block(Bench.members.map { bench.transaction(bench.confirm($0), by: [$0]) })
        #expect(last.events.contains(.pseudonymKeyShared(generation: 1)))
        let key = try #require(bench.tip.state.pseudonymKey)
        #expect(key.threshold == 3 && key.holders.count == 4 && key.dealers.count == 4)
        #expect(try PseudonymKeyState(canonicalBytes: key.canonicalBytes) == key)
        let secret = try #require(bench.secret(["a", "b", "c"]))
        #expect(RistrettoElement(generatorTimes: secret) == key.publicKey)
        #expect(bench.secret(["b", "c", "d"]) == secret)
        #expect(bench.secret(["a", "d"]) != secret)
        #expect(bench.tip.state.pseudonymCeremony?.phase == .done)
    }

    @Test("A single institution has its key after three transactions")
    func single() throws {
        var bench = Bench(members: ["a"])
        try bench.all(["a"]) { $0.join($1) }
        try bench.all(["a"]) { $0.deal($1) }
        try bench.all(["a"]) { $0.confirm($1) }
        let key = try #require(bench.tip.state.pseudonymKey)
        #expect(key.threshold == 1)
        #expect(bench.share("a").map { RistrettoElement(generatorTimes: $0) } == key.publicKey)
    }

    @Test("Whoever is away is left out when the window has passed, and not before")
    func absent() throws {
        var bench = Bench()
        try bench.all(["a", "b", "c"]) { $0.join($1) }
        #expect(try bench.code(bench.advance("a"), by: ["a"]) == .pseudonymsNothingDue)
        #expect(bench.tip.state.pseudonymCeremony?.phase == .joining)
        #expect(try bench.all(["a"], time: 40_000) { $0.advance($1) } == [.ok])
        try bench.all(["a", "b", "c"]) { $0.deal($1) }
        try bench.all(["a", "b", "c"]) { $0.confirm($1) }
        let key = try #require(bench.tip.state.pseudonymKey)
        #expect(key.holders.map(\.institution.text) == ["a", "b", "c"] && key.threshold == 3)
        #expect(bench.share("d") == nil)
    }

    @Test("Fewer members than the threshold wait for more, however long")
    func tooFew() throws {
        var bench = Bench()
        try bench.all(["a", "b"]) { $0.join($1) }
        try bench.block([], time: 10_000_000)
        #expect(try bench.code(bench.advance("a"), by: ["a"]) == .pseudonymsNothingDue)
        #expect(try bench.all(["c", "d"]) { $0.join($1) } == [.ok, .ok])
        #expect(bench.tip.state.pseudonymCeremony?.phase == .dealing)
    }

    @Test("A dealer with a wrong share is found out and left out; the key is that of the others")
    func cheatingDealer() throws {
        var bench = Bench()
        try bench.all(Bench.members) { $0.join($1) }
        try bench.all(Bench.members) { $1 == "b" ? $0.deal("b", 1, $0.dealing("b").cheating(2)) : $0.deal($1) }
        #expect(try bench.code(bench.complain("c", about: "b"), by: ["c"]) == .ok)
        #expect(try bench.code(bench.complain("c", about: "b"), by: ["c"]) == .pseudonymsUnknownDealing)
        try bench.all(Bench.members) { $0.confirm($1) }
        let key = try #require(bench.tip.state.pseudonymKey)
        #expect(key.dealers.map(\.text) == ["a", "c", "d"])
        #expect(bench.secret(["b", "c", "d"]) == bench.secret(["a", "b", "c"]))
        let constants = try ["a", "c", "d"].map {
            try #require(bench.tip.state.pseudonymDealing(institution($0), ceremony: 1)).commitments.constant
        }
        #expect(key.publicKey == constants[0] + constants[1] + constants[2])
    }

    @Test("A false complaint changes nothing")
    func falseComplaint() throws {
        var bench = Bench()
        try bench.all(Bench.members) { $0.join($1) }
        try bench.all(Bench.members) { $0.deal($1) }
        let before = bench.tip.state.pseudonymCeremony
        #expect(try bench.code(bench.complain("d", about: "a"), by: ["d"]) == .pseudonymsFalseComplaint)
        #expect(bench.tip.state.pseudonymCeremony == before)
    }

    @Test("A dealer that withholds is not waited for beyond the window")
    func withheld() throws {
        var bench = Bench()
        try bench.all(Bench.members) { $0.join($1) }
        try bench.all(["a", "b", "c"]) { $0.deal($1) }
        #expect(bench.tip.state.pseudonymCeremony?.phase == .dealing)
        try bench.all(["a"], time: 40_000) { $0.advance($1) }
        #expect(bench.tip.state.pseudonymCeremony?.phase == .checking)
        #expect(try bench.code(bench.deal("d"), by: ["d"]) == .pseudonymsWrongPhase)
        try bench.all(["a", "b", "c"]) { $0.confirm($1) }
        #expect(bench.tip.state.pseudonymKey == nil)
        try bench.all(["a"], time: 80_000) { $0.advance($1) }
        let key = try #require(bench.tip.state.pseudonymKey)
        #expect(key.dealers.count == 3 && key.holders.count == 4)
        // The holder that said nothing has a share all the same.
        #expect(bench.secret(["d", "a", "b"]) == bench.secret(["a", "b", "c"]))
    }

    @Test("Too few good dealings or confirmations end the ceremony, and another one begins by a member's joining")
    func failed() throws {
        var bench = Bench()
        try bench.all(Bench.members) { $0.join($1) }
        try bench.all(["a", "b"]) { $0.deal($1) }
        try bench.all(["a"], time: 40_000) { $0.advance($1) }
        #expect(bench.tip.state.pseudonymCeremony?.phase == .failed)
        #expect(try bench.code(bench.join("a"), by: ["a"]) == .pseudonymsWrongNumber)
        try bench.all(Bench.members) { $0.join($1, 2) }
        try bench.all(Bench.members) { $0.deal($1, 2) }
        try bench.all(["a", "b"]) { $0.confirm($1, 2) }
        try bench.all(["a"], time: 90_000) { $0.advance($1, 2) }
        #expect(bench.tip.state.pseudonymCeremony?.phase == .failed)
        try bench.all(Bench.members) { $0.join($1, 3) }
        try bench.all(Bench.members) { $0.deal($1, 3) }
        try bench.all(Bench.members) { $0.confirm($1, 3) }
        #expect(bench.tip.state.pseudonymKey?.ceremony == 3)
        #expect(bench.secret(["a", "b", "c"]) != nil)
    }

    @Test("A dealing of an earlier ceremony is not taken for one of a later")
    func oldDealing() throws {
        var bench = Bench()
        try bench.all(Bench.members) { $0.join($1) }
        let old = bench.dealing("a")
        try bench.all(["a", "b"]) { $0.deal($1) }
        try bench.all(["a"], time: 40_000) { $0.advance($1) }
        try bench.all(Bench.members) { $0.join($1, 2) }
        #expect(try bench.code(bench.deal("a", 2, old), by: ["a"]) == .pseudonymsBadDealing)
        #expect(bench.tip.state.pseudonymDealing(institution("a"), ceremony: 1) != nil)
        #expect(bench.tip.state.pseudonymDealing(institution("a"), ceremony: 2) == nil)
    }
}

@Suite("The pseudonym key moves to new shares on the chain")
struct PseudonymResharingTests {
    /// A bench whose key is held by `holders`; `d` was away.
    private func founded(_ holders: [String] = Bench.members) throws -> Bench {
        var bench = Bench()
        try bench.all(holders) { $0.join($1) }
        if holders != Bench.members { try bench.all(["a"], time: 40_000) { $0.advance($1) } }
        try bench.all(holders) { $0.deal($1) }
        try bench.all(holders) { $0.confirm($1) }
        return bench
    }

    private func reshare(_ bench: inout Bench, dealers: [String], cheating: String? = nil) throws {
        let shares = Dictionary(uniqueKeysWithValues: dealers.map { ($0, bench.share($0)) })
        try bench.all(["a"], time: 1_000_000) { $0.reshare($1, 2) }
        try bench.all(Bench.members) { $0.join($1, 2) }
        try bench.all(dealers) { bench, name in
            let dealing = bench.dealing(name, 2, constant: shares[name] ?? nil)
            return bench.deal(name, 2, name == cheating ? dealing.cheating(0) : dealing)
        }
        if let cheating { try bench.all(["a"]) { $0.complain($1, about: cheating, 2) } }
    }

    @Test("A member that was away becomes a holder; the key stays and old shares do not fit new ones")
    func newHolder() throws {
        var bench = try self.founded(["a", "b", "c"])
        let before = try #require(bench.tip.state.pseudonymKey)
        let secret = try #require(bench.secret(["a", "b", "c"]))
        let oldShare = try #require(bench.share("a"))
        try self.reshare(&bench, dealers: ["c", "a", "b"])
        try bench.all(Bench.members) { $0.confirm($1, 2) }
        let after = try #require(bench.tip.state.pseudonymKey)
        #expect(after.generation == 2 && after.publicKey == before.publicKey)
        #expect(after.holders.count == 4 && after.dealerIndexes == [3, 1, 2])
        #expect(bench.secret(["b", "c", "d"]) == secret)
        let b = try #require(bench.share("b"))
        let c = try #require(bench.share("c"))
        #expect(Interpolation.secret([(1, oldShare), (2, b), (3, c)]) != secret)
    }

    @Test("A dealer that cheats while sharing anew is left out; with too few others the old shares stay")
    func cheating() throws {
        var bench = try self.founded()
        let secret = bench.secret(["a", "b", "c"])
        try self.reshare(&bench, dealers: Bench.members, cheating: "b")
        try bench.all(Bench.members) { $0.confirm($1, 2) }
        #expect(bench.tip.state.pseudonymKey?.dealers.map(\.text) == ["a", "c", "d"])
        #expect(bench.secret(["a", "b", "d"]) == secret)

        var other = try self.founded(["a", "b", "c"])
        let key = other.tip.state.pseudonymKey
        try self.reshare(&other, dealers: ["a", "b", "c"], cheating: "b")
        #expect(other.tip.state.pseudonymCeremony?.phase == .failed)
        #expect(other.tip.state.pseudonymKey == key)
        #expect(try other.code(other.join("a", 3), by: ["a"]) == .pseudonymsWrongPhase)
    }

    @Test("The key rests between two sharings")
    func rest() throws {
        var bench = try self.founded()
        #expect(
            try bench.code(.pseudonymKeys(.reshare(institution("b"), number: 2)), by: ["b"]) == .pseudonymsTooSoon
        )
        try bench.block([], time: 1_000_000)
        #expect(
            try bench.code(.pseudonymKeys(.reshare(institution("b"), number: 3)), by: ["b"]) == .pseudonymsWrongNumber
        )
        #expect(try bench.code(.pseudonymKeys(.reshare(institution("b"), number: 2)), by: ["b"]) == .ok)
        #expect(
            try bench.code(.pseudonymKeys(.reshare(institution("b"), number: 3)), by: ["b"]) == .pseudonymsTooSoon
        )
    }
}

@Suite("What evaluators serve is counted on the chain")
struct PseudonymQuotaTests {
    @Test("Counts only grow, stand by day, and the oldest of three days is forgotten")
    func counts() throws {
        var bench = Bench()
        try bench.found()
        let day: Int64 = 86_400_000
        let b = institution("b")
        #expect(try bench.code(bench.served("a", [("b", 0, 10), ("c", 0, 1)]), by: ["a"]) == .ok)
        #expect(try bench.code(bench.served("c", [("b", 0, 12)]), by: ["c"]) == .ok)
        #expect(try bench.code(bench.served("a", [("b", 0, 9)]), by: ["a"]) == .pseudonymsNotMore)
        #expect(try bench.code(bench.served("a", [("b", 0, 20)]), by: ["a"]) == .ok)
        #expect(bench.tip.state.pseudonymUsage(b).counts(on: 0).map(\.total) == [20, 12])
        // b holds a share itself, so that an identifier takes two answers of others.
        #expect(bench.tip.state.pseudonymIdentifiers(b, on: 0, quota: 100) == 16)
        #expect(bench.tip.state.pseudonymIdentifiers(b, on: 0, quota: 10) == 10)
        try bench.all(["a"], time: day + 1) { $0.served($1, [("b", 0, 30)]) }
        try bench.all(["a"]) { $0.served($1, [("b", 1, 1)]) }
        #expect(bench.tip.state.pseudonymUsage(b).counts(on: 0).map(\.total) == [30, 12])
        try bench.all(["a"], time: 2 * day + 1) { $0.served($1, [("b", 2, 1)]) }
        #expect(bench.tip.state.pseudonymUsage(b).days.map(\.day) == [1, 2])
        #expect(try bench.code(bench.served("a", [("b", 3, 1)]), by: ["a"]) == .pseudonymsWrongDay)
        #expect(try bench.code(bench.served("a", [("b", .max, 1)]), by: ["a"]) == .pseudonymsWrongDay)
        #expect(try bench.code(bench.served("a", [("b", 0, 100)]), by: ["a"]) == .pseudonymsWrongDay)
    }

    @Test("One evaluator that lies uses up no more than its part of another's day")
    func lying() {
        let counts = [
            PseudonymUsage.Count(evaluator: institution("a"), total: .max),
            PseudonymUsage.Count(evaluator: institution("b"), total: 10),
            PseudonymUsage.Count(evaluator: institution("c"), total: 10),
        ]
        let usage = PseudonymUsage(days: [PseudonymUsage.Day(day: 5, counts: counts)])
        #expect(usage.identifiers(on: 5, answers: 3, quota: 300) == 106)
        #expect(usage.identifiers(on: 4, answers: 3, quota: 300) == 0)
    }

    @Test("A report is bounded, sorted, about members, and by a holder")
    func malformed() throws {
        var bench = Bench()
        try bench.found()
        #expect(try bench.code(bench.served("a", []), by: ["a"]) == .pseudonymsBadReport)
        #expect(try bench.code(bench.served("a", [("c", 0, 1), ("b", 0, 1)]), by: ["a"]) == .pseudonymsBadReport)
        #expect(try bench.code(bench.served("a", [("x", 0, 1)]), by: ["a"]) == .pseudonymsBadReport)
        #expect(try bench.code(bench.served("a", [("b", 0, 0)]), by: ["a"]) == .pseudonymsNotMore)
    }
}

@Suite("The largest ceremony fits the meters")
struct LargestCeremonyTests {
    @Test("Thirty-two holders, of whom seventeen are needed, share a key in small transactions")
    func largest() throws {
        let names = (0..<32).map { "m\($0)" }
        var bench = Bench(members: names)
        try bench.all(names) { $0.join($1) }
        let dealings = names.map { bench.transaction(bench.deal($0), by: [$0]) }
        #expect((dealings.map(\.bytes.count).max() ?? 0) < 4 << 10)
        #expect(try bench.block(dealings).receipts.allSatisfy { $0.code == .ok })
        #expect(try bench.all(names) { $0.confirm($1) }.allSatisfy { $0 == .ok })
        let key = try #require(bench.tip.state.pseudonymKey)
        #expect(key.threshold == 17 && key.canonicalBytes.count < 8 << 10)
        #expect(bench.secret(Array(names.prefix(17))) == bench.secret(Array(names.suffix(17))))
    }
}
