import Ledger
import Oblivious
import Primitives
import Records
import TestSupport
import Testing

/// Members who do nothing but their duties.
struct DutifulMembers {
    var bench: Bench
    /// What each home holds: the generation of its share, and the ceremony it drew a key for.
    var homes: [String: PseudonymDuty.Home] = [:]
    var shares: [String: RistrettoScalar] = [:]
    var silent: Set<String> = []
    /// Whose dealings are wrong for the first member.
    var cheats: Set<String> = []
    var now: Int64 = 1_000

    init(_ names: [String] = Bench.members) {
        self.bench = Bench(members: names)
        for name in names {
            self.homes[name] = PseudonymDuty.Home(institution: institution(name), generation: nil, takesPartIn: nil)
        }
    }

    func duty(_ name: String) throws -> PseudonymDuty {
        PseudonymDuty.next(
            self.bench.tip.state,
            try #require(self.homes[name]),
            window: Int64(self.bench.rules.parameters.pseudonymWindowMilliseconds),
            now: Timestamp(milliseconds: self.now)
        )
    }

    /// One block with what everybody has to do; whether anybody had.
    mutating func round() throws -> Bool {
        var calls: [(String, LedgerCall)] = []
        var didAnything = false
        for name in self.homes.keys.sorted() where !self.silent.contains(name) {
            let duty = try self.duty(name)
            if duty != .nothing { didAnything = true }
            calls += try self.calls(name, duty).map { (name, $0) }
        }
        self.now += 1_000
        let bench = self.bench
        try self.bench.block(calls.map { bench.transaction($0.1, by: [$0.0]) }, time: self.now)
        return didAnything
    }

    mutating func calls(_ name: String, _ duty: PseudonymDuty) throws -> [LedgerCall] {
        let state = self.bench.tip.state
        let number = state.pseudonymCeremony?.number ?? 0
        switch duty {
        case .join(let number):
            self.homes[name]?.takesPartIn = number
            return [self.bench.join(name, number)]
        case .reshare(let number): return [self.bench.reshare(name, number)]
        case .deal:
            let dealing = self.bench.dealing(name, number, constant: self.shares[name])
            return [self.bench.deal(name, number, self.cheats.contains(name) ? dealing.cheating(0) : dealing)]
        case .check:
            let id = institution(name)
            guard let ceremony = state.pseudonymCeremony, let index = ceremony.index(of: id) else { return [] }
            let secret = HolderKey.secret(Bench.seed("holder", name, number))
            let wrong = ceremony.qualified.filter { dealer in
                state.pseudonymDealing(dealer, ceremony: number)?.share(
                    context: self.bench.ceremony(number),
                    dealer: dealer,
                    index: index,
                    holderSecret: secret
                ) == nil
            }
            return wrong.map { self.bench.complain(name, about: $0.text, number) } + [self.bench.confirm(name, number)]
        case .advance: return [self.bench.advance(name, number)]
        case .adopt:
            let generation = state.pseudonymKey?.generation
            guard let share = self.bench.share(name) else {
                self.homes[name]?.lostGeneration = generation
                return []
            }
            self.shares[name] = share
            self.homes[name]?.generation = generation
            return []
        case .leave:
            self.homes[name]?.generation = nil
            self.shares[name] = nil
            return []
        case .nothing: return []
        }
    }

    mutating func settle(rounds: Int = 400) throws {
        for _ in 0..<rounds {
            let isBusy = try self.round()
            if !isBusy, self.bench.tip.state.pseudonymCeremony?.isOpen == false { return }
        }
    }
}

@Suite("Agents that do their duty share the key by themselves")
struct PseudonymDutyTests {
    @Test("One, two and four members have their shares after a few blocks", arguments: [1, 2, 4])
    func everybody(count: Int) throws {
        var members = DutifulMembers(Array(Bench.members.prefix(count)))
        try members.settle(rounds: 6)
        let key = try #require(members.bench.tip.state.pseudonymKey)
        #expect(members.shares.count == count && key.generation == 1)
        #expect(try members.homes.keys.allSatisfy { try members.duty($0) == .nothing })
    }

    @Test("A member that comes late becomes a holder by itself, when the key has rested")
    func late() throws {
        var members = DutifulMembers()
        members.silent = ["d"]
        try members.settle()
        #expect(members.bench.tip.state.pseudonymKey?.holders.count == 3)
        let secret = members.bench.secret(["a", "b", "c"])
        members.silent = []
        for _ in 0..<400 { _ = try members.round() }
        let key = try #require(members.bench.tip.state.pseudonymKey)
        #expect(key.generation == 2 && key.holders.count == 4 && members.shares.count == 4)
        #expect(members.bench.secret(["a", "c", "d"]) == secret)
    }

    @Test("A home that forgot what it drew for a ceremony confirms nothing in it")
    func forgetful() throws {
        var members = DutifulMembers()
        _ = try members.round()
        _ = try members.round()
        #expect(try members.duty("b") == .check)
        members.homes["b"]?.takesPartIn = nil
        #expect(try members.duty("b") == .nothing)
    }

    @Test("A home that has lost its share gets another")
    func lost() throws {
        var members = DutifulMembers()
        try members.settle()
        let secret = members.bench.secret(["a", "b", "c"])
        members.shares["b"] = nil
        members.homes["b"]?.generation = nil
        members.homes["b"]?.lostGeneration = 1
        for _ in 0..<400 { _ = try members.round() }
        #expect(members.bench.tip.state.pseudonymKey?.generation == 2)
        #expect(members.homes["b"]?.generation == 2)
        #expect(members.bench.secret(["b", "c", "d"]) == secret)
    }

    @Test("A cheating dealer is found out by whom it cheats, and the others finish")
    func cheating() throws {
        var members = DutifulMembers()
        members.cheats = ["c"]
        try members.settle()
        let key = try #require(members.bench.tip.state.pseudonymKey)
        #expect(key.ceremony == 1 && !key.dealers.contains(institution("c")))
        #expect(members.shares.count == 4)
    }

    @Test("A member that falls silent in the middle is waited for no longer than a window")
    func silence() throws {
        var members = DutifulMembers()
        _ = try members.round()
        _ = try members.round()
        members.silent = ["d"]
        try members.settle()
        let key = try #require(members.bench.tip.state.pseudonymKey)
        #expect(key.ceremony == 1 && key.holders.count == 4 && key.dealers.count == 4)
        members.silent = []
        try members.settle()
        #expect(members.shares.count == 4)
    }

    @Test("With too few members nothing is shared, and nobody writes to the chain in vain")
    func tooFew() throws {
        var members = DutifulMembers()
        members.silent = ["c", "d"]
        for _ in 0..<100 { _ = try members.round() }
        #expect(members.bench.tip.state.pseudonymKey == nil)
        #expect(try members.duty("a") == .nothing)
        members.silent = []
        try members.settle()
        #expect(members.bench.tip.state.pseudonymKey?.holders.count == 4)
    }
}
