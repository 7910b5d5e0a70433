package import Ledger
package import LedgerStore
package import Primitives
package import Records
import Vault

/// Finds a person's exams at every institution, from this agent's own index: no network is involved.
package struct Finder: Sendable {
    /// Entries of one person that one institution may have; a finder stops there.
    static let entriesMax: UInt64 = 100_000
    /// Probes sent to the index at once for an institution known to have entries.
    ///
    /// Doubles while they hit.
    private static let windowFirst: UInt64 = 8
    private static let windowLast: UInt64 = 1024

    /// An exam of the person, as its institution lists it.
    package struct Found: Sendable {
        package var pseudonym: PatientPseudonym
        package var row: LocatorRow
        package var summary: LocatorSummary
        /// The first line by which the institution replaced it.
        package var replacedBy: LocatorRow?
        /// Whether its key is destroyed: shown to those who could open it, and to nobody else.
        package var isErased = false
        package var access: AccessAnswer
        /// The links through which it was found, nearest first; empty for the identity that was asked for.
        package var steps: [IdentityWeb.Step] = []

        package var isSuperseded: Bool { self.replacedBy != nil }

        /// Whether it is an exam of the one who was asked for: not one of a newborn, nor one that describes its patient
        /// otherwise than the institution knows the patient.
        package var identity: IdentityLevel {
            self.steps.allSatisfy(\.kind.isOnePerson) ? self.summary.identity : .possible
        }
    }

    private struct Superseded: Hashable {
        var institution: InstitutionID
        var record: ContentAddress
    }

    private let context: AgentContext
    private let resolver: PatientResolver
    private let judge: AccessJudge

    package init(context: AgentContext, judge: AccessJudge, names: PseudonymDesk) {
        self.context = context
        self.resolver = PatientResolver(context: context, names: names)
        self.judge = judge
    }

    /// The exams of a person, newest first, and notes on those of others, so that `fetch` needs only a record's address.
    ///
    /// What the asker may not open and the patient does not want listed, or is sensitive, is left out as if it were not there.
    package func find(patient text: String, credential: ClinicianCredential) async throws -> [Found] {
        try self.find(pseudonyms: try await self.pseudonyms(of: text), credential: credential)
    }

    package func pseudonyms(of patient: String) async throws -> [PatientPseudonym] {
        try await self.resolver.pseudonyms(patient)
    }

    /// The same for somebody whose pseudonyms are known.
    package func find(pseudonyms: [PatientPseudonym], credential: ClinicianCredential) throws -> [Found] {
        var found: [Found] = []
        for reached in self.reached(pseudonyms) {
            found += try self.exams(of: reached.pseudonym).map { exam in
                var exam = exam
                exam.steps = reached.steps
                return exam
            }
        }
        // An institution replaces its own exams only, and by what it committed to.
        let superseded = Dictionary(
            found.compactMap { exam in
                exam.row.leaf.supersedes.map { (Superseded(institution: exam.row.institution, record: $0), exam.row) }
            },
            uniquingKeysWith: { $0.batch <= $1.batch ? $0 : $1 }
        )
        try self.judge(&found, by: credential)
        for index in found.indices {
            found[index].replacedBy =
                superseded[
                    Superseded(institution: found[index].row.institution, record: found[index].summary.record)
                ]
        }
        try self.note(found, Clock.now)
        return found.sorted(by: Self.precedes)
    }

    /// Whether an exam is one of those items and not older.
    package func isWanted(_ exam: Found, items: [String], since: Timestamp?) -> Bool {
        (items.isEmpty || self.context.codes.isListed(exam.summary, of: exam.row.institution, under: items))
            && (since.map { exam.summary.examTime ?? $0 >= $0 } ?? true)
    }

    /// How many other patients of this institution may be the one that was asked for: for its own eyes, nothing follows
    /// from it.
    package func possibleIdentities(_ pseudonyms: [PatientPseudonym]) throws -> UInt64 {
        let tags = Set(self.reached(pseudonyms).map { self.context.secrets.tag(of: $0.pseudonym) })
        return try tags.sorted().reduce(0) { try $0 + self.context.custody.openLikenesses(of: $1) }
    }

    /// The identities and those to which links lead, each once, by the shortest way.
    private func reached(_ pseudonyms: [PatientPseudonym]) -> [IdentityWeb.Reached] {
        let web = self.context.web(self.context.board.tip.state)
        var reached: [IdentityWeb.Reached] = []
        for candidate in pseudonyms.flatMap(web.found(from:)) {
            if let index = reached.firstIndex(where: { $0.pseudonym == candidate.pseudonym }) {
                if candidate.steps.count < reached[index].steps.count { reached[index] = candidate }
            } else {
                reached.append(candidate)
            }
        }
        return reached
    }

    /// Fills in the access to each exam, and leaves out those that are not to be listed.
    private func judge(_ found: inout [Found], by credential: ClinicianCredential) throws {
        let tip = self.context.board.tip
        var judged: [Found] = []
        for (_, exams) in Dictionary(grouping: found, by: \.pseudonym.digest).sorted(by: { $0.key < $1.key }) {
            let pseudonym = exams[0].pseudonym
            let grants = self.judge.grants(on: pseudonym, for: self.context.institution, in: tip.state)
            let uses = try self.judge.uses(of: pseudonym, under: grants)
            let isHidden = self.judge.isHidden(pseudonym)
            for var exam in exams {
                let facts = self.judge.facts(exam.summary)
                let question = self.judge.opening(
                    of: facts,
                    about: pseudonym,
                    at: exam.row.institution,
                    by: credential,
                    purpose: nil,
                    tip: tip,
                    uses: uses
                )
                exam.access = AccessRule.answer(question, under: grants)
                guard AccessRule.isListed(exam.access, exam: facts, isPatientHidden: isHidden) else { continue }
                exam.isErased = tip.state.isErased(exam.summary.record, of: exam.row.institution)
                guard !exam.isErased || exam.access.isAllowed else { continue }
                judged.append(exam)
            }
        }
        found = judged
    }

    private static func precedes(_ left: Found, _ right: Found) -> Bool {
        let (leftTime, rightTime) = (left.summary.examTime, right.summary.examTime)
        if leftTime != rightTime {
            return (leftTime ?? Timestamp(milliseconds: .min)) > (rightTime ?? Timestamp(milliseconds: .min))
        }
        return left.summary.record < right.summary.record
    }

    /// All entries about a person: the first of every institution in one look-up, then more where there was one.
    package func exams(of pseudonym: PatientPseudonym) throws -> [Found] {
        var found: [Found] = []
        var next: [InstitutionID: UInt64] = [:]
        var window: UInt64 = 1
        for institution in self.context.board.tip.state.institutionIDs { next[institution] = 0 }
        while !next.isEmpty {
            var probes: [LocatorProbe] = []
            var indices: [LocatorTag: UInt64] = [:]
            for (institution, first) in next.sorted(by: { $0.key < $1.key }) {
                for index in first..<first + window {
                    let tag = pseudonym.locatorTag(institution: institution, index: index)
                    indices[tag] = index
                    probes.append(LocatorProbe(institution: institution, tag: tag))
                }
            }
            var highest: [InstitutionID: UInt64] = [:]
            for row in try self.context.locators.lookup(probes) {
                guard let index = indices[row.entry.tag] else { continue }
                highest[row.institution] = max(highest[row.institution] ?? 0, index)
                // An entry that does not open was not made for this person; several may share a tag.
                guard
                    let summary = try? PseudonymSealing.openLocator(
                        row.entry,
                        pseudonym: pseudonym,
                        institution: row.institution,
                        index: index
                    ), summary.record == row.leaf.record
                else { continue }
                found.append(
                    Found(pseudonym: pseudonym, row: row, summary: summary, access: .own)
                )
            }
            var following: [InstitutionID: UInt64] = [:]
            for (institution, first) in next {
                // A hole inside a window, such as a batch that has not arrived, does not end the search.
                guard highest[institution] != nil, first + window < Self.entriesMax else { continue }
                following[institution] = first + window
            }
            next = following
            window = window < Self.windowFirst ? Self.windowFirst : min(window * 2, Self.windowLast)
        }
        return found
    }

    private func note(_ found: [Found], _ now: Timestamp) throws {
        var sealed: [Digest: [UInt8]] = [:]
        let notes = found.map { exam in
            let pseudonym = sealed[exam.pseudonym.digest] ?? self.context.secrets.seal(exam.pseudonym)
            sealed[exam.pseudonym.digest] = pseudonym
            return FinderNote(
                record: exam.summary.record,
                institution: exam.row.institution,
                sealedPseudonym: pseudonym,
                time: now
            )
        }
        // Each note is a durable write; most of a second look's are there already.
        let missing = try notes.filter { note in
            try !self.context.custody.notes(record: note.record).contains { $0.institution == note.institution }
        }
        try self.context.custody.save(missing)
    }
}
