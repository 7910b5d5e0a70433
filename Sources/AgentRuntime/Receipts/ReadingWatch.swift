import Foundation
import LedgerStore
import Primitives
import Records
import Synchronization

/// Looks at this institution's receipts as they are written, and reports what is unusual about how its clinicians read.
///
/// After a start it looks once more at the newest receipts, so that a day that was interrupted is still one day; what was
/// reported before is not reported again.
final class ReadingWatch: Sendable {
    /// Some months at a large hospital: enough for four weeks of everybody's habits.
    private static let lookBack: Int64 = 200_000
    private static let receiptsPerRead = 1024
    /// Among so many anomalies one that was reported before is looked for.
    private static let anomaliesLookedAt = 4096

    private struct Progress {
        var patterns = ReadingPatterns()
        /// The number of the last receipt that was looked at; `nil` before the first look.
        var last: Int64?
    }

    private let context: AgentContext
    private let progress = Mutex(Progress())

    init(context: AgentContext) { self.context = context }

    /// Whether there was something to report that was not reported before.
    func look() throws -> Bool {
        try self.progress.withLock { progress in
            var last = try progress.last ?? max(0, self.context.custody.newestReceipt() - Self.lookBack)
            var found: [NewAnomaly] = []
            while true {
                let receipts = try self.context.custody.receipts(after: last, limit: Self.receiptsPerRead)
                guard let newest = receipts.last else { break }
                for stored in receipts {
                    let receipt = try self.context.secrets.openReceipt(stored.sealed)
                    let reading = try self.reading(receipt, of: stored.patient)
                    for finding in progress.patterns.add(reading) { found.append(self.anomaly(finding, receipt)) }
                }
                last = newest.number
                progress.last = last
            }
            return try !found.isEmpty && self.context.custody.note(found, among: Self.anomaliesLookedAt)
        }
    }

    private func reading(_ receipt: FetchReceipt, of patient: PatientNumber) throws -> ReadingPatterns.Reading {
        let isOwn = receipt.custodian == self.context.institution
        let exam = isOwn ? try self.context.custody.exam(record: receipt.request.record) : nil
        return ReadingPatterns.Reading(
            clinician: receipt.credential.clinician,
            patient: patient.value,
            place: exam?.number.value,
            isEmergency: receipt.request.purpose == .emergency,
            time: receipt.time,
            offset: Clock.offset(at: receipt.time)
        )
    }

    private func anomaly(_ finding: ReadingPatterns.Finding, _ receipt: FetchReceipt) -> NewAnomaly {
        let date = Date(timeIntervalSince1970: Double(finding.day) * 86_400).ISO8601Format().prefix(10)
        return AnomalyMaker(vault: self.context.vault).anomaly(
            finding.kind,
            count: UInt32(clamping: finding.patients),
            records: [receipt.request.record],
            [
                AnomalyDetail.Fact(.clinician, receipt.credential.clinician),
                AnomalyDetail.Fact(.pattern, "\(finding.patients) patients, limit \(finding.limit), \(date)"),
            ],
            now: Clock.now
        )
    }
}
