package import Formats
import ImportPipeline
import Ledger
import LedgerStore
package import Primitives
package import Records
import Vault

/// Turns exams into sealed records, a manifest and a prepared commitment, a batch at a time.
///
/// When a batch is written it is durable: its records, keys and manifest in the vault, its exams, counters and
/// transaction in the custody store, the last of them in one transaction. A kill before that leaves unreferenced bytes;
/// a kill after it loses nothing.
package final class ExamWriter: Sendable {
    /// Exams of one commitment batch.
    package static let batchMax = 1024

    /// An exam on its way into a batch: shared, because an exam's many parts would be counted at every copy.
    package final class Item: Sendable {
        package let exam: Exam
        package let patient: PatientDemographics
        package let content: RecordContent

        package init(_ parsed: ParsedExam, patient: PatientDemographics) {
            self.exam = parsed.exam
            self.patient = patient
            self.content = RecordContent(format: parsed.format, parts: parsed.parts)
        }
    }

    /// What became of an item.
    package enum Outcome: Hashable, Sendable {
        case written(isNewVersion: Bool)
        case duplicate
        case unidentified
        case tooLarge

        package var isWritten: Bool {
            if case .written = self { true } else { false }
        }
    }

    /// What became of one call's items.
    package struct Result: Sendable {
        /// One for each item, in order.
        package var outcomes: [Outcome]
        /// The batch, if anything was new.
        package var batch: (number: UInt64, root: Digest, count: UInt32)?
    }

    private let context: AgentContext
    private let names: PseudonymDesk
    private let desk: TransactionDesk
    private let sequencer: BatchSequencer
    private let checker: CrossChecker
    private let profiles: ProfileKeeper
    private let prepared: @Sendable () -> Void
    private let found: @Sendable () -> Void
    private let gate = AsyncGate()

    /// `prepared`: called when a batch waits to be submitted.
    ///
    /// `found`: called when something wrong about its exams waits to be reported.
    package init(
        context: AgentContext,
        names: PseudonymDesk,
        desk: TransactionDesk,
        sequencer: BatchSequencer,
        prepared: @escaping @Sendable () -> Void,
        found: @escaping @Sendable () -> Void
    ) {
        self.context = context
        self.names = names
        self.checker = CrossChecker(context: context)
        self.profiles = ProfileKeeper(context: context)
        self.found = found
        self.desk = desk
        self.sequencer = sequencer
        self.prepared = prepared
    }

    /// Writes up to ``batchMax`` exams as one batch.
    ///
    /// With `isDryRun` only judges them. Pseudonyms that are new to this home are formed together first, and waited for
    /// as long as `patience` says.
    package func write(
        _ items: [Item],
        isDryRun: Bool,
        patience: PseudonymDesk.Patience = .short
    ) async throws -> Result {
        try await self.write(self.name(items, patience: patience), isDryRun: isDryRun)
    }

    /// The first half of writing a batch, which needs nothing of the batches before it: pseudonyms and keyed digests.
    package func name(_ items: [Item], patience: PseudonymDesk.Patience) async throws -> NamedItems {
        precondition(items.count <= Self.batchMax, "a batch is bounded")
        let identified = Cores.map(items) { self.identify($0) }
        let pseudonyms = try await self.names.pseudonyms(identified.flatMap(\.identifiers), patience: patience)
        let namings = Cores.map(Array(items.indices)) { index in
            self.name(items[index], identified[index], pseudonyms)
        }
        return NamedItems(items: items, namings: namings)
    }

    /// The second half.
    ///
    /// Batches are stored one at a time, in the order of the calls.
    package func write(_ named: NamedItems, isDryRun: Bool) async throws -> Result {
        // Whether an exam is known must be decided after the batch before is stored.
        try await self.gate.through {
            var plan = BatchPlan()
            try self.judge(named.namings, into: &plan)
            guard !isDryRun, !plan.exams.isEmpty else { return Result(outcomes: plan.outcomes, batch: nil) }
            return try await self.store(named.items, plan)
        }
    }

    /// What is stored of the newest version of an item's exam, if it is known here.
    package func newest(of item: Item) async throws -> RecordContent? {
        let identified = self.identify(item)
        let pseudonyms = try await self.names.pseudonyms(identified.identifiers, patience: .short)
        guard let named = self.name(item, identified, pseudonyms).named,
            let known = try self.context.custody.versions(sources: [named.source]).first?.last,
            !self.context.board.tip.state.isErased(known.record, of: self.context.institution)
        else { return nil }
        return try self.context.vault.openOwn(known.record).content
    }

    // MARK: Naming

    fileprivate struct Named: Sendable {
        var pseudonym: PatientPseudonym
        var others: [PatientPseudonym]
        var tag: Digest
        var source: Digest
        /// Of the source's own bytes: a new version of the code map makes no new version of an exam.
        var content: Digest
        /// Of the exam's content.
        var canonicalBytes: [UInt8]
    }

    /// Items of one batch with their names.
    package struct NamedItems: Sendable {
        fileprivate var items: [Item]
        fileprivate var namings: [Naming]
    }

    fileprivate enum Naming: Sendable {
        case named(Named)
        case unidentified
        case tooLarge

        var named: Named? {
            guard case .named(let named) = self else { return nil }
            return named
        }
    }

    /// Under which identifiers an item is listed.
    private enum Identified: Sendable {
        /// The strongest, those under which the person is found as well, and the bytes of the exam's content.
        case named(PatientIdentifier, others: [PatientIdentifier], content: [UInt8])
        case unidentified
        case tooLarge

        var identifiers: [PatientIdentifier] {
            guard case .named(let first, let others, _) = self else { return [] }
            return [first] + others
        }
    }

    private func identify(_ item: Item) -> Identified {
        let content = item.content.canonicalBytes
        // Judged before a search token is taken: a token that is never published would hide those that follow it.
        guard content.count <= Vault.contentBytesMax, item.content.parts.count <= RecordContent.partsMax,
            item.content.parts.allSatisfy({ $0.type.utf8.count <= RecordContent.Part.typeBytesMax })
        else { return .tooLarge }
        let identifiers = PatientNames.identifiers(of: item.patient, institution: self.context.institution)
        guard let first = identifiers.first else { return .unidentified }
        // Two numbers of one system are two persons, or an error; a national number needs no second name.
        let others = identifiers.dropFirst().filter { $0.system != first.system && !$0.isNational }
        return .named(first, others: others, content: content)
    }

    private func name(
        _ item: Item,
        _ identified: Identified,
        _ pseudonyms: [PatientIdentifier: PatientPseudonym]
    ) -> Naming {
        guard case .named(let first, let others, let content) = identified else {
            if case .tooLarge = identified { return .tooLarge }
            return .unidentified
        }
        guard let pseudonym = pseudonyms[first] else { preconditionFailure("pseudonyms are formed for all items") }
        let tag = self.context.secrets.tag(of: pseudonym)
        var source = CanonicalEncoder()
        source.encode("source")
        source.encode(tag)
        source.encode(item.exam.source.system)
        source.encode(item.exam.source.value)
        return .named(
            Named(
                pseudonym: pseudonym,
                others: others.compactMap { pseudonyms[$0] },
                tag: tag,
                source: self.context.vault.localTag(source.bytes),
                content: self.context.vault.localTag(Array("content".utf8) + content),
                canonicalBytes: content
            )
        )
    }

    // MARK: Judging

    /// Which items are new, and under which counters.
    private func judge(_ namings: [Naming], into plan: inout BatchPlan) throws {
        let present = namings.compactMap(\.named)
        var known: [Digest: [StoredExam]] = [:]
        for (named, versions) in zip(present, try self.context.custody.versions(sources: present.map(\.source))) {
            known[named.source] = versions
        }
        var names: Set<PatientPseudonym> = []
        for named in present { names.formUnion([named.pseudonym] + named.others) }
        let pseudonyms = names.sorted { $0.digest < $1.digest }
        let tags = Cores.map(pseudonyms) { self.context.secrets.tag(of: $0) }
        let rows = try self.context.custody.patients(ofBatch: tags)
        let changes = Cores.map(Array(pseudonyms.indices)) { index in
            self.context.patientChange(pseudonyms[index], known: rows[index])
        }
        for (pseudonym, change) in zip(pseudonyms, changes) { plan.know(pseudonym, change) }
        for (index, naming) in namings.enumerated() {
            switch naming {
            case .named(let named): plan.add(index, named, versions: known[named.source] ?? [])
            case .unidentified: plan.outcomes.append(.unidentified)
            case .tooLarge: plan.outcomes.append(.tooLarge)
            }
        }
    }

    // MARK: Storing

    private func store(_ items: [Item], _ plan: BatchPlan) async throws -> Result {
        let codes = self.context.codes.view
        let sealed = Cores.map(plan.exams) { planned in
            let item = items[planned.item]
            let reading = codes.read(item.exam)
            let content = Self.content(of: item, planned, reading.note)
            return Swift.Result {
                let record = try self.context.vault.seal(
                    content,
                    canonicalBytes: content.parts.count == item.content.parts.count
                        ? planned.named.canonicalBytes : nil
                )
                return (record: record, codes: reading)
            }
        }
        var reviewed = ReviewedCodes()
        var records: [Written] = []
        records.reserveCapacity(plan.exams.count)
        for (planned, result) in zip(plan.exams, sealed) {
            let (record, reading) = try result.get()
            records.append(Written(planned: planned, record: record, item: reading.item))
            for code in reading.reviewed { reviewed.add(code) }
        }
        let identity = try self.profiles.judge(self.described(records, items), now: Clock.now)
        let entries = self.entries(records, items, identity.levels)
        let aliases = Cores.map(plan.aliases) { alias in
            PseudonymSealing.sealAlias(
                of: alias.primary,
                under: alias.other,
                institution: self.context.institution,
                index: 0
            )
        }
        // Only what passes the gate makes batches of exams, so the number cannot be taken before `next`.
        let number = self.sequencer.nextNumber
        let manifest = Manifest(
            institution: self.context.institution,
            batch: number,
            entries: entries,
            aliases: aliases
        )
        let object = try self.context.vault.makeObject(.manifest, body: manifest.canonicalBytes)
        // Together, so that one sync serves both. Until the custody store names them nobody misses either.
        let (vault, made) = (self.context.vault, records.map(\.record))
        async let recordsDurable: Void = vault.append(made)
        async let manifestDurable: Void = vault.append([object])
        let root = manifest.root
        let checks = try self.checker.check(self.subjects(records, items), batch: number, now: Clock.now)
        _ = try await (recordsDurable, manifestDurable)
        _ = try self.sequencer.next { number, previous in
            try self.prepare(
                number,
                previous,
                root: root,
                object.address,
                plan,
                records,
                items,
                checks,
                reviewed,
                identity.findings
            )
        }
        self.prepared()
        if !checks.anomalies.isEmpty { self.found() }
        return Result(outcomes: plan.outcomes, batch: (number, root, UInt32(entries.count)))
    }

    /// How the exams describe their patients.
    private func described(_ records: [Written], _ items: [Item]) -> [ProfileKeeper.Subject] {
        let institution = self.context.institution
        return Cores.map(records) { written in
            let (planned, record) = (written.planned, written.record)
            return ProfileKeeper.Subject(
                tag: planned.named.tag,
                traits: ProfileKeeper.traits(of: items[planned.item].patient, institution: institution),
                record: record.object.address
            )
        }
    }

    /// The source's bytes and, if there is room, what its codes stand for.
    private static func content(of item: Item, _ planned: BatchPlan.Exam, _ note: CodeNote?) -> RecordContent {
        guard let part = note?.part, item.content.parts.count < RecordContent.partsMax,
            // Beside its bytes a part has its type and two lengths.
            planned.named.canonicalBytes.count + part.bytes.count + part.type.utf8.count + 16 <= Vault.contentBytesMax
        else { return item.content }
        return RecordContent(format: item.content.format, parts: item.content.parts + [part])
    }

    /// An exam of the batch, sealed.
    private struct Written: Sendable {
        var planned: BatchPlan.Exam
        var record: SealedRecord
        /// What the exam's own code stands for.
        var item: CatalogueItem?
    }

    private func subjects(_ records: [Written], _ items: [Item]) -> [CrossChecker.Subject] {
        records.map { written in
            let (planned, record) = (written.planned, written.record)
            return CrossChecker.Subject(
                item: items[planned.item],
                source: planned.named.source,
                patientTag: planned.named.tag,
                record: record.object.address,
                replaces: planned.replaces?.number
            )
        }
    }

    private func entries(
        _ records: [Written],
        _ items: [Item],
        _ levels: [IdentityLevel]
    ) -> [Manifest.Entry] {
        var addresses: [Int: ContentAddress] = [:]
        for written in records { addresses[written.planned.item] = written.record.object.address }
        let known = addresses
        return Cores.map(Array(records.indices)) { index in
            let (planned, record) = (records[index].planned, records[index].record)
            // An earlier version may stand in this same batch.
            let supersedes = planned.replacesItem.flatMap { known[$0] } ?? planned.replaces?.record
            let summary = LocatorSummary(
                of: items[planned.item].exam,
                item: records[index].item,
                record: record.object.address,
                recordBytes: record.plainBytes,
                supersedes: supersedes,
                identity: levels[index]
            )
            let locator = PseudonymSealing.sealLocator(
                summary,
                pseudonym: planned.named.pseudonym,
                institution: self.context.institution,
                index: planned.locatorIndex
            )
            let leaf = ExamLeaf(
                record: record.object.address,
                sealedBytes: UInt32(clamping: record.object.body.count),
                commitment: record.commitment,
                locatorDigest: locator.digest,
                supersedes: supersedes
            )
            return Manifest.Entry(leaf: leaf, locator: locator)
        }
    }

    private func prepare(
        _ number: UInt64,
        _ previous: Digest,
        root: Digest,
        _ manifest: ContentAddress,
        _ plan: BatchPlan,
        _ records: [Written],
        _ items: [Item],
        _ checks: BatchChecks,
        _ codes: ReviewedCodes,
        _ identity: IdentityFindings
    ) throws -> BatchAnchor {
        let anchor = BatchAnchor(
            institution: self.context.institution,
            number: number,
            previous: previous,
            count: UInt32(records.count),
            root: root,
            manifest: manifest
        )
        let transaction = self.desk.signed(BatchSequencer.call(anchor, kind: .exams))
        let exams = records.map { written in
            let (planned, record) = (written.planned, written.record)
            return NewExam(
                source: planned.named.source,
                content: planned.named.content,
                record: record.object.address,
                patientTag: planned.named.tag,
                kind: items[planned.item].exam.kind,
                itemCode: written.item?.code.code ?? items[planned.item].exam.code.primary?.code ?? "",
                examTime: items[planned.item].exam.time?.earliest,
                release: ExamRelease(of: items[planned.item].exam),
                supersedes: planned.replaces?.number
            )
        }
        try self.context.custody.prepare(
            BatchCommitment(
                number: number,
                root: root,
                manifest: manifest,
                transactionID: transaction.id.digest,
                transaction: transaction.bytes
            ),
            patients: plan.patientChanges,
            exams: exams,
            checks: checks,
            codes: codes,
            identity: identity
        )
        return anchor
    }
}

/// What one batch will hold, decided before anything is sealed.
struct BatchPlan: Sendable {
    struct Exam: Sendable {
        /// Index among the items.
        var item: Int
        fileprivate var named: ExamWriter.Named
        var locatorIndex: UInt64
        /// The newest stored version, if this is a new one.
        var replaces: StoredExam?
        /// The item of this batch that holds the version before this one.
        var replacesItem: Int?
    }

    private(set) var exams: [Exam] = []
    var outcomes: [ExamWriter.Outcome] = []
    /// Names that are published for others.
    private(set) var aliases: [(primary: PatientPseudonym, other: PatientPseudonym)] = []
    private var changes: [Digest: PatientChange] = [:]
    private var tags: [PatientPseudonym: Digest] = [:]
    private var changed: Set<Digest> = []
    /// Exams of this batch by source, newest last.
    private var newest: [Digest: [Int]] = [:]

    var patientChanges: [PatientChange] {
        self.changed.sorted().compactMap { self.changes[$0] }
    }

    mutating func know(_ pseudonym: PatientPseudonym, _ change: PatientChange) {
        self.tags[pseudonym] = change.tag
        self.changes[change.tag] = change
    }

    fileprivate mutating func add(_ item: Int, _ named: ExamWriter.Named, versions: [StoredExam]) {
        let here = self.newest[named.source] ?? []
        guard !versions.contains(where: { $0.content == named.content }),
            !here.contains(where: { self.exams[$0].named.content == named.content })
        else {
            self.outcomes.append(.duplicate)
            return
        }
        guard var change = self.changes[named.tag] else { preconditionFailure("every patient of a batch is known") }
        let exam = Exam(
            item: item,
            named: named,
            locatorIndex: change.nextLocator,
            replaces: here.isEmpty ? versions.last : nil,
            replacesItem: here.last.map { self.exams[$0].item }
        )
        change.nextLocator += 1
        self.changes[named.tag] = change
        self.changed.insert(named.tag)
        self.newest[named.source, default: []].append(self.exams.count)
        self.exams.append(exam)
        self.outcomes.append(.written(isNewVersion: exam.replaces != nil || exam.replacesItem != nil))
        for other in named.others { self.alias(other, to: named.pseudonym) }
    }

    /// Publishes `primary` under another name, once.
    private mutating func alias(_ other: PatientPseudonym, to primary: PatientPseudonym) {
        guard let tag = self.tags[other], var change = self.changes[tag], change.nextAlias == 0 else { return }
        self.aliases.append((primary, other))
        change.nextAlias = 1
        self.changes[tag] = change
        self.changed.insert(tag)
    }
}
