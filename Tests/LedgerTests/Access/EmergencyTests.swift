import Ledger
import Primitives
import Records
import Testing

extension Bench {
    /// `clinician` of `b` opens in an emergency.
    func opening(
        of patient: String = "p1",
        by clinician: String = "doctor",
        approver: String? = nil,
        nonce: UInt64 = 0,
        change: (inout BreakGlass) -> Void = { _ in }
    ) -> BreakGlass {
        let now = self.tip.header.time.milliseconds + 1000
        let grant = self.grant(of: patient, nonce: nonce) {
            $0.grantor = .emergency(institution("b"))
            $0.notBefore = Timestamp(milliseconds: now)
            $0.notAfter = Timestamp(milliseconds: now + BreakGlass.periodMillisecondsMax)
        }
        var opening = BreakGlass(
            grant: grant,
            user: BreakGlass.user(clinician: clinician, at: institution("b")),
            clinician: TestKey(clinician).verifying,
            approver: approver.map { TestKey($0).verifying },
            reason: .unconscious,
            sealedStatement: [UInt8](repeating: 4, count: AccessGrant.sealedScopeBytes),
            widens: nil
        )
        change(&opening)
        return opening
    }

    mutating func open(_ opening: BreakGlass, by signers: [String] = ["b", "doctor"]) throws -> TransactionCode {
        try self.code(.emergency(.open(opening)), by: signers)
    }

    mutating func review(
        _ id: GrantID,
        _ outcome: EmergencyOutcome = .justified,
        by reviewer: String = "chief"
    ) throws -> TransactionCode {
        try self.code(
            .emergency(.review(id, outcome, reviewer: TestKey(reviewer).verifying)),
            by: ["b", reviewer]
        )
    }
}

@Suite("Emergency access on chain")
struct EmergencyTests {
    static let scenarios: [TransactionCode: RefusalCodeTests.Scenario] = [
        .emergencyWrongSigner: { bench in try bench.open(bench.opening(), by: ["a", "doctor"]) },
        .emergencyBadGrant: { bench in
            try bench.open(bench.opening { $0.grant.grantees = [institution("b"), institution("c")] })
        },
        .emergencyBadPeriod: { bench in
            try bench.open(bench.opening { $0.grant.notAfter = $0.grant.notAfter.advanced(byMilliseconds: 1) })
        },
        .emergencyBadScope: { bench in try bench.open(bench.opening { $0.sealedStatement = [] }) },
        .emergencySelfApproved: { bench in try bench.open(bench.opening(approver: "doctor")) },
        .emergencyNothingToWiden: { bench in try bench.open(bench.opening { $0.widens = GrantID(.zero) }) },
        .emergencyReviewOverdue: { bench in
            _ = try bench.open(bench.opening())
            try bench.block([], time: bench.tip.header.time.milliseconds + BreakGlass.reviewMilliseconds + 1000)
            return try bench.open(bench.opening(nonce: 1))
        },
        .emergencyTooManyOpen: { bench in
            var last = TransactionCode.ok
            for nonce in 0...UInt64(EmergencyCall.openCasesMax) { last = try bench.open(bench.opening(nonce: nonce)) }
            return last
        },
        .emergencyExists: { bench in
            let opening = bench.opening()
            _ = try bench.open(opening)
            return try bench.open(opening)
        },
        .emergencyOwnReview: { bench in
            let opening = bench.opening()
            _ = try bench.open(opening)
            return try bench.review(opening.grant.id, by: "doctor")
        },
        .emergencyUnknown: { bench in try bench.review(GrantID(.zero)) },
        .emergencyReviewed: { bench in
            let opening = bench.opening()
            _ = try bench.open(opening)
            _ = try bench.review(opening.grant.id)
            return try bench.review(opening.grant.id, .unjustified)
        },
    ]

    @Test("An access stands like a grant that ends by itself, is counted apart, and the patient's grants do not see it")
    func opened() throws {
        var bench = Bench()
        let opening = bench.opening(approver: "chief")
        #expect(try bench.open(opening, by: ["b", "chief", "doctor"]) == .ok)
        let id = opening.grant.id
        let state = try #require(bench.tip.state.emergency(id))
        #expect(bench.tip.state.grant(id) == state.grantState)
        #expect(bench.tip.events == [.emergencyOpened(id, state)])
        #expect(bench.tip.state.emergencyCounts(institution("b")) == EmergencyCounts(opened: 1))
        #expect(bench.tip.state.emergencyCounts(institution("a")) == EmergencyCounts())
        // It is no grant: nobody revokes, narrows or makes one of it.
        #expect(try bench.code(.grants(.revokeGrant(id)), by: ["b"]) == .grantUnknown)
        #expect(try bench.code(.grants(.createGrant(opening.grant)), by: ["b"]) == .grantWrongSigner)
        #expect(try BreakGlass(canonicalBytes: opening.canonicalBytes) == opening)
        #expect(try EmergencyState(canonicalBytes: state.canonicalBytes) == state)
    }

    @Test("A review frees whoever opened, whatever it says, and stays with the case")
    func reviewed() throws {
        var bench = Bench()
        let first = bench.opening()
        #expect(try bench.open(first) == .ok)
        try bench.block([], time: bench.tip.header.time.milliseconds + BreakGlass.reviewMilliseconds + 1000)
        #expect(try bench.open(bench.opening(nonce: 1)) == .emergencyReviewOverdue)
        // Others of the institution are not held up.
        #expect(try bench.open(bench.opening(by: "other", nonce: 2), by: ["b", "other"]) == .ok)
        #expect(try bench.review(first.grant.id, .unjustified) == .ok)
        #expect(try bench.open(bench.opening(nonce: 3)) == .ok)
        #expect(bench.tip.state.emergency(first.grant.id)?.review?.outcome == .unjustified)
        #expect(
            bench.tip.state.emergencyCounts(institution("b"))
                == EmergencyCounts(opened: 3, justified: 0, unjustified: 1)
        )
    }

    @Test("Widening is a second act on a case of one's own that is not over")
    func widened() throws {
        var bench = Bench()
        let first = bench.opening()
        #expect(try bench.open(first) == .ok)
        let wide = { (bench: Bench, clinician: String, patient: String) in
            bench.opening(of: patient, by: clinician, nonce: 7) { $0.widens = first.grant.id }
        }
        #expect(try bench.open(wide(bench, "other", "p1"), by: ["b", "other"]) == .emergencyNothingToWiden)
        #expect(try bench.open(wide(bench, "doctor", "p2")) == .emergencyNothingToWiden)
        #expect(try bench.open(wide(bench, "doctor", "p1")) == .ok)
        try bench.block([], time: first.grant.notAfter.milliseconds)
        #expect(try bench.open(wide(bench, "doctor", "p1")) == .emergencyNothingToWiden)
    }
}

extension EmergencyCall: DirectCall {
    var module: ModuleID { .emergency }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal) { try self.execute(in: &context) }
}
