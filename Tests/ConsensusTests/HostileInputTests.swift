import Consensus
import Primitives
import TestSupport
import Testing

@Suite("Peers send anything")
struct HostileInputTests {
    /// One message of each kind.
    private func messages(_ committee: Committee) throws -> [ConsensusMessage] {
        let first = try committee.block(view: 1, on: nil, body: [1, 2, 3])
        let second = try committee.block(view: 3, on: first, body: Array(repeating: 9, count: 300))
        let decided = try committee.certificate(committee.finalize(second))
        return [
            .proposal(try committee.proposal(second)),
            .vote(try committee.vote(committee.nullify(2), by: 1)),
            .certificate(decided),
            .getBlock(first.hash),
            .block(second),
            .getCertificates(epoch: Epoch(0), from: View(1), through: View(9)),
            .certificates([decided, try committee.certificate(committee.nullify(2))]),
            .getRange(from: Height(1), bytesMax: 1000),
            .range(BlockRange(blocks: [first, second], certificate: decided)),
            .status(
                Status(
                    epoch: Epoch(0),
                    view: View(4),
                    finalView: View(3),
                    finalHeight: Height(2),
                    finalHash: second.hash,
                    isListening: false
                )
            ),
        ]
    }

    @Test("Messages and log records have one encoding, and are read back from it")
    func roundTrip() throws {
        let committee = try Committee(4)
        for message in try self.messages(committee) {
            #expect(try ConsensusMessage(canonicalBytes: message.canonicalBytes) == message)
        }
        let block = try committee.block(view: 2, on: nil)
        let notarization = try committee.certificate(committee.notarize(block))
        let records: [VoteLogRecord] = [
            .notarize(try committee.vote(committee.notarize(block), by: 0), block),
            .nullify(try committee.vote(committee.nullify(2), by: 0), entry: nil),
            .nullify(try committee.vote(committee.nullify(2), by: 0), entry: notarization),
            .finalize(try committee.vote(committee.finalize(block), by: 0), notarization: notarization),
        ]
        for record in records {
            let bytes = record.canonicalBytes
            #expect(try VoteLogRecord(canonicalBytes: bytes) == record)
            for count in 0..<bytes.count {
                #expect(throws: CanonicalError.self) { try VoteLogRecord(canonicalBytes: Array(bytes.prefix(count))) }
            }
        }
    }

    @Test("A record whose vote is of another kind or block is no record")
    func mismatchedRecord() throws {
        let committee = try Committee(4)
        let block = try committee.block(view: 2, on: nil)
        let other = try committee.block(view: 2, on: nil, body: [1])
        let notarization = try committee.certificate(committee.notarize(other))
        let records: [VoteLogRecord] = [
            .notarize(try committee.vote(committee.notarize(other), by: 0), block),
            .notarize(try committee.vote(committee.nullify(2), by: 0), block),
            .finalize(try committee.vote(committee.finalize(block), by: 0), notarization: notarization),
        ]
        for record in records {
            #expect(throws: CanonicalError.self) { try VoteLogRecord(canonicalBytes: record.canonicalBytes) }
        }
    }

    @Test("Damaged messages are refused or are other messages, and no machine minds them")
    func damagedMessages() throws {
        let committee = try Committee(4)
        var generator = SeededGenerator(seed: 1)
        var subject = Subject.running(committee, index: 3)
        for message in try self.messages(committee) {
            let bytes = message.canonicalBytes
            for count in 0..<bytes.count {
                #expect(throws: CanonicalError.self) {
                    try ConsensusMessage(canonicalBytes: Array(bytes.prefix(count)))
                }
            }
            for _ in 0..<400 {
                var damaged = bytes
                damaged[Int.random(in: 0..<bytes.count, using: &generator)] ^=
                    1 << UInt8.random(in: 0..<8, using: &generator)
                guard let read = try? ConsensusMessage(canonicalBytes: damaged) else { continue }
                #expect(read.canonicalBytes == damaged)
                subject.receive(read, from: UInt16.random(in: 0..<4, using: &generator))
            }
        }
        for _ in 0..<5_000 {
            let count = Int.random(in: 0..<200, using: &generator)
            _ = try? ConsensusMessage(canonicalBytes: .random(count: count, using: &generator))
        }
        #expect(subject.committed.isEmpty)
        let isHalted = subject.machine.isHalted
        #expect(!isHalted)
    }

    @Test("Extreme numbers in unsigned places do not trap")
    func extremes() throws {
        let committee = try Committee(4)
        var subject = Subject.running(committee, index: 3)
        for view in [0, 1, UInt64.max - 1, .max] {
            let body = VoteBody.nullify(view: View(view), epoch: Epoch(0))
            for signer in [UInt16(1), 3, 64, .max] {
                let vote = Vote(body: body, signer: signer, signature: try committee.sign(body, by: 1))
                subject.receive(.vote(vote), from: 1)
            }
            subject.receive(.certificate(try committee.certificate(body, by: [0, 1, 2])), from: 1)
            subject.receive(.getCertificates(epoch: Epoch(0), from: View(view), through: View(.max)), from: 1)
            subject.receive(.getRange(from: Height(view), bytesMax: .max), from: 1)
            for parentView in [0, view &- 1, view, .max] {
                var header = try committee.block(view: 1, on: nil).header
                header.view = View(view)
                header.parentView = View(parentView)
                header.height = Height(.max)
                header.historySize = .max
                header.time = Timestamp(milliseconds: .max)
                header.proposer = committee.leader(view)
                let just = Justification(parent: nil, nullifications: [])
                header.justificationHash = just.hash
                let block = Block(header: header, body: [], justification: just)
                subject.receive(.proposal(try committee.proposal(block)), from: header.proposer)
                subject.receive(.block(block), from: 1)
                let certificate = try committee.certificate(committee.finalize(block), by: [0, 1])
                subject.receive(.range(BlockRange(blocks: [block], certificate: certificate)), from: 1)
            }
        }
        subject.give(.timer(.view, generation: .max))
        subject.give(.verified(hash: .zero, .invalid))
        let isHalted = subject.machine.isHalted
        #expect(!isHalted)
    }

    @Test("Only an own vote of an authenticated peer counts, and only inside the window")
    func admission() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1)[0]
        var subject = Subject.running(committee, index: me)
        let peers = (0..<UInt16(4)).filter { $0 != me }
        for signer in peers.dropFirst() {
            #expect(subject.receive(.vote(try committee.vote(committee.nullify(1), by: signer)), from: peers[0]) == [])
        }
        for view in [66, 1 << 40] as [UInt64] {
            for signer in peers {
                let vote = try committee.vote(committee.nullify(view), by: signer)
                #expect(subject.receive(.vote(vote), from: signer) == [])
            }
        }
        #expect(subject.machine.view == View(1))
    }

    @Test("Two votes of one signer are reported once, and only the first counts")
    func equivocation() throws {
        let committee = try Committee(4)
        let me = committee.followers(of: 1, 1)[0]
        var subject = Subject.running(committee, index: me)
        let left = try committee.block(view: 1, on: nil, body: [1])
        let right = try committee.block(view: 1, on: nil, body: [2])
        let leader = committee.leader(1)
        try subject.propose(left)
        try subject.persist()
        let second = subject.receive(.proposal(try committee.proposal(right)), from: leader)
        #expect(second == ["conflict of \(leader) in 1"])
        #expect(subject.receive(.proposal(try committee.proposal(right)), from: leader) == [])
        for other in committee.followers(of: 1, 2, except: me) {
            let vote = try committee.vote(committee.notarize(right), by: other)
            #expect(subject.receive(.vote(vote), from: other) == [], "the leader's second vote is not counted")
        }
    }

    @Test("Forged signatures fill no quorum and cost their sender only its own vote")
    func forgedVotes() throws {
        let committee = try Committee(4)
        let me = committee.leader(2)
        var subject = Subject.running(committee, index: me)
        subject.give(.pending(true))
        subject.expire(.proposal)
        try subject.persist()
        let others = committee.followers(of: 1, 3, except: me)
        for other in others {
            let forged = Vote(
                body: committee.nullify(1),
                signer: other,
                signature: try committee.sign(committee.nullify(9), by: other)
            )
            #expect(subject.receive(.vote(forged), from: other) == [])
        }
        #expect(subject.machine.view == View(1))
        for other in others.prefix(2) {
            subject.receive(.vote(try committee.vote(committee.nullify(1), by: other)), from: other)
        }
        #expect(subject.machine.view == View(2))
    }
}
