package import Primitives

/// What a finder learns about an exam without opening it: enough to list it, judge it and decide on a grant.
package struct LocatorSummary: Hashable, Sendable {
    /// The plain size, zero-padded: see ``LocatorEntry/sealedByteCount``.
    package static let byteCount = LocatorEntry.sealedByteCount - 12 - 16
    package static let systemBytesMax = 40
    package static let codeBytesMax = 32
    package static let displayBytesMax = 72
    package static let bodySiteBytesMax = 24
    package static let marksMax = 2
    package static let markBytesMax = 12

    package var record: ContentAddress
    package var kind: ExamKind
    /// `DiagnosticReport.status` or `ImagingStudy.status` as FHIR spells it.
    package var status: ExamStatus
    package var itemSystem: String
    package var itemCode: String
    package var display: String
    /// Body site or specimen, and modality, as far as there is room.
    package var bodySite: String
    package var examTime: Timestamp?
    package var reportTime: Timestamp?
    package var recordBytes: UInt32
    package var imageCount: UInt32
    /// Recognition marks such as 全国HR.
    package var marks: [String]
    /// The record that this one replaces.
    package var supersedes: ContentAddress?
    /// Whether the exam describes its patient as the institution knows the patient: match, or possible where it does not
    /// and nobody has looked yet.
    package var identity: IdentityLevel

    /// Texts are cut at a character's boundary to fit.
    package init(
        record: ContentAddress,
        kind: ExamKind,
        status: ExamStatus,
        itemSystem: String,
        itemCode: String,
        display: String,
        bodySite: String,
        examTime: Timestamp?,
        reportTime: Timestamp?,
        recordBytes: UInt32,
        imageCount: UInt32,
        marks: [String] = [],
        supersedes: ContentAddress? = nil,
        identity: IdentityLevel = .match
    ) {
        self.record = record
        self.kind = kind
        self.status = status
        self.itemSystem = Self.cut(itemSystem, Self.systemBytesMax)
        self.itemCode = Self.cut(itemCode, Self.codeBytesMax)
        self.display = Self.cut(display, Self.displayBytesMax)
        self.bodySite = Self.cut(bodySite, Self.bodySiteBytesMax)
        self.examTime = examTime
        self.reportTime = reportTime
        self.recordBytes = recordBytes
        self.imageCount = imageCount
        self.marks = marks.prefix(Self.marksMax).map { Self.cut($0, Self.markBytesMax) }
        self.supersedes = supersedes
        self.identity = identity
    }

    /// Set in the status where the identity is below a match: an entry is full to its last byte.
    private static let possibleBit: UInt8 = 0x80

    /// The canonical bytes, zero-padded to ``byteCount``.
    package var paddedBytes: [UInt8] {
        let bytes = self.canonicalBytes
        precondition(bytes.count <= Self.byteCount, "the limits of the texts keep a summary within its size")
        return bytes + [UInt8](repeating: 0, count: Self.byteCount - bytes.count)
    }

    /// Reads ``paddedBytes`` back; anything but zeros behind the summary is refused.
    package init(paddedBytes: [UInt8]) throws(CanonicalError) {
        guard paddedBytes.count == Self.byteCount else { throw .truncated }
        var decoder = CanonicalDecoder(paddedBytes)
        self = try LocatorSummary(from: &decoder)
        guard paddedBytes[decoder.position...].allSatisfy({ $0 == 0 }) else { throw .trailing }
    }

    /// A code as a summary holds it.
    package static func listed(code: String) -> String { self.cut(code, self.codeBytesMax) }

    private static func cut(_ text: String, _ max: Int) -> String {
        guard text.utf8.count > max else { return text }
        var short = ""
        var size = 0
        for character in text {
            size += character.utf8.count
            guard size <= max else { break }
            short.append(character)
        }
        return short
    }
}

extension LocatorSummary: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.record)
        encoder.encode(self.kind)
        encoder.encode(self.identity == .match ? self.status.number : self.status.number | Self.possibleBit)
        encoder.encode(self.itemSystem)
        encoder.encode(self.itemCode)
        encoder.encode(self.display)
        encoder.encode(self.bodySite)
        encoder.encode(self.examTime)
        encoder.encode(self.reportTime)
        encoder.encode(self.recordBytes)
        encoder.encode(self.imageCount)
        encoder.encode(self.marks)
        encoder.encode(self.supersedes)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.record = try decoder.decode()
        self.kind = try decoder.decode()
        let status = try decoder.decode(UInt8.self)
        self.status = try ExamStatus(canonicalBytes: [status & ~Self.possibleBit])
        self.identity = status & Self.possibleBit == 0 ? .match : .possible
        self.itemSystem = try decoder.decodeString(max: Self.systemBytesMax)
        self.itemCode = try decoder.decodeString(max: Self.codeBytesMax)
        self.display = try decoder.decodeString(max: Self.displayBytesMax)
        self.bodySite = try decoder.decodeString(max: Self.bodySiteBytesMax)
        self.examTime = try decoder.decodeOptional()
        self.reportTime = try decoder.decodeOptional()
        self.recordBytes = try decoder.decode()
        self.imageCount = try decoder.decode()
        self.marks = try decoder.decodeStrings(max: Self.marksMax, lengthMax: Self.markBytesMax)
        self.supersedes = try decoder.decodeOptional()
    }
}
