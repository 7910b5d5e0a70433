package import Primitives

/// What an institution knows of a patient, sealed, and by what it is compared without opening it.
package struct PatientProfile: Hashable, Sendable {
    /// The patient's tag.
    package var tag: Digest
    /// Keyed digest of the newest description: equal descriptions need no second look.
    package var digest: Digest
    /// Keyed digest of name and birth date, where both are known: others with the same may be the same person.
    package var likeness: Digest?
    package var sealed: [UInt8]

    package init(tag: Digest, digest: Digest, likeness: Digest?, sealed: [UInt8]) {
        self.tag = tag
        self.digest = digest
        self.likeness = likeness
        self.sealed = sealed
    }
}

/// Something about who a patient is that a person of the institution has to look at.
package struct IdentityCase: Hashable, Sendable {
    /// What it is about.
    package enum Kind: Int64, Sendable {
        /// An exam describes its patient otherwise than what is known.
        case mismatch = 1
        /// Two patients may be one person.
        case likeness = 2
    }

    /// Where it stands; open can become each of the others, once.
    package enum State: Int64, Sendable {
        case open = 1
        /// Somebody looked: it is the same person.
        case same = 2
        /// Somebody looked: it is not.
        case different = 3
    }

    package var number: Int64
    package var kind: Kind
    package var patientTag: Digest
    /// The other patient of a likeness.
    package var otherTag: Digest?
    /// The exam of a mismatch: it is held back unless somebody says that it is the same person.
    package var record: ContentAddress?
    /// Codes of the reasons, parted by commas.
    package var reasons: String
    package var score: Int64
    /// The description that gave rise to it.
    package var sealed: [UInt8]
    package var time: Timestamp
    package var state: State

    /// `number`: 0 before it is stored.
    package init(
        number: Int64 = 0,
        kind: Kind,
        patientTag: Digest,
        otherTag: Digest? = nil,
        record: ContentAddress? = nil,
        reasons: String,
        score: Int64,
        sealed: [UInt8],
        time: Timestamp,
        state: State = .open
    ) {
        self.number = number
        self.kind = kind
        self.patientTag = patientTag
        self.otherTag = otherTag
        self.record = record
        self.reasons = reasons
        self.score = score
        self.sealed = sealed
        self.time = time
        self.state = state
    }
}

/// What a batch of exams says about who its patients are.
package struct IdentityFindings: Hashable, Sendable {
    package var profiles: [PatientProfile]
    package var cases: [IdentityCase]

    package init(profiles: [PatientProfile] = [], cases: [IdentityCase] = []) {
        self.profiles = profiles
        self.cases = cases
    }
}

/// An identity that is or was linked with a patient of this institution: what may bear on the patient's exams, until the
/// chain is asked whether it does.
package struct LinkedIdentity: Hashable, Sendable {
    package var patient: PatientNumber
    /// The other identity's tag.
    package var tag: Digest
    package var bucket: UInt8
    package var sealedPseudonym: [UInt8]

    package init(patient: PatientNumber, tag: Digest, bucket: UInt8, sealedPseudonym: [UInt8]) {
        self.patient = patient
        self.tag = tag
        self.bucket = bucket
        self.sealedPseudonym = sealedPseudonym
    }
}
