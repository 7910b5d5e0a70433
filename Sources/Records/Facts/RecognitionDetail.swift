package import Primitives

/// Who did what a fact says, and for which visit: kept sealed by the institution, bound by the fact's commitment.
///
/// The pseudonym of the patient is not among it: whoever may open the candidate's record knows the patient from there.
package struct RecognitionDetail: Hashable, Sendable {
    package static let saltBytes = 32
    package static let idBytesMax = 32
    package static let nameBytesMax = 64
    package static let textBytesMax = 240
    /// Largest detail and its salt, zero-padded to this size before sealing: sizes say nothing.
    package static let paddedBytes = 512
    /// Nonce (12), ciphertext and tag (16) of AES-256-GCM.
    package static let sealedBytes = 12 + paddedBytes + 16

    package var doctorID: String
    package var doctorName: String
    package var departmentID: String
    package var departmentName: String
    package var visitNumber: String
    /// Whether the decision and its reason were explained to the patient; `nil` where the fact is no decision.
    package var isExplained: Bool?
    /// What the reason says in words: for "other" what it was, for monitoring the disease.
    package var text: String?

    /// Texts are cut at a character's boundary to fit.
    package init(
        doctorID: String,
        doctorName: String,
        departmentID: String,
        departmentName: String,
        visitNumber: String,
        isExplained: Bool?,
        text: String?
    ) {
        self.doctorID = Self.cut(doctorID, Self.idBytesMax)
        self.doctorName = Self.cut(doctorName, Self.nameBytesMax)
        self.departmentID = Self.cut(departmentID, Self.idBytesMax)
        self.departmentName = Self.cut(departmentName, Self.nameBytesMax)
        self.visitNumber = Self.cut(visitNumber, Self.idBytesMax)
        self.isExplained = isExplained
        self.text = text.map { Self.cut($0, Self.textBytesMax) }
    }

    /// `H("recognition/detail/1" ‖ salt(32) ‖ detail)`.
    package func commitment(salt: [UInt8]) -> Digest {
        precondition(salt.count == Self.saltBytes, "the salt is 32 bytes")
        return Digest(hashing: Array("recognition/detail/1".utf8) + salt + self.canonicalBytes)
    }

    /// `H("recognition/text/1" ‖ salt(32) ‖ text)`: lets one reason be shown without the doctor and the visit.
    package static func textCommitment(_ text: String, salt: [UInt8]) -> Digest {
        precondition(salt.count == Self.saltBytes, "the salt is 32 bytes")
        return Digest(hashing: Array("recognition/text/1".utf8) + salt + Array(Self.cut(text, Self.textBytesMax).utf8))
    }

    /// `salt ‖ detail`, zero-padded to ``paddedBytes``: what is sealed.
    package func padded(salt: [UInt8]) -> [UInt8] {
        precondition(salt.count == Self.saltBytes, "the salt is 32 bytes")
        let bytes = salt + self.canonicalBytes
        precondition(bytes.count <= Self.paddedBytes, "the limits of the texts keep a detail within its size")
        return bytes + [UInt8](repeating: 0, count: Self.paddedBytes - bytes.count)
    }

    /// Reads ``padded(salt:)`` back; anything but zeros behind the detail is refused.
    package static func read(
        padded: [UInt8]
    ) throws(CanonicalError) -> (detail: RecognitionDetail, salt: [UInt8]) {
        guard padded.count == Self.paddedBytes else { throw .truncated }
        var decoder = CanonicalDecoder(padded)
        let salt = try decoder.decode(fixed: Self.saltBytes)
        let detail = try RecognitionDetail(from: &decoder)
        guard padded[decoder.position...].allSatisfy({ $0 == 0 }) else { throw .trailing }
        return (detail, salt)
    }

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

extension RecognitionDetail: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(UInt8(1))
        encoder.encode(self.doctorID)
        encoder.encode(self.doctorName)
        encoder.encode(self.departmentID)
        encoder.encode(self.departmentName)
        encoder.encode(self.visitNumber)
        encoder.encode(self.isExplained != nil)
        if let isExplained = self.isExplained { encoder.encode(isExplained) }
        encoder.encode(self.text)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(UInt8.self) == 1 else { throw .invalid }
        self.doctorID = try decoder.decodeString(max: Self.idBytesMax)
        self.doctorName = try decoder.decodeString(max: Self.nameBytesMax)
        self.departmentID = try decoder.decodeString(max: Self.idBytesMax)
        self.departmentName = try decoder.decodeString(max: Self.nameBytesMax)
        self.visitNumber = try decoder.decodeString(max: Self.idBytesMax)
        self.isExplained = try decoder.decode(Bool.self) ? try decoder.decode(Bool.self) : nil
        self.text = try decoder.decodeOptionalString(max: Self.textBytesMax)
    }
}
