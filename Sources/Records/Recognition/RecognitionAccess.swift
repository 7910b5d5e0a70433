package import Primitives

/// What a reader may do with an exam at the moment of the order.
package enum AccessState: UInt8, NamedByte {
    case none = 0
    case granted = 1
    /// The reader's own institution keeps the exam.
    case own = 2
    case expired = 3
    case revoked = 4
    /// Opened in an emergency; recorded and reviewed apart.
    case breakGlass = 5

    package var name: String {
        switch self {
        case .none: "none"
        case .granted: "granted"
        case .own: "own"
        case .expired: "expired"
        case .revoked: "revoked"
        case .breakGlass: "break-glass"
        }
    }
}

/// Who may be read, as the ledger has it at one height.
package struct RecognitionAccess: Hashable, Sendable {
    package static let entriesMax = 512

    /// What holds for one report, for all reports of one institution, or for all.
    package struct Entry: Hashable, Sendable, CanonicalCodable {
        /// `nil` for every institution.
        package var custodian: String?
        /// `nil` for every report.
        package var report: String?
        package var access: AccessState
        /// Whether the institution could be reached; else what is known of it is as old as `checkedAt`.
        package var sourceOnline: Bool
        /// When grant and report were last known to stand, in seconds since 1970-01-01T00:00:00Z.
        package var checkedAt: Int64

        package init(
            custodian: String? = nil,
            report: String? = nil,
            access: AccessState,
            sourceOnline: Bool = true,
            checkedAt: Int64
        ) {
            self.custodian = custodian
            self.report = report
            self.access = access
            self.sourceOnline = sourceOnline
            self.checkedAt = checkedAt
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.custodian)
            encoder.encode(self.report)
            encoder.encode(self.access)
            encoder.encode(self.sourceOnline)
            encoder.encode(self.checkedAt)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.custodian = try decoder.decodeOptionalString(max: Candidate.textBytesMax)
            self.report = try decoder.decodeOptionalString(max: CandidateKey.reportBytesMax)
            self.access = try decoder.decode()
            self.sourceOnline = try decoder.decode()
            self.checkedAt = try decoder.decode()
        }
    }

    /// The height at which access was looked up.
    package var height: UInt64
    package var entries: [Entry]

    package init(height: UInt64, entries: [Entry]) {
        self.height = height
        self.entries = entries
    }

    /// The entry for exactly this report, else for its institution, else for all; of equals the first.
    package func entry(for candidate: Candidate) -> Entry? {
        var best: (rank: Int, entry: Entry)?
        for entry in self.entries {
            guard entry.custodian == nil || entry.custodian == candidate.performer,
                entry.report == nil || entry.report == candidate.key.report
            else { continue }
            let rank = (entry.report == nil ? 0 : 2) + (entry.custodian == nil ? 0 : 1)
            if rank > (best?.rank ?? -1) { best = (rank, entry) }
        }
        return best?.entry
    }
}

extension RecognitionAccess: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.height)
        encoder.encode(self.entries)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.height = try decoder.decode()
        self.entries = try decoder.decodeArray(max: Self.entriesMax)
    }
}
