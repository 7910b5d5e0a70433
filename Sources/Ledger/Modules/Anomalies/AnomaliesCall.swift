package import Primitives
import Records

/// An institution's report of what it found wrong: signed, ordered, and never taken back.
package enum AnomaliesCall: Hashable, Sendable {
    /// Signed by the institution.
    case report(AnomalyReport)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .report(let report): try Self.append(report, in: &context)
        }
    }

    private static func append(_ report: AnomalyReport, in context: inout ExecutionContext) throws(TransactionRefusal) {
        try context.require(signers: [.institution(report.institution)], else: .anomaliesWrongSigner)
        guard try context.exists(.institution(report.institution)) else {
            throw TransactionRefusal(.anomaliesUnknownInstitution)
        }
        guard (1...AnomalyReport.anomaliesMax).contains(report.anomalies.count) else {
            throw TransactionRefusal(.anomaliesBadCount)
        }
        guard report.anomalies.allSatisfy(\.isWellFormed) else { throw TransactionRefusal(.anomaliesMalformed) }
        let head = try context.value(BatchHead.self, at: .anomalyHead(report.institution)) ?? .start
        guard report.number == head.next else {
            throw TransactionRefusal(.anomaliesWrongNumber, detail: String(head.next))
        }
        guard report.previous == head.previous else { throw TransactionRefusal(.anomaliesWrongPrevious) }
        let (next, overflow) = head.next.addingReportingOverflow(1)
        guard !overflow else { throw TransactionRefusal(.anomaliesWrongNumber) }
        let digest = report.digest
        try context.write(BatchHead(next: next, previous: digest), at: .anomalyHead(report.institution))
        let state = AnomalyReportState(
            digest: digest,
            count: UInt32(report.anomalies.count),
            transaction: context.transaction,
            height: context.height,
            time: context.time
        )
        try context.write(state, at: .anomalyReport(report.institution, report.number))
        context.emit(.anomaliesReported(report.institution, number: report.number))
    }
}

extension AnomaliesCall: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .report(let report):
            encoder.encode(variant: 0)
            encoder.encode(report)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        _ = try decoder.decodeVariant(count: 1)
        self = .report(try decoder.decode())
    }
}

extension StateKey {
    fileprivate static func anomalyHead(_ institution: InstitutionID) -> StateKey {
        StateKey(.anomalies, tag: 1, institution)
    }

    fileprivate static func anomalyReport(_ institution: InstitutionID, _ number: UInt64) -> StateKey {
        StateKey(.anomalies, tag: 2) { encoder in
            encoder.encode(institution)
            encoder.encode(number)
        }
    }
}

extension StateReading {
    /// What the institution's next report must be.
    package func anomalyHead(_ institution: InstitutionID) -> BatchHead {
        self.value(at: .anomalyHead(institution)) ?? .start
    }

    /// Report `number` of the institution.
    package func anomalyReport(_ institution: InstitutionID, _ number: UInt64) -> AnomalyReportState? {
        self.value(at: .anomalyReport(institution, number))
    }
}
