import Foundation
package import Ledger
package import LedgerStore
package import Logging
package import Primitives
package import Records
import Synchronization
package import Vault

/// The local hash chain of what this institution opened in emergencies without contact.
///
/// Every entry is durable in `emergency.log` before it is in the custody store, and in both before any key is used. What
/// one of the two holds and the other lacks is put back at the next start: a kill between the two leaves one entry more
/// in the log; anything else means that a file was copied back, and is an anomaly.
package final class OfflineChain: Sendable {
    /// An emergency that was declared here without contact.
    package struct Case: Sendable {
        package var opening: BreakGlass
        /// Uptime at which it counts as begun: the wall clock may be set back, this one not.
        var begun: Int64

        package var id: GrantID { self.opening.grant.id }
    }

    private struct State {
        var next: UInt64 = 0
        var previous = Digest.zero
        var time = Timestamp(milliseconds: .min)
        var cases: [Case] = []

        mutating func add(_ entry: OfflineEntry, now: Timestamp, uptime: Int64) {
            if entry.number >= self.next {
                self.next = entry.number + 1
                self.previous = entry.digest
            }
            self.time = max(self.time, entry.time)
            if case .opening(let opening, _, _) = entry.content {
                let since = max(0, now.milliseconds - opening.grant.notBefore.milliseconds)
                self.cases.append(Case(opening: opening, begun: uptime - since))
            }
        }
    }

    /// What the two copies, and the ledger, say about the chain when it is opened.
    enum Finding: String {
        /// The log lacks what the store holds.
        case logCutBack = "log-copied-back"
        /// The store lacks more of what the log holds than a kill can leave.
        case storeCutBack = "store-copied-back"
        /// Two entries follow one.
        case fork = "fork"
        case damaged = "log-damaged"
        /// The ledger knows entries that neither holds.
        case behindLedger = "home-copied-back"
    }

    private static let kind: UInt8 = 1

    private let institution: InstitutionID
    private let chain: ChainID
    private let keys: HomeKeys
    private let custody: CustodyStore
    private let anomalies: AnomalyMaker
    private let log: VoteLog
    /// Held from the reading of the head until an entry is durable.
    private let state: Mutex<State>

    /// Opens the chain of a home, and mends what a kill left.
    package init(
        layout: HomeLayout,
        institution: InstitutionID,
        chain: ChainID,
        vault: Vault,
        custody: CustodyStore,
        logger: Logger
    ) throws {
        self.institution = institution
        self.chain = chain
        self.keys = vault.keys
        self.custody = custody
        self.anomalies = AnomalyMaker(vault: vault)
        let path = layout.emergencyLog.path
        var findings: [Finding] = []
        var records: [VoteLog.Record] = []
        do throws(LedgerStoreError) {
            (self.log, records) = try VoteLog.open(path: path)
        } catch {
            guard error.code == .voteLogDamaged else { throw error }
            findings.append(.damaged)
            try Founding.setAside(layout.emergencyLog)
            (self.log, records) = try VoteLog.open(path: path)
        }
        let logged = try records.map { try OfflineEntry(canonicalBytes: $0.payload) }
        let stored = try custody.offlineEntries().map { try OfflineEntry(canonicalBytes: $0.bytes) }
        findings += try Self.mend(logged, stored, log: self.log, custody)
        var state = State()
        let all = Set(logged).union(stored).sorted { ($0.number, $0.digest) < ($1.number, $1.digest) }
        for entry in all { state.add(entry, now: Clock.now, uptime: Clock.uptime) }
        self.state = Mutex(state)
        for finding in findings {
            logger.critical(
                "the local chain of emergency uses is not whole",
                metadata: ["found": "\(finding.rawValue)"]
            )
            try self.report(finding, about: state.previous)
        }
    }

    /// Puts into each copy what only the other holds; returns what a kill cannot explain.
    private static func mend(
        _ logged: [OfflineEntry],
        _ stored: [OfflineEntry],
        log: VoteLog,
        _ custody: CustodyStore
    ) throws -> [Finding] {
        var findings: [Finding] = []
        let (inLog, inStore) = (Set(logged), Set(stored))
        let onlyStored = stored.filter { !inLog.contains($0) }
        let onlyLogged = logged.filter { !inStore.contains($0) }
        if !onlyStored.isEmpty {
            findings.append(.logCutBack)
            try log.append(onlyStored.map(Self.record))
        }
        if onlyLogged.count > 1 || onlyLogged.first.map({ $0 != logged.last }) ?? false {
            findings.append(.storeCutBack)
        }
        try custody.append(onlyLogged.map(Self.stored))
        let numbers = inLog.union(inStore).map(\.number)
        if Set(numbers).count < numbers.count { findings.append(.fork) }
        return findings
    }

    private static func record(_ entry: OfflineEntry) -> VoteLog.Record {
        VoteLog.Record(epoch: Epoch(0), kind: Self.kind, view: View(entry.number), payload: entry.canonicalBytes)
    }

    private static func stored(_ entry: OfflineEntry) -> StoredOfflineEntry {
        StoredOfflineEntry(digest: entry.digest, number: entry.number, bytes: entry.canonicalBytes)
    }

    /// Reports if the ledger knows more of the chain than this home: then the whole home was copied back.
    ///
    /// Returns whether that was news. The chain goes on from where the ledger knows it.
    package func compare(with ledger: OfflineHead) throws -> Bool {
        let isBehind = self.state.withLock { state in
            guard ledger.next > state.next else { return false }
            state.next = ledger.next
            state.previous = ledger.previous
            state.time = max(state.time, ledger.time)
            return true
        }
        return try isBehind && self.report(.behindLedger, about: ledger.previous)
    }

    @discardableResult
    private func report(_ finding: Finding, about entry: Digest) throws -> Bool {
        let facts = [AnomalyDetail.Fact(.chain, finding.rawValue)]
        return try self.custody.note([
            self.anomalies.anomaly(.emergencyChain, about: [entry], facts, now: Clock.now)
        ])
    }

    // MARK: Entries

    /// Declares an emergency; durable when it returns.
    package func declare(_ opening: BreakGlass, clinician: Signature, approver: Signature?) throws -> OfflineEntry {
        try self.append(.opening(opening, clinician: clinician, approver: approver), receipt: nil)
    }

    /// Says that a record is opened under a declared emergency; durable, with its receipt, when it returns.
    package func use(_ emergency: GrantID, _ receipt: NewReceipt) throws {
        _ = try self.append(.use(emergency, receipt: receipt.leafHash), receipt: receipt)
    }

    private func append(_ content: OfflineEntry.Content, receipt: NewReceipt?) throws -> OfflineEntry {
        try self.state.withLock { state in
            let blank = self.keys.sign([])
            var entry = OfflineEntry(
                institution: self.institution,
                number: state.next,
                previous: state.previous,
                // A clock that was set back does not make the chain run backwards.
                time: max(state.time, Clock.now),
                content: content,
                signature: blank
            )
            entry.signature = self.keys.sign(entry.signedBytes(chain: self.chain))
            try self.log.append([Self.record(entry)])
            // From here on it is in the chain, whatever happens to the second copy.
            state.add(entry, now: Clock.now, uptime: Clock.uptime)
            try self.custody.append([Self.stored(entry)], receipt: receipt)
            return entry
        }
    }

    // MARK: Cases

    /// Emergencies declared here that are not over, and are about the person.
    package func cases(of pseudonym: PatientPseudonym, user: Digest) -> [Case] {
        let (now, uptime) = (Clock.now, Clock.uptime)
        return self.state.withLock { state in
            // Neither a clock that was set back nor one that stands makes the hours longer.
            let time = max(now, state.time)
            return state.cases.filter { known in
                known.opening.user == user && time < known.opening.grant.notAfter
                    && uptime - known.begun < BreakGlass.periodMillisecondsMax
            }
        }.filter { pseudonym.handle(salt: $0.opening.grant.salt) == $0.opening.grant.handle }
    }

    /// What the clinician's emergencies here that are not over allow to be read of the person.
    package func extents(of pseudonym: PatientPseudonym, user: Digest) -> [GrantScope] {
        self.cases(of: pseudonym, user: user).compactMap { Self.extent($0.opening, pseudonym) }
    }

    /// The case of the clinician's that covers an exam, the newest.
    package func covering(_ exam: ExamFacts, of pseudonym: PatientPseudonym, user: Digest) -> Case? {
        self.cases(of: pseudonym, user: user).last { known in
            guard let scope = Self.extent(known.opening, pseudonym) else { return false }
            return scope.covers(exam) && scope.admits(exam)
        }
    }

    private static func extent(_ opening: BreakGlass, _ pseudonym: PatientPseudonym) -> GrantScope? {
        let grant = opening.grant
        guard let scope = try? PseudonymSealing.openScope(grant.sealedScope, pseudonym: pseudonym, salt: grant.salt),
            scope.commitment(salt: grant.salt) == grant.scopeCommitment
        else { return nil }
        return scope
    }

    /// Emergencies declared here that the ledger does not have yet.
    package func waiting() throws -> [OfflineEntry] {
        try self.custody.offlineEntries().filter { $0.state == .waiting }.map {
            try OfflineEntry(canonicalBytes: $0.bytes)
        }
    }
}
