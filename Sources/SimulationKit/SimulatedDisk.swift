internal import AgentCore
internal import Consensus
internal import Ledger
internal import Primitives

/// What of one agent survives a crash: the vote log as bytes, and the chain store.
///
/// Each write to the log is forced to the disk before it is confirmed. The store is not: a crash can take its last
/// commits, which the other agents still have.
struct SimulatedDisk: Sendable {
    /// Blocks committed together; the certificate finalizes the last.
    private struct Commit: Sendable {
        let blocks: [Block]
        let certificate: Certificate
        let changes: [StateChange]
    }

    /// The newest stored block with its state; no certificate for the genesis block.
    struct Tip: Sendable {
        let block: ExecutedBlock
        let certificate: Certificate?
    }

    private static let servedCommitsMax = 5

    /// Frames of length, checksum and record.
    private var log: [UInt8] = []
    private var commits: [Commit] = []
    /// Commits up to here survive a crash; later ones may not.
    private var syncedCommits = 0
    private var positions: [Digest: Int] = [:]
    private var votes: Set<VoteBody> = []

    // MARK: Vote log

    static func frame(_ record: VoteLogRecord) -> [UInt8] {
        let bytes = record.canonicalBytes
        var encoder = CanonicalEncoder()
        encoder.encode(UInt32(bytes.count))
        encoder.encode(UInt32(truncatingIfNeeded: Digest(hashing: bytes).prefix64))
        encoder.encode(fixed: bytes)
        return encoder.bytes
    }

    mutating func append(_ frame: [UInt8]) {
        self.log += frame
        for record in Self.records(frame) { self.votes.insert(record.vote.body) }
    }

    /// Part of a frame that was being written when the power failed.
    mutating func appendTorn(_ part: some Sequence<UInt8>) { self.log += part }

    func holds(_ body: VoteBody) -> Bool { self.votes.contains(body) }

    /// P4: records below the durable final block go.
    mutating func compact() {
        guard self.syncedCommits > 0 else { return }
        let floor = self.commits[self.syncedCommits - 1].certificate.view
        let kept = Self.records(self.log).filter { $0.view > floor }
        self.log = kept.flatMap { Self.frame($0) }
    }

    /// The records that a starting agent finds, after it has cut what a crash left half written, so that later ones are
    /// not hidden behind it.
    mutating func recoverRecords() -> [VoteLogRecord] {
        let records = Self.records(self.log)
        self.log = records.flatMap { Self.frame($0) }
        return records
    }

    private static func records(_ log: [UInt8]) -> [VoteLogRecord] {
        var records: [VoteLogRecord] = []
        var rest = log[...]
        while rest.count >= 8 {
            var decoder = CanonicalDecoder(Array(rest.prefix(8)))
            guard let count = try? decoder.decode(UInt32.self), let checksum = try? decoder.decode(UInt32.self),
                Int(count) <= rest.count - 8
            else { break }
            let bytes = Array(rest.dropFirst(8).prefix(Int(count)))
            guard UInt32(truncatingIfNeeded: Digest(hashing: bytes).prefix64) == checksum,
                let record = try? VoteLogRecord(canonicalBytes: bytes)
            else { break }
            records.append(record)
            rest = rest.dropFirst(8 + Int(count))
        }
        return records
    }

    // MARK: Chain

    mutating func commit(_ range: CommittedRange) {
        for (block, _) in range.blocks { self.positions[block.hash] = self.commits.count }
        self.commits.append(
            Commit(
                blocks: range.blocks.map(\.block),
                certificate: range.certificate,
                changes: range.blocks.flatMap(\.executed.changes)
            )
        )
    }

    mutating func syncCommits() { self.syncedCommits = self.commits.count }

    /// Loses the last `lost` of the unsynced commits.
    mutating func crash(losing lost: Int) {
        precondition(lost <= self.unsyncedCommits, "what is synced stays")
        for commit in self.commits.suffix(lost) {
            for block in commit.blocks { self.positions[block.hash] = nil }
        }
        self.commits.removeLast(lost)
    }

    var unsyncedCommits: Int { self.commits.count - self.syncedCommits }

    /// The newest stored block with the state that the stored changes add up to, as a starting agent loads it; `nil`
    /// if they do not give what the block's header commits to.
    func tip(_ genesis: ExecutedBlock) -> Tip? {
        guard let last = self.commits.last, let header = last.blocks.last?.header else {
            return Tip(block: genesis, certificate: nil)
        }
        var leaves: [Digest: [UInt8]] = [:]
        for change in genesis.changes + self.commits.flatMap(\.changes) { leaves[change.key] = change.value }
        let state = LedgerState(entries: leaves.map { (key: $0.key, value: $0.value) }.sorted { $0.key < $1.key })
        var ancestors = MerkleFrontier()
        let hashes = [genesis.hash] + self.commits.flatMap { $0.blocks.map(\.hash) }
        for hash in hashes.dropLast() { ancestors.append(ExecutedBlock.historyLeaf(hash)) }
        return ExecutedBlock(storedHeader: header, state: state, ancestors: ancestors)
            .map { Tip(block: $0, certificate: last.certificate) }
    }

    func block(_ hash: Digest) -> Block? {
        self.positions[hash].flatMap { self.commits[$0].blocks.first { $0.hash == hash } }
    }

    /// Whole commits from `height` on, few of them, so that catching up takes several answers.
    func range(from height: Height) -> BlockRange? {
        guard let start = self.commits.firstIndex(where: { $0.blocks.contains { $0.header.height == height } }) else {
            return nil
        }
        let taken = self.commits[start...].prefix(Self.servedCommitsMax)
        let blocks = taken.flatMap(\.blocks).filter { $0.header.height >= height }
        return taken.last.map { BlockRange(blocks: blocks, certificate: $0.certificate) }
    }
}
