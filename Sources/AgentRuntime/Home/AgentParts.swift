import AgentCore
import Consensus
import PeerLink
import Synchronization

/// The services of one agent, put together and not yet running.
struct AgentParts: Sendable {
    let context: AgentContext
    let core: AgentCore
    let votes: RecoveredVotes
    let loop: AgentLoop
    let link: PeerLink
    let identity: TransportIdentitySource
    let replicator: Replicator
    let follower: ChainFollower
    let outboxes: [BatchOutbox]
    let anchorers: [BatchAnchorer]
    let facts: FactBook
    let production: ProductionReporter
    let anomalies: AnomalyReporter
    let reconciler: OfflineReconciler
    let erasures: ErasureKeeper
    let names: PseudonymDesk
    let keeper: PseudonymKeeper
    let served: PseudonymReporter
    let final: FinalBatches
    let writer: ExamWriter
    let harness: AgentHarness
    let halt: AgentHalt
}

/// Tells that the loop stopped for good, and why.
final class AgentHalt: Sendable {
    private let text = Mutex<String?>(nil)
    private let bell = Bell()

    var reason: String? { self.text.withLock { $0 } }

    func happened(_ reason: String) {
        self.text.withLock { $0 = reason }
        self.bell.ring()
    }

    /// Returns when it has happened.
    func wait() async { await self.bell.wait() }
}
