import Consensus
import Primitives
import Testing

@Suite("A validator restarts")
struct RecoveryTests {
    /// What a follower of view 1 has logged after notarizing and finalizing the block.
    private func finalizer(_ committee: Committee, _ block: Block, _ me: UInt16) throws -> [VoteLogRecord] {
        let notarization = try committee.certificate(committee.notarize(block), by: [0, 1, 2, 3])
        return [
            .finalize(try committee.vote(committee.finalize(block), by: me), notarization: notarization),
            .notarize(try committee.vote(committee.notarize(block), by: me), block),
        ]
    }

    @Test("It listens first, then sends its own votes and the notarization again")
    func resends() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1, except: committee.leader(2))[0]
        let block = try committee.block(view: 1, on: nil)
        var subject = Subject(committee, index: me)
        let records = try self.finalizer(committee, block, me)
        #expect(subject.start(records) == ["verify 1", "all: status 2 0"])
        #expect(subject.give(.verified(hash: block.hash, .valid)) == [])
        #expect(subject.give(.pending(true)) == [])
        #expect(
            subject.expire(.listen) == [
                "all: vote notarize 1", "all: certificate notarize 1", "all: vote finalize 1", "all: status 2 0",
            ]
        )
        #expect(subject.drafts.isEmpty, "nothing is signed twice")
    }

    @Test("The order of the records does not matter")
    func orderIndependent() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1)[0]
        let block = try committee.block(view: 1, on: nil)
        let records = try self.finalizer(committee, block, me)
        var forward = Subject(committee, index: me)
        var backward = Subject(committee, index: me)
        #expect(forward.start(records) == backward.start(records.reversed()))
        #expect(forward.machine.view == backward.machine.view)
        #expect(forward.expire(.listen) == backward.expire(.listen))
    }

    @Test("A vote in the log is not cast again, whatever is proposed")
    func noSecondNotarize() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1)[0]
        let first = try committee.block(view: 1, on: nil, body: [1])
        let second = try committee.block(view: 1, on: nil, body: [2])
        var subject = Subject(committee, index: me)
        subject.start([.notarize(try committee.vote(committee.notarize(first), by: me), first)])
        subject.expire(.listen)
        let lines = subject.receive(.proposal(try committee.proposal(second)), from: committee.leader(1))
        subject.give(.verified(hash: second.hash, .valid))
        #expect(!lines.contains("persist notarize 1"))
        #expect(subject.drafts.isEmpty)
    }

    @Test("A single validator finishes what it had begun")
    func single() throws {
        let committee = try Committee(1)
        let block = try committee.block(view: 1, on: nil)
        var subject = Subject(committee, index: 0)
        let vote = try committee.vote(committee.notarize(block), by: 0)
        #expect(
            subject.start([.notarize(vote, block)]) == ["verify 1", "all: certificate notarize 1", "all: status 2 0"]
        )
        #expect(subject.give(.verified(hash: block.hash, .valid)) == ["persist finalize 1"])
        #expect(try subject.persist() == ["all: vote finalize 1", "all: certificate finalize 1", "commit 1"])
    }

    @Test("A nullify record brings back the certificate of the view before it")
    func entryRestored() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 2, 1, except: committee.leader(3))[0]
        let entry = try committee.certificate(committee.nullify(1), by: (0..<4).filter { $0 != me })
        var subject = Subject(committee, index: me)
        subject.start([.nullify(try committee.vote(committee.nullify(2), by: me), entry: entry)])
        #expect(subject.machine.view == View(2))
        let asked = ConsensusMessage.getCertificates(epoch: Epoch(0), from: View(1), through: View(1))
        #expect(
            subject.receive(asked, from: committee.leader(3)) == [
                "\(committee.id(committee.leader(3))): certificates nullify 1"
            ]
        )
    }

    @Test("A vote of its own that the log lacks stops it", arguments: [false, true])
    func unknownOwnVote(inCertificate: Bool) throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1)[0]
        var subject = Subject(committee, index: me)
        subject.start()
        let message =
            inCertificate
            ? ConsensusMessage.certificate(try committee.certificate(committee.nullify(1), by: [0, 1, 2, 3]))
            : .vote(try committee.vote(committee.nullify(1), by: me))
        #expect(subject.receive(message, from: committee.leader(1)).last == "halt: unknown own vote")
    }

    @Test("A peer that listens is shown its own votes")
    func showsVotes() throws {
        let committee = try Committee(4)
        let me = committee.leader(1)
        let peer = committee.followers(of: 1, 1)[0]
        var subject = Subject.running(committee, index: me)
        subject.receive(.vote(try committee.vote(committee.nullify(1), by: peer)), from: peer)
        let status = Status(
            epoch: Epoch(0),
            view: View(1),
            finalView: View(0),
            finalHeight: Height(0),
            finalHash: committee.genesis.hash,
            isListening: true
        )
        #expect(subject.receive(.status(status), from: peer) == ["\(committee.id(peer)): vote nullify 1"])
    }

    @Test("A log that contradicts itself stops it, and one with a damaged middle makes it an observer")
    func damaged() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1)[0]
        let block = try committee.block(view: 1, on: nil)
        var records = try self.finalizer(committee, block, me)
        var observer = Subject(committee, index: me)
        observer.start([], mayVote: false)
        observer.expire(.listen)
        #expect(try observer.propose(block) == ["verify 1"])
        records.append(.nullify(try committee.vote(committee.nullify(1), by: me), entry: nil))
        var subject = Subject(committee, index: me)
        #expect(subject.start(records) == ["halt: contradictory vote log"])
    }
}
