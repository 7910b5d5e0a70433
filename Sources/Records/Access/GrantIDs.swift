package import Primitives

/// The digest that names a grant.
package struct GrantID: Hashable, Comparable, Sendable, CanonicalCodable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package static func < (left: GrantID, right: GrantID) -> Bool { left.digest < right.digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}

/// The digest that names a delegation.
package struct DelegationID: Hashable, Comparable, Sendable, CanonicalCodable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package static func < (left: DelegationID, right: DelegationID) -> Bool { left.digest < right.digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}

/// The digest that names a declaration about a patient's life.
package struct LifeEventID: Hashable, Comparable, Sendable, CanonicalCodable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package static func < (left: LifeEventID, right: LifeEventID) -> Bool { left.digest < right.digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}

/// The digest that names a referral.
package struct ReferralID: Hashable, Comparable, Sendable, CanonicalCodable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package static func < (left: ReferralID, right: ReferralID) -> Bool { left.digest < right.digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}

/// The name of a group of institutions, such as a medical consortium or an area: the alphabet of institutions' names.
package struct GroupID: Hashable, Comparable, Sendable, CanonicalCodable {
    private let name: InstitutionID

    /// Returns `nil` if `text` is not such a name.
    package init?(_ text: some StringProtocol) {
        guard let name = InstitutionID(text) else { return nil }
        self.name = name
    }

    package var text: String { self.name.text }

    package static func < (left: GroupID, right: GroupID) -> Bool { left.name < right.name }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.name) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.name = try decoder.decode()
    }
}
