import AgentCore
import AgentRuntime
import ArgumentParser
import Foundation
import Ledger
import Primitives
import Records

struct VerifyCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify evidence, an account or a proof of destruction offline, with nothing but the genesis file."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The file: of fetch --evidence, of audit account, or of erase proof.")
    var evidence: String

    @Option(name: .long, help: "The chain's genesis file.")
    var genesis: String

    @Option(name: .long, help: "Not used by chains with one validator set: the genesis file is the anchor.")
    var checkpoint: String?

    func execute() async throws {
        guard self.checkpoint == nil else {
            throw CommandFailure.usage(
                "checkpoint",
                "this release verifies against the genesis file alone",
                hint: "Leave --checkpoint out."
            )
        }
        let genesisBytes = try PrivateFile.read(self.genesis, bytesMax: Genesis.bytesMax, what: "the genesis file")
        let genesis = try Founding.readGenesis(Array(genesisBytes))
        let bytesMax = max(EvidenceFile.bytesMax, Account.bytesMax)
        let bytes = try PrivateFile.read(self.evidence, bytesMax: bytesMax, what: "the evidence file")
        guard !bytes.starts(with: Account.magic) else {
            let report = AccountVerifier.verify(Array(bytes), genesis: genesis)
            AccountPrinter.answer(report).print(asJSON: self.options.json)
            guard report.isValid else { throw ExitCode(CommandFailure.Status.integrity.rawValue) }
            return
        }
        guard !bytes.starts(with: DestructionProof.magic) else {
            return try self.verifyDestruction(Array(bytes), genesis)
        }
        let report = EvidenceVerifier.verify(Array(bytes), genesis: genesis)
        let findings = report.findings.map { finding in
            var object: [String: Any] = ["step": "\(finding.step)", "ok": finding.isOK, "text": finding.text]
            if !finding.isOK { object["code"] = finding.code.rawValue }
            if let time = finding.time { object["time"] = Times.format(time.milliseconds) }
            return object
        }
        Answer(["valid": report.isValid, "findings": findings], text: self.text(report)).print(
            asJSON: self.options.json
        )
        guard report.isValid else { throw ExitCode(CommandFailure.Status.integrity.rawValue) }
    }

    private func verifyDestruction(_ bytes: [UInt8], _ genesis: Genesis) throws {
        let report = DestructionReport.verify(bytes, genesis: genesis)
        let findings = report.findings.map { finding in
            var object: [String: Any] = ["ok": finding.isOK, "text": finding.text]
            if !finding.isOK { object["code"] = finding.code.rawValue }
            if let time = finding.time { object["time"] = Times.format(time.milliseconds) }
            return object
        }
        var lines = report.findings.map { finding in
            let mark = finding.isOK ? "ok  " : Terminal.red("FAIL")
            let time = finding.time.map { " (" + Times.format($0.milliseconds) + ")" } ?? ""
            return
                "\(mark)  \(finding.isOK ? "" : "[\(finding.code.rawValue)] ")\(Terminal.harmless(finding.text))\(time)"
        }
        lines.append(
            report.isValid
                ? Terminal.bold("valid") + ": what they hold in backups, or on paper, is not shown"
                : Terminal.red("NOT valid")
        )
        var object: [String: Any] = ["valid": report.isValid, "findings": findings]
        if let state = report.state {
            object["erasure"] = Data(state.erasure.id.digest.bytes).hex
            object["records"] = state.erasure.records.map { Data($0.digest.bytes).hex }
            object["outstanding"] = state.outstanding.map(\.text)
        }
        Answer(object, text: lines.joined(separator: "\n")).print(asJSON: self.options.json)
        guard report.isValid else { throw ExitCode(CommandFailure.Status.integrity.rawValue) }
    }

    private func text(_ report: EvidenceReport) -> String {
        var lines = report.findings.map { finding in
            let mark = finding.isOK ? "ok  " : Terminal.red("FAIL")
            let time = finding.time.map { " (" + Times.format($0.milliseconds) + ")" } ?? ""
            let code = finding.isOK ? "" : "[\(finding.code.rawValue)] "
            return "\(mark)  \(code)\(Terminal.harmless(finding.text))\(time)"
        }
        lines.append(
            report.isValid
                ? Terminal.bold("valid")
                    + ": times are proposers' times, within 5 s of a quorum of clocks; what happened later is not shown"
                : Terminal.red("NOT valid")
        )
        return lines.joined(separator: "\n")
    }
}
