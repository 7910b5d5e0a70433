import Ledger
import Primitives
import Records
import Testing

extension Bench {
    static func record(_ number: UInt8) -> ContentAddress { ContentAddress(Digest(hashing: [7, number])) }

    /// A wish to erase records of `a`: by the patient's key, or by `a` itself.
    func erasure(
        by patient: String? = "patient",
        records: [ContentAddress] = [Bench.record(1), Bench.record(2)],
        nonce: UInt64 = 0
    ) -> Erasure {
        Erasure(
            source: institution("a"),
            records: records,
            requester: patient.map { .patient(TestKey($0).verifying) } ?? .source(evidence: .zero),
            nonce: nonce
        )
    }

    mutating func request(_ erasure: Erasure, by signer: String = "a") throws -> TransactionCode {
        try self.code(.erasures(.request(erasure)), by: [signer])
    }

    mutating func decide(
        _ erasure: Erasure,
        _ outcome: ErasureState.Outcome,
        by source: String = "a"
    ) throws -> TransactionCode {
        try self.code(.erasures(.decide(erasure.id, by: institution(source), outcome)), by: [source])
    }

    func destruction(of erasure: Erasure, at name: String, list: Digest? = nil) -> Destruction {
        Destruction(
            erasure: erasure.id,
            institution: institution(name),
            list: list ?? erasure.listDigest,
            generation: 7,
            dataKeys: 2,
            copies: 3
        )
    }

    mutating func prove(_ erasure: Erasure, at name: String, list: Digest? = nil) throws -> TransactionCode {
        try self.code(.erasures(.prove(self.destruction(of: erasure, at: name, list: list))), by: [name])
    }
}

@Suite("Erasures on chain")
struct ErasuresTests {
    private static let accepted = ErasureState.Outcome.accepted(.inpatient, holders: [institution("b")])
    private static let held = ErasureState.Outcome.refused(.legalHold, until: nil)

    private static func accepting(_ bench: inout Bench) throws -> Erasure {
        let erasure = bench.erasure(by: nil)
        _ = try bench.request(erasure)
        _ = try bench.decide(erasure, Self.accepted)
        return erasure
    }

    static let scenarios: [TransactionCode: RefusalCodeTests.Scenario] = [
        .erasureWrongSigner: { bench in try bench.request(bench.erasure(by: nil), by: "b") },
        .erasureUnknownInstitution: { bench in
            var erasure = bench.erasure(by: nil)
            erasure.source = institution("x")
            return try bench.code(ErasuresCall.request(erasure), signers: [.institution(institution("x"))])
        },
        .erasureNotPatientKey: { bench in
            try bench.code(ErasuresCall.request(bench.erasure()), signers: [Bench.signer("patient")])
        },
        .erasureNoRecords: { bench in try bench.request(bench.erasure(by: nil, records: [])) },
        .erasureExists: { bench in
            _ = try bench.request(bench.erasure(by: nil))
            return try bench.request(bench.erasure(by: nil))
        },
        .erasureUnknown: { bench in try bench.decide(bench.erasure(), Self.held) },
        .erasureAlreadyDecided: { bench in
            _ = try bench.request(bench.erasure(by: nil))
            _ = try bench.decide(bench.erasure(by: nil), Self.held)
            return try bench.decide(bench.erasure(by: nil), Self.accepted)
        },
        .erasureAlreadyErased: { bench in
            _ = try Self.accepting(&bench)
            return try bench.request(bench.erasure(by: nil, records: [Bench.record(2)], nonce: 1))
        },
        .erasureUnknownHolder: { bench in
            _ = try bench.request(bench.erasure(by: nil))
            return try bench.decide(
                bench.erasure(by: nil),
                .accepted(.outpatient, holders: [institution("b"), institution("x")])
            )
        },
        .erasureBadPeriod: { bench in
            _ = try bench.request(bench.erasure(by: nil))
            return try bench.decide(bench.erasure(by: nil), .refused(.retention, until: bench.tip.header.time))
        },
        .erasureNotAccepted: { bench in
            _ = try bench.request(bench.erasure(by: nil))
            return try bench.prove(bench.erasure(by: nil), at: "a")
        },
        .erasureNotHolder: { bench in try bench.prove(Self.accepting(&bench), at: "c") },
        .erasureAlreadyProved: { bench in
            let erasure = try Self.accepting(&bench)
            _ = try bench.prove(erasure, at: "b")
            return try bench.prove(erasure, at: "b")
        },
        .erasureWrongList: { bench in try bench.prove(Self.accepting(&bench), at: "b", list: .zero) },
    ]

    @Test("A patient asks, the source accepts, source and holders prove: the state says who and when, in order")
    func whole() throws {
        var bench = Bench()
        try bench.enrol("patient")
        let erasure = bench.erasure()
        #expect(try bench.request(erasure, by: "patient") == .ok)
        #expect(!bench.tip.state.isErased(Bench.record(1), of: institution("a")))
        #expect(try bench.decide(erasure, Self.accepted, by: "b") == .erasureWrongSigner)
        #expect(try bench.decide(erasure, Self.accepted) == .ok)
        let accepted = try #require(bench.tip.state.erasure(erasure.id))
        #expect(accepted.outstanding == [institution("a"), institution("b")] && !accepted.isComplete)
        // Of this source alone: what another lists under the same address is another's.
        #expect(bench.tip.state.erasure(of: Bench.record(2), by: institution("a")) == erasure.id)
        #expect(!bench.tip.state.isErased(Bench.record(2), of: institution("b")))
        #expect(!bench.tip.state.isErased(Bench.record(3), of: institution("a")))
        #expect(try bench.prove(erasure, at: "b") == .ok)
        #expect(bench.tip.state.erasure(erasure.id)?.outstanding == [institution("a")])
        #expect(try bench.prove(erasure, at: "a") == .ok)
        let state = try #require(bench.tip.state.erasure(erasure.id))
        #expect(state.isComplete && state.proofs.map(\.destruction.institution.text) == ["b", "a"])
        #expect(state.proofs[0].destruction == bench.destruction(of: erasure, at: "b"))
        #expect(state.proofs[1].height == bench.tip.header.height)
        #expect(try ErasureState(canonicalBytes: state.canonicalBytes) == state)
    }

    @Test("A refusal leaves the records as they are, and the same may be asked for again later")
    func refused() throws {
        var bench = Bench()
        let first = bench.erasure(by: nil)
        #expect(try bench.request(first) == .ok)
        let until = bench.tip.header.time.advanced(byMilliseconds: 60_000)
        #expect(try bench.decide(first, .refused(.retention, until: nil)) == .erasureBadPeriod)
        #expect(try bench.decide(first, .refused(.retention, until: until)) == .ok)
        #expect(!bench.tip.state.isErased(Bench.record(1), of: institution("a")))
        #expect(bench.tip.state.erasure(first.id)?.holders == [])
        let second = bench.erasure(by: nil, nonce: 1)
        #expect(try bench.request(second) == .ok)
        #expect(try bench.decide(second, Self.accepted) == .ok)
        #expect(bench.tip.state.erasure(of: Bench.record(1), by: institution("a")) == second.id)
    }

    @Test("Two wishes about one record: only one is accepted, whichever comes first")
    func twice() throws {
        var bench = Bench()
        try bench.enrol("patient")
        let (first, second) = (bench.erasure(), bench.erasure(by: nil, records: [Bench.record(2)]))
        #expect(try bench.request(first, by: "patient") == .ok)
        #expect(try bench.request(second) == .ok)
        #expect(try bench.decide(second, .accepted(.outpatient, holders: [])) == .ok)
        #expect(try bench.decide(first, Self.accepted) == .erasureAlreadyErased)
        #expect(!bench.tip.state.isErased(Bench.record(1), of: institution("a")))
        #expect(try bench.prove(second, at: "a") == .ok)
        #expect(bench.tip.state.erasure(second.id)?.isComplete == true)
    }

    @Test("As many records and holders as there may be fit one call and one value")
    func largest() throws {
        let members = (0...64).map { "m\($0)" }
        var bench = Bench(members: Bench.members + members)
        let erasure = bench.erasure(by: nil, records: (0..<12).map(Bench.record))
        #expect(try bench.request(erasure) == .ok)
        let holders = members.dropLast().map { institution($0) }.sorted()
        #expect(try bench.decide(erasure, .accepted(.inpatient, holders: holders)) == .ok)
        for name in members.dropLast() { #expect(try bench.prove(erasure, at: name) == .ok) }
        #expect(try bench.prove(erasure, at: "a") == .ok)
        #expect(bench.tip.state.erasure(erasure.id)?.isComplete == true)
    }

    @Test("Lists that are not in order, or too long, are no canonical calls")
    func malformed() throws {
        let bench = Bench()
        let good = bench.erasure().canonicalBytes
        #expect(try Erasure(canonicalBytes: good) == bench.erasure())
        // Source (2 bytes) and count (1 byte) stand before two records of 32 bytes.
        let swapped = Array(good[..<3] + good[35..<67] + good[3..<35] + good[67...])
        #expect(throws: CanonicalError.self) { try Erasure(canonicalBytes: swapped) }
        let many = Erasure(
            source: institution("a"),
            records: (0..<13).map(Bench.record),
            requester: .source(evidence: .zero),
            nonce: 0
        )
        #expect(throws: CanonicalError.self) { try Erasure(canonicalBytes: many.canonicalBytes) }
        let unordered = ErasureState.Outcome.accepted(.inpatient, holders: [institution("b"), institution("a")])
        #expect(throws: CanonicalError.self) { try ErasureState.Outcome(canonicalBytes: unordered.canonicalBytes) }
    }
}

extension ErasuresCall: DirectCall {
    var module: ModuleID { .erasures }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal) { try self.execute(in: &context) }
}
