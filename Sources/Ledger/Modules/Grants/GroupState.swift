package import Primitives
package import Records

/// A group of institutions as it stands in the state.
///
/// Those who left stay in it with the height of their leaving, so that one proof of the current state answers for every
/// time before it.
package struct GroupState: Hashable, Sendable {
    /// Memberships, also past ones: a medical consortium has some dozen institutions.
    package static let membershipsMax = 128
    /// Institutions that one call may add or remove.
    package static let changesMax = 32

    /// From joining up to leaving; an institution that comes back has another one.
    package struct Membership: Hashable, Sendable, CanonicalCodable {
        package var institution: InstitutionID
        /// The block from which on it is a member.
        package var since: Height
        /// The block from which on it is none any more.
        package var until: Height?

        package init(institution: InstitutionID, since: Height, until: Height? = nil) {
            self.institution = institution
            self.since = since
            self.until = until
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.institution)
            encoder.encode(self.since)
            encoder.encode(self.until)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.institution = try decoder.decode()
            self.since = try decoder.decode()
            self.until = try decoder.decodeOptional()
        }
    }

    package var id: GroupID
    /// The institution that keeps the list.
    package var keeper: InstitutionID
    package var memberships: [Membership]

    package init(id: GroupID, keeper: InstitutionID, memberships: [Membership] = []) {
        self.id = id
        self.keeper = keeper
        self.memberships = memberships
    }

    package func isMember(_ institution: InstitutionID, at height: Height) -> Bool {
        self.memberships.contains {
            $0.institution == institution && $0.since <= height && $0.until.map { height < $0 } ?? true
        }
    }

    package func members(at height: Height) -> [InstitutionID] {
        Set(self.memberships.map(\.institution)).filter { self.isMember($0, at: height) }.sorted()
    }
}

extension GroupState: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.id)
        encoder.encode(self.keeper)
        encoder.encode(self.memberships)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.id = try decoder.decode()
        self.keeper = try decoder.decode()
        self.memberships = try decoder.decodeArray(max: Self.membershipsMax)
    }
}

/// A change of a group's list, signed by its keeper; a member may also take itself off.
package struct GroupChange: Hashable, Sendable, CanonicalCodable {
    package var group: GroupID
    package var signer: InstitutionID
    /// Sorted.
    package var added: [InstitutionID]
    /// Sorted.
    package var removed: [InstitutionID]

    package init(group: GroupID, signer: InstitutionID, added: [InstitutionID], removed: [InstitutionID]) {
        self.group = group
        self.signer = signer
        self.added = Array(Set(added)).sorted()
        self.removed = Array(Set(removed)).sorted()
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.group)
        encoder.encode(self.signer)
        encoder.encode(self.added)
        encoder.encode(self.removed)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.group = try decoder.decode()
        self.signer = try decoder.decode()
        self.added = try decoder.decodeArray(max: GroupState.changesMax)
        self.removed = try decoder.decodeArray(max: GroupState.changesMax)
        guard zip(self.added, self.added.dropFirst()).allSatisfy(<),
            zip(self.removed, self.removed.dropFirst()).allSatisfy(<)
        else { throw .notCanonical }
    }
}

/// A referral as it stands in the state.
package struct ReferralState: Hashable, Sendable, CanonicalCodable {
    package var referral: Referral
    package var openedHeight: Height
    package var closedHeight: Height?

    package init(referral: Referral, openedHeight: Height, closedHeight: Height? = nil) {
        self.referral = referral
        self.openedHeight = openedHeight
        self.closedHeight = closedHeight
    }

    /// Whether it was open after block `height`.
    package func isOpen(at height: Height) -> Bool {
        self.openedHeight <= height && self.closedHeight.map { height < $0 } ?? true
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.referral)
        encoder.encode(self.openedHeight)
        encoder.encode(self.closedHeight)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.referral = try decoder.decode()
        self.openedHeight = try decoder.decode()
        self.closedHeight = try decoder.decodeOptional()
    }
}
