import Ledger
import Primitives
import Records
import Testing

extension Bench {
    func event(_ kind: LifeEvent.Kind, by name: String = "a", nonce: UInt64 = 0) -> LifeEvent {
        LifeEvent(
            handle: patientHandle("child"),
            salt: [UInt8](repeating: 6, count: AccessGrant.saltBytes),
            bucket: 5,
            kind: kind,
            institution: institution(name),
            evidence: .zero,
            nonce: nonce
        )
    }

    mutating func declare(_ event: LifeEvent, by signer: String = "a") throws -> TransactionCode {
        try self.code(.delegations(.declare(event)), by: [signer])
    }

    /// `name`, whose key is enrolled, becomes a guardian of the child; `witness` appoints.
    mutating func guardian(
        _ name: String,
        witness: String = "a",
        capacity: Delegation.Capacity = .guardian
    ) throws -> Delegation {
        try self.enrol(name)
        let delegation = self.delegation(of: "child", to: name, witness: witness) { $0.capacity = capacity }
        let code = try self.code(.delegations(.create(delegation)), by: [witness])
        precondition(code == .ok, "\(code.name)")
        return delegation
    }

    /// A grant of the guardian's.
    mutating func granted(by name: String, under id: DelegationID, nonce: UInt64 = 0) throws -> GrantID {
        var grant = self.grant(of: "child", delegate: name, under: id)
        grant.nonce = nonce
        let code = try self.code(.grants(.createGrant(grant)), by: [name])
        precondition(code == .ok, "\(code.name)")
        return grant.id
    }

    mutating func object(_ grant: GrantID, _ id: DelegationID, by signer: String) throws -> TransactionCode {
        try self.code(.delegations(.object(grant, by: id)), by: [signer])
    }

    mutating func decide(
        _ grant: GrantID,
        _ id: DelegationID,
        _ outcome: ObjectionOutcome = .dismissed,
        by signer: String = "a"
    ) throws -> TransactionCode {
        try self.code(.delegations(.decide(grant, id, outcome, by: institution(signer))), by: [signer])
    }

    /// The story in which `mother` granted and `father` may object.
    mutating func parents() throws -> (grant: GrantID, mother: Delegation, father: Delegation) {
        let mother = try self.guardian("mother")
        let father = try self.guardian("father", witness: "c")
        return (try self.granted(by: "mother", under: mother.id), mother, father)
    }
}

@Suite("Who speaks for a patient as life goes on")
struct MandateTests {
    static let scenarios: [TransactionCode: RefusalCodeTests.Scenario] = [
        .lifeEventWrongSigner: { bench in try bench.declare(bench.event(.death), by: "b") },
        .lifeEventExists: { bench in
            _ = try bench.declare(bench.event(.death))
            return try bench.declare(bench.event(.death))
        },
        .lifeEventUnknown: { bench in
            try bench.code(.delegations(.withdraw(LifeEventID(.zero))), by: ["a"])
        },
        .lifeEventWithdrawn: { bench in
            let event = bench.event(.death)
            _ = try bench.declare(event)
            _ = try bench.code(.delegations(.withdraw(event.id)), by: ["a"])
            return try bench.code(.delegations(.withdraw(event.id)), by: ["a"])
        },
        .objectionWrongSigner: { bench in
            let story = try bench.parents()
            return try bench.object(story.grant, story.father.id, by: "mother")
        },
        .objectionNotGuardian: { bench in
            let story = try bench.parents()
            _ = try bench.code(.delegations(.end(story.father.id)), by: ["father"])
            return try bench.object(story.grant, story.father.id, by: "father")
        },
        .objectionNotGuardiansGrant: { bench in
            let story = try bench.parents()
            let own = try bench.granted(by: "father", under: story.father.id)
            return try bench.object(own, story.father.id, by: "father")
        },
        .objectionExists: { bench in
            let story = try bench.parents()
            _ = try bench.object(story.grant, story.father.id, by: "father")
            return try bench.object(story.grant, story.father.id, by: "father")
        },
        .objectionUnknown: { bench in
            let story = try bench.parents()
            return try bench.decide(story.grant, story.father.id)
        },
        .objectionDecided: { bench in
            let story = try bench.parents()
            _ = try bench.object(story.grant, story.father.id, by: "father")
            _ = try bench.decide(story.grant, story.father.id)
            return try bench.decide(story.grant, story.father.id, .upheld, by: "c")
        },
    ]

    private func answer(
        _ grant: GrantID,
        _ bench: Bench,
        guardians: [Delegation],
        scopes: [GrantScope] = [],
        events: [LifeEvent] = [],
        at height: Height? = nil
    ) throws -> AccessAnswer {
        let state = bench.tip.state
        let mandates = try guardians.enumerated().map { index, delegation in
            AccessTerms.Mandate(
                state: try #require(state.delegation(delegation.id)),
                scope: scopes.indices.contains(index) ? scopes[index] : GrantScope()
            )
        }
        let terms = AccessTerms(
            id: grant,
            state: try #require(state.grant(grant)),
            scope: GrantScope(),
            mandate: mandates.first,
            guardians: mandates,
            objections: try state.objections(to: grant).map {
                GuardianObjection(objection: $0, guardian: try #require(state.delegation($0.delegation)))
            },
            events: events.compactMap { state.lifeEvent($0.id) }
        )
        return AccessRule.answer(
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
                height: height ?? bench.tip.header.height,
                time: Timestamp(milliseconds: 1000),
                silence: 0
            ),
            under: [terms]
        )
    }

    @Test("A guardian's objection stops the other's grant until it is decided; before it the grant held")
    func objection() throws {
        var bench = Bench()
        let (grant, mother, father) = try bench.parents()
        let allowed = AccessAnswer.allowed(AccessPermission(grant: grant))
        let refused = AccessAnswer.refused(.guardiansDisagree, nearest: grant)
        let both = [mother, father]
        #expect(try self.answer(grant, bench, guardians: both) == allowed)
        let before = bench.tip.header.height
        #expect(try bench.object(grant, father.id, by: "father") == .ok)
        #expect(try self.answer(grant, bench, guardians: both) == refused)
        #expect(try self.answer(grant, bench, guardians: both, at: before) == allowed)
        // Neither a stranger decides, nor a guardian.
        #expect(try bench.decide(grant, father.id, by: "d") == .objectionWrongSigner)
        var upheld = bench
        #expect(try upheld.decide(grant, father.id, .upheld, by: "c") == .ok)
        #expect(try self.answer(grant, upheld, guardians: both) == refused)
        #expect(try bench.decide(grant, father.id, .dismissed) == .ok)
        #expect(try self.answer(grant, bench, guardians: both) == allowed)
        // Who is no guardian any more holds nothing up.
        #expect(try upheld.code(.delegations(.end(father.id)), by: ["c"]) == .ok)
        #expect(try self.answer(grant, upheld, guardians: both) == allowed)
    }

    @Test("Of two guardians the one who may grant least decides what the other may grant")
    func narrowest() throws {
        var bench = Bench()
        let (grant, mother, father) = try bench.parents()
        let narrow = [GrantScope(), GrantScope(kinds: [.imaging])]
        let refused = AccessAnswer.refused(.beyondDelegation, nearest: grant)
        #expect(try self.answer(grant, bench, guardians: [mother, father], scopes: narrow) == refused)
        let masked = [GrantScope(), GrantScope(hidden: ["718-7"])]
        let hidden = AccessAnswer.allowed(AccessPermission(grant: grant, hidden: ["718-7"]))
        #expect(try self.answer(grant, bench, guardians: [mother, father], scopes: masked) == hidden)
        #expect(try bench.code(.delegations(.end(father.id)), by: ["father"]) == .ok)
        let allowed = AccessAnswer.allowed(AccessPermission(grant: grant))
        #expect(try self.answer(grant, bench, guardians: [mother, father], scopes: narrow) == allowed)
    }

    @Test(
        "A death ends every mandate, custody those of guardians before it; a withdrawn declaration counts for nothing"
    )
    func deathAndCustody() throws {
        for kind in [LifeEvent.Kind.death, .custody] {
            var bench = Bench()
            let (grant, mother, _) = try bench.parents()
            let before = bench.tip.header.height
            let event = bench.event(kind, by: "d")
            #expect(try bench.declare(event, by: "d") == .ok)
            #expect(try LifeEvent(canonicalBytes: event.canonicalBytes) == event)
            let over = AccessAnswer.refused(.delegationOver, nearest: grant)
            let allowed = AccessAnswer.allowed(AccessPermission(grant: grant))
            #expect(try self.answer(grant, bench, guardians: [mother], events: [event]) == over)
            #expect(try self.answer(grant, bench, guardians: [mother], events: [event], at: before) == allowed)
            // Whoever is appointed afterwards speaks after a change of custody, and not after a death.
            let aunt = try bench.guardian("aunt")
            let later = try bench.granted(by: "aunt", under: aunt.id)
            let answer = try self.answer(later, bench, guardians: [aunt, mother], events: [event])
            #expect(answer.isAllowed == (kind == .custody))
            #expect(try bench.code(.delegations(.withdraw(event.id)), by: ["a"]) == .lifeEventWrongSigner)
            #expect(try bench.code(.delegations(.withdraw(event.id)), by: ["d"]) == .ok)
            #expect(try self.answer(grant, bench, guardians: [mother], events: [event]) == allowed)
        }
    }

    @Test("A statutory delegate speaks from incapacity to recovery and not otherwise; a proxy always")
    func incapacity() throws {
        var bench = Bench()
        let ward = try bench.guardian("ward", capacity: .statutory)
        let proxy = try bench.guardian("proxy", capacity: .proxy)
        let grants = [
            try bench.granted(by: "ward", under: ward.id), try bench.granted(by: "proxy", under: proxy.id),
        ]
        var events: [LifeEvent] = []
        for (kind, speaks) in [
            (nil, false), (.incapacity, true), (.recovery, false), (.incapacity, true), (.death, false),
        ] as [(LifeEvent.Kind?, Bool)] {
            if let kind {
                events.append(bench.event(kind, nonce: UInt64(events.count)))
                #expect(try bench.declare(events[events.count - 1]) == .ok)
            }
            #expect(try self.answer(grants[0], bench, guardians: [ward], events: events).isAllowed == speaks)
            let isAlive = kind != .death
            #expect(try self.answer(grants[1], bench, guardians: [proxy], events: events).isAllowed == isAlive)
        }
    }

    @Test("What is prepared for emergencies opens to whoever declared one, within its extent, and to nobody else")
    func undeclared() throws {
        var bench = Bench()
        let grant = bench.grant(of: "p1", witness: "a")
        #expect(try bench.code(.grants(.createGrant(grant)), by: ["a"]) == .ok)
        let opening = bench.opening(by: "doctor")
        #expect(try bench.open(opening) == .ok)
        let state = bench.tip.state
        let prepared = AccessTerms(
            id: grant.id,
            state: try #require(state.grant(grant.id)),
            scope: GrantScope(purpose: .emergency)
        )
        let reader = ReaderHandle(clinician: "doctor", at: institution("b"), salt: opening.grant.salt)
        let declared = AccessTerms(
            id: opening.grant.id,
            state: try #require(state.grant(opening.grant.id)),
            scope: GrantScope(kinds: [.laboratory], purpose: .emergency, readers: [reader])
        )
        func answer(
            _ clinician: String = "doctor",
            kind: ExamKind = .laboratory,
            stage: AccessQuestion.Stage = .open,
            time: Timestamp? = nil,
            declarations: [GrantScope] = [],
            under terms: [AccessTerms]
        ) -> AccessAnswer {
            AccessRule.answer(
                AccessQuestion(
                    stage: stage,
                    reader: institution("b"),
                    person: AccessQuestion.Person(clinician: clinician, role: ""),
                    custodian: institution("a"),
                    exam: ExamFacts(
                        record: ContentAddress(.zero),
                        kind: kind,
                        itemCode: "718-7",
                        examTime: nil,
                        sensitive: []
                    ),
                    purpose: .emergency,
                    height: bench.tip.header.height,
                    time: time ?? opening.grant.notBefore,
                    silence: 0,
                    declarations: declarations
                ),
                under: terms
            )
        }
        let refused = AccessAnswer.refused(.undeclared, nearest: grant.id)
        #expect(answer(under: [prepared]) == refused)
        // Custodians prepare it all the same.
        #expect(answer(stage: .release, under: [prepared]).isAllowed)
        #expect(answer(under: [prepared, declared]).isAllowed)
        #expect(!answer("other", under: [prepared, declared]).isAllowed)
        #expect(!answer(kind: .imaging, under: [prepared, declared]).isAllowed)
        let local = GrantScope(kinds: [.laboratory], purpose: .emergency)
        #expect(answer(declarations: [local], under: [prepared]) == .allowed(AccessPermission(grant: grant.id)))
        #expect(answer(kind: .imaging, declarations: [local], under: [prepared]) == refused)
        #expect(answer(declarations: [local], under: []) == .refused(.grantee, nearest: nil))
        // Over after four hours.
        var over = prepared
        over.state.grant.notAfter = opening.grant.notAfter.advanced(byMilliseconds: 1000)
        #expect(answer(time: opening.grant.notAfter, under: [over, declared]) == refused)
    }
}
