import AgentCore
import Foundation
import Ledger
import Primitives
import Records
import Synchronization
import TestSupport
import Testing

@Suite("Evidence files")
struct EvidenceTests {
    typealias Code = EvidenceReport.Code

    @Test("A reading under a grant is proved link by link, with its times")
    func granted() throws {
        let file = try #require(EvidenceBench().file())
        let report = EvidenceVerifier.verify(file.canonicalBytes, genesis: EvidenceBench.genesis)
        #expect(report.isValid)
        #expect(report.findings.map(\.step) == EvidenceReport.Step.allCases)
        let times = report.findings.compactMap(\.time).map(\.milliseconds)
        #expect(times == [2000, 5000, 5500, 1000], "commitment, certified block, reading, grant")
        #expect(report.file == file)
        #expect(report.grant?.createdHeight == Height(1))
    }

    @Test("The institution's own record, the certified block's own batch, and a revocation after the reading are good")
    func otherGoodFiles() throws {
        var own = EvidenceBench()
        own.isOwn = true
        var last = EvidenceBench()
        last.isCommitmentLast = true
        last.finalizers = ["a", "b", "c", "d"]
        var revoked = EvidenceBench()
        revoked.revokedAtHeight = 4
        revoked.receipt = { $0.height = Height(3) }
        for bench in [own, last, revoked] {
            let file = try #require(bench.file())
            let report = EvidenceVerifier.verify(file.canonicalBytes, genesis: EvidenceBench.genesis)
            #expect(report.isValid, "\(report.brokenLink?.code.rawValue ?? "")")
            #expect((file.grant == nil) == bench.isOwn)
            #expect((file.commitment.ancestor == nil) == bench.isCommitmentLast)
        }
    }

    @Test("Flipping any single bit makes the file invalid", arguments: [false, true])
    func everyBit(isOwn: Bool) throws {
        var bench = EvidenceBench()
        bench.isOwn = isOwn
        bench.isCommitmentLast = isOwn
        let bytes = try #require(bench.file()).canonicalBytes
        // Each flip leaves most signatures as they were; remembering those keeps this within seconds.
        let known = Mutex<[Digest: Bool]>([:])
        let checker = SignatureChecker { key, signature, message in
            let question = Digest(hashing: key.bytes + signature.bytes + message)
            if let answer = known.withLock({ $0[question] }) { return answer }
            let answer = key.isValid(signature, over: message)
            known.withLock { $0[question] = answer }
            return answer
        }
        let verifier = EvidenceVerifier(genesis: EvidenceBench.genesis, checker: checker)
        #expect(verifier.verify(bytes).isValid)
        var accepted: [Int] = []
        for bit in 0..<bytes.count * 8 {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            if verifier.verify(changed).isValid { accepted.append(bit) }
        }
        #expect(accepted.isEmpty)
    }

    @Test("Truncated, extended and random bytes are refused")
    func hostileBytes() throws {
        let bytes = try #require(EvidenceBench().file()).canonicalBytes
        var generator = SeededGenerator(seed: 3)
        let genesis = EvidenceBench.genesis
        for length in stride(from: 0, to: bytes.count, by: 7) {
            let report = EvidenceVerifier.verify(Array(bytes.prefix(length)), genesis: genesis)
            #expect(report.brokenLink?.code == .malformed)
        }
        #expect(EvidenceVerifier.verify(bytes + [0], genesis: genesis).brokenLink?.code == .malformed)
        for _ in 0..<200 {
            let noise = [UInt8].random(count: Int.random(in: 0..<600, using: &generator), using: &generator)
            #expect(!EvidenceVerifier.verify(Array("ENTEVID1".utf8) + noise, genesis: genesis).isValid)
        }
    }

    @Test(
        "A usual file is at most 8 KB longer than the record: a million blocks, 4096 exams, 1024 transactions a block"
    )
    func size() throws {
        var bench = EvidenceBench()
        bench.finalizers = ["a", "b", "c", "d"]
        var file = try #require(bench.file())
        let hash = Digest(hashing: [1])
        file.record.path = Array(repeating: hash, count: 12)
        file.commitment.transactionPath = Array(repeating: hash, count: 10)
        file.commitment.receiptPath = Array(repeating: hash, count: 10)
        file.commitment.ancestor?.path = Array(repeating: hash, count: 20)
        file.grant?.proof = SparseMerkleProof(siblings: Array(repeating: hash, count: 24), end: .value)
        // Name, department and id of the clinician at their longest.
        let size = file.canonicalBytes.count - file.record.content.count + 3 * ClinicianCredential.textBytesMax
        #expect(size <= 8192)
        #expect(size > 5000, "the figure stands for a file with every part")
    }

    @Test("The pinned files are what this code makes, and verify")
    func vectors() throws {
        var own = EvidenceBench()
        own.isOwn = true
        let files = [
            "genesis.bin": EvidenceBench.genesis.canonicalBytes,
            "granted.evidence": try #require(EvidenceBench().file()).canonicalBytes,
            "own.evidence": try #require(own.file()).canonicalBytes,
            "period.account": AccountBench().file().canonicalBytes,
        ]
        for (name, bytes) in files {
            let url = TestData.repositoryFile("Tests/Vectors/evidence/\(name)")
            // Pinned bytes are only written anew on purpose.
            if ProcessInfo.processInfo.environment["ENTENTE_WRITE_VECTORS"] == "1" { try Data(bytes).write(to: url) }
            #expect(try [UInt8](Data(contentsOf: url)) == bytes, "\(name)")
        }
    }
}
