import Formats
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
        let levels = try subjects.map { try book.judge($0) }
        return (levels, book.findings)
    }

    /// What is known of the patients of one batch, as it grows with it.
    private struct Book {
        let keeper: ProfileKeeper
        let now: Timestamp
        var profiles: [Digest: PatientProfile] = [:]
        var changed: Set<Digest> = []
        var cases: [IdentityCase] = []

        var findings: IdentityFindings {
            IdentityFindings(profiles: self.changed.sorted().compactMap { self.profiles[$0] }, cases: self.cases)
        }

        mutating func load(_ tags: [Digest]) throws {
            for (tag, profile) in zip(tags, try self.keeper.context.custody.profiles(tags: tags)) {
                self.profiles[tag] = profile
            }
        }

        mutating func judge(_ subject: Subject) throws -> IdentityLevel {
            let traits = subject.traits
            guard let profile = self.profiles[subject.tag] else {
                let itself = IdentityMatch(traits, traits)
                guard !itself.disagrees else { return try self.note(subject, itself) }
                try self.save(subject.tag, [traits], newest: traits)
                try self.compareWithOthers(subject)
                return .match
            }
            guard profile.digest != self.keeper.digest(traits) else { return .match }
            var known = try self.keeper.open(profile).variants
            guard !known.contains(traits) else { return .match }
            let matches = known.map { IdentityMatch($0, traits) }
            guard let index = matches.firstIndex(where: { !$0.disagrees }) else {
                return try self.note(subject, matches.last ?? IdentityMatch(traits, traits))
            }
            let filled = known[index].filled(from: traits)
            if filled != known[index] {
                known[index] = filled
                try self.save(subject.tag, known, newest: traits)
            }
            return .match
        }

        private mutating func save(_ tag: Digest, _ known: [PersonTraits], newest: PersonTraits) throws {
            self.profiles[tag] = self.keeper.profile(tag, known, newest: newest)
            self.changed.insert(tag)
        }

        private mutating func note(_ subject: Subject, _ match: IdentityMatch) throws -> IdentityLevel {
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

        /// Tells which other patients a new one may be.
        private mutating func compareWithOthers(_ subject: Subject) throws {
            guard let likeness = self.keeper.likeness(subject.traits) else { return }
            let stored = try self.keeper.context.custody.profiles(
                likeness: likeness,
                limit: ProfileKeeper.likenessesMax
            )
            let here = self.changed.sorted().compactMap { self.profiles[$0] }.filter { $0.likeness == likeness }
            var told: Set<Digest> = [subject.tag]
            for other in (stored + here).prefix(2 * ProfileKeeper.likenessesMax)
            where told.count <= ProfileKeeper.likenessesMax && told.insert(other.tag).inserted {
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
        return self.profile(tag, kept + [traits], newest: traits)
    }

    private func profile(_ tag: Digest, _ known: [PersonTraits], newest: PersonTraits) -> PatientProfile {
        PatientProfile(
            tag: tag,
            digest: self.digest(newest),
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
