import Ledger
import Primitives
import Records
import Testing

@Suite("What a revocation means on chain")
struct RevocationRuleTests {
    @Test("R4: the place in the ledger decides between a reading and a revocation")
    func order() throws {
        var bench = Bench()
        let grant = try bench.witnessedGrant()
        let made = bench.tip.header.height
        #expect(try bench.code(.grants(.revokeGrant(grant.id)), by: ["a"]) == .ok)
        let state = try #require(bench.tip.state.grant(grant.id))
        #expect(state.holds(at: made, time: Timestamp(milliseconds: 5000)))
        #expect(!state.holds(at: made.next, time: Timestamp(milliseconds: 5000)))
    }

    @Test("R9: with a delegation end the grants made under it; what was done before stays in the chain")
    func cascade() throws {
        var bench = Bench()
        let id = try bench.delegate(of: "patient", to: "helper")
        let grant = bench.grant(of: "patient", delegate: "helper", under: id)
        #expect(try bench.code(.grants(.createGrant(grant)), by: ["helper"]) == .ok)
        let before = bench.tip.header.height
        #expect(try bench.code(.delegations(.end(id)), by: ["patient"]) == .ok)
        let state = bench.tip.state
        let grantState = try #require(state.grant(grant.id))
        #expect(grantState.revokedHeight == nil)
        let mandate = AccessTerms.Mandate(state: try #require(state.delegation(id)), scope: GrantScope())
        let terms = AccessTerms(id: grant.id, state: grantState, scope: GrantScope(), mandate: mandate)
        func answer(_ height: Height) -> AccessAnswer {
            AccessRule.answer(
                AccessQuestion(
                    stage: .open,
                    reader: institution("b"),
                    custodian: institution("a"),
                    exam: ExamFacts(
                        record: ContentAddress(.zero),
                        kind: .laboratory,
                        itemCode: "718-7",
                        examTime: nil,
                        sensitive: []
                    ),
                    purpose: .treatment,
                    height: height,
                    time: Timestamp(milliseconds: 5000),
                    silence: 0
                ),
                under: [terms]
            )
        }
        #expect(answer(before).isAllowed)
        #expect(answer(bench.tip.header.height) == .refused(.delegationOver, nearest: grant.id))
    }

    @Test("R10: a narrowing takes away and leaves the rest; nobody but who may end the grant makes one")
    func narrowing() throws {
        var bench = Bench()
        let grant = bench.grant(of: "p1", witness: "a") { $0.grantees = [institution("b"), institution("c")] }
        #expect(try bench.code(.grants(.createGrant(grant)), by: ["a"]) == .ok)
        let cut = Bench.narrowing(readers: ["c"])
        #expect(try bench.code(.grants(.narrowGrant(grant.id, cut)), by: ["b"]) == .grantWrongSigner)
        #expect(try bench.code(.grants(.narrowGrant(grant.id, cut)), by: ["a"]) == .ok)
        let height = bench.tip.header.height
        let state = try #require(bench.tip.state.grant(grant.id))
        #expect(state.narrowings == [GrantState.Narrowed(narrowing: cut, height: height)])
        #expect(state.readers(groups: [], at: height) == [institution("b")])
        #expect(bench.tip.events == [.grantNarrowed(grant.id, state)])
        #expect(try bench.code(.grants(.revokeGrant(grant.id)), by: ["a"]) == .ok)
        #expect(try bench.code(.grants(.narrowGrant(grant.id, cut)), by: ["a"]) == .grantAlreadyRevoked)
    }

    @Test("R11: neither a delegate nor a lost key locks the patient out")
    func owner() throws {
        var bench = Bench()
        let id = try bench.delegate(of: "patient", to: "helper")
        let grant = bench.grant(of: "patient", delegate: "helper", under: id)
        #expect(try bench.code(.grants(.createGrant(grant)), by: ["helper"]) == .ok)
        // The patient lost the key; an institution enrols another one under the same handle.
        var enrolment = bench.enrolment("patient")
        enrolment.key = TestKey("spare").verifying
        #expect(try bench.code(.grants(.enrolPatient(enrolment)), by: ["a", "spare"]) == .ok)
        try bench.enrol("other")
        #expect(try bench.code(.grants(.revokeGrant(grant.id)), by: ["other"]) == .grantWrongSigner)
        #expect(try bench.code(.grants(.revokeGrant(grant.id)), by: ["spare"]) == .ok)
        #expect(try bench.code(.delegations(.end(id)), by: ["spare"]) == .ok)
        // And grants go on under the new key.
        let next = bench.grant(of: "patient", nonce: 9) { $0.grantor = .patient(TestKey("spare").verifying) }
        #expect(try bench.code(.grants(.createGrant(next)), by: ["spare"]) == .ok)
    }

    @Test("R12: a revocation counts once, survives replay, and cannot stand before its grant")
    func replay() throws {
        var bench = Bench()
        let grant = bench.grant(of: "p1", witness: "a")
        let create = bench.transaction(.grants(.createGrant(grant)), by: ["a"])
        let revoke = bench.transaction(.grants(.revokeGrant(grant.id)), by: ["a"])
        // In one block, the wrong way round: the revocation fails, and the grant stands to be revoked again.
        #expect(try bench.block([revoke, create]).receipts.map(\.code) == [.grantUnknown, .ok])
        #expect(try bench.code(revoke) == .replayed)
        #expect(bench.tip.state.grant(grant.id)?.revokedHeight == nil)
        let again = bench.transaction(.grants(.revokeGrant(grant.id)), by: ["a"], validUntil: 20)
        #expect(try bench.code(again) == .ok)
        let state = try #require(bench.tip.state.grant(grant.id))
        // Neither a repeated revocation nor the grant itself, sent again, changes anything.
        #expect(try bench.code(again) == .replayed)
        #expect(try bench.code(bench.transaction(.grants(.revokeGrant(grant.id)), by: ["a"])) == .grantAlreadyRevoked)
        #expect(try bench.code(bench.transaction(.grants(.createGrant(grant)), by: ["a"])) == .grantExists)
        #expect(bench.tip.state.grant(grant.id) == state)
    }

    @Test("A group's readers are its members as of the height; who left reads nothing more")
    func groups() throws {
        var bench = Bench()
        let east = Bench.group("east")
        #expect(try bench.code(.grants(.createGroup(east, keeper: institution("a"))), by: ["a"]) == .ok)
        let grant = bench.grant(of: "p1", witness: "a") {
            $0.grantees = []
            $0.groups = [east]
        }
        #expect(try bench.code(.grants(.createGrant(grant)), by: ["a"]) == .ok)
        #expect(try bench.code(Bench.change("east", by: "a", add: ["b", "c"]), by: ["a"]) == .ok)
        let joined = bench.tip.header.height
        #expect(try bench.code(Bench.change("east", by: "b", remove: ["b"]), by: ["b"]) == .ok)
        let left = bench.tip.header.height
        let state = try #require(bench.tip.state.grant(grant.id))
        let groups = bench.tip.state.groups(of: grant)
        let names = { (height: Height) in state.readers(groups: groups, at: height).map(\.text) }
        #expect(names(Height(joined.value - 1)) == ["a"])
        #expect(names(joined) == ["a", "b", "c"])
        #expect(names(left) == ["a", "c"])
        #expect(!state.names(institution("d"), groups: groups, at: left))
        #expect(try GroupState(canonicalBytes: groups[0].canonicalBytes) == groups[0])
    }
}
