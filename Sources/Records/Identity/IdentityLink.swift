package import Primitives

/// The digest that names a link of two identities.
package struct IdentityLinkID: Hashable, Comparable, Sendable, CanonicalCodable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package static func < (left: IdentityLinkID, right: IdentityLinkID) -> Bool { left.digest < right.digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}

/// How a person stands in the links of the chain: one way from the pseudonym, used for nothing else, so that the chain sees
/// loops and nobody else sees whom they are about.
package struct IdentityNode: Hashable, Comparable, Sendable, CanonicalCodable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package static func < (left: IdentityNode, right: IdentityNode) -> Bool { left.digest < right.digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}

/// What a link says of its two identities.
package enum IdentityLinkKind: UInt8, Hashable, CaseIterable, Sendable, CanonicalCodable {
    /// Two identifiers of one person, of equal right.
    case samePerson = 1
    /// The second was made by mistake and is used no more: everything goes to the first.
    case merge = 2
    /// The second is a temporary identifier of somebody who turned out to be the first.
    case temporary = 3
    /// The second is the newborn child of the first, without an own identity number yet.
    case newborn = 4

    package var name: String {
        switch self {
        case .samePerson: "same"
        case .merge: "merge"
        case .temporary: "temporary"
        case .newborn: "newborn"
        }
    }

    package init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// Whether both identities are of one person.
    package var isOnePerson: Bool { self != .newborn }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let kind = IdentityLinkKind(rawValue: try decoder.decode()) else { throw .invalid }
        self = kind
    }
}

/// Why a link was ended.
package enum UnlinkReason: UInt8, Hashable, CaseIterable, Sendable, CanonicalCodable {
    /// They are two persons.
    case mistaken = 1
    /// The newborn has an own number.
    case ownNumber = 2
    /// The patient wants it so.
    case patientWish = 3
    case other = 4

    package var name: String {
        switch self {
        case .mistaken: "mistaken"
        case .ownNumber: "own-number"
        case .patientWish: "patient-wish"
        case .other: "other"
        }
    }

    package init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let reason = UnlinkReason(rawValue: try decoder.decode()) else { throw .invalid }
        self = reason
    }
}

/// That two identities are of one person, or of a mother and her newborn: signed by an institution that saw evidence of
/// it, ended by another signed event, never taken out of the history.
package struct IdentityLink: Hashable, Sendable {
    package static let saltBytes = 16
    /// A link to a newborn ends by itself after so long: by then a child has an own number.
    package static let newbornMillisecondsMax: Int64 = 366 * 86_400_000

    /// One of the two identities.
    package struct Side: Hashable, Sendable, CanonicalCodable {
        package var node: IdentityNode
        /// Lets an institution compare a link with a 256th of its patients.
        package var bucket: UInt8
        /// The ``IdentityStatement`` for those who can form this side's pseudonym; it holds the other's.
        package var sealed: [UInt8]

        package init(node: IdentityNode, bucket: UInt8, sealed: [UInt8]) {
            self.node = node
            self.bucket = bucket
            self.sealed = sealed
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.node)
            encoder.encode(self.bucket)
            encoder.encode(bytes: self.sealed)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.node = try decoder.decode()
            self.bucket = try decoder.decode()
            self.sealed = try decoder.decodeBytes(max: AccessGrant.sealedScopeBytes)
        }
    }

    package var kind: IdentityLinkKind
    package var first: Side
    package var second: Side
    package var salt: [UInt8]
    /// Who saw the evidence.
    package var author: InstitutionID
    /// A patient's key that signed as well.
    package var patientKey: VerifyingKey?
    /// Of the papers that the author keeps.
    package var evidence: Digest
    /// `H("identity-contest/1" ‖ key)` of the key that both statements hold: who knows it knows one of the two.
    package var contest: Digest
    /// When it ends by itself; links to newborns only.
    package var notAfter: Timestamp?

    package init(
        kind: IdentityLinkKind,
        first: Side,
        second: Side,
        salt: [UInt8],
        author: InstitutionID,
        patientKey: VerifyingKey?,
        evidence: Digest,
        contest: Digest,
        notAfter: Timestamp? = nil
    ) {
        self.kind = kind
        self.first = first
        self.second = second
        self.salt = salt
        self.author = author
        self.patientKey = patientKey
        self.evidence = evidence
        self.contest = contest
        self.notAfter = notAfter
    }

    package var id: IdentityLinkID {
        IdentityLinkID(Digest(hashing: Array("entente/identity-link/1\0".utf8) + self.canonicalBytes))
    }

    package static func contest(of key: Digest) -> Digest {
        Digest(hashing: Array("identity-contest/1".utf8) + key.bytes)
    }

    package func side(_ node: IdentityNode) -> Side? {
        if self.first.node == node { return self.first }
        return self.second.node == node ? self.second : nil
    }

    /// The side that is not `node`.
    package func other(than node: IdentityNode) -> Side { self.first.node == node ? self.second : self.first }
}

extension IdentityLink: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.kind)
        encoder.encode(self.first)
        encoder.encode(self.second)
        encoder.encode(fixed: self.salt)
        encoder.encode(self.author)
        encoder.encode(self.patientKey)
        encoder.encode(self.evidence)
        encoder.encode(self.contest)
        encoder.encode(self.notAfter)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.kind = try decoder.decode()
        self.first = try decoder.decode()
        self.second = try decoder.decode()
        self.salt = try decoder.decode(fixed: Self.saltBytes)
        self.author = try decoder.decode()
        self.patientKey = try decoder.decodeOptional()
        self.evidence = try decoder.decode()
        self.contest = try decoder.decode()
        self.notAfter = try decoder.decodeOptional()
    }
}

/// What a link says to those who know one of the two.
package struct IdentityStatement: Hashable, Sendable, CanonicalCodable {
    package static let reasonsMax = 12
    package static let reasonBytesMax = 24

    /// The other identity.
    package var other: PatientPseudonym
    package var contestKey: Digest
    /// What the author's agent made of what it knew of both.
    package var level: IdentityLevel
    package var score: Int64
    package var reasons: [String]
    /// Whether the author linked although that contradicts it.
    package var isOverridden: Bool

    package init(
        other: PatientPseudonym,
        contestKey: Digest,
        level: IdentityLevel,
        score: Int64,
        reasons: [String],
        isOverridden: Bool
    ) {
        self.other = other
        self.contestKey = contestKey
        self.level = level
        self.score = score
        self.reasons = Array(reasons.prefix(Self.reasonsMax))
        self.isOverridden = isOverridden
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.other.digest)
        encoder.encode(self.contestKey)
        encoder.encode(self.level)
        encoder.encode(self.score)
        encoder.encode(self.reasons)
        encoder.encode(self.isOverridden)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.other = PatientPseudonym(try decoder.decode())
        self.contestKey = try decoder.decode()
        self.level = try decoder.decode()
        self.score = try decoder.decode()
        self.reasons = try decoder.decodeStrings(max: Self.reasonsMax, lengthMax: Self.reasonBytesMax)
        self.isOverridden = try decoder.decode()
    }
}

/// The end of a link.
package struct IdentityUnlink: Hashable, Sendable, CanonicalCodable {
    /// Who ends it.
    package enum Signer: Hashable, Sendable {
        /// The link's author, or another member that proves with the contest key that it knows one of the two.
        case institution(InstitutionID)
        /// The patient's key that signed the link, or an enrolled one with the contest key.
        case patient(VerifyingKey)
    }

    package var link: IdentityLinkID
    package var signer: Signer
    package var contestKey: Digest?
    package var reason: UnlinkReason
    package var evidence: Digest

    package init(
        link: IdentityLinkID,
        signer: Signer,
        contestKey: Digest?,
        reason: UnlinkReason,
        evidence: Digest
    ) {
        self.link = link
        self.signer = signer
        self.contestKey = contestKey
        self.reason = reason
        self.evidence = evidence
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.link)
        switch self.signer {
        case .institution(let id):
            encoder.encode(variant: 0)
            encoder.encode(id)
        case .patient(let key):
            encoder.encode(variant: 1)
            encoder.encode(key)
        }
        encoder.encode(self.contestKey)
        encoder.encode(self.reason)
        encoder.encode(self.evidence)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.link = try decoder.decode()
        switch try decoder.decodeVariant(count: 2) {
        case 0: self.signer = .institution(try decoder.decode())
        default: self.signer = .patient(try decoder.decode())
        }
        self.contestKey = try decoder.decodeOptional()
        self.reason = try decoder.decode()
        self.evidence = try decoder.decode()
    }
}

extension PatientPseudonym {
    package var identityNode: IdentityNode {
        IdentityNode(MessageAuthentication.code(key: self.digest.bytes, message: Array("identity-node/1".utf8)))
    }

    /// The key that seals a link's statement for those who know this identity.
    package func identityKey(salt: [UInt8]) -> [UInt8] {
        MessageAuthentication.code(key: self.digest.bytes, message: Array("identity-key/1".utf8) + salt).bytes
    }
}
