import Ledger
import Primitives
import Records

/// One story for each refusal of groups, referrals, choices and delegations.
enum AccessCodes {
    static let scenarios: [TransactionCode: RefusalCodeTests.Scenario] = [
        .grantNotDelegate: { bench in
            let id = try bench.delegate(of: "patient", to: "helper")
            try bench.enrol("stranger")
            return try bench.code(
                .grants(.createGrant(bench.grant(of: "patient", delegate: "stranger", under: id))),
                by: ["stranger"]
            )
        },
        .grantDelegationOver: { bench in
            let id = try bench.delegate(of: "patient", to: "helper")
            _ = try bench.code(.delegations(.end(id)), by: ["patient"])
            return try bench.code(
                .grants(.createGrant(bench.grant(of: "patient", delegate: "helper", under: id))),
                by: ["helper"]
            )
        },
        .grantOutsideDelegation: { bench in
            let id = try bench.delegate(of: "patient", to: "helper")
            var grant = bench.grant(of: "patient", delegate: "helper", under: id)
            grant.notAfter = Timestamp(milliseconds: 1_000_001)
            return try bench.code(.grants(.createGrant(grant)), by: ["helper"])
        },
        .grantUnknownGroup: { bench in
            let grant = bench.grant(of: "p1", witness: "a") { $0.groups = [Bench.group("east")] }
            return try bench.code(.grants(.createGrant(grant)), by: ["a"])
        },
        .grantTooManyNarrowings: { bench in
            let grant = try bench.witnessedGrant()
            var last = TransactionCode.ok
            for _ in 0...GrantState.narrowingsMax {
                last = try bench.code(.grants(.narrowGrant(grant.id, Bench.narrowing())), by: ["a"])
            }
            return last
        },
        .groupWrongSigner: { bench in
            _ = try bench.code(.grants(.createGroup(Bench.group("east"), keeper: institution("a"))), by: ["a"])
            return try bench.code(Bench.change("east", by: "b", add: ["b"]), by: ["b"])
        },
        .groupUnknown: { bench in try bench.code(Bench.change("east", by: "a", add: ["b"]), by: ["a"]) },
        .groupExists: { bench in
            _ = try bench.code(.grants(.createGroup(Bench.group("east"), keeper: institution("a"))), by: ["a"])
            return try bench.code(.grants(.createGroup(Bench.group("east"), keeper: institution("b"))), by: ["b"])
        },
        .groupUnknownMember: { bench in
            _ = try bench.code(.grants(.createGroup(Bench.group("east"), keeper: institution("a"))), by: ["a"])
            return try bench.code(Bench.change("east", by: "a", add: ["x"]), by: ["a"])
        },
        .groupTooManyMembers: { bench in
            _ = try bench.code(.grants(.createGroup(Bench.group("east"), keeper: institution("a"))), by: ["a"])
            var last = TransactionCode.ok
            for _ in 0..<GroupState.membershipsMax {
                last = try bench.code(Bench.change("east", by: "a", add: ["b"]), by: ["a"])
                guard last == .ok else { return last }
                last = try bench.code(Bench.change("east", by: "a", remove: ["b"]), by: ["a"])
            }
            return last
        },
        .groupNoChange: { bench in
            _ = try bench.code(.grants(.createGroup(Bench.group("east"), keeper: institution("a"))), by: ["a"])
            return try bench.code(Bench.change("east", by: "a", remove: ["b"]), by: ["a"])
        },
        .referralWrongSigner: { bench in
            let referral = Bench.referral("a", "b")
            _ = try bench.code(.grants(.openReferral(referral)), by: ["a"])
            return try bench.code(.grants(.closeReferral(referral.id, by: institution("c"))), by: ["c"])
        },
        .referralUnknownInstitution: { bench in
            try bench.code(.grants(.openReferral(Bench.referral("a", "x"))), by: ["a"])
        },
        .referralExists: { bench in
            _ = try bench.code(.grants(.openReferral(Bench.referral("a", "b"))), by: ["a"])
            return try bench.code(.grants(.openReferral(Bench.referral("a", "b"))), by: ["a"])
        },
        .referralUnknown: { bench in
            try bench.code(.grants(.closeReferral(Bench.referral("a", "b").id, by: institution("a"))), by: ["a"])
        },
        .referralAlreadyClosed: { bench in
            let referral = Bench.referral("a", "b")
            _ = try bench.code(.grants(.openReferral(referral)), by: ["a"])
            _ = try bench.code(.grants(.closeReferral(referral.id, by: institution("b"))), by: ["b"])
            return try bench.code(.grants(.closeReferral(referral.id, by: institution("a"))), by: ["a"])
        },
        .discoveryWrongSigner: { bench in
            try bench.code(
                .grants(.chooseDiscovery(Self.choice(bench, "patient", .witness(institution("b"))))),
                by: ["a"]
            )
        },
        .discoveryWrongPatient: { bench in
            try bench.enrol("patient")
            let choice = Self.choice(bench, "victim", .patient(TestKey("patient").verifying))
            return try bench.code(.grants(.chooseDiscovery(choice)), by: ["patient"])
        },
        .delegationWrongSigner: { bench in
            let id = try bench.delegate(of: "patient", to: "helper")
            return try bench.code(.delegations(.end(id)), by: ["a"])
        },
        .delegationNotPatientKey: { bench in
            let delegation = bench.delegation(of: "patient", to: "helper")
            return try bench.code(DelegationsCall.create(delegation), signers: [Bench.signer("patient")])
        },
        .delegationWrongPatient: { bench in
            // What would hand a delegation on: the delegate appoints another for the patient.
            _ = try bench.delegate(of: "patient", to: "helper")
            try bench.enrol("third")
            let next = bench.delegation(of: "patient", to: "third") {
                $0.principal = .patient(TestKey("helper").verifying)
            }
            return try bench.code(.delegations(.create(next)), by: ["helper"])
        },
        .delegationUnknownWitness: { bench in
            try bench.code(
                DelegationsCall.create(bench.delegation(of: "patient", to: "helper", witness: "x")),
                signers: [.institution(institution("x"))]
            )
        },
        .delegationUnknownDelegate: { bench in
            try bench.enrol("patient")
            return try bench.code(.delegations(.create(bench.delegation(of: "patient", to: "helper"))), by: ["patient"])
        },
        .delegationToSelf: { bench in
            try bench.enrol("patient")
            let own = bench.delegation(of: "patient", to: "patient")
            return try bench.code(.delegations(.create(own)), by: ["patient"])
        },
        .delegationBadPeriod: { bench in
            try bench.enrol("helper")
            let delegation = bench.delegation(of: "patient", to: "helper", witness: "a") {
                $0.notAfter = Timestamp(milliseconds: 0)
            }
            return try bench.code(.delegations(.create(delegation)), by: ["a"])
        },
        .delegationBadScope: { bench in
            try bench.enrol("helper")
            let delegation = bench.delegation(of: "patient", to: "helper", witness: "a") { $0.sealedScope = [] }
            return try bench.code(.delegations(.create(delegation)), by: ["a"])
        },
        .delegationExists: { bench in
            _ = try bench.delegate(of: "patient", to: "helper")
            return try bench.code(.delegations(.create(bench.delegation(of: "patient", to: "helper"))), by: ["patient"])
        },
        .delegationUnknown: { bench in try bench.code(.delegations(.end(DelegationID(.zero))), by: ["a"]) },
        .delegationAlreadyEnded: { bench in
            let id = try bench.delegate(of: "patient", to: "helper")
            _ = try bench.code(.delegations(.end(id)), by: ["helper"])
            return try bench.code(.delegations(.end(id)), by: ["patient"])
        },
    ]

    private static func choice(
        _ bench: Bench,
        _ patient: String,
        _ principal: Delegation.Principal
    ) -> DiscoveryChoice {
        let enrolment = bench.enrolment(patient)
        return DiscoveryChoice(
            handle: enrolment.handle,
            salt: enrolment.salt,
            bucket: enrolment.bucket,
            isHidden: true,
            principal: principal
        )
    }
}
