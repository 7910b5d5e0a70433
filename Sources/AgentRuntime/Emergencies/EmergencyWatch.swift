import Ledger
import LedgerStore
import Primitives
import Records

/// Looks at this institution's emergency accesses as they become final, and reports what is unusual about them.
///
/// The ledger says so by itself, from what all can see; the report makes it an anomaly that the institution has signed.
struct EmergencyWatch: Sendable {
    let context: AgentContext

    /// Whether there was something to report that was not reported before.
    func look(at id: GrantID) throws -> Bool {
        guard let state = self.context.board.tip.state.emergency(id) else { return false }
        let anomalies = AnomalyMaker(vault: self.context.vault)
        var found: [NewAnomaly] = []
        if !state.alarms.isEmpty {
            let facts = state.alarms.names.map { AnomalyDetail.Fact(.unusual, $0) }
            found.append(anomalies.anomaly(.emergencyRate, about: [id.digest], facts, now: Clock.now))
        }
        if let broken = state.offline?.broken {
            let facts = [AnomalyDetail.Fact(.chain, broken.name)]
            found.append(anomalies.anomaly(.emergencyChain, about: [id.digest], facts, now: Clock.now))
        }
        return try !found.isEmpty && self.context.custody.note(found)
    }
}
