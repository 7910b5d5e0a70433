import Ledger
import LedgerStore
import Logging
package import Primitives
package import Records
import Vault

/// Wraps this institution's data keys for the grantees of grants: when a grant becomes final, and when exams are
/// imported that a live grant covers.
///
/// A record is then readable at the grantee also while this agent is off.
package struct KeyWrapper: Sendable {
    private let context: AgentContext
    private let book: GrantBook
    private let judge: AccessJudge

    package init(context: AgentContext, book: GrantBook, judge: AccessJudge) {
        self.context = context
        self.book = book
        self.judge = judge
    }

    /// Wraps everything here that `grant` covers.
    ///
    /// Returns whether a page was published.
    package func grantBecameFinal(_ id: GrantID, _ grant: AccessGrant, now: Timestamp) async throws -> Bool {
        guard let (terms, exams) = try self.covered(id, grant) else { return false }
        return try await self.wrap(exams, for: terms, now: now)
    }

    /// Wraps the exams of a batch for the grants that cover them, and returns those grants.
    package func batchBecameFinal(_ number: UInt64, now: Timestamp) async throws -> [GrantID] {
        guard !self.book.isEmpty else { return [] }
        let exams = try self.context.custody.exams(batch: number)
        var published: [GrantID] = []
        for (number, group) in Dictionary(grouping: exams, by: \.patient).sorted(by: { $0.key < $1.key }) {
            guard let patient = try self.context.custody.patient(number), self.book.mayConcern(bucket: patient.bucket)
            else { continue }
            let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
            for grant in self.judge.grants(of: pseudonym) where try await self.wrap(group, for: grant, now: now) {
                published.append(grant.id)
            }
        }
        return published
    }

    /// Whether the asker may hold a record of this institution: a live grant to it covers the exam.
    package func mayHold(_ record: ContentAddress, _ asker: InstitutionID, now: Timestamp) throws -> Bool {
        guard !self.context.board.tip.state.isErased(record, of: self.context.institution),
            let exam = try self.context.custody.exam(record: record),
            let patient = try self.context.custody.patient(exam.patient)
        else { return false }
        let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
        return self.judge.mayRelease(
            self.judge.facts(exam),
            to: asker,
            under: self.judge.grants(of: pseudonym),
            now: now
        )
    }

    /// Wraps what was wrapped for a group's grants before, for those who are its members since.
    ///
    /// Returns the grants for which pages were published.
    package func groupChanged(_ group: GroupID, in block: Height, now: Timestamp) async throws -> [GrantID] {
        guard let state = self.context.board.tip.state.group(group) else { return [] }
        let joined = Set(state.memberships.filter { $0.since == block && $0.until == nil }.map(\.institution))
        guard !joined.isEmpty else { return [] }
        var published: [GrantID] = []
        for id in self.book.grants(to: group) {
            guard let grant = self.context.board.tip.state.grant(id)?.grant,
                let (terms, exams) = try self.covered(id, grant)
            else { continue }
            let isNew = try await self.wrap(exams, for: terms, only: joined, now: now)
            let isOpen = try await self.wrap(exams, for: terms, now: now)
            if isNew || isOpen { published.append(id) }
        }
        return published
    }

    /// The grant with its scope opened and all exams here of its patient, if the patient is known here.
    private func covered(_ id: GrantID, _ grant: AccessGrant) throws -> (AccessTerms, [StoredExam])? {
        for patient in try self.context.custody.patients(bucket: grant.bucket) {
            let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
            guard pseudonym.handle(salt: grant.salt) == grant.handle else { continue }
            guard let opened = self.judge.grants(of: pseudonym).first(where: { $0.id == id }) else { return nil }
            return (opened, try self.context.custody.exams(patient: patient.number))
        }
        return nil
    }

    /// The exams whose record and key can be read.
    ///
    /// One that is damaged must not hold up all others, and the chain.
    private func usable(_ exams: [(ExamNumber, ContentAddress?)]) -> [ExamNumber] {
        exams.compactMap { number, record in
            guard let record else { return nil }
            do throws(VaultError) {
                _ = try self.context.vault.read(record)
                return number
            } catch {
                self.context.logger.error(
                    "a record cannot be shared",
                    metadata: ["record": "\(record)", "error": "\(error.code)"]
                )
                return nil
            }
        }
    }

    /// Wraps exams for the institutions that may read them; institutions that may read different ones get pages of their
    /// own.
    ///
    /// `only`: those who came later, for whom what the others have is wrapped once more.
    private func wrap(
        _ exams: [StoredExam],
        for terms: AccessTerms,
        only: Set<InstitutionID>? = nil,
        now: Timestamp
    ) async throws -> Bool {
        let readers = terms.state.readers(groups: terms.groups, at: self.context.board.tip.height)
            .filter { $0 != self.context.institution && only?.contains($0) ?? true }
        guard !readers.isEmpty else { return false }
        // Whoever may read one exam under a grant may read the same others: who it is matters for the institution alone.
        let covered = Dictionary(
            uniqueKeysWithValues: exams.filter { exam in
                !self.context.board.tip.state.isErased(exam.record, of: self.context.institution)
                    && self.judge.mayRelease(self.judge.facts(exam), to: readers[0], under: [terms], now: now)
            }.map { ($0.number, $0.record) }
        )
        let grant = terms.state.grant
        guard terms.state.revokedHeight == nil, now < grant.notAfter,
            terms.state.covers(custodian: self.context.institution)
        else { return false }
        try self.context.custody.save(
            KnownGrant(
                id: terms.id,
                isCustodian: true,
                isGrantee: terms.state.names(
                    self.context.institution,
                    groups: terms.groups,
                    at: self.context.board.tip.height
                ),
                notBefore: grant.notBefore,
                notAfter: grant.notAfter
            )
        )
        let numbers = covered.keys.sorted()
        let fresh = try self.context.custody.unwrapped(numbers, grant: terms.id)
        let open = only == nil ? fresh : numbers.filter { !fresh.contains($0) }
        for start in stride(from: 0, to: open.count, by: KeyEnvelopePage.entriesMax) {
            let usable = self.usable(
                open[start..<min(start + KeyEnvelopePage.entriesMax, open.count)].map { ($0, covered[$0]) }
            )
            try await self.publish(usable, covered, for: terms.id, to: readers)
        }
        // Also when everything was wrapped before: the announcement may have been lost in a crash.
        return try self.context.custody.grant(terms.id).map { $0.nextPage > 0 } ?? false
    }

    private func publish(
        _ numbers: [ExamNumber],
        _ records: [ExamNumber: ContentAddress],
        for grant: GrantID,
        to readers: [InstitutionID]
    ) async throws {
        guard !numbers.isEmpty else { return }
        for start in stride(from: 0, to: readers.count, by: AccessGrant.granteesMax) {
            let part = readers[start..<min(start + AccessGrant.granteesMax, readers.count)]
            let recipients = part.compactMap { id in
                self.context.board.tip.state.institution(id).map {
                    (institution: id, encryptionKey: $0.card.encryptionKey)
                }
            }
            let page = try self.context.custody.grant(grant)?.nextPage ?? 0
            let envelope = try self.context.vault.makeEnvelopePage(
                grant: grant,
                page: page,
                recipients: recipients,
                records: numbers.compactMap { records[$0] },
                chain: self.context.rules.chain
            )
            let object = try self.context.vault.makeObject(.keyEnvelopePage, body: envelope.canonicalBytes)
            try await self.context.vault.append([object])
            try self.context.custody.publishPage(
                grant: grant,
                custodian: self.context.institution,
                page: page,
                object: object.address,
                exams: numbers
            )
        }
    }
}
