import Consensus
import Primitives
import Testing

@Suite("A validator votes in one view")
struct ViewTests {
    @Test("A single validator decides alone, one vote durable before the next is cast")
    func single() throws {
        let committee = try Committee(1)
        var subject = Subject(committee, index: 0)
        #expect(subject.start() == ["all: status 1 0"])
        #expect(subject.give(.pending(true)) == ["build 1 on 0"])
        #expect(subject.build(body: [1]) == ["persist notarize 1"])
        #expect(
            try subject.persist() == [
                "all: proposal 1", "all: certificate notarize 1", "persist finalize 1", "build 2 on 1",
            ]
        )
        #expect(subject.give(.built(view: View(2), .nothingToAdd)) == [])
        #expect(try subject.persist() == ["all: vote finalize 1", "all: certificate finalize 1", "commit 1"])
        #expect(subject.give(.pending(false)) == [])
        let isAwake = subject.machine.isAwake
        #expect(!isAwake)
        #expect(subject.expire(.status) == ["all: status 2 1"], "an idle chain only tells that it is there")
    }

    @Test("A follower notarizes, finalizes and commits a block of the leader", arguments: [2, 3, 4, 7])
    func follower(count: Int) throws {
        let committee = try Committee(count)
        let me = committee.followers(of: 1, 1)[0]
        var subject = Subject.running(committee, index: me)
        let block = try committee.block(view: 1, on: nil)
        let proposal = ConsensusMessage.proposal(try committee.proposal(block))
        #expect(subject.receive(proposal, from: committee.leader(1)) == ["verify 1"])
        #expect(subject.receive(proposal, from: committee.leader(1)) == [], "a second copy changes nothing")
        #expect(subject.give(.verified(hash: block.hash, .valid)) == ["persist notarize 1"])
        #expect(try subject.persist().first == "all: vote notarize 1")

        let quorum = committee.context.validators.quorum
        var lines: [String] = []
        for other in committee.followers(of: 1, quorum - 2, except: me) {
            lines += subject.receive(.vote(try committee.vote(committee.notarize(block), by: other)), from: other)
        }
        if quorum > 2 {
            let next = committee.leader(2) == me ? [] : [String]()
            #expect(lines == ["all: certificate notarize 1", "persist finalize 1"] + next)
        }
        #expect(try subject.persist().first == "all: vote finalize 1")
        lines = []
        for other in (0..<UInt16(count)).filter({ $0 != me }).prefix(quorum - 1) {
            lines += subject.receive(.vote(try committee.vote(committee.finalize(block), by: other)), from: other)
        }
        #expect(lines == ["all: certificate finalize 1", "commit 1"])
        let isAwake = subject.machine.isAwake
        #expect(!isAwake)
    }

    @Test("Without a proposal the view is nullified once, and the next leader builds over it")
    func nullified() throws {
        let committee = try Committee(4)
        let me = committee.leader(2)
        var subject = Subject.running(committee, index: me)
        #expect(subject.give(.pending(true)) == [])
        #expect(subject.expire(.proposal) == ["persist nullify 1"])
        #expect(subject.expire(.view) == [])
        #expect(try subject.persist() == ["all: vote nullify 1"])
        let others = committee.followers(of: 1, 2, except: me)
        #expect(subject.receive(.vote(try committee.vote(committee.nullify(1), by: others[0])), from: others[0]) == [])
        #expect(
            subject.receive(.vote(try committee.vote(committee.nullify(1), by: others[1])), from: others[1])
                == ["all: certificate nullify 1", "build 2 on 0"]
        )
        #expect(subject.build() == ["persist notarize 2"])
        guard case .notarize(_, let block) = subject.drafts[0].drafts[0] else { throw CancellationError() }
        #expect(block.justification.parent == nil)
        #expect(block.justification.nullifications.map(\.view) == [View(1)])
        #expect(block.justification.fits(block.header))
    }

    @Test("A nullify vote bars finalizing in that view, but not notarizing")
    func noFinalizeAfterNullify() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1)[0]
        var subject = Subject.running(committee, index: me)
        subject.give(.pending(true))
        #expect(subject.expire(.proposal) == ["persist nullify 1"])
        try subject.persist()
        let block = try committee.block(view: 1, on: nil)
        #expect(try subject.propose(block) == ["verify 1", "persist notarize 1"])
        try subject.persist()
        let notarization = try committee.certificate(committee.notarize(block), by: [0, 1, 2, 3])
        let lines = subject.receive(.certificate(notarization), from: committee.leader(1))
        #expect(lines.first == "all: certificate notarize 1")
        #expect(!lines.contains("persist finalize 1"))
    }

    @Test("A finalize vote bars nullifying; what bars it is sent again")
    func noNullifyAfterFinalize() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1, except: committee.leader(2))[0]
        var subject = Subject.running(committee, index: me)
        let block = try committee.block(view: 1, on: nil)
        try subject.propose(block)
        try subject.persist()
        let voters = committee.followers(of: 1, 1, except: me)
        subject.receive(.vote(try committee.vote(committee.notarize(block), by: voters[0])), from: voters[0])
        try subject.persist()
        #expect(subject.machine.view == View(2))
        #expect(subject.expire(.view) == ["persist nullify 2"], "the next view is another matter")
        try subject.persist()
        let lines = subject.expire(.retry)
        #expect(
            lines == [
                "all: vote notarize 1", "all: certificate notarize 1", "all: vote finalize 1", "all: vote nullify 2",
                "all: certificate notarize 1", "all: status 2 0", "resend pending",
            ]
        )
    }

    @Test("A past view is finalized when its notarization comes late")
    func finalizePastView() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1, except: committee.leader(2))[0]
        var subject = Subject.running(committee, index: me)
        let block = try committee.block(view: 1, on: nil)
        try subject.propose(block)
        try subject.persist()
        let nullification = try committee.certificate(committee.nullify(1), by: others(committee, me))
        #expect(subject.receive(.certificate(nullification), from: 0) == ["all: certificate nullify 1"])
        let notarization = try committee.certificate(committee.notarize(block))
        #expect(subject.receive(.certificate(notarization), from: 0) == ["persist finalize 1"])
    }

    @Test("f + 1 nullify votes are followed, f are not")
    func amplification() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1)[0]
        var subject = Subject.running(committee, index: me)
        let others = committee.followers(of: 1, 2, except: me)
        #expect(subject.receive(.vote(try committee.vote(committee.nullify(1), by: others[0])), from: others[0]) == [])
        #expect(
            subject.receive(.vote(try committee.vote(committee.nullify(1), by: others[1])), from: others[1])
                == ["persist nullify 1"]
        )
    }

    @Test("A proposal that skips a view without its nullification is refused, and the view given up")
    func missingNullification() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 2, 1)[0]
        var subject = Subject.running(committee, index: me)
        let nullification = try committee.certificate(committee.nullify(1), by: others(committee, me))
        subject.receive(.certificate(nullification), from: 0)
        let block = committee.block(view: 2, on: nil, Justification(parent: nil, nullifications: []))
        let lines = subject.receive(.proposal(try committee.proposal(block)), from: committee.leader(2))
        #expect(lines == ["persist nullify 2"])
    }

    @Test("A proposal for a later view brings its reader there by the certificates it carries")
    func laterProposal() throws {
        let committee = try Committee(4)
        var subject = Subject.running(committee, index: nil)
        let block = try committee.block(view: 3, on: nil)
        let lines = subject.receive(.proposal(try committee.proposal(block)), from: committee.leader(3))
        #expect(subject.machine.view == View(3))
        #expect(lines == ["all: certificate nullify 2", "verify 3"])
    }

    @Test("A proposal ahead of the clock waits and is not refused")
    func early() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1)[0]
        var subject = Subject.running(committee, index: me)
        let block = try committee.block(view: 1, on: nil, time: 15_001)
        #expect(try subject.propose(block) == ["verify 1"])
        subject.now = Timestamp(milliseconds: 10_001)
        #expect(subject.expire(.early) == ["persist notarize 1"])
    }

    @Test("A proposal that executing refuses ends the view; if a quorum disagrees, the agent stops")
    func divergence() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1)[0]
        var subject = Subject.running(committee, index: me)
        let block = try committee.block(view: 1, on: nil)
        subject.give(.pending(true))
        subject.receive(.proposal(try committee.proposal(block)), from: committee.leader(1))
        #expect(subject.give(.verified(hash: block.hash, .invalid)) == ["persist nullify 1"])
        let notarization = try committee.certificate(committee.notarize(block), by: others(committee, me))
        let lines = subject.receive(.certificate(notarization), from: 0)
        #expect(lines.contains("halt: state divergence"))
        #expect(subject.give(.pending(true)) == [], "nothing happens after a halt")
        #expect(subject.receive(.certificate(notarization), from: 0) == [])
    }

    @Test("With nothing pending the leader waits, then builds one empty block to decide its parent")
    func draining() throws {
        let committee = try Committee(4)
        let me = committee.leader(2)
        var subject = Subject.running(committee, index: me)
        let block = try committee.block(view: 1, on: nil)
        try subject.propose(block)
        try subject.persist()
        let notarization = try committee.certificate(committee.notarize(block), by: [0, 1, 2, 3])
        let lines = subject.receive(.certificate(notarization), from: committee.leader(1))
        #expect(lines == ["all: certificate notarize 1", "persist finalize 1"])
        #expect(subject.expire(.empty) == ["build 2 on 1"])
        #expect(subject.requests.last?.allowEmpty == true)
    }

    @Test("A leader that built keeps quiet about it until the record is durable, and resends to who has not voted")
    func leaderRetry() throws {
        let committee = try Committee(4)
        let me = committee.leader(1)
        var subject = Subject.running(committee, index: me)
        #expect(subject.give(.pending(true)) == ["build 1 on 0"])
        #expect(subject.build(body: [7]) == ["persist notarize 1"])
        #expect(subject.expire(.view) == ["persist nullify 1"])
        #expect(try subject.persist() == ["all: proposal 1"])
        try subject.persist()
        let voter = committee.followers(of: 1, 1)[0]
        guard case .notarize(let vote, _) = subject.log[0] else { throw CancellationError() }
        subject.receive(.vote(try committee.vote(vote.body, by: voter)), from: voter)
        let others = committee.followers(of: 1, 3).filter { $0 != voter }.map { "\(committee.id($0)): proposal 1" }
        #expect(
            subject.expire(.retry) == others + ["all: vote nullify 1", "all: status 1 0", "resend pending"]
        )
    }

    private func others(_ committee: Committee, _ me: UInt16) -> [UInt16] {
        (0..<UInt16(committee.keys.count)).filter { $0 != me }
    }
}
