package import Primitives
package import Records

/// A transport certificate's key that the chain accepts for an institution.
package struct TransportKey: Hashable, Sendable, CanonicalCodable {
    /// SHA-256 of the SubjectPublicKeyInfo (DER).
    package var digest: Digest
    /// The last height at which a replaced key is still accepted; `nil` for the current one.
    package var until: Height?

    package init(digest: Digest, until: Height? = nil) {
        self.digest = digest
        self.until = until
    }

    package func isAccepted(at height: Height) -> Bool { self.until.map { height <= $0 } ?? true }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.digest)
        encoder.encode(self.until)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.digest = try decoder.decode()
        self.until = try decoder.decodeOptional()
    }
}

/// A member as the chain knows it.
package struct InstitutionState: Hashable, Sendable {
    /// The current key, and replaced ones that are still accepted.
    package static let transportKeysMax = 4

    /// The founding card with the current address; its transport key is the founding one.
    package var card: InstitutionCard
    /// Oldest first; the last is the current one.
    package var transportKeys: [TransportKey]

    package init(card: InstitutionCard) {
        self.card = card
        self.transportKeys = [TransportKey(digest: card.transportKeyDigest)]
    }

    /// The transport keys by which the institution is known at `height`.
    package func transportKeyDigests(at height: Height) -> [Digest] {
        self.transportKeys.filter { $0.isAccepted(at: height) }.map(\.digest)
    }
}

extension InstitutionState: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.card)
        encoder.encode(self.transportKeys)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.card = try decoder.decode()
        self.transportKeys = try decoder.decodeArray(max: Self.transportKeysMax)
    }
}

extension StateKey {
    package static func institution(_ id: InstitutionID) -> StateKey { StateKey(.institutions, tag: 1, id) }

    /// The sorted ids of all members.
    package static let institutionIDs = StateKey(.institutions, tag: 2)

    /// The member that uses a transport key.
    package static func transportKeyOwner(_ digest: Digest) -> StateKey { StateKey(.institutions, tag: 3, digest) }
}

/// The sorted ids of the members, as they stand in the state.
struct InstitutionIDs: CanonicalCodable {
    var ids: [InstitutionID]

    init(ids: [InstitutionID]) { self.ids = ids }

    func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.ids) }

    init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.ids = try decoder.decodeArray(max: Genesis.institutionsMax)
    }
}

extension StateReading {
    package func institution(_ id: InstitutionID) -> InstitutionState? { self.value(at: .institution(id)) }

    /// The members, sorted.
    package var institutionIDs: [InstitutionID] { self.value(InstitutionIDs.self, at: .institutionIDs)?.ids ?? [] }

    /// Whose transport key this is at `height`.
    package func institution(transportKey digest: Digest, at height: Height) -> InstitutionID? {
        guard let owner = self.value(InstitutionID.self, at: .transportKeyOwner(digest)),
            self.institution(owner)?.transportKeyDigests(at: height).contains(digest) == true
        else { return nil }
        return owner
    }
}
