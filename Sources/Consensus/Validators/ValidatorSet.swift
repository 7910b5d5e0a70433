package import Primitives

/// One voting institution of an epoch.
package struct Validator: Hashable, Sendable, CanonicalCodable {
    package let id: InstitutionID
    package let key: VerifyingKey

    package init(id: InstitutionID, key: VerifyingKey) {
        self.id = id
        self.key = key
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.id)
        encoder.encode(self.key)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.id = try decoder.decode()
        self.key = try decoder.decode()
    }
}

/// The voting institutions of one epoch, ordered by institution, all of equal weight.
package struct ValidatorSet: Hashable, Sendable {
    /// A certificate names its signers in one 64-bit word.
    package static let countMax = 64

    package let members: [Validator]
    /// `H("entente/set\0" ‖ members)`, the header's `validatorsHash`.
    package let hash: Digest

    /// Orders `members` by institution.
    ///
    /// Returns `nil` unless there are 1 to 64 with distinct institutions and keys.
    package init?(_ members: [Validator]) {
        guard (1...Self.countMax).contains(members.count) else { return nil }
        let ordered = members.sorted { $0.id < $1.id }
        let keys = members.map(\.key).sorted()
        guard zip(ordered, ordered.dropFirst()).allSatisfy({ $0.id != $1.id }),
            zip(keys, keys.dropFirst()).allSatisfy({ $0 != $1 })
        else { return nil }
        self.members = ordered
        var encoder = CanonicalEncoder()
        encoder.encode(fixed: Array("entente/set\0".utf8))
        encoder.encode(ordered)
        self.hash = Digest(hashing: encoder.bytes)
    }

    package var count: Int { self.members.count }

    /// f, the number of members that may be faulty: the largest with n >= 3f + 1.
    package var faultLimit: Int { (self.count - 1) / 3 }

    /// q = n - f.
    ///
    /// Two quorums share at least f + 1 members for every n; 2f + 1 would not do where n is not 3f + 1.
    package var quorum: Int { self.count - self.faultLimit }

    /// The position of `institution`, or `nil` if it does not vote in this epoch.
    package func index(of institution: InstitutionID) -> UInt16? {
        self.members.firstIndex { $0.id == institution }.map { UInt16($0) }
    }
}
