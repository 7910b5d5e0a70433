import AgentAPI
import Foundation
import Ledger
import LedgerStore
import PeerLink
import Primitives
import Records
import SwiftProtobuf
import Vault

/// Figures for the operator, and checks that name a fault with its mend.
struct StatusReporter: Sendable {
    static let version = "0.1.0"
    /// Less than this is soon too little: a segment and a database checkpoint.
    private static let freeBytesMin: UInt64 = 512 << 20

    let context: AgentContext
    let link: PeerLink
    private let replicator: Replicator

    let names: PseudonymDesk

    init(context: AgentContext, link: PeerLink, replicator: Replicator, names: PseudonymDesk) {
        self.names = names
        self.context = context
        self.link = link
        self.replicator = replicator
    }

    func status() async throws -> Entente_Api_V1_StatusReply {
        let tip = self.context.board.tip
        let counts = try self.context.custody.counts()
        let store = try self.context.vault.statistics()
        let lacking = await self.replicator.lackingCount
        let entries = try self.context.locators.examCount()
        let emergencies = try Self.emergencies(self.context)
        return .with { reply in
            reply.institution = self.context.institution.text
            reply.chain = Data(self.context.rules.chain.digest.bytes)
            reply.role = tip.state.institution(self.context.institution)?.card.role.name ?? ""
            reply.height = tip.height.value
            reply.view = self.context.board.view.value
            reply.finalTime = tip.block.header.time.milliseconds
            reply.peers = self.peers(tip)
            reply.pendingTransactions = UInt32(clamping: self.context.board.pendingCount)
            reply.lackingObjects = UInt64(lacking)
            reply.exams = counts.exams
            reply.locatorEntries = entries
            reply.objects = UInt64(store.objects)
            reply.vaultBytes = store.fileBytes
            reply.freeBytes = Self.freeBytes(at: self.context.layout.root) ?? 0
            if let finality = self.context.board.finality {
                reply.finalityP50 = UInt32(clamping: finality.p50)
                reply.finalityP99 = UInt32(clamping: finality.p99)
            }
            let uptime = Clock.uptime
            if let confirmed = self.context.confirmations.confirmed(uptime: uptime) {
                reply.confirmedAt = Clock.now.milliseconds - (uptime - confirmed)
            }
            reply.quarantined = counts.openQuarantine
            reply.version = Self.version
            reply.residentBytes = Self.residentBytes() ?? 0
            reply.pseudonymKey = self.pseudonymKey(tip.state)
            reply.feeds = self.context.feeds.figures.map(Self.feed)
            reply.emergencies = emergencies
        }
    }

    /// Of this institution.
    static func emergencies(_ context: AgentContext) throws -> Entente_Api_V1_EmergencyFigures {
        let state = context.board.tip.state
        let counts = state.emergencyCounts(context.institution)
        let waiting = try context.custody.waitingOfflineCount()
        return .with {
            $0.opened = counts.opened
            $0.offline = counts.offline
            $0.alarming = counts.alarming
            $0.waiting = waiting
            $0.breaks = state.offlineHead(context.institution).breaks
        }
    }

    private static func feed(_ figures: FeedBook.Figures) -> Entente_Api_V1_FeedFigures {
        .with {
            $0.feed = figures.feed.rawValue
            $0.read = figures.counts.read
            $0.committed = figures.counts.committed
            $0.duplicate = figures.counts.duplicate
            $0.quarantined = figures.counts.quarantined
            if let lag = figures.sinceCreation { $0.sinceCreation = Self.lag(lag) }
            if let lag = figures.sinceReceipt { $0.sinceReceipt = Self.lag(lag) }
        }
    }

    private static func lag(_ lag: FeedBook.Lag) -> Entente_Api_V1_LagFigures {
        .with {
            $0.count = UInt32(clamping: lag.count)
            $0.p50 = lag.p50
            $0.p99 = lag.p99
        }
    }

    private func peers(_ tip: ChainBoard.Tip) -> [Entente_Api_V1_Peer] {
        self.link.peers.map { peer in
            .with {
                $0.id = peer.institution.text
                $0.connected = peer.connected
                $0.height = self.context.board.peerHeight(peer.institution)?.value ?? 0
                $0.address = tip.state.institution(peer.institution)?.card.address ?? ""
            }
        }
    }

    func doctor(isFull: Bool) async throws -> Entente_Api_V1_DoctorReply {
        var checks: [Entente_Api_V1_Check] = []
        checks.append(self.homeCheck())
        checks.append(Self.diskCheck(Self.freeBytes(at: self.context.layout.root)))
        checks.append(
            self.store("chain.sqlite") { () throws(LedgerStoreError) in try self.context.chain.check(full: isFull) }
        )
        checks.append(
            self.store("locators.sqlite") { () throws(LedgerStoreError) in try self.context.locators.check(full: isFull)
            }
        )
        checks.append(
            self.store("custody.sqlite") { () throws(LedgerStoreError) in try self.context.custody.check(full: isFull) }
        )
        checks.append(self.vaultCheck(isFull: isFull))
        if isFull { checks.append(self.ownRecordsCheck()) }
        checks.append(contentsOf: self.networkChecks())
        checks.append(self.pseudonymCheck())
        let lacking = await self.replicator.lackingCount
        checks.append(
            Self.check(
                "replication",
                isFine: lacking == 0,
                lacking == 0 ? "everything is here" : "\(lacking) objects are still to be fetched",
                hint: "Their institutions may be offline; it goes on by itself."
            )
        )
        return .with { $0.checks = checks }
    }

    private func homeCheck() -> Entente_Api_V1_Check {
        var exposed: [String] = []
        for name in ["keys", "master.key", "agent.sock"] {
            let path = self.context.layout.root.appending(path: name).path
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                let mode = attributes[.posixPermissions] as? Int, mode & 0o077 != 0
            else { continue }
            exposed.append(name)
        }
        return Self.check(
            "home",
            isFine: exposed.isEmpty,
            exposed.isEmpty ? "keys and socket are private" : "others can reach " + exposed.joined(separator: ", "),
            hint: "Run chmod 600 on them, and consider the keys known to others."
        )
    }

    private func store(_ name: String, _ check: () throws(LedgerStoreError) -> Void) -> Entente_Api_V1_Check {
        do throws(LedgerStoreError) {
            try check()
            return Self.check(name, isFine: true, "intact", hint: "")
        } catch {
            return Self.check(name, isFine: false, error.message, hint: AgentFailure(any: error).hint)
        }
    }

    private func vaultCheck(isFull: Bool) -> Entente_Api_V1_Check {
        do throws(VaultError) {
            guard isFull else {
                let statistics = try self.context.vault.statistics()
                return Self.check(
                    "vault",
                    isFine: true,
                    "\(statistics.objects) objects (--full reads them all)",
                    hint: ""
                )
            }
            let (objects, problems) = try self.context.vault.verifyAll()
            let named = problems.prefix(5).map { "\($0)" }.joined(separator: "; ")
            return Self.check(
                "vault",
                isFine: problems.isEmpty,
                problems.isEmpty ? "\(objects) objects read and checked" : "\(problems.count) problems: \(named)",
                hint: "Damaged objects of others are fetched again; restore own ones from a backup."
            )
        } catch {
            return Self.check("vault", isFine: false, error.message, hint: AgentFailure(any: error).hint)
        }
    }

    /// Whether everything that this institution committed to is still in its vault.
    ///
    /// A start after damage leaves out what cannot be read, so the vault alone would look whole.
    private func ownRecordsCheck() -> Entente_Api_V1_Check {
        let state = self.context.board.tip.state
        var present = 0
        var missing = 0
        do {
            for number in 0..<state.commitmentHead(self.context.institution).next {
                if let batch = state.commitmentBatch(self.context.institution, number),
                    try !self.context.vault.contains(batch.anchor.manifest)
                {
                    missing += 1
                }
                for exam in try self.context.custody.exams(batch: number)
                where !state.isErased(exam.record, of: self.context.institution) {
                    if try self.context.vault.contains(exam.record) { present += 1 } else { missing += 1 }
                }
            }
        } catch {
            let failure = AgentFailure(any: error)
            return Self.check("own records", isFine: false, failure.message, hint: failure.hint)
        }
        return Self.check(
            "own records",
            isFine: missing == 0,
            missing == 0 ? "\(present) records are here" : "\(missing) records or manifests are damaged or missing",
            hint: "Restore the vault from a backup."
        )
    }

    private func networkChecks() -> [Entente_Api_V1_Check] {
        let peers = self.link.peers
        let missing = peers.filter { !$0.connected }.map(\.institution.text)
        let uptime = Clock.uptime
        let age = self.context.confirmations.confirmed(uptime: uptime).map { (uptime - $0) / 1000 }
        return [
            Self.check(
                "peers",
                isFine: missing.isEmpty,
                missing.isEmpty ? "all \(peers.count) connected" : "not connected: " + missing.joined(separator: ", "),
                hint:
                    "Check that their agents run, and that this machine reaches their addresses (entente status --json)."
            ),
            Self.check(
                "quorum",
                isFine: age.map { $0 < 60 } ?? false,
                age.map { "confirmed this agent's tip \($0) s ago" } ?? "has never confirmed this agent's tip",
                hint: "Without it grants are honoured only until their leases end, and nothing new becomes final."
            ),
            Self.clockCheck(peers.compactMap(\.clockAheadMilliseconds)),
        ]
    }

    /// Validators take no block from further in the future (``ConsensusParameters``).
    private static let clockOffMillisecondsMax: Int64 = 5_000

    /// Compares this clock with the middle one of the peers', so that a few wrong or lying ones do not matter.
    private static func clockCheck(_ ahead: [Int64]) -> Entente_Api_V1_Check {
        guard !ahead.isEmpty else { return Self.check("clock", isFine: true, "no peer to compare with", hint: "") }
        let middle = ahead.sorted()[(ahead.count - 1) / 2]
        let seconds = abs(middle) / 1000
        let isFine = abs(middle) <= Self.clockOffMillisecondsMax
        return Self.check(
            "clock",
            isFine: isFine,
            isFine ? "agrees with the peers'" : "\(seconds) s \(middle > 0 ? "behind" : "ahead of") the peers'",
            hint: "Set the time (NTP): others take no block from the future, and this agent votes for none."
        )
    }

    private static func diskCheck(_ free: UInt64?) -> Entente_Api_V1_Check {
        Self.check(
            "disk",
            isFine: (free ?? 0) >= Self.freeBytesMin,
            free.map { "\($0 >> 20) MiB free" } ?? "free space unknown",
            hint: "Make room on the disk of the home, or move the home to a larger one."
        )
    }

    static func check(_ name: String, isFine: Bool, _ detail: String, hint: String) -> Entente_Api_V1_Check {
        .with {
            $0.name = name
            $0.ok = isFine
            $0.detail = detail
            $0.hint = isFine ? "" : hint
        }
    }

    private static func freeBytes(at url: URL) -> UInt64? {
        var statistics = statvfs()
        guard statvfs(url.path, &statistics) == 0 else { return nil }
        return UInt64(statistics.f_bavail) * UInt64(statistics.f_frsize)
    }

    private static func residentBytes() -> UInt64? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ UInt64($0) })
        else { return nil }
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
