import AgentCore
import Foundation
import Ledger
import Primitives
import Records
import TestSupport
import Testing

@Suite("Accounts of a period")
struct AccountTests {
    typealias Code = AccountReport.Code

    private func report(_ bench: AccountBench) -> AccountReport {
        AccountVerifier.verify(bench.file().canonicalBytes, genesis: EvidenceBench.genesis)
    }

    @Test("A whole account is valid, and tells what happened in the period and nothing of what happened around it")
    func whole() {
        let report = self.report(AccountBench())
        #expect(report.isValid, "\(report.findings.filter { !$0.isOK })")
        #expect(report.readings.count == 2)
        #expect(report.readings.map(\.anchored.milliseconds) == [3000, 3000])
        #expect(report.events.map(\.height.value) == [2, 3, 3, 4])
        #expect(report.events.filter(\.isOwn).map(\.name) == ["readings.anchor"])
        var all = AccountBench()
        all.until = 5001
        #expect(self.report(all).isValid == false, "block 6 may lie in the period")
    }

    /// What is changed before the institution signs, or by whom it is signed, and what the check must say.
    static let lies: [Code: @Sendable (inout AccountBench) -> Void] = [
        .malformed: { $0.change = { $0.blocks = [] } },
        .wrongChain: { $0.change = { $0.institution = institution("x") } },
        .notSigned: { $0.signer = "a" },
        .otherEpoch: { $0.change = { $0.header.validatorsHash = .zero } },
        .notFinal: { $0.evidence.finalizers = ["a", "b"] },
        .notInHistory: { $0.change = { $0.history.removeLast() } },
        .blocksMissing: { $0.change = { $0.blocks.remove(at: 2) } },
        .otherContent: { $0.change = { $0.blocks[2].transactions.removeLast() } },
        .periodNotCovered: { $0.from = 500 },
        .readingsMissing: { $0.change = { $0.readings[0].removeLast() } },
        .readingNotAuthentic: { $0.evidence.receipt = { $0.requestSignature = TestKey("b").sign([1]) } },
        .readingNotAllowed: { $0.change = { $0.grants = [] } },
    ]

    @Test("Whatever is left out or changed is named", arguments: Code.allCases.filter { $0 != .ok })
    func lie(code: Code) throws {
        var bench = AccountBench()
        let lie = try #require(Self.lies[code], "every code has its lie")
        lie(&bench)
        let report = self.report(bench)
        #expect(!report.isValid)
        #expect(report.findings.contains { $0.code == code }, "\(report.findings.filter { !$0.isOK }.map(\.code))")
    }

    @Test("A reading before its grant, after its end, or by an institution that it does not name is not allowed")
    func forbidden() {
        let changes: [(inout EvidenceBench) -> Void] = [
            { $0.receipt = { $0.height = Height(0) } },
            { $0.grant = { $0.notAfter = Timestamp(milliseconds: 5000) } },
            { $0.grant = { $0.grantees = [institution("d")] } },
            { $0.grant = { $0.custodians = [institution("d")] } },
        ]
        for change in changes {
            var bench = AccountBench()
            change(&bench.evidence)
            let report = self.report(bench)
            #expect(report.findings.filter { !$0.isOK }.map(\.code) == [.readingNotAllowed])
        }
    }

    @Test("An empty period is proved to be empty")
    func empty() {
        var bench = AccountBench()
        bench.from = 3500
        bench.until = 3600
        let report = self.report(bench)
        #expect(report.isValid)
        #expect(report.readings.isEmpty && report.events.isEmpty)
    }

    @Test("Flipping any bit makes the file invalid")
    func everyBit() {
        var bytes = AccountBench().file().canonicalBytes
        // Every byte once, its bits in turn: the signature covers all of it, so any bit stands for its byte.
        for index in bytes.indices {
            bytes[index] ^= 1 << UInt8(index % 8)
            #expect(!AccountVerifier.verify(bytes, genesis: EvidenceBench.genesis).isValid, "byte \(index)")
            bytes[index] ^= 1 << UInt8(index % 8)
        }
    }

    @Test("Every code has its place on the page")
    func documented() throws {
        let page = try String(contentsOf: TestData.repositoryFile("Documentation/Protocol/Account.md"), encoding: .utf8)
        for code in Code.allCases where code != .ok { #expect(page.contains("`\(code.rawValue)`")) }
    }
}
