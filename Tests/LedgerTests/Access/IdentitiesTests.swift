import Ledger
import Primitives
import Records
import Testing

extension Bench {
    static let contestKey = Digest(hashing: Array("contest".utf8))

    static func node(_ name: String) -> IdentityNode { IdentityNode(Digest(hashing: Array("node \(name)".utf8))) }

    /// `a` links two persons of these names.
    func link(
        _ first: String,
        _ second: String,
        _ kind: IdentityLinkKind = .samePerson,
        change: (inout IdentityLink) -> Void = { _ in }
    ) -> IdentityLink {
        func side(_ name: String) -> IdentityLink.Side {
            IdentityLink.Side(
                node: Self.node(name),
                bucket: 1,
                sealed: [UInt8](repeating: 7, count: AccessGrant.sealedScopeBytes)
            )
        }
        var link = IdentityLink(
            kind: kind,
            first: side(first),
            second: side(second),
            salt: [UInt8](repeating: 1, count: IdentityLink.saltBytes),
            author: institution("a"),
            patientKey: nil,
            evidence: Digest(hashing: [1]),
            contest: IdentityLink.contest(of: Self.contestKey),
            notAfter: kind == .newborn ? self.tip.header.time.advanced(byMilliseconds: 86_400_000) : nil
        )
        change(&link)
        return link
    }

    mutating func make(_ link: IdentityLink, by signers: [String] = ["a"]) throws -> TransactionCode {
        try self.code(.identities(.link(link)), by: signers)
    }

    mutating func end(
        _ link: IdentityLinkID,
        by signer: String = "a",
        contestKey: Digest? = nil
    ) throws -> TransactionCode {
        let who: IdentityUnlink.Signer =
            switch Self.signer(signer) {
            case .institution(let id): .institution(id)
            case .key(let key): .patient(key)
            }
        let unlink = IdentityUnlink(
            link: link,
            signer: who,
            contestKey: contestKey,
            reason: .mistaken,
            evidence: Digest(hashing: [2])
        )
        return try self.code(.identities(.unlink(unlink)), by: [signer])
    }

    func links(of name: String) -> [IdentityLinkID] { self.tip.state.identityLinks(of: Self.node(name)).map(\.id) }
}

@Suite("Links of identities on chain")
struct IdentitiesTests {
    static let scenarios: [TransactionCode: RefusalCodeTests.Scenario] = [
        .identityWrongSigner: { bench in try bench.make(bench.link("p", "q"), by: ["b"]) },
        .identityUnknownAuthor: { bench in
            try bench.code(
                IdentitiesCall.link(bench.link("p", "q") { $0.author = institution("x") }),
                signers: [.institution(institution("x"))]
            )
        },
        .identityNotEnrolled: { bench in
            try bench.make(bench.link("p", "q") { $0.patientKey = TestKey("p1").verifying }, by: ["a", "p1"])
        },
        .identitySelfLink: { bench in try bench.make(bench.link("p", "p")) },
        .identityBadStatement: { bench in try bench.make(bench.link("p", "q") { $0.second.sealed = [] }) },
        .identityBadPeriod: { bench in try bench.make(bench.link("p", "q", .newborn) { $0.notAfter = nil }) },
        .identityExists: { bench in
            _ = try bench.make(bench.link("p", "q"))
            return try bench.make(bench.link("q", "p"))
        },
        .identityLoop: { bench in
            _ = try bench.make(bench.link("p", "q"))
            _ = try bench.make(bench.link("q", "r"))
            return try bench.make(bench.link("r", "p", .merge))
        },
        .identityMerged: { bench in
            _ = try bench.make(bench.link("p", "q", .merge))
            return try bench.make(bench.link("r", "q", .merge))
        },
        .identityTooMany: { bench in
            var last = TransactionCode.ok
            for index in 0..<IdentitiesCall.identitiesMax { last = try bench.make(bench.link("p", "q\(index)")) }
            return last
        },
        .identityBadRole: { bench in
            _ = try bench.make(bench.link("mother", "child", .newborn))
            return try bench.make(bench.link("other", "child", .newborn))
        },
        .identityUnknown: { bench in try bench.end(IdentityLinkID(.zero)) },
        .identityAlreadyUnlinked: { bench in
            let link = bench.link("p", "q")
            _ = try bench.make(link)
            _ = try bench.end(link.id)
            return try bench.end(link.id)
        },
        .identityBadContest: { bench in
            let link = bench.link("p", "q")
            _ = try bench.make(link)
            return try bench.end(link.id, by: "b")
        },
    ]

    @Test("A link stands for both identities until it is ended, and its history stays")
    func reversible() throws {
        var bench = Bench()
        let link = bench.link("p", "q")
        #expect(try bench.make(link) == .ok)
        #expect(bench.links(of: "p") == [link.id] && bench.links(of: "q") == [link.id])
        let made = try #require(bench.tip.state.identityLink(link.id))
        #expect(made.link == link && made.ending == nil && made.holds(at: made.createdTime))
        #expect(try bench.end(link.id) == .ok)
        #expect(bench.links(of: "p").isEmpty && bench.links(of: "q").isEmpty)
        let ended = try #require(bench.tip.state.identityLink(link.id))
        let ending = try #require(ended.ending)
        #expect(ended.link == link && ending.unlink.reason == .mistaken && !ended.holds(at: ending.time))
        #expect(ended.held(at: made.createdTime) && !ended.held(at: ending.time))
        #expect(try IdentityLinkState(canonicalBytes: ended.canonicalBytes) == ended)
        // The same two may be linked again, by another event.
        #expect(try bench.make(link) == .identityExists)
        #expect(try bench.make(bench.link("p", "q") { $0.salt = [UInt8](repeating: 2, count: 16) }) == .ok)
    }

    @Test("Who knows one of the two ends another's link with the contest key; nobody else does")
    func contested() throws {
        var bench = Bench()
        let link = bench.link("p", "q")
        #expect(try bench.make(link) == .ok)
        #expect(try bench.end(link.id, by: "b", contestKey: Digest(hashing: [9])) == .identityBadContest)
        #expect(try bench.end(link.id, by: "p1", contestKey: Bench.contestKey) == .unknownSigner)
        #expect(try bench.end(link.id, by: "b", contestKey: Bench.contestKey) == .ok)
    }

    @Test(
        "A mother's newborns, twins too: no child has two mothers, and a child with an own number is nobody's newborn"
    )
    func newborns() throws {
        var bench = Bench()
        #expect(try bench.make(bench.link("mother", "first", .newborn)) == .ok)
        #expect(try bench.make(bench.link("mother", "second", .newborn)) == .ok)
        #expect(try bench.make(bench.link("first", "grandchild", .newborn)) == .identityBadRole)
        #expect(try bench.make(bench.link("first", "mother", .newborn)) == .identityExists)
        // The own number; from then on the child's identities are one person's, and none of the mother's.
        #expect(try bench.make(bench.link("number", "first", .temporary)) == .ok)
        #expect(try bench.make(bench.link("mother", "number")) == .identityBadRole)
        #expect(try bench.make(bench.link("other", "number", .newborn)) == .identityBadRole)
        // Over by itself: the place is free again.
        let late = bench.tip.header.time.milliseconds + 2 * 86_400_000
        try bench.block([], time: late)
        #expect(try bench.make(bench.link("other", "second", .newborn)) == .ok)
        #expect(bench.links(of: "second").count == 1)
    }

    @Test("Any order of links and ends leaves a forest of bounded persons", arguments: 0..<40)
    func forest(seed: UInt64) throws {
        var bench = Bench()
        var random = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
        func next(_ bound: UInt64) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((random >> 33) % bound)
        }
        var standing: [(IdentityLink, Int, Int)] = []
        for step in 0..<40 {
            if !standing.isEmpty, next(4) == 0 {
                let (link, _, _) = standing.remove(at: next(UInt64(standing.count)))
                #expect(try bench.end(link.id) == .ok)
                continue
            }
            let (first, second) = (next(12), next(12))
            let kind: IdentityLinkKind = next(3) == 0 ? .merge : .samePerson
            let link = bench.link("n\(first)", "n\(second)", kind) { $0.salt[0] = UInt8(step) }
            // The oracle: parents by union of what stands.
            func root(_ node: Int) -> Set<Int> {
                var group: Set<Int> = [node]
                for _ in standing {
                    for (_, a, b) in standing where group.contains(a) || group.contains(b) { group.formUnion([a, b]) }
                }
                return group
            }
            let retired = Set(standing.filter { $0.0.kind == .merge }.map(\.2))
            let isAllowed =
                first != second && !root(first).contains(second) && !retired.contains(first)
                && !retired.contains(second)
                && root(first).count + root(second).count <= IdentitiesCall.identitiesMax
            #expect((try bench.make(link) == .ok) == isAllowed)
            if isAllowed { standing.append((link, first, second)) }
        }
    }
}

extension IdentitiesCall: DirectCall {
    var module: ModuleID { .identities }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal) { try self.execute(in: &context) }
}
