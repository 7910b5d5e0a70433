import AgentRuntime
import Formats
import Primitives
import Records
import Synchronization
import TestSupport
import Testing

@Suite("A watched folder's files are taken when they are complete")
struct FolderPollTests {
    private static func file(_ bytes: Int64, modified: Int64 = 1, inode: UInt64 = 1) -> FolderPoll.Signature {
        FolderPoll.Signature(device: 1, inode: inode, bytes: bytes, modifiedSeconds: modified, modifiedNanoseconds: 0)
    }

    @Test("A file is taken when it was the same for two seconds, and waits again after every change")
    func settles() {
        var poll = FolderPoll()
        #expect(poll.look(["a": Self.file(10)], uptime: 0) == [])
        #expect(poll.look(["a": Self.file(10)], uptime: 1_999) == [])
        #expect(poll.look(["a": Self.file(10)], uptime: 2_000) == ["a"])
        #expect(poll.look(["a": Self.file(20)], uptime: 4_000) == [], "it grew")
        #expect(poll.look(["a": Self.file(20, modified: 2)], uptime: 6_000) == [], "it was written to")
        #expect(poll.look(["a": Self.file(20, modified: 2, inode: 2)], uptime: 8_000) == [], "it was replaced")
        #expect(poll.look(["a": Self.file(20, modified: 2, inode: 2)], uptime: 10_000) == ["a"])
        #expect(poll.look([:], uptime: 12_000) == [])
        #expect(poll.look(["a": Self.file(20, modified: 2, inode: 2)], uptime: 14_000) == [], "it went and came")
    }

    @Test("Partial, hidden and empty files are left alone", arguments: [".a", "a.tmp", "a.TMP", "a.ndjson.part"])
    func partial(name: String) {
        var poll = FolderPoll()
        let files = [name: Self.file(10), "empty": Self.file(0), "b": Self.file(10), "B": Self.file(10)]
        #expect(poll.look(files, uptime: 0) == [])
        #expect(poll.look(files, uptime: 3_000) == ["B", "b"])
    }

    @Test("A file that could not be imported is tried again later, and the others before it")
    func postponed() {
        var poll = FolderPoll()
        let files = ["a": Self.file(10), "b": Self.file(10)]
        _ = poll.look(files, uptime: 0)
        #expect(poll.look(files, uptime: 2_000) == ["a", "b"])
        poll.postpone("a", until: 60_000)
        #expect(poll.look(files, uptime: 4_000) == ["b"])
        #expect(poll.look(files, uptime: 60_000) == ["a", "b"])
    }
}

@Suite("Control ids are remembered for a while")
struct ControlIDMemoryTests {
    private static func digest(_ number: Int) -> Digest { Digest(hashing: Array("\(number)".utf8)) }

    @Test("The same message may come again, another one under its name may not, until an hour has passed")
    func claims() {
        let memory = ControlIDMemory()
        #expect(memory.claim(Self.digest(1), content: Self.digest(10), uptime: 0) == .granted)
        #expect(memory.claim(Self.digest(1), content: Self.digest(10), uptime: 1) == .granted)
        #expect(memory.claim(Self.digest(1), content: Self.digest(11), uptime: 2) == .taken)
        #expect(memory.claim(Self.digest(2), content: Self.digest(11), uptime: 2) == .granted)
        let later = 1 + ControlIDMemory.lifeMilliseconds
        #expect(memory.claim(Self.digest(1), content: Self.digest(11), uptime: later) == .granted)
    }

    @Test("A message that was not accepted gives its name back, and only that message")
    func releases() {
        let memory = ControlIDMemory()
        _ = memory.claim(Self.digest(1), content: Self.digest(10), uptime: 0)
        memory.release(Self.digest(1), content: Self.digest(11))
        #expect(memory.claim(Self.digest(1), content: Self.digest(11), uptime: 0) == .taken)
        memory.release(Self.digest(1), content: Self.digest(10))
        #expect(memory.claim(Self.digest(1), content: Self.digest(11), uptime: 0) == .granted)
    }

    @Test("Beyond its bound the oldest are forgotten")
    func bounded() {
        let memory = ControlIDMemory()
        for number in 0...ControlIDMemory.namesMax {
            _ = memory.claim(Self.digest(number), content: Self.digest(-1), uptime: 0)
        }
        #expect(memory.claim(Self.digest(0), content: Self.digest(-2), uptime: 0) == .granted)
        #expect(memory.claim(Self.digest(2), content: Self.digest(-2), uptime: 0) == .taken)
    }
}

@Suite("The exams of many messages are written together")
struct FeedWriterTests {
    private struct Failed: Error {}

    /// An exam that is told by its identity.
    private static func item(_ number: Int) throws -> ExamWriter.Item {
        let message = "MSH|^~\\&|A|B|||1||ORU^R01|\(number)|P|2.4\rPID|1||1\rOBR|1||\(number)|A^B\r"
        let reading = HL7v2MessageReader().read(HL7v2RawMessage(Array(message.utf8)))
        let parsed = try #require(reading.exams.first)
        guard case .patient(let patient) = parsed.subject else { throw Failed() }
        return ExamWriter.Item(parsed, patient: patient)
    }

    @Test("Every caller learns about its own exams, and what waits goes into one batch")
    func groups() async throws {
        let items = try (0..<40).map { try Self.item($0) }
        let duplicates = Set((0..<40).filter { $0.isMultiple(of: 3) }.map { items[$0].exam.source.value })
        let batches = Mutex<[Int]>([])
        let writer = FeedWriter(batchMax: 16) { batch in
            batches.withLock { $0.append(batch.count) }
            // Others come while this one is written.
            for _ in 0..<100 { await Task.yield() }
            return batch.map { duplicates.contains($0.exam.source.value) ? .duplicate : .written(isNewVersion: false) }
        }
        try await withThrowingTaskGroup(of: (Int, [ExamWriter.Outcome]).self) { group in
            for number in 0..<20 {
                group.addTask { (number, try await writer.write([items[2 * number], items[2 * number + 1]])) }
            }
            for try await (number, outcomes) in group {
                let expected = [2 * number, 2 * number + 1].map { index -> ExamWriter.Outcome in
                    index.isMultiple(of: 3) ? .duplicate : .written(isNewVersion: false)
                }
                #expect(outcomes == expected)
            }
        }
        let sizes = batches.withLock { $0 }
        #expect(sizes.reduce(0, +) == 40 && sizes.allSatisfy { $0 <= 16 } && sizes.count < 20)
    }

    @Test("A message with more exams than a batch holds is written in several")
    func large() async throws {
        let sizes = Mutex<[Int]>([])
        let writer = FeedWriter(batchMax: 16) { batch in
            sizes.withLock { $0.append(batch.count) }
            return batch.map { _ in .written(isNewVersion: false) }
        }
        #expect(try await writer.write(try (0..<40).map { try Self.item($0) }).count == 40)
        #expect(sizes.withLock { $0 } == [16, 16, 8])
    }

    @Test("A batch that fails fails for all whose exams are in it, and the next one is written")
    func fails() async throws {
        let isBroken = Mutex(true)
        let writer = FeedWriter { batch in
            if isBroken.withLock({ $0 }) { throw Failed() }
            return batch.map { _ in .duplicate }
        }
        let item = try Self.item(1)
        await #expect(throws: Failed.self) { try await writer.write([item]) }
        isBroken.withLock { $0 = false }
        #expect(try await writer.write([item]) == [.duplicate])
    }
}

@Suite("Patients of HL7 messages are told apart")
struct HL7PatientNameTests {
    @Test("A number of an authority that has a local name only is a number of this institution")
    func local() throws {
        let message = "MSH|^~\\&|A|HOSP|||1||ORU^R01|1|P|2.4\rPID|1||4711^^^HIS^MR\rOBR|1||1|A^B\r"
        let parsed = try #require(HL7v2MessageReader().read(HL7v2RawMessage(Array(message.utf8))).exams.first)
        guard case .patient(let patient) = parsed.subject else {
            Issue.record("a patient")
            return
        }
        let names = try ["a", "b"].map { name in
            PatientNames.identifiers(of: patient, institution: try #require(InstitutionID(name)))
        }
        #expect(names[0].count == 1 && names[1].count == 1)
        #expect(names[0] != names[1], "hospitals name their own departments alike")
    }
}
