import Primitives

/// A policy pack with its author's signature, on its way to the institution that proposes it.
///
/// The chain holds the proposer's signature and those of the members who approve; this one tells them whose text it is.
struct SignedPolicy: CanonicalCodable {
    private static let magic = Array("ENTPOLI1".utf8)
    private static let context = Array("entente/policy-author/1\0".utf8)
    /// Magic, key, signature and the pack's length.
    static let overheadBytes = 8 + 32 + 64 + 8

    let author: VerifyingKey
    let signature: Signature
    /// Canonical bytes of the pack.
    let pack: [UInt8]

    init(author: VerifyingKey, signature: Signature, pack: [UInt8]) {
        self.author = author
        self.signature = signature
        self.pack = pack
    }

    static func isOne(_ bytes: [UInt8]) -> Bool { bytes.starts(with: self.magic) }

    /// What an author signs: the context, then the pack.
    static func signedBytes(_ pack: [UInt8]) -> [UInt8] { self.context + pack }

    var isSignatureValid: Bool { self.author.isValid(self.signature, over: Self.signedBytes(self.pack)) }

    func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(fixed: Self.magic)
        encoder.encode(self.author)
        encoder.encode(self.signature)
        encoder.encode(bytes: self.pack)
    }

    init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(fixed: Self.magic.count) == Self.magic else { throw .invalid }
        self.author = try decoder.decode()
        self.signature = try decoder.decode()
        self.pack = try decoder.decodeBytes(max: 4 << 20)
    }
}
