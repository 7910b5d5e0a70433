import Ledger
import LedgerStore
package import Primitives
package import Records

/// Lists what institutions reported to be wrong, and of this one also what waits to be reported and why.
package struct AnomalyList: Sendable {
    /// A reply holds so many: about 400 KiB.
    package static let listedMax = 1000

    /// One anomaly as it is shown.
    package struct Entry: Sendable {
        package var institution: InstitutionID
        package var anomaly: Anomaly
        /// Where the chain holds it; `nil` while it waits.
        package var place: Place?
        /// Known of this institution's own.
        package var detail: AnomalyDetail?
    }

    /// The report that carries an anomaly, and its block.
    package struct Place: Sendable {
        package var report: UInt64
        package var index: Int
        package var height: Height
        package var time: Timestamp
    }

    private let context: AgentContext
    private let checker: CrossChecker

    package init(context: AgentContext) {
        self.context = context
        self.checker = CrossChecker(context: context)
    }

    /// The newest first, at most `limit`; without an institution, of all.
    package func entries(of institution: InstitutionID?, limit: Int) throws -> [Entry] {
        let own = self.context.institution
        // Before the tip: what is reported meanwhile is seen twice rather than not at all.
        let waiting = institution == nil || institution == own ? try self.waiting(limit: limit) : []
        let state = self.context.board.tip.state
        if let institution, state.institution(institution) == nil {
            throw AgentFailure(
                .institutionUnknown,
                "no institution of the chain has this name",
                hint: "See entente status for the members."
            )
        }
        var entries: [Entry] = []
        for institution in institution.map({ [$0] }) ?? state.institutionIDs {
            entries += try self.reported(by: institution, state, limit: limit)
        }
        let reported = Set(entries.filter { $0.institution == own }.map(\.anomaly.commitment))
        entries += waiting.filter { !reported.contains($0.anomaly.commitment) }
        // What waits is newer than what any block holds.
        let sorted = entries.enumerated().sorted {
            ($1.element.order, $1.element.anomaly.time, $0.offset)
                < ($0.element.order, $0.element.anomaly.time, $1.offset)
        }
        return sorted.prefix(limit).map(\.element)
    }

    /// What the store has not seen on the chain.
    private func waiting(limit: Int) throws -> [Entry] {
        var stored = try self.context.custody.waitingAnomalies(limit: limit)
        if let open = try self.context.custody.openAnomalyReport() {
            stored += try self.context.custody.anomalies(report: open.number)
        }
        // One that went into the report between the two questions was given twice.
        var seen: Set<Int64> = []
        return try stored.filter { seen.insert($0.number).inserted }.map { stored in
            Entry(
                institution: self.context.institution,
                anomaly: stored.anomaly,
                detail: try self.checker.detail(stored)
            )
        }
    }

    private func reported(by institution: InstitutionID, _ state: LedgerState, limit: Int) throws -> [Entry] {
        var entries: [Entry] = []
        var next = state.anomalyHead(institution).next
        while next > 0, entries.count < limit {
            next -= 1
            guard let placed = state.anomalyReport(institution, next), let report = try self.report(placed) else {
                throw AgentFailure(.storeDamaged, "a report of anomalies is not in its block")
            }
            let own = institution == self.context.institution ? try self.context.custody.anomalies(report: next) : []
            for (index, anomaly) in report.anomalies.enumerated() {
                // A home that was restored from an older backup does not know why it reported.
                let stored = own.first { $0.anomaly.commitment == anomaly.commitment }
                entries.append(
                    Entry(
                        institution: institution,
                        anomaly: anomaly,
                        place: Place(report: next, index: index, height: placed.height, time: placed.time),
                        detail: try stored.map(self.checker.detail)
                    )
                )
            }
        }
        return entries
    }

    /// Reads a report from its block and compares it with what the state holds.
    private func report(_ placed: AnomalyReportState) throws -> AnomalyReport? {
        guard let place = try self.context.chain.transaction(id: placed.transaction.digest),
            let block = try self.context.chain.block(at: place.height)
        else { return nil }
        let transactions = try BlockBody(canonicalBytes: block.body).transactions
        guard transactions.indices.contains(Int(place.index)),
            case .anomalies(.report(let report)) = try LedgerCall(of: transactions[Int(place.index)].body),
            report.digest == placed.digest
        else { return nil }
        return report
    }
}

extension AnomalyList.Entry {
    fileprivate var order: UInt64 { self.place?.height.value ?? .max }
}
