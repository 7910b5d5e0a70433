package import Primitives

/// The digest that names a proposal of a policy pack.
package struct PolicyProposalID: Hashable, Sendable, CanonicalCodable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}

/// A policy pack that an institution proposes: which bytes, in how many pieces, and from when on they are the rules.
///
/// The ledger does not read packs. A catalogue of a thousand items is several times as large as a transaction may be,
/// so the pack's bytes follow in chunks that the proposal names by their digests.
package struct PolicyProposal: Hashable, Sendable {
    /// Every chunk but the last has this size: with its signature it fits a transaction of any usual chain.
    package static let chunkBytes = 32 << 10
    /// 3 MiB: a catalogue of ten thousand items.
    package static let chunksMax = 96
    /// What the pack may announce itself ahead: two years.
    package static let leadMillisecondsMax: Int64 = 2 * 366 * 86_400_000
    /// A decision that stood for a day has been acted on.
    package static let undoMinutesMax: UInt16 = 24 * 60

    package var institution: InstitutionID
    /// Greater than that of the newest adopted pack.
    package var version: UInt64
    /// Id of the proposal of the newest adopted pack; zero for the first one.
    package var previous: Digest
    /// The digest by which verdicts and matches name the pack.
    package var pack: Digest
    package var byteCount: UInt32
    /// ``chunkDigest(_:)`` of each chunk, in order.
    package var chunks: [Digest]
    /// When it is to take effect; not before it is adopted.
    package var effectiveFrom: Timestamp
    /// How long a doctor may take a decision back.
    package var undoMinutes: UInt16

    package init(
        institution: InstitutionID,
        version: UInt64,
        previous: Digest,
        pack: Digest,
        byteCount: UInt32,
        chunks: [Digest],
        effectiveFrom: Timestamp,
        undoMinutes: UInt16
    ) {
        self.institution = institution
        self.version = version
        self.previous = previous
        self.pack = pack
        self.byteCount = byteCount
        self.chunks = chunks
        self.effectiveFrom = effectiveFrom
        self.undoMinutes = undoMinutes
    }

    /// A proposal of these bytes, which ``chunks(of:)`` cuts.
    package init(
        institution: InstitutionID,
        version: UInt64,
        previous: Digest,
        pack: Digest,
        bytes: [UInt8],
        effectiveFrom: Timestamp,
        undoMinutes: UInt16
    ) {
        self.init(
            institution: institution,
            version: version,
            previous: previous,
            pack: pack,
            byteCount: UInt32(clamping: bytes.count),
            chunks: Self.chunks(of: bytes).map(Self.chunkDigest),
            effectiveFrom: effectiveFrom,
            undoMinutes: undoMinutes
        )
    }

    /// `H("entente/policy-proposal/1\0" ‖ proposal)`: what chunks, approvals and the next proposal name.
    package var id: PolicyProposalID {
        PolicyProposalID(Digest(hashing: Array("entente/policy-proposal/1\0".utf8) + self.canonicalBytes))
    }

    /// `H("entente/policy-chunk/1\0" ‖ bytes)`.
    package static func chunkDigest(_ bytes: [UInt8]) -> Digest {
        Digest(hashing: Array("entente/policy-chunk/1\0".utf8) + bytes)
    }

    package static func chunks(of bytes: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: self.chunkBytes).map { start in
            Array(bytes[start..<min(start + self.chunkBytes, bytes.count)])
        }
    }

    /// Whether the number of chunks is what so many bytes make.
    package var isWellFormed: Bool {
        (1...Self.chunksMax).contains(self.chunks.count)
            && self.chunks.count == (Int(self.byteCount) + Self.chunkBytes - 1) / Self.chunkBytes
    }

    /// The size that chunk `index` must have.
    package func byteCount(ofChunk index: Int) -> Int {
        min(Self.chunkBytes, Int(self.byteCount) - index * Self.chunkBytes)
    }

    /// The pack's bytes from its chunks; `nil` unless they are exactly those that the proposal names.
    package func assemble(_ chunks: [[UInt8]]) -> [UInt8]? {
        guard self.isWellFormed, chunks.map(Self.chunkDigest) == self.chunks else { return nil }
        let bytes = Array(chunks.joined())
        return bytes.count == Int(self.byteCount) ? bytes : nil
    }
}

extension PolicyProposal: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.institution)
        encoder.encode(self.version)
        encoder.encode(self.previous)
        encoder.encode(self.pack)
        encoder.encode(self.byteCount)
        encoder.encode(self.chunks)
        encoder.encode(self.effectiveFrom)
        encoder.encode(self.undoMinutes)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.institution = try decoder.decode()
        self.version = try decoder.decode()
        self.previous = try decoder.decode()
        self.pack = try decoder.decode()
        self.byteCount = try decoder.decode()
        // More than are allowed, so that one too many is a refusal by its own code.
        self.chunks = try decoder.decodeArray(max: 2 * Self.chunksMax)
        self.effectiveFrom = try decoder.decode()
        self.undoMinutes = try decoder.decode()
    }
}

/// A proposal that is not adopted yet, as it stands in the state: an institution has one at most.
package struct OpenPolicyProposal: Hashable, Sendable, CanonicalCodable {
    package var proposal: PolicyProposal
    /// Heights of the blocks that hold the chunks, in order; `nil` where one is missing.
    package var chunkHeights: [Height?]
    /// How many institutions approve, the proposer among them; each stands at a place of its own.
    package var approvals: UInt32

    package init(proposal: PolicyProposal) {
        self.proposal = proposal
        self.chunkHeights = proposal.chunks.map { _ in nil }
        self.approvals = 1
    }

    package var isComplete: Bool { !self.chunkHeights.contains(nil) }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.proposal)
        encoder.encode(length: self.chunkHeights.count)
        for height in self.chunkHeights { encoder.encode(height) }
        encoder.encode(self.approvals)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.proposal = try decoder.decode()
        let count = try decoder.decodeLength(max: PolicyProposal.chunksMax)
        self.chunkHeights = []
        for _ in 0..<count { self.chunkHeights.append(try decoder.decodeOptional()) }
        self.approvals = try decoder.decode()
    }
}

/// A pack that enough institutions approved, as it stands in the state: never changed and never removed.
package struct PolicyState: Hashable, Sendable, CanonicalCodable {
    /// Dense, from 0, in the order of adoption.
    package var index: UInt32
    package var proposal: PolicyProposal
    /// Heights of the blocks that hold the chunks, in order.
    package var chunkHeights: [Height]
    package var approvals: UInt32
    package var adoptedHeight: Height
    package var adoptedTime: Timestamp

    /// From when on it is the rules: as proposed, and never before everybody could know it.
    ///
    /// So no adoption changes which pack was in force at any time before it.
    package var effective: Timestamp { max(self.proposal.effectiveFrom, self.adoptedTime) }

    package init(
        index: UInt32,
        proposal: PolicyProposal,
        chunkHeights: [Height],
        approvals: UInt32,
        adoptedHeight: Height,
        adoptedTime: Timestamp
    ) {
        self.index = index
        self.proposal = proposal
        self.chunkHeights = chunkHeights
        self.approvals = approvals
        self.adoptedHeight = adoptedHeight
        self.adoptedTime = adoptedTime
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.index)
        encoder.encode(self.proposal)
        encoder.encode(self.chunkHeights)
        encoder.encode(self.approvals)
        encoder.encode(self.adoptedHeight)
        encoder.encode(self.adoptedTime)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.index = try decoder.decode()
        self.proposal = try decoder.decode()
        self.chunkHeights = try decoder.decodeArray(max: PolicyProposal.chunksMax)
        self.approvals = try decoder.decode()
        self.adoptedHeight = try decoder.decode()
        self.adoptedTime = try decoder.decode()
    }
}

/// All adopted packs of a chain, in the order of adoption.
package struct PolicyTimeline: Hashable, Sendable {
    package var packs: [PolicyState]

    package init(_ packs: [PolicyState]) { self.packs = packs }

    /// The pack in force at `time`: the newest of those that had taken effect.
    ///
    /// The answer for a past time never changes. With `height`, what was known after that block.
    package func pack(asOf time: Timestamp, knownAt height: Height? = nil) -> PolicyState? {
        self.packs.last { pack in
            pack.effective <= time && height.map { pack.adoptedHeight <= $0 } ?? true
        }
    }
}
