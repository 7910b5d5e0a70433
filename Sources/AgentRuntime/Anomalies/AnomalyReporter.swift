import Ledger
import LedgerStore
import Logging
import Primitives
import Records

/// Puts what the checks found on the chain, one signed report after another.
///
/// A report is durable before it is sent and stays open until the chain holds it under its number, so that a kill at any
/// moment neither loses an anomaly nor reports it twice: the chain takes each number once.
package struct AnomalyReporter: Sendable {
    /// A report that no quorum has ordered is sent again after this time.
    private static let patience: Duration = .seconds(60)
    /// Of a transaction what is not its anomalies: body, signature, and the head of the report.
    private static let overheadBytes = 512

    private let context: AgentContext
    private let desk: TransactionDesk
    private let bell: Bell

    /// `bell`: rung when something was found.
    package init(context: AgentContext, desk: TransactionDesk, bell: Bell) {
        self.context = context
        self.desk = desk
        self.bell = bell
    }

    /// Runs until cancelled.
    ///
    /// What an earlier run left is reported first.
    package func run() async {
        await Gathering(bell: self.bell, logger: self.context.logger, complaint: "anomalies wait to be reported").run {
            guard let open = try self.context.custody.openAnomalyReport() else { return try self.prepareWaiting() }
            try await self.submit(open)
            return true
        }
    }

    /// Makes a report of what waits.
    ///
    /// Whether anything did.
    private func prepareWaiting() throws -> Bool {
        let waiting = try self.context.custody.waitingAnomalies(limit: AnomalyReport.anomaliesMax)
        var room = Int(self.context.genesis.parameters.transactionBytesMax) - Self.overheadBytes
        let fitting = waiting.prefix { stored in
            room -= stored.anomaly.canonicalBytes.count
            return room >= 0
        }
        guard !fitting.isEmpty else { return false }
        let report = self.numbered(fitting.map(\.anomaly))
        try self.context.custody.prepare(self.signed(report), anomalies: fitting.map(\.number))
        return true
    }

    /// A report with the number that the chain expects: there is no other open one.
    private func numbered(_ anomalies: [Anomaly]) -> AnomalyReport {
        let head = self.context.board.tip.state.anomalyHead(self.context.institution)
        return AnomalyReport(
            institution: self.context.institution,
            number: head.next,
            previous: head.previous,
            anomalies: anomalies
        )
    }

    private func signed(_ report: AnomalyReport) -> StoredAnomalyReport {
        let transaction = self.desk.signed(.anomalies(.report(report)))
        return StoredAnomalyReport(
            number: report.number,
            transactionID: transaction.id.digest,
            transaction: transaction.bytes
        )
    }

    /// Sends an open report, unless the chain has it, and settles what becomes of it.
    private func submit(_ open: StoredAnomalyReport) async throws {
        guard let transaction = try? Transaction(canonicalBytes: open.transaction),
            case .anomalies(.report(let report)) = try? LedgerCall(of: transaction.body)
        else { throw AgentFailure(.storeDamaged, "the transaction of a prepared report is not stored") }
        let state = self.context.board.tip.state
        if let placed = state.anomalyReport(report.institution, report.number), placed.digest == report.digest {
            try self.context.custody.markAnomalyReportFinal(report.number, height: placed.height)
            return
        }
        let head = state.anomalyHead(report.institution)
        guard head.next == report.number, head.previous == report.previous else {
            // A home restored from an older backup finds reports on the chain that it does not know.
            self.context.logger.warning("an own report of anomalies gets another number")
            try self.context.custody.replaceAnomalyReport(
                report.number,
                with: self.signed(self.numbered(report.anomalies))
            )
            return
        }
        do {
            switch try await self.desk.decision(of: transaction, timeout: Self.patience) {
            case .inBlock(_, let receipt) where receipt.code == .ok: break
            case .inBlock(_, let receipt): try await self.renew(report, transaction, after: receipt.code)
            case .refused(let refusal): try await self.renew(report, transaction, after: refusal.code)
            }
        } catch let failure as AgentFailure where failure.code == .transactionTimeout {
            return
        }
        // The decision may be told just before the tip that shows it.
        if self.context.board.tip.state.anomalyHead(report.institution) == head {
            await self.bell.wait(atMost: .seconds(1))
        }
    }

    /// Signs the same report anew: the transaction expired, or was refused for now.
    private func renew(_ report: AnomalyReport, _ transaction: Transaction, after code: TransactionCode) async throws {
        switch code {
        case .expired, .poolFull, .signerShareFull, .anomaliesWrongNumber, .anomaliesWrongPrevious: break
        default:
            // Signing it again at once would fill the chain with refusals.
            self.context.logger.critical(
                "the chain refuses a report of anomalies",
                metadata: ["report": "\(report.number)", "code": "\(code.name)"]
            )
            await self.bell.wait(atMost: Self.patience)
        }
        guard !Task.isCancelled else { return }
        let renewed = self.signed(report)
        guard renewed.transactionID != transaction.id.digest else { return }
        try self.context.custody.replaceAnomalyReport(report.number, with: renewed)
    }
}
