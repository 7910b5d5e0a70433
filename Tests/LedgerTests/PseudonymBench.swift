import Ledger
import Oblivious
import Primitives
import Records
import TestSupport

/// What the members of a bench do in ceremonies of the pseudonym key.
extension Bench {
    static func seed(_ use: String, _ name: String, _ number: UInt32) -> [UInt8] {
        Digest(hashing: Array("\(use) \(name) \(number)".utf8)).bytes
    }

    func ceremony(_ number: UInt32) -> CeremonyContext { CeremonyContext(chain: self.rules.chain, number: number) }

    func join(_ name: String, _ number: UInt32 = 1) -> LedgerCall {
        let key = HolderKey(
            context: self.ceremony(number),
            holder: institution(name),
            seed: Self.seed("holder", name, number)
        )
        return .pseudonymKeys(.join(institution(name), number: number, key: key))
    }

    /// What `name` deals when it is honest: a fresh constant, or its share.
    func dealing(_ name: String, _ number: UInt32 = 1, constant: RistrettoScalar? = nil) -> Dealing {
        let state = self.tip.state.pseudonymCeremony
        let seed = Self.seed("dealing", name, number)
        return Dealing(
            context: self.ceremony(number),
            dealer: institution(name),
            constant: constant ?? RistrettoScalar(seed: seed, label: "constant", index: 0),
            threshold: Int(state?.threshold ?? 3),
            holders: state?.members.map(\.key) ?? [],
            seed: seed
        )
    }

    func deal(_ name: String, _ number: UInt32 = 1, _ dealing: Dealing? = nil) -> LedgerCall {
        .pseudonymKeys(.deal(institution(name), number: number, dealing: dealing ?? self.dealing(name, number)))
    }

    func complain(_ name: String, about dealer: String, _ number: UInt32 = 1) -> LedgerCall {
        let secret = HolderKey.secret(Self.seed("holder", name, number))
        let dealing = self.tip.state.pseudonymDealing(institution(dealer), ceremony: number)
        let complaint = Complaint(
            context: self.ceremony(number),
            dealer: institution(dealer),
            holder: institution(name),
            sealingKey: dealing?.sealingKey ?? .generator,
            holderSecret: secret,
            seed: Self.seed("complaint", name, number)
        )
        return .pseudonymKeys(
            .complain(institution(name), number: number, dealer: institution(dealer), complaint: complaint)
        )
    }

    func confirm(_ name: String, _ number: UInt32 = 1) -> LedgerCall {
        .pseudonymKeys(.confirm(institution(name), number: number))
    }

    func advance(_ name: String, _ number: UInt32 = 1) -> LedgerCall {
        .pseudonymKeys(.advance(institution(name), number: number))
    }

    func reshare(_ name: String, _ number: UInt32) -> LedgerCall {
        .pseudonymKeys(.reshare(institution(name), number: number))
    }

    func served(_ name: String, _ entries: [(String, UInt32, UInt64)]) -> LedgerCall {
        .pseudonymKeys(
            .served(
                institution(name),
                entries.map { PseudonymServed(requester: institution($0.0), day: $0.1, total: $0.2) }
            )
        )
    }

    /// One block with one transaction of each of `names`; their codes.
    @discardableResult
    mutating func all(
        _ names: [String],
        time: Int64? = nil,
        _ call: (Bench, String) -> LedgerCall
    ) throws -> [TransactionCode] {
        try self.block(names.map { self.transaction(call(self, $0), by: [$0]) }, time: time).receipts.map(\.code)
    }

    /// All members join, deal and confirm.
    mutating func found() throws {
        try self.all(Self.members) { $0.join($1) }
        try self.all(Self.members) { $0.deal($1) }
        try self.all(Self.members) { $0.confirm($1) }
    }

    /// The share that `name` computes from what stands on the chain; `nil` if it holds none or was cheated.
    func share(_ name: String) -> RistrettoScalar? {
        let id = institution(name)
        guard let key = self.tip.state.pseudonymKey, let index = key.index(of: id) else { return nil }
        let parts = key.dealers.compactMap { dealer in
            self.tip.state.pseudonymDealing(dealer, ceremony: key.ceremony)?.share(
                context: self.ceremony(key.ceremony),
                dealer: dealer,
                index: index,
                holderSecret: HolderKey.secret(Self.seed("holder", name, key.ceremony))
            )
        }
        guard parts.count == key.dealers.count, let share = key.sharing.share(parts),
            RistrettoElement(generatorTimes: share) == key.shareKey(of: id)
        else { return nil }
        return share
    }

    /// The key behind the shares of `names`.
    func secret(_ names: [String]) -> RistrettoScalar? {
        var shares: [(index: UInt16, value: RistrettoScalar)] = []
        for name in names {
            guard let share = self.share(name), let index = self.tip.state.pseudonymKey?.index(of: institution(name))
            else { return nil }
            shares.append((index, share))
        }
        return Interpolation.secret(shares)
    }
}

extension Dealing {
    /// The same with a wrong share for the holder at `position`.
    func cheating(_ position: Int) -> Dealing {
        var shares = self.sealedShares
        shares[position] = Digest(hashing: [UInt8(truncatingIfNeeded: position)])
        return Dealing(
            commitments: self.commitments,
            sealingKey: self.sealingKey,
            sealedShares: shares,
            constantProof: self.constantProof,
            sealingProof: self.sealingProof
        )
    }
}

/// One story for each refusal of the module.
enum PseudonymRefusals {
    static let scenarios: [TransactionCode: RefusalCodeTests.Scenario] = [
        .pseudonymsWrongSigner: { bench in try bench.code(bench.join("a"), by: ["b"]) },
        .pseudonymsNotCandidate: { bench in
            try bench.code(
                PseudonymKeysCall.join(
                    institution("x"),
                    number: 1,
                    key: HolderKey(
                        context: bench.ceremony(1),
                        holder: institution("x"),
                        seed: Bench.seed("holder", "x", 1)
                    )
                ),
                signers: [.institution(institution("x"))]
            )
        },
        .pseudonymsWrongNumber: { bench in try bench.code(bench.join("a", 2), by: ["a"]) },
        .pseudonymsWrongPhase: { bench in
            try bench.all(["a"]) { $0.join($1) }
            return try bench.code(bench.confirm("a"), by: ["a"])
        },
        .pseudonymsRepeated: { bench in
            try bench.all(["a"]) { $0.join($1) }
            return try bench.code(bench.join("a"), by: ["a"])
        },
        .pseudonymsBadKey: { bench in
            guard case .pseudonymKeys(.join(_, _, let key)) = bench.join("b") else { return .ok }
            return try bench.code(.pseudonymKeys(.join(institution("a"), number: 1, key: key)), by: ["a"])
        },
        .pseudonymsNotDealer: { bench in
            try bench.all(["a", "b", "c"]) { $0.join($1) }
            try bench.all(["a"], time: 100_000) { $0.advance($1) }
            return try bench.code(bench.deal("d"), by: ["d"])
        },
        .pseudonymsBadDealing: { bench in
            try bench.all(Bench.members) { $0.join($1) }
            return try bench.code(bench.deal("a", 1, bench.dealing("b")), by: ["a"])
        },
        .pseudonymsWrongConstant: { bench in
            try bench.found()
            try bench.all(["a"], time: 1_000_000) { $0.reshare($1, 2) }
            try bench.all(Bench.members) { $0.join($1, 2) }
            return try bench.code(bench.deal("a", 2), by: ["a"])
        },
        .pseudonymsNotHolder: { bench in
            try bench.all(["a", "b", "c"]) { $0.join($1) }
            try bench.all(["a"], time: 100_000) { $0.advance($1) }
            try bench.all(["a"]) { $0.deal($1) }
            return try bench.code(bench.complain("d", about: "a"), by: ["d"])
        },
        .pseudonymsUnknownDealing: { bench in
            try bench.all(Bench.members) { $0.join($1) }
            return try bench.code(bench.complain("a", about: "b"), by: ["a"])
        },
        .pseudonymsFalseComplaint: { bench in
            try bench.all(Bench.members) { $0.join($1) }
            try bench.all(["a"]) { $0.deal($1) }
            return try bench.code(bench.complain("b", about: "a"), by: ["b"])
        },
        .pseudonymsNothingDue: { bench in
            try bench.all(["a"]) { $0.join($1) }
            return try bench.code(bench.advance("a"), by: ["a"])
        },
        .pseudonymsNoKey: { bench in try bench.code(bench.served("a", [("b", 0, 1)]), by: ["a"]) },
        .pseudonymsTooSoon: { bench in
            try bench.found()
            return try bench.code(.pseudonymKeys(.reshare(institution("a"), number: 2)), by: ["a"])
        },
        .pseudonymsBadReport: { bench in
            try bench.found()
            return try bench.code(bench.served("a", [("b", 0, 1), ("b", 0, 1)]), by: ["a"])
        },
        .pseudonymsWrongDay: { bench in
            try bench.found()
            return try bench.code(bench.served("a", [("b", 7, 1)]), by: ["a"])
        },
        .pseudonymsNotMore: { bench in
            try bench.found()
            try bench.all(["a"]) { $0.served($1, [("b", 0, 5)]) }
            return try bench.code(bench.served("a", [("b", 0, 5)]), by: ["a"])
        },
    ]
}
