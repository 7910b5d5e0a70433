import Ledger
import Primitives
import Records
import TestSupport
import Testing

/// What the grants module should do, said as simply as possible.
private struct GrantModel {
    var enrolled: Set<String> = []
    /// Grants by id: who signed, and whether it is over.
    var grants: [GrantID: (signer: String, revoked: Bool)] = [:]

    mutating func enrol(_ patient: String, by signers: Set<String>) -> TransactionCode {
        guard signers == ["a", patient] else { return .enrolmentWrongSigner }
        return self.enrolled.insert(patient).inserted ? .ok : .enrolmentExists
    }

    mutating func create(_ grant: AccessGrant, of patient: String, key: String?, by signer: String) -> TransactionCode {
        guard signer == key ?? "c" else { return .grantWrongSigner }
        if let key {
            guard self.enrolled.contains(key) else { return .grantNotPatientKey }
            guard key == patient else { return .grantWrongPatient }
        }
        guard self.grants[grant.id] == nil else { return .grantExists }
        self.grants[grant.id] = (signer, false)
        return .ok
    }

    mutating func revoke(_ id: GrantID, by signer: String) -> TransactionCode {
        guard let grant = self.grants[id] else { return .grantUnknown }
        guard grant.signer == signer else { return .grantWrongSigner }
        guard !grant.revoked else { return .grantAlreadyRevoked }
        self.grants[id]?.revoked = true
        return .ok
    }
}

@Suite("Grants behave like a simple model of them")
struct GrantModelTests {
    private static let patients = ["p1", "p2", "p3"]

    @Test("Random calls by random signers give the model's codes and state", arguments: 0..<20 as Range<UInt64>)
    func model(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var bench = Bench()
        var model = GrantModel()
        var known: [GrantID] = [GrantID(.zero)]
        for _ in 0..<60 {
            let patient = Self.patients.randomElement(using: &generator) ?? "p1"
            let signer = (Self.patients + ["a", "c"]).randomElement(using: &generator) ?? "a"
            let expected: TransactionCode
            let call: GrantsCall
            var signers = [signer]
            switch Int.random(in: 0..<6, using: &generator) {
            case 0:
                signers = ["a", signer]
                call = .enrolPatient(bench.enrolment(patient))
                expected = model.enrol(patient, by: Set(signers))
            case 1...3:
                let key = Bool.random(using: &generator) ? signer.count > 1 ? signer : patient : nil
                let nonce = UInt64.random(in: 0..<3, using: &generator)
                let grant = bench.grant(of: patient, witness: key == nil ? "c" : nil, nonce: nonce) {
                    if let key { $0.grantor = .patient(TestKey(key).verifying) }
                }
                call = .createGrant(grant)
                known.append(grant.id)
                expected = model.create(grant, of: patient, key: key, by: signer)
            default:
                let id = known.randomElement(using: &generator) ?? GrantID(.zero)
                call = .revokeGrant(id)
                expected = model.revoke(id, by: signer)
            }
            let before = bench.tip
            let code = try bench.code(.grants(call), by: signers)
            if code == .unknownSigner {
                #expect(signers.allSatisfy { $0.count > 1 && !model.enrolled.contains($0) })
                #expect(bench.tip.hash == before.hash)
            } else {
                #expect(code == expected, "seed \(seed)")
            }
        }
        for (id, grant) in model.grants {
            let state = try #require(bench.tip.state.grant(id))
            #expect((state.revokedHeight != nil) == grant.revoked)
            #expect((state.revokedTime != nil) == grant.revoked)
        }
        for id in known where model.grants[id] == nil { #expect(bench.tip.state.grant(id) == nil) }
    }

    @Test("A grant holds from its block to its revocation, within its period")
    func holds() throws {
        var bench = Bench()
        let grant = bench.grant(of: "p1", witness: "a") {
            $0.notBefore = Timestamp(milliseconds: 5000)
            $0.notAfter = Timestamp(milliseconds: 9000)
        }
        try bench.block([bench.transaction(.grants(.createGrant(grant)), by: ["a"])])
        try bench.block([bench.transaction(.grants(.revokeGrant(grant.id)), by: ["a"])])
        let state = try #require(bench.tip.state.grant(grant.id))
        #expect(state.revokedHeight == Height(2) && state.revokedTime == Timestamp(milliseconds: 2000))
        #expect(!state.holds(at: Height(0), time: Timestamp(milliseconds: 6000)))
        #expect(state.holds(at: Height(1), time: Timestamp(milliseconds: 5000)))
        #expect(!state.holds(at: Height(1), time: Timestamp(milliseconds: 4999)))
        #expect(!state.holds(at: Height(1), time: Timestamp(milliseconds: 9000)))
        #expect(!state.holds(at: Height(2), time: Timestamp(milliseconds: 6000)))
        #expect(bench.tip.events == [.grantRevoked(grant.id, state)])
    }

    @Test("A patient's grant carries exactly the handle, salt and bucket of the enrolment")
    func enrolmentMatches() throws {
        var bench = Bench()
        try bench.enrol("p1")
        let lies: [(inout AccessGrant) -> Void] = [
            { $0.handle = patientHandle("p2") },
            { $0.salt[15] ^= 1 },
            { $0.bucket ^= 1 },
        ]
        for lie in lies {
            let grant = bench.grant(of: "p1", change: lie)
            #expect(try bench.code(.grants(.createGrant(grant)), by: ["p1"]) == .grantWrongPatient)
        }
        let grant = bench.grant(of: "p1")
        #expect(try bench.code(.grants(.createGrant(grant)), by: ["p1"]) == .ok)
        #expect(bench.tip.events == [.grantCreated(grant.id, try #require(bench.tip.state.grant(grant.id)))])
        #expect(try bench.code(.grants(.revokeGrant(grant.id)), by: ["a"]) == .grantWrongSigner)
        #expect(bench.tip.state.enrolment(TestKey("p1").verifying) == bench.enrolment("p1"))
    }
}
