import Consensus
import Primitives
import Testing

@Suite("An agent gets what it lacks")
struct FetchingTests {
    @Test("A notarized block is asked of its signers in turn; a wrong body costs nothing but time")
    func wrongBody() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1, except: committee.leader(2))[0]
        var subject = Subject.running(committee, index: me)
        let block = try committee.block(view: 1, on: nil, body: [1])
        let signers = (0..<UInt16(4)).filter { $0 != me }
        subject.receive(.certificate(try committee.certificate(committee.notarize(block), by: signers)), from: 0)
        let first = subject.expire(.fetch)
        #expect(first.count == 1 && first[0].hasSuffix(": get block"))
        let forged = Block(header: block.header, body: [2], justification: block.justification)
        #expect(subject.receive(.block(forged), from: 0) == ["verify 1"])
        #expect(subject.give(.verified(hash: block.hash, .bodyMismatch)) == [])
        let second = subject.expire(.fetch)
        #expect(second != first, "another peer is asked")
        #expect(subject.receive(.block(block), from: 0) == ["verify 1"])
        #expect(subject.give(.verified(hash: block.hash, .valid)) == ["persist finalize 1"])
    }

    @Test("A block that nothing vouches for is not taken")
    func unwanted() throws {
        let committee = try Committee(4)
        var subject = Subject.running(committee, index: nil)
        #expect(subject.receive(.block(try committee.block(view: 1, on: nil)), from: 0) == [])
    }

    @Test("A late joiner walks back a short gap block by block")
    func shortGap() throws {
        let committee = try Committee(4)
        var subject = Subject.running(committee, index: nil)
        let first = try committee.block(view: 1, on: nil)
        let second = try committee.block(view: 2, on: first)
        let decided = try committee.certificate(committee.finalize(second))
        #expect(subject.receive(.certificate(decided), from: 0) == ["all: certificate finalize 2"])
        #expect(subject.machine.isSyncing == true)
        subject.expire(.fetch)
        #expect(subject.receive(.block(second), from: 0) == [])
        subject.expire(.fetch)
        #expect(subject.receive(.block(first), from: 0) == ["verify 1"])
        #expect(subject.give(.verified(hash: first.hash, .valid)) == ["verify 2"])
        #expect(subject.give(.verified(hash: second.hash, .valid)) == ["commit 1, 2"])
        let isSyncing = subject.machine.isSyncing
        #expect(!isSyncing)
    }

    @Test("A long gap is closed by ranges, each vouched for by one certificate")
    func longGap() throws {
        let committee = try Committee(4)
        var subject = Subject.running(committee, index: nil)
        var chain: [Block] = []
        for view in 1...20 { chain.append(try committee.block(view: UInt64(view), on: chain.last)) }
        subject.receive(.certificate(try committee.certificate(committee.finalize(chain[19]))), from: 0)
        subject.expire(.fetch)
        subject.receive(.block(chain[19]), from: 0)
        let asked = subject.expire(.fetch)
        #expect(asked.count == 1 && asked[0].hasSuffix(": get range 1"))

        let middle = try committee.certificate(committee.finalize(chain[11]))
        let forged = try committee.certificate(committee.finalize(chain[11]), by: [0, 1])
        #expect(subject.receive(.range(BlockRange(blocks: Array(chain[0..<12]), certificate: forged)), from: 0) == [])
        #expect(subject.receive(.range(BlockRange(blocks: Array(chain[1..<12]), certificate: middle)), from: 0) == [])
        let good = BlockRange(blocks: Array(chain[0..<12]), certificate: middle)
        #expect(subject.receive(.range(good), from: 0) == ["all: certificate finalize 12", "verify 1"])
        for block in chain[0..<12] { subject.give(.verified(hash: block.hash, .valid)) }
        #expect(subject.committed == Array(chain[0..<12]))
        #expect(subject.expire(.fetch).first?.hasSuffix(": get block") == true, "the rest is a short gap")
    }

    @Test("An agent that jumped over views asks how they ended")
    func missingCertificates() throws {
        let committee = try Committee(4)
        let me = committee.leader(4)
        var subject = Subject.running(committee, index: me)
        let others = (0..<UInt16(4)).filter { $0 != me }
        subject.give(.pending(true))
        subject.receive(.certificate(try committee.certificate(committee.nullify(3), by: others)), from: others[0])
        #expect(subject.machine.view == View(4))
        #expect(subject.expire(.fetch).first?.hasSuffix(": get certificates 1-2") == true)
        let answer = try [2, 1].map { try committee.certificate(committee.nullify($0), by: others) }
        #expect(subject.receive(.certificates(answer), from: others[0]) == ["build 4 on 0"])
    }

    @Test("While it catches up it casts no timer-driven vote")
    func noVotesWhileSyncing() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1, except: committee.leader(2))[0]
        var subject = Subject.running(committee, index: me)
        subject.give(.pending(true))
        let block = try committee.block(view: 1, on: nil)
        let others = (0..<UInt16(4)).filter { $0 != me }
        subject.receive(.certificate(try committee.certificate(committee.finalize(block), by: others)), from: 0)
        #expect(subject.expire(.proposal) == [])
        #expect(subject.expire(.view) == [])
        subject.receive(.block(block), from: 0)
        #expect(subject.give(.verified(hash: block.hash, .valid)) == ["commit 1"])
        #expect(subject.expire(.view) == ["persist nullify 2"], "then the view's time starts anew")
    }

    @Test("A peer that is behind is answered with proof, not more often than the delay")
    func answersBehind() throws {
        let committee = try Committee(4)
        var subject = Subject.running(committee, index: nil)
        let block = try committee.block(view: 1, on: nil)
        subject.receive(.certificate(try committee.certificate(committee.finalize(block))), from: 0)
        subject.receive(.block(block), from: 0)
        subject.give(.verified(hash: block.hash, .valid))
        let vote = ConsensusMessage.vote(try committee.vote(committee.nullify(1), by: 3))
        #expect(subject.receive(vote, from: 3) == ["\(committee.id(3)): certificate finalize 1"])
        #expect(subject.receive(vote, from: 3) == [])
        subject.now = Timestamp(milliseconds: 10_050)
        #expect(subject.receive(vote, from: 3).count == 1)
    }

    @Test("A decision beside the decided chain stops the agent")
    func fork() throws {
        let committee = try Committee(4)
        var subject = Subject.running(committee, index: nil)
        let left = try committee.block(view: 1, on: nil, body: [1])
        let right = try committee.block(view: 2, on: nil, body: [2])
        subject.receive(.certificate(try committee.certificate(committee.finalize(left))), from: 0)
        subject.receive(.block(left), from: 0)
        #expect(subject.give(.verified(hash: left.hash, .valid)) == ["commit 1"])
        subject.receive(.certificate(try committee.certificate(committee.finalize(right))), from: 0)
        #expect(subject.receive(.block(right), from: 0) == ["halt: conflicting finalization"])
    }
}
