import Ledger
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
        package var isSuperseded: Bool
        package var access: Access
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
    package func find(patient text: String, items: [String], since: Timestamp?) async throws -> [Found] {
        var found: [Found] = []
        for pseudonym in try await self.resolver.pseudonyms(text) { found += try self.exams(of: pseudonym) }
        // An institution replaces its own exams only, and by what it committed to.
        let superseded = Set(
            found.compactMap { exam in
                exam.row.leaf.supersedes.map { Superseded(institution: exam.row.institution, record: $0) }
            }
        )
        let now = Clock.now
        var grants: [Digest: [AccessJudge.Grant]] = [:]
        for index in found.indices {
            let exam = found[index]
            let known = grants[exam.pseudonym.digest] ?? self.judge.grants(of: exam.pseudonym)
            grants[exam.pseudonym.digest] = known
            found[index].isSuperseded = superseded.contains(
                Superseded(institution: exam.row.institution, record: exam.summary.record)
            )
            found[index].access = self.judge.access(
                to: exam.summary,
                of: exam.row.institution,
                grants: known,
                purpose: nil,
                now: now
            )
        }
        found = found.filter { exam in
            (items.isEmpty || self.context.codes.isListed(exam.summary, of: exam.row.institution, under: items))
                && (since.map { exam.summary.examTime ?? $0 >= $0 } ?? true)
        }
        try self.note(found, now)
        return found.sorted(by: Self.precedes)
    }

    private static func precedes(_ left: Found, _ right: Found) -> Bool {
        let (leftTime, rightTime) = (left.summary.examTime, right.summary.examTime)
        if leftTime != rightTime {
            return (leftTime ?? Timestamp(milliseconds: .min)) > (rightTime ?? Timestamp(milliseconds: .min))
        }
        return left.summary.record < right.summary.record
    }

    /// All entries about a person: the first of every institution in one look-up, then more where there was one.
    private func exams(of pseudonym: PatientPseudonym) throws -> [Found] {
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
                    Found(pseudonym: pseudonym, row: row, summary: summary, isSuperseded: false, access: .notGranted)
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
