import ImportPipeline
import Ledger
import LedgerStore
import Primitives
import Records
import Vault

/// Checks the exams of a batch one by one, against each other, and against all that were imported before.
///
/// It only reads: what it found is stored together with the batch, so that an exam cannot be there without it.
struct CrossChecker: Sendable {
    /// Under one name an exam is compared with so many others, the newest.
    ///
    /// More than this share a specimen or a number only by mistake, and each comparison opens a sealed trace.
    static let comparedMax = 64

    private static let traceUse = "trace"

    /// An exam of the batch.
    struct Subject: Sendable {
        var item: ExamWriter.Item
        /// ``StoredExam/source``.
        var source: Digest
        /// ``Patient/tag``.
        var patientTag: Digest
        var record: ContentAddress
        /// The newest stored version, if this is another of the same exam.
        var replaces: ExamNumber?
    }

    private let context: AgentContext

    init(context: AgentContext) { self.context = context }

    /// What to keep of the exams of batch `number`, and what is wrong about them.
    ///
    /// All batches before it must be stored.
    func check(_ subjects: [Subject], batch number: UInt64, now: Timestamp) throws -> BatchChecks {
        let examined = Cores.map(subjects) { self.examine($0, now) }
        var earlier = try self.earlier(
            tags: examined.flatMap(\.tags),
            replaced: subjects.compactMap(\.replaces)
        )
        var result = BatchChecks()
        var shared: [AnomalyKind: Found] = [:]
        for (subject, exam) in zip(subjects, examined) {
            var found = exam.findings.reduce(into: [:]) { $0[$1.kind] = Found(subject.record, $1.facts) }
            for trace in exam.traces {
                self.compare(trace, of: subject, with: earlier[trace.tag] ?? [], into: &found)
                earlier[trace.tag, default: []].insert(Left(trace.trace.statement, subject), at: 0)
                if let count = earlier[trace.tag]?.count, count > Self.comparedMax { earlier[trace.tag]?.removeLast() }
            }
            result.traces.append(NewTraces(tags: exam.tags, sealed: exam.sealed))
            for kind in AnomalyKind.allCases {
                guard let found = found[kind] else { continue }
                if kind.isShared {
                    shared[kind, default: Found([.init(.batch, String(number))])].add(subject.record)
                } else {
                    result.anomalies.append(self.anomaly(kind, found, now))
                }
            }
        }
        for kind in AnomalyKind.allCases {
            if let found = shared[kind] { result.anomalies.append(self.anomaly(kind, found, now)) }
        }
        return result
    }

    /// Opens the detail of an own anomaly.
    func detail(_ stored: StoredAnomaly) throws -> AnomalyDetail {
        let bytes = try self.context.vault.unprotect(stored.sealed, label: AnomalyMaker.detailUse)
        let salt = Array(bytes.prefix(AnomalyDetail.saltBytes))
        let detail = try AnomalyDetail(canonicalBytes: Array(bytes.dropFirst(AnomalyDetail.saltBytes)))
        guard salt.count == AnomalyDetail.saltBytes, detail.commitment(salt: salt) == stored.anomaly.commitment else {
            throw AgentFailure(.storeDamaged, "the detail of an anomaly is not what the chain binds")
        }
        return detail
    }

    // MARK: One exam

    private struct Examined: Sendable {
        var findings: [ExamChecks.Finding]
        var traces: [Trace]
        var sealed: [UInt8]

        /// Of the names under which other exams may meet it; its own versions meet it by themselves.
        var tags: [Digest] { self.traces.filter { $0.trace.use != .exam }.map(\.tag) }
    }

    private struct Trace: Sendable {
        var trace: ExamTrace
        var tag: Digest
    }

    private func examine(_ subject: Subject, _ now: Timestamp) -> Examined {
        let item = subject.item
        let circumstances = ExamChecks.Circumstances(
            now: now,
            birthDate: item.patient.birthDate,
            format: item.content.format
        )
        let traces = ExamTrace.traces(of: item.exam).map { Trace(trace: $0, tag: self.tag(of: $0, subject)) }
        var encoder = CanonicalEncoder()
        encoder.encode(traces.map { Kept(tag: $0.tag, statement: $0.trace.statement) })
        return Examined(
            findings: ExamChecks.findings(item.exam, circumstances),
            traces: traces,
            sealed: self.context.vault.protect(encoder.bytes, label: Self.traceUse)
        )
    }

    private func tag(of trace: ExamTrace, _ subject: Subject) -> Digest {
        // Keyed already, and by the patient too.
        if trace.use == .exam { return subject.source }
        var name = CanonicalEncoder()
        name.encode("trace")
        name.encode(trace.use)
        name.encode(trace.isOfPatient ? subject.patientTag : nil)
        name.encode(trace.system)
        name.encode(trace.value)
        return self.context.vault.localTag(name.bytes)
    }

    /// A trace as it is sealed in the store.
    private struct Kept: CanonicalCodable {
        static let countMax = 2 * ExamTrace.namesMax + ExamTrace.instancesMax + 1

        var tag: Digest
        var statement: ExamTrace.Statement

        init(tag: Digest, statement: ExamTrace.Statement) {
            self.tag = tag
            self.statement = statement
        }

        func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.tag)
            encoder.encode(self.statement)
        }

        init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.tag = try decoder.decode()
            self.statement = try decoder.decode()
        }
    }

    /// What stored exams left, by tag, the newest first.
    private func earlier(tags: [Digest], replaced: [ExamNumber]) throws -> [Digest: [Left]] {
        var earlier: [Digest: [Left]] = [:]
        let custody = self.context.custody
        for stored in try custody.traces(tags: tags, exams: replaced, limit: Self.comparedMax) {
            let bytes = try self.context.vault.unprotect(stored.sealed, label: Self.traceUse)
            var decoder = CanonicalDecoder(bytes)
            for kept in try decoder.decodeArray(of: Kept.self, max: Kept.countMax) {
                earlier[kept.tag, default: []].append(
                    Left(
                        statement: kept.statement,
                        source: stored.source,
                        patientTag: stored.patientTag,
                        record: stored.record
                    )
                )
            }
        }
        return earlier
    }

    // MARK: Several exams

    /// What an earlier exam left under a name.
    private struct Left: Sendable {
        var statement: ExamTrace.Statement
        var source: Digest
        var patientTag: Digest
        var record: ContentAddress

        init(statement: ExamTrace.Statement, source: Digest, patientTag: Digest, record: ContentAddress) {
            self.statement = statement
            self.source = source
            self.patientTag = patientTag
            self.record = record
        }

        init(_ statement: ExamTrace.Statement, _ subject: Subject) {
            self.init(
                statement: statement,
                source: subject.source,
                patientTag: subject.patientTag,
                record: subject.record
            )
        }
    }

    /// What is wrong about an exam in one way: the exams concerned, and why.
    private struct Found {
        var facts: [AnomalyDetail.Fact]
        private(set) var records: [ContentAddress] = []
        private(set) var count: UInt32 = 0

        init(_ facts: [AnomalyDetail.Fact]) { self.facts = facts }

        init(_ record: ContentAddress, _ facts: [AnomalyDetail.Fact]) {
            self.facts = facts
            self.add(record)
        }

        mutating func add(_ record: ContentAddress) {
            guard !self.records.contains(record) else { return }
            self.count += 1
            if self.records.count < Anomaly.recordsMax { self.records.append(record) }
        }
    }

    /// `earlier`: newest first.
    private func compare(
        _ trace: Trace,
        of subject: Subject,
        with earlier: [Left],
        into found: inout [AnomalyKind: Found]
    ) {
        // Of each exam its newest version counts: older ones were replaced.
        var seen: Set<Digest> = []
        for left in earlier where seen.insert(left.source).inserted {
            let relation = ExamTrace.Relation(
                isSameExam: left.source == subject.source,
                isSamePatient: left.patientTag == subject.patientTag
            )
            guard let finding = trace.trace.conflict(with: left.statement, relation) else { continue }
            if let first = found[finding.kind] {
                for fact in finding.facts where !first.facts.contains(fact) { found[finding.kind]?.facts.append(fact) }
            } else {
                found[finding.kind] = Found(subject.record, finding.facts)
            }
            found[finding.kind]?.add(left.record)
        }
    }

    private func anomaly(_ kind: AnomalyKind, _ found: Found, _ now: Timestamp) -> NewAnomaly {
        AnomalyMaker(vault: self.context.vault).anomaly(
            kind,
            count: found.count,
            records: found.records,
            found.facts,
            now: now
        )
    }
}
