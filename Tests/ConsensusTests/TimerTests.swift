import Consensus
import Primitives
import Testing

@Suite("Timers")
struct TimerTests {
    private func timers(_ effects: [ConsensusEffect]) -> [ConsensusTimer: Int64] {
        var timers: [ConsensusTimer: Int64] = [:]
        for case .setTimer(let timer, _, let after) in effects { timers[timer] = after }
        return timers
    }

    @Test("Waking sets the view's timers, sleeping cancels them")
    func waking() throws {
        let committee = try Committee(4)
        var subject = Subject.running(committee, index: committee.followers(of: 1, 1)[0])
        let woken = subject.machine.step(.pending(true), now: subject.now)
        #expect(self.timers(woken) == [.proposal: 200, .view: 300])
        let asleep = subject.machine.step(.pending(false), now: subject.now)
        #expect(asleep == [.cancelTimer(.proposal), .cancelTimer(.view)])
        #expect(subject.machine.step(.pending(false), now: subject.now) == [])
    }

    @Test("With nothing pending the timers leave the leader time to wait")
    func draining() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1, except: committee.leader(2))[0]
        var subject = Subject.running(committee, index: me)
        let block = try committee.block(view: 1, on: nil)
        let others = (0..<UInt16(4)).filter { $0 != me }
        let notarization = try committee.certificate(committee.notarize(block), by: others)
        let message = ConsensusInput.message(.certificate(notarization), from: committee.id(0))
        let effects = subject.machine.step(message, now: subject.now)
        #expect(self.timers(effects) == [.proposal: 300, .view: 400, .fetch: 25])
    }

    @Test("Views without a decision slow down after f + 1 of them, up to the longest delay, and a decision resets it")
    func slowdown() throws {
        let committee = try Committee(4)
        let me = UInt16(0)
        var subject = Subject.running(committee, index: me)
        subject.give(.pending(true))
        var delays: [Int64] = []
        for view in 1...20 {
            let nullification = try committee.certificate(committee.nullify(UInt64(view)), by: [1, 2, 3])
            let message = ConsensusInput.message(.certificate(nullification), from: committee.id(1))
            delays.append(self.timers(subject.machine.step(message, now: subject.now))[.view] ?? 0)
        }
        #expect(delays.prefix(5) == [300, 300, 450, 675, 1014])
        #expect(delays.suffix(3) == [90_000, 90_000, 90_000])
        let block = try committee.block(view: 21, on: nil)
        subject.receive(.proposal(try committee.proposal(block)), from: committee.leader(21))
        subject.give(.verified(hash: block.hash, .valid))
        let decided = try committee.certificate(committee.finalize(block), by: [1, 2, 3])
        let message = ConsensusInput.message(.certificate(decided), from: committee.id(1))
        let effects = subject.machine.step(message, now: subject.now)
        #expect(self.timers(effects)[.view] == 300)
    }

    @Test("A leader that was silent for ten seconds while a quorum was not is skipped")
    func silentLeader() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1)[0]
        var subject = Subject.running(committee, index: me)
        subject.now = Timestamp(milliseconds: 30_000)
        for peer in committee.followers(of: 1, 2, except: me) {
            let message = ConsensusMessage.getBlock(.zero)
            subject.receive(message, from: peer)
        }
        let effects = subject.machine.step(.pending(true), now: subject.now)
        #expect(self.timers(effects) == [.proposal: 0, .view: 300])
    }

    @Test("A stale timer does nothing")
    func stale() throws {
        let committee = try Committee(4)
        var subject = Subject.running(committee, index: committee.followers(of: 1, 1)[0])
        subject.give(.pending(true))
        let generation = subject.timers[.proposal] ?? 0
        subject.give(.pending(false))
        subject.give(.pending(true))
        #expect(subject.give(.timer(.proposal, generation: generation)) == [])
    }
}
