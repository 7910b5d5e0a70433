import Ledger
package import LedgerStore
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
        var isPublished = false
        for covered in try self.covered(id, grant) {
            let isNew = try await self.wrap(covered.exams, for: covered.terms, over: covered.steps, now: now)
            isPublished = isPublished || isNew
        }
        return isPublished
    }

    /// Wraps the exams of a batch for the grants that cover them, and returns those grants.
    package func batchBecameFinal(_ number: UInt64, now: Timestamp) async throws -> [GrantID] {
        guard !self.book.isEmpty else { return [] }
        let exams = try self.context.custody.exams(batch: number)
        var published: [GrantID] = []
        for (number, group) in Dictionary(grouping: exams, by: \.patient).sorted(by: { $0.key < $1.key }) {
            guard let patient = try self.context.custody.patient(number),
                self.book.hasLinks || self.book.mayConcern(bucket: patient.bucket)
            else { continue }
            let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
            if self.book.hasLinks { try self.noteLinks(of: patient, pseudonym) }
            published += try await self.wrap(self.shareable(group, of: patient), of: pseudonym, now: now)
        }
        return published
    }

    /// Wraps what delegates granted of one person: something was declared or decided by which they may speak again.
    ///
    /// Returns the grants for which pages were published.
    package func mandatesChanged(
        _ handle: PatientHandle,
        salt: [UInt8],
        bucket: UInt8,
        now: Timestamp
    ) async throws -> [GrantID] {
        for patient in try self.context.custody.patients(bucket: bucket) {
            let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
            guard pseudonym.handle(salt: salt) == handle else { continue }
            let exams = try self.shareable(self.context.custody.exams(patient: patient.number), of: patient)
            var published: [GrantID] = []
            for bearing in self.judge.bearings(on: pseudonym, in: self.context.board.tip.state)
            where bearing.terms.mandate != nil {
                let isNew = try await self.wrap(exams, for: bearing.terms, over: bearing.steps, now: now)
                if isNew { published.append(bearing.terms.id) }
            }
            return published
        }
        return []
    }

    /// Wraps everything of a patient for all grants that bear on it.
    ///
    /// Returns the grants for which there are pages.
    package func wrapAll(of patient: Patient, now: Timestamp) async throws -> [GrantID] {
        let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
        let exams = try self.context.custody.exams(patient: patient.number)
        return try await self.wrap(self.shareable(exams, of: patient), of: pseudonym, now: now)
    }

    private func wrap(
        _ exams: [StoredExam],
        of pseudonym: PatientPseudonym,
        now: Timestamp
    ) async throws -> [GrantID] {
        var published: [GrantID] = []
        for bearing in self.judge.bearings(on: pseudonym, in: self.context.board.tip.state)
        where try await self.wrap(exams, for: bearing.terms, over: bearing.steps, now: now) {
            published.append(bearing.terms.id)
        }
        return published
    }

    /// The exams without those of which nobody has said that they are the patient's.
    private func shareable(_ exams: [StoredExam], of patient: Patient) throws -> [StoredExam] {
        let held = try self.context.custody.heldRecords(of: patient.tag)
        return held.isEmpty ? exams : exams.filter { !held.contains($0.record) }
    }

    /// Whether the asker may hold a record of this institution: a live grant to it covers the exam.
    package func mayHold(_ record: ContentAddress, _ asker: InstitutionID, now: Timestamp) throws -> Bool {
        guard !self.context.board.tip.state.isErased(record, of: self.context.institution),
            let exam = try self.context.custody.exam(record: record),
            let patient = try self.context.custody.patient(exam.patient)
        else { return false }
        guard try !self.context.custody.heldRecords(of: patient.tag).contains(record) else { return false }
        let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
        return self.judge.mayRelease(
            self.judge.facts(exam),
            to: asker,
            under: self.judge.grants(on: pseudonym, for: asker, in: self.context.board.tip.state),
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
            guard let grant = self.context.board.tip.state.grant(id)?.grant else { continue }
            for covered in try self.covered(id, grant) {
                let (exams, terms, steps) = (covered.exams, covered.terms, covered.steps)
                let isNew = try await self.wrap(exams, for: terms, over: steps, only: joined, now: now)
                let isOpen = try await self.wrap(exams, for: terms, over: steps, now: now)
                if isNew || isOpen { published.append(id) }
            }
        }
        return published
    }

    /// Exams of a patient here on which a grant bears.
    private struct Covered {
        var terms: AccessTerms
        var exams: [StoredExam]
        var steps: [IdentityWeb.Step]
    }

    /// All exams here on which a grant bears: those of its patient, and those of patients whom links join with its patient.
    private func covered(_ id: GrantID, _ grant: AccessGrant) throws -> [Covered] {
        let state = self.context.board.tip.state
        var found: [Covered] = []
        for patient in try self.candidates(bucket: grant.bucket, { $0.handle(salt: grant.salt) == grant.handle }) {
            let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
            guard
                let bearing = self.judge.bearings(on: pseudonym, in: state).first(where: { $0.terms.id == id })
            else { continue }
            let exams = try self.context.custody.exams(patient: patient.number)
            found.append(
                Covered(terms: bearing.terms, exams: try self.shareable(exams, of: patient), steps: bearing.steps)
            )
        }
        return found
    }

    /// The patients here with an identity in this bucket, their own or one that was ever linked with theirs, for which
    /// `isMeant` holds.
    private func candidates(bucket: UInt8, _ isMeant: (PatientPseudonym) -> Bool) throws -> [Patient] {
        var found: [Patient] = []
        for patient in try self.context.custody.patients(bucket: bucket)
        where isMeant(try self.context.secrets.openPseudonym(patient.sealedPseudonym)) {
            found.append(patient)
        }
        guard self.book.hasLinks else { return found }
        for linked in try self.context.custody.linkedIdentities(bucket: bucket)
        where !found.contains(where: { $0.number == linked.patient }) {
            guard isMeant(try self.context.secrets.openPseudonym(linked.sealedPseudonym)),
                let patient = try self.context.custody.patient(linked.patient)
            else { continue }
            found.append(patient)
        }
        return found
    }

    // MARK: Links

    /// Notes whom a link joins with patients here, and wraps for grants that reach them through it.
    ///
    /// Returns the grants for which there are pages.
    package func linkBecameFinal(_ link: IdentityLink, now: Timestamp) async throws -> [GrantID] {
        var published: [GrantID] = []
        for patient in try self.patients(of: link) {
            let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
            try self.noteLinks(of: patient, pseudonym)
            published += try await self.wrapAll(of: patient, now: now)
        }
        return published
    }

    /// Takes back what was wrapped through a link: the pages that hold it are served without it from now on.
    package func linkEnded(_ link: IdentityLink) async throws {
        let state = self.context.board.tip.state
        for patient in try self.patients(of: link) {
            let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
            let standing = Set(self.context.web(state).principals(of: pseudonym).map(\.pseudonym))
            for linked in try self.context.custody.linkedIdentities(of: patient.number) {
                let other = try self.context.secrets.openPseudonym(linked.sealedPseudonym)
                guard !standing.contains(other) else { continue }
                for id in self.book.grants(of: other) { try await self.retire(id, of: patient) }
            }
        }
    }

    /// Replaces the pages of a grant that hold keys of a patient's exams by pages without them.
    private func retire(_ grant: GrantID, of patient: Patient) async throws {
        let institution = self.context.institution
        let pages = try self.context.custody.ownPages(grant: grant, custodian: institution, patient: patient.number)
        guard !pages.isEmpty else { return }
        let gone = Set(try self.context.custody.exams(patient: patient.number).map(\.record))
        var replaced: [CustodyStore.OwnPage] = []
        for place in pages {
            let page = try KeyEnvelopePage(canonicalBytes: self.context.vault.read(place.object).body)
            guard page.entries.contains(where: { gone.contains($0.record) }) else { continue }
            let recipients = page.recipients.compactMap { recipient in
                self.context.board.tip.state.institution(recipient.institution).map {
                    (institution: recipient.institution, encryptionKey: $0.card.encryptionKey)
                }
            }
            let envelope = try self.context.vault.makeEnvelopePage(
                grant: grant,
                page: place.page,
                recipients: recipients,
                records: page.entries.map(\.record).filter { !gone.contains($0) },
                chain: self.context.rules.chain
            )
            let object = try self.context.vault.makeObject(.keyEnvelopePage, body: envelope.canonicalBytes)
            try await self.context.vault.append([object])
            replaced.append(CustodyStore.OwnPage(grant: grant, page: place.page, object: object.address))
        }
        try self.context.custody.retire(replaced, grant: grant, custodian: institution, patient: patient.number)
    }

    /// The patients here whom a link is about, directly or through other links.
    private func patients(of link: IdentityLink) throws -> [Patient] {
        var found: [Patient] = []
        for side in [link.first, link.second] {
            for patient in try self.candidates(bucket: side.bucket, { $0.identityNode == side.node })
            where !found.contains(where: { $0.number == patient.number }) {
                found.append(patient)
            }
        }
        return found
    }

    private func noteLinks(of patient: Patient, _ pseudonym: PatientPseudonym) throws {
        let web = self.context.web(self.context.board.tip.state)
        let others = Set(
            (web.principals(of: pseudonym) + web.found(from: pseudonym)).map(\.pseudonym)
        ).subtracting([pseudonym])
        try self.context.custody.save(
            others.sorted { $0.digest < $1.digest }.map {
                LinkedIdentity(
                    patient: patient.number,
                    tag: self.context.secrets.tag(of: $0),
                    bucket: $0.bucket,
                    sealedPseudonym: self.context.secrets.seal($0)
                )
            }
        )
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

    /// The institutions, other than this one, that may read under a grant now.
    package func readers(of grant: GrantID) -> [InstitutionID] {
        let tip = self.context.board.tip
        guard let state = tip.state.grant(grant) else { return [] }
        return state.readers(groups: tip.state.groups(of: state.grant), at: tip.height)
            .filter { $0 != self.context.institution }
    }

    /// Wraps exams for the institutions that may read them; institutions that may read different ones get pages of their
    /// own.
    ///
    /// `only`: those who came later, for whom what the others have is wrapped once more.
    private func wrap(
        _ exams: [StoredExam],
        for terms: AccessTerms,
        over steps: [IdentityWeb.Step],
        only: Set<InstitutionID>? = nil,
        now: Timestamp
    ) async throws -> Bool {
        let tip = self.context.board.tip
        let web = self.context.web(tip.state)
        let readers = terms.state.readers(groups: terms.groups, at: tip.height).filter {
            $0 != self.context.institution && only?.contains($0) ?? true && web.carries(steps, to: $0)
        }
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
