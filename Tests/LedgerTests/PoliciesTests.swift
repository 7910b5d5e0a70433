import Ledger
import Primitives
import Records
import TestSupport
import Testing

extension Bench {
    static func packBytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = SeededGenerator(seed: seed)
        return .random(count: count, using: &random)
    }

    func proposal(
        _ name: String,
        version: UInt64 = 1,
        bytes: [UInt8] = Bench.packBytes(100),
        effectiveFrom: Int64 = 0,
        undoMinutes: UInt16 = 30
    ) -> PolicyProposal {
        PolicyProposal(
            institution: institution(name),
            version: version,
            previous: self.tip.state.newestPolicy.previous,
            pack: Digest(hashing: bytes),
            bytes: bytes,
            effectiveFrom: Timestamp(milliseconds: effectiveFrom),
            undoMinutes: undoMinutes
        )
    }

    /// The code of a proposal signed by its institution.
    mutating func propose(_ proposal: PolicyProposal, by name: String? = nil) throws -> TransactionCode {
        try self.code(.policies(.propose(proposal)), by: [name ?? proposal.institution.text])
    }

    mutating func publish(_ proposal: PolicyProposal, _ bytes: [UInt8]) throws {
        for (index, chunk) in PolicyProposal.chunks(of: bytes).enumerated() {
            let code = try self.publish(proposal, chunk, index)
            precondition(code == .ok, "\(code.name)")
        }
    }

    mutating func publish(_ proposal: PolicyProposal, _ chunk: [UInt8], _ index: Int) throws -> TransactionCode {
        let call = PoliciesCall.publishChunk(proposal.id, proposal.institution, index: UInt16(index), bytes: chunk)
        return try self.code(.policies(call), by: [proposal.institution.text])
    }

    mutating func approve(_ proposal: PolicyProposal, by name: String) throws -> TransactionCode {
        let call = PoliciesCall.approve(proposal.id, proposer: proposal.institution, by: institution(name))
        return try self.code(.policies(call), by: [name])
    }

    /// A pack that everybody wants.
    @discardableResult
    mutating func adopt(
        _ bytes: [UInt8] = Bench.packBytes(100),
        version: UInt64 = 1,
        effectiveFrom: Int64 = 0,
        undoMinutes: UInt16 = 30
    ) throws -> PolicyState {
        let proposal = self.proposal(
            "a",
            version: version,
            bytes: bytes,
            effectiveFrom: effectiveFrom,
            undoMinutes: undoMinutes
        )
        _ = try self.propose(proposal)
        try self.publish(proposal, bytes)
        _ = try self.approve(proposal, by: "b")
        _ = try self.approve(proposal, by: "c")
        guard let adopted = self.tip.state.policies.packs.last, adopted.proposal == proposal else {
            preconditionFailure("three of four are a quorum")
        }
        return adopted
    }
}

@Suite("Policy packs take effect when a quorum wants them, and stay for good")
struct PoliciesTests {
    @Test("A pack larger than a transaction is proposed, published in chunks, approved and read back")
    func adopted() throws {
        var bench = Bench()
        let bytes = Bench.packBytes(3 * PolicyProposal.chunkBytes - 5)
        #expect(bytes.count > Int(bench.rules.parameters.transactionBytesMax))
        let proposal = bench.proposal("b", bytes: bytes, effectiveFrom: 50_000)
        #expect(try bench.propose(proposal) == .ok)
        #expect(bench.tip.events == [.policyProposed(proposal)])
        #expect(try bench.approve(proposal, by: "a") == .policyIncomplete)
        var published: [[UInt8]] = []
        for (index, chunk) in PolicyProposal.chunks(of: bytes).enumerated().reversed() {
            #expect(try bench.publish(proposal, chunk, index) == .ok)
            let call = try LedgerCall(of: bench.tip.body.transactions[0].body)
            if case .policies(.publishChunk(_, _, _, let bytes)) = call { published.insert(bytes, at: 0) }
        }
        #expect(proposal.assemble(published) == bytes)
        #expect(proposal.assemble(published.reversed()) == nil)
        #expect(try bench.approve(proposal, by: "a") == .ok)
        #expect(bench.tip.state.policies.packs.isEmpty, "two of four are no quorum")
        #expect(try bench.approve(proposal, by: "d") == .ok)
        let state = try #require(bench.tip.state.policies.packs.first)
        #expect(bench.tip.events == [.policyAdopted(state)])
        #expect(state.proposal == proposal && state.approvals == 3 && state.index == 0)
        #expect(state.chunkHeights == [5, 4, 3].map { Height($0) })
        #expect(state.effective == Timestamp(milliseconds: 50_000))
        #expect(bench.tip.state.openPolicyProposal(of: institution("b")) == nil)
        for (name, isApproved) in [("a", true), ("b", true), ("c", false), ("d", true)] {
            #expect(bench.tip.state.isApproved(proposal, by: institution(name)) == isApproved)
        }
        #expect(try bench.approve(proposal, by: "c") == .policyUnknownProposal, "what is adopted is closed")
    }

    @Test("The pack of a past time stays the pack of that time, whatever is adopted later")
    func asOf() throws {
        var bench = Bench()
        let first = try bench.adopt(Bench.packBytes(10, seed: 1), version: 1)
        let second = try bench.adopt(Bench.packBytes(10, seed: 2), version: 5, effectiveFrom: 100_000)
        // Replaces the second before that takes effect: a pack is withdrawn by a newer one only.
        let third = try bench.adopt(Bench.packBytes(10, seed: 3), version: 6, effectiveFrom: 0)
        #expect(first.effective == first.adoptedTime, "no pack is the rules before it is adopted")
        let timeline = bench.tip.state.policies
        #expect(timeline.packs == [first, second, third])
        func pack(_ time: Int64, _ height: UInt64? = nil) -> UInt64? {
            timeline.pack(asOf: Timestamp(milliseconds: time), knownAt: height.map { Height($0) })?.proposal.version
        }
        #expect(pack(first.adoptedTime.milliseconds - 1) == nil)
        #expect(pack(first.adoptedTime.milliseconds) == 1)
        #expect(pack(third.adoptedTime.milliseconds - 1) == 1)
        #expect(pack(third.adoptedTime.milliseconds) == 6)
        #expect(pack(200_000) == 6)
        #expect(pack(200_000, third.adoptedHeight.value - 1) == 5)
        #expect(pack(200_000, second.adoptedHeight.value - 1) == 1)
        for cut in 0...3 {
            let earlier = PolicyTimeline(Array(timeline.packs.prefix(cut)))
            let until = cut < 3 ? timeline.packs[cut].adoptedTime.milliseconds : 300_000
            for time in stride(from: Int64(0), to: until, by: 500) {
                #expect(earlier.pack(asOf: Timestamp(milliseconds: time))?.proposal.version == pack(time))
            }
        }
    }

    @Test("Of two proposals for one version the second can no longer be adopted")
    func overtaken() throws {
        var bench = Bench()
        let bytes = Bench.packBytes(10)
        let late = bench.proposal("d", bytes: bytes)
        #expect(try bench.propose(late) == .ok)
        try bench.publish(late, bytes)
        try bench.adopt()
        #expect(try bench.approve(late, by: "b") == .policyBadVersion)
        var higher = late
        higher.version = 2
        #expect(try bench.propose(higher) == .policyWrongPrevious)
        higher.previous = bench.tip.state.newestPolicy.previous
        #expect(try bench.propose(higher) == .ok)
        #expect(try bench.approve(late, by: "b") == .policyUnknownProposal, "an institution has one open proposal")
    }

    @Test("The quorum is that of consensus", arguments: [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (7, 5), (40, 27)])
    func quorum(members: Int, needed: Int) {
        #expect(PoliciesCall.quorum(of: members) == needed)
    }

    @Test("The largest proposal is adopted within what a transaction may write")
    func largest() throws {
        var bench = Bench()
        let bytes = [UInt8](repeating: 9, count: PolicyProposal.chunksMax * PolicyProposal.chunkBytes)
        let state = try bench.adopt(bytes)
        #expect(state.proposal.chunks.count == PolicyProposal.chunksMax)
        #expect(state.canonicalBytes.count < ExecutionContext.bytesWrittenMax / 2)
    }

    @Test("The bytes of each call come back, and no shortening of them is one")
    func bytes() throws {
        let bench = Bench()
        let proposal = bench.proposal("a", bytes: Bench.packBytes(70_000))
        let calls: [PoliciesCall] = [
            .propose(proposal), .publishChunk(proposal.id, institution("a"), index: 1, bytes: [1, 2, 3]),
            .approve(proposal.id, proposer: institution("a"), by: institution("b")),
        ]
        for call in calls {
            #expect(try PoliciesCall(canonicalBytes: call.canonicalBytes) == call)
            for count in 0..<call.canonicalBytes.count {
                #expect(throws: CanonicalError.self) {
                    try PoliciesCall(canonicalBytes: Array(call.canonicalBytes.prefix(count)))
                }
            }
        }
    }
}
