internal import Consensus
internal import Primitives

/// What of one agent survives a crash: the vote log as bytes, and the chain.
struct SimulatedDisk: Sendable {
    /// Blocks committed together; the certificate finalizes the last.
    struct Commit: Sendable {
        let blocks: [Block]
        let certificate: Certificate
    }

    /// Frames of length, checksum and record.
    private var log: [UInt8] = []
    private(set) var commits: [Commit] = []
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

    mutating func commit(_ blocks: [Block], _ certificate: Certificate) {
        for block in blocks { self.positions[block.hash] = self.commits.count }
        self.commits.append(Commit(blocks: blocks, certificate: certificate))
    }

    mutating func syncCommits() { self.syncedCommits = self.commits.count }

    /// Loses unsynced commits from some point on, and cuts the log's torn tail.
    mutating func crash(losing lost: Int) {
        while self.commits.count > max(self.syncedCommits, self.commits.count - lost), let last = self.commits.popLast()
        {
            for block in last.blocks { self.positions[block.hash] = nil }
        }
    }

    var unsyncedCommits: Int { self.commits.count - self.syncedCommits }

    func recovery(genesis: FinalPoint) -> Recovery {
        var final = genesis
        if let last = self.commits.last, let block = last.blocks.last {
            final = FinalPoint(header: block.header, certificate: last.certificate)
        }
        return Recovery(final: final, records: Self.records(self.log))
    }

    /// Cuts what a crash left half written, so that later records are not hidden behind it.
    mutating func cutTornTail() { self.log = Self.records(self.log).flatMap { Self.frame($0) } }

    func block(_ hash: Digest) -> Block? {
        self.positions[hash].flatMap { self.commits[$0].blocks.first { $0.hash == hash } }
    }

    /// Whole commits from `height` on, at most `commitsMax` of them.
    func range(from height: Height, commitsMax: Int) -> BlockRange? {
        guard let start = self.commits.firstIndex(where: { $0.blocks.contains { $0.header.height == height } }) else {
            return nil
        }
        let taken = self.commits[start...].prefix(commitsMax)
        let blocks = taken.flatMap(\.blocks).filter { $0.header.height >= height }
        return taken.last.map { BlockRange(blocks: blocks, certificate: $0.certificate) }
    }
}
