package import Primitives

/// A partial revocation: what a grant covers from then on is what it covered before and this covers as well.
///
/// It can only take away: nothing in it adds an institution or an exam.
package struct Narrowing: Hashable, Sendable {
    package static let institutionsMax = 16

    /// Institutions that may no longer read, also as members of a group; sorted.
    package var withoutGrantees: [InstitutionID]
    /// Institutions whose exams are no longer covered; sorted.
    package var withoutCustodians: [InstitutionID]
    /// Of the scope that must cover an exam as well; under the grant's salt.
    package var scopeCommitment: Digest
    package var sealedScope: [UInt8]

    package init(
        withoutGrantees: [InstitutionID],
        withoutCustodians: [InstitutionID],
        scopeCommitment: Digest,
        sealedScope: [UInt8]
    ) {
        self.withoutGrantees = Array(Set(withoutGrantees)).sorted()
        self.withoutCustodians = Array(Set(withoutCustodians)).sorted()
        self.scopeCommitment = scopeCommitment
        self.sealedScope = sealedScope
    }
}

extension Narrowing: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.withoutGrantees)
        encoder.encode(self.withoutCustodians)
        encoder.encode(self.scopeCommitment)
        encoder.encode(bytes: self.sealedScope)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.withoutGrantees = try decoder.decodeArray(max: Self.institutionsMax)
        self.withoutCustodians = try decoder.decodeArray(max: Self.institutionsMax)
        self.scopeCommitment = try decoder.decode()
        self.sealedScope = try decoder.decodeBytes(max: AccessGrant.sealedScopeBytes)
        guard zip(self.withoutGrantees, self.withoutGrantees.dropFirst()).allSatisfy(<),
            zip(self.withoutCustodians, self.withoutCustodians.dropFirst()).allSatisfy(<)
        else { throw .notCanonical }
    }
}
