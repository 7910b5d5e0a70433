import Formats
import ImportPipeline
import LedgerStore
import Primitives
import Records
import Vault

/// Compares how exams describe their patients with what this institution knows of them.
///
/// What is known stays sealed; equal descriptions are recognised by a keyed digest, without opening anything.
package struct ProfileKeeper: Sendable {
    /// Descriptions of one patient that somebody accepted, such as a name before and after marriage.
    private static let variantsMax = 4
    /// Other patients of the same name and birth date that are told for a new one.
    private static let likenessesMax = 4
    private static let use = "profile"

    /// An exam's patient as the exam describes the patient.
    struct Subject: Sendable {
        var tag: Digest
        var traits: PersonTraits
        var record: ContentAddress
    }

    /// What is known of a patient.
    private struct Known: CanonicalCodable {
        var variants: [PersonTraits]

        init(variants: [PersonTraits]) { self.variants = variants }

        func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.variants) }

        init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.variants = try decoder.decodeArray(max: ProfileKeeper.variantsMax)
        }
    }

    private let context: AgentContext

    init(context: AgentContext) { self.context = context }

    /// How a source describes a patient.
    static func traits(of patient: PatientDemographics, institution: InstitutionID) -> PersonTraits {
        PersonTraits(
            identifiers: PatientNames.identifiers(of: patient, institution: institution)
                .map { PersonTraits.KnownIdentifier($0, isVerified: PersonTraits.isStrong($0)) },
            name: patient.name?.label.flatMap { IdentityName(composed: $0.composed) },
            sex: patient.sex,
            birthDate: patient.birthDate.flatMap(PersonTraits.BirthDate.init)
        )
    }

    // MARK: Judging

    /// The level of each exam's identity, and what is to be stored with the batch.
    func judge(_ subjects: [Subject], now: Timestamp) throws -> (levels: [IdentityLevel], findings: IdentityFindings) {
        var book = Book(keeper: self, now: now)
        try book.load(Set(subjects.map(\.tag)).sorted())
        let digests = Cores.map(subjects) { self.digest($0.traits) }
        try book.welcome(subjects, digests)
        let levels = try zip(subjects, digests).map { try book.judge($0, $1) }
        return (levels, book.findings)
    }

    /// What is known of the patients of one batch, as it grows with it.
    private struct Book {
        let keeper: ProfileKeeper
        let now: Timestamp
        var profiles: [Digest: PatientProfile] = [:]
        var changed: Set<Digest> = []
        var cases: [IdentityCase] = []
        /// Of patients that nothing is known of, made ahead on all cores.
        var first: [Digest: PatientProfile] = [:]
        /// Those of the same name and birth date, by ``PatientProfile/likeness``: stored ones, and tags of this batch.
        var stored: [Digest: [PatientProfile]] = [:]
        var here: [Digest: [Digest]] = [:]

        var findings: IdentityFindings {
            IdentityFindings(profiles: self.changed.sorted().compactMap { self.profiles[$0] }, cases: self.cases)
        }

        mutating func load(_ tags: [Digest]) throws {
            for (tag, profile) in zip(tags, try self.keeper.context.custody.profiles(tags: tags)) {
                self.profiles[tag] = profile
            }
        }

        /// Makes the profiles of patients seen for the first time.
        mutating func welcome(_ subjects: [Subject], _ digests: [Digest]) throws {
            var seen: Set<Digest> = []
            let new = subjects.indices.filter { index in
                self.profiles[subjects[index].tag] == nil && seen.insert(subjects[index].tag).inserted
            }
            let keeper = self.keeper
            let made = Cores.map(new) { index in
                let subject = subjects[index]
                return keeper.profile(subject.tag, [subject.traits], digest: digests[index])
            }
            for profile in made { self.first[profile.tag] = profile }
            try self.lookUp(Set(made.compactMap(\.likeness)))
        }

        private mutating func lookUp(_ likenesses: Set<Digest>) throws {
            let found = try self.keeper.context.custody.profiles(
                likenesses: likenesses,
                limit: ProfileKeeper.likenessesMax
            )
            self.stored.merge(found) { $1 }
        }

        /// `digest`: of the subject's traits.
        mutating func judge(_ subject: Subject, _ digest: Digest) throws -> IdentityLevel {
            let traits = subject.traits
            guard let profile = self.profiles[subject.tag] else {
                let itself = IdentityMatch(traits, traits)
                guard !itself.disagrees else { return self.note(subject, itself) }
                if let made = self.first[subject.tag], made.digest == digest {
                    try self.add(made, subject)
                } else {
                    // The first description in the batch disagreed with itself.
                    let made = self.keeper.profile(subject.tag, [traits], digest: digest)
                    try self.lookUp(made.likeness.map { [$0] } ?? [])
                    try self.add(made, subject)
                }
                return .match
            }
            guard profile.digest != digest else { return .match }
            var known = try self.keeper.open(profile).variants
            guard !known.contains(traits) else { return .match }
            let matches = known.map { IdentityMatch($0, traits) }
            guard let index = matches.firstIndex(where: { !$0.disagrees }) else {
                return self.note(subject, matches.last ?? IdentityMatch(traits, traits))
            }
            let filled = known[index].filled(from: traits)
            if filled != known[index] {
                known[index] = filled
                self.save(self.keeper.profile(subject.tag, known, digest: digest))
            }
            return .match
        }

        private mutating func save(_ profile: PatientProfile) {
            self.profiles[profile.tag] = profile
            self.changed.insert(profile.tag)
        }

        private mutating func note(_ subject: Subject, _ match: IdentityMatch) -> IdentityLevel {
            self.cases.append(
                IdentityCase(
                    kind: .mismatch,
                    patientTag: subject.tag,
                    record: subject.record,
                    reasons: match.reasons.map(\.rawValue).joined(separator: ","),
                    score: Int64(match.score),
                    sealed: self.keeper.seal([subject.traits]),
                    time: self.now
                )
            )
            return .possible
        }

        /// Takes in a new patient, and tells which other patients it may be.
        private mutating func add(_ profile: PatientProfile, _ subject: Subject) throws {
            self.save(profile)
            guard let likeness = profile.likeness else { return }
            let here = (self.here[likeness] ?? []).compactMap { self.profiles[$0] }
            if here.count < ProfileKeeper.likenessesMax { self.here[likeness, default: []].append(profile.tag) }
            var told: Set<Digest> = []
            for other in (self.stored[likeness] ?? []) + here
            where told.count < ProfileKeeper.likenessesMax && told.insert(other.tag).inserted {
                guard let traits = try self.keeper.open(other).variants.first else { continue }
                let match = IdentityMatch(traits, subject.traits)
                guard match.level == .possible else { continue }
                self.cases.append(
                    IdentityCase(
                        kind: .likeness,
                        patientTag: subject.tag,
                        otherTag: other.tag,
                        reasons: match.reasons.map(\.rawValue).joined(separator: ","),
                        score: Int64(match.score),
                        sealed: self.keeper.seal([subject.traits, traits]),
                        time: self.now
                    )
                )
            }
        }
    }

    // MARK: Deciding

    /// What a case says of its patients: one description, or two.
    func traits(of item: IdentityCase) throws -> [PersonTraits] { try self.open(item.sealed).variants }

    /// The profile of a patient with a description that somebody accepted.
    func accepting(_ traits: PersonTraits, of tag: Digest) throws -> PatientProfile {
        let known = try self.context.custody.profiles(tags: [tag])[0].map { try self.open($0).variants } ?? []
        let kept = known.filter { $0 != traits }.suffix(Self.variantsMax - 1)
        return self.profile(tag, kept + [traits], digest: self.digest(traits))
    }

    /// `digest`: of the newest description.
    private func profile(_ tag: Digest, _ known: [PersonTraits], digest: Digest) -> PatientProfile {
        PatientProfile(
            tag: tag,
            digest: digest,
            likeness: known.first.flatMap(self.likeness),
            sealed: self.seal(known)
        )
    }

    private func digest(_ traits: PersonTraits) -> Digest {
        self.context.vault.localTag(Array("person".utf8) + traits.canonicalBytes)
    }

    /// Of name and day of birth, where both are known.
    private func likeness(_ traits: PersonTraits) -> Digest? {
        guard let name = traits.name, let birth = traits.birthDate, birth.day != nil else { return nil }
        let alike = PersonTraits(name: name, birthDate: birth)
        return self.context.vault.localTag(Array("likeness".utf8) + alike.canonicalBytes)
    }

    private func seal(_ traits: [PersonTraits]) -> [UInt8] {
        self.context.vault.protect(Known(variants: traits).canonicalBytes, label: Self.use)
    }

    private func open(_ profile: PatientProfile) throws -> Known { try self.open(profile.sealed) }

    private func open(_ sealed: [UInt8]) throws -> Known {
        try Known(canonicalBytes: self.context.vault.unprotect(sealed, label: Self.use))
    }
}

extension PersonTraits {
    /// With what another description of the person knows and this one does not.
    fileprivate func filled(from other: PersonTraits) -> PersonTraits {
        var filled = self
        filled.name = self.name ?? other.name
        filled.sex = self.sex ?? other.sex
        if self.birthDate?.day == nil { filled.birthDate = other.birthDate ?? self.birthDate }
        for known in other.identifiers where !filled.identifiers.contains(known) && filled.identifiers.count < 8 {
            filled.identifiers.append(known)
        }
        return filled
    }
}
