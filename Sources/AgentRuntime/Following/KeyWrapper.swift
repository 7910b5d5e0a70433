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
        for patient in try self.context.custody.patients(bucket: grant.bucket) {
            let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
            guard pseudonym.handle(salt: grant.salt) == grant.handle else { continue }
            guard let opened = self.judge.grants(of: pseudonym).first(where: { $0.id == id }) else { return false }
            let exams = try self.context.custody.exams(patient: patient.number)
            return try await self.wrap(exams, for: opened, now: now)
        }
        return false
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
        guard let exam = try self.context.custody.exam(record: record),
            let patient = try self.context.custody.patient(exam.patient)
        else { return false }
        let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
        return self.judge.grants(of: pseudonym).contains { grant in
            grant.state.grant.grantees.contains(asker) && self.isLive(grant, now) && self.covers(grant, exam)
        }
    }

    private func isLive(_ grant: AccessJudge.Grant, _ now: Timestamp) -> Bool {
        // A grant that begins later is served already, so that its records are there when it does.
        grant.state.revokedHeight == nil && now < grant.state.grant.notAfter
            && grant.state.covers(custodian: self.context.institution)
    }

    private func covers(_ grant: AccessJudge.Grant, _ exam: StoredExam) -> Bool {
        grant.scope.covers(kind: exam.kind, itemCode: exam.itemCode, examTime: exam.examTime)
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

    private func wrap(_ exams: [StoredExam], for grant: AccessJudge.Grant, now: Timestamp) async throws -> Bool {
        guard self.isLive(grant, now) else { return false }
        let terms = grant.state.grant
        let recipients = terms.grantees.filter { $0 != self.context.institution }.compactMap { id in
            self.context.board.tip.state.institution(id).map { (institution: id, encryptionKey: $0.card.encryptionKey) }
        }
        guard !recipients.isEmpty else { return false }
        let covered = Dictionary(
            uniqueKeysWithValues: exams.filter { self.covers(grant, $0) }.map { ($0.number, $0.record) }
        )
        try self.context.custody.save(
            KnownGrant(
                id: grant.id,
                isCustodian: true,
                isGrantee: terms.grantees.contains(self.context.institution),
                notBefore: terms.notBefore,
                notAfter: terms.notAfter
            )
        )
        let open = try self.context.custody.unwrapped(covered.keys.sorted(), grant: grant.id)
        for start in stride(from: 0, to: open.count, by: KeyEnvelopePage.entriesMax) {
            let numbers = self.usable(
                open[start..<min(start + KeyEnvelopePage.entriesMax, open.count)].map { ($0, covered[$0]) }
            )
            guard !numbers.isEmpty else { continue }
            let page = try self.context.custody.grant(grant.id)?.nextPage ?? 0
            let envelope = try self.context.vault.makeEnvelopePage(
                grant: grant.id,
                page: page,
                recipients: recipients,
                records: numbers.compactMap { covered[$0] },
                chain: self.context.rules.chain
            )
            let object = try self.context.vault.makeObject(.keyEnvelopePage, body: envelope.canonicalBytes)
            try await self.context.vault.append([object])
            try self.context.custody.publishPage(
                grant: grant.id,
                custodian: self.context.institution,
                page: page,
                object: object.address,
                exams: numbers
            )
        }
        // Also when everything was wrapped before: the announcement may have been lost in a crash.
        return try self.context.custody.grant(grant.id).map { $0.nextPage > 0 } ?? false
    }
}
