import Formats
package import LedgerStore
package import Primitives
import Records
import Synchronization

/// The consortium's catalogue and what this institution's codes stand for in it, in versions that never change.
///
/// Every change makes the next version and is durable before it is used; an exam is read by exactly one version.
package final class CodeBook: Sendable {
    /// A name for people, in the history of the map.
    package static let authorBytesMax = 128

    private struct Current {
        var catalogue: CodeMap?
        /// What was set here, in the order in which it was.
        var entries: [CodeMapEntry] = []
        var number: Int64 = 0
        var view: CodeView
    }

    private let custody: CustodyStore
    private let source: String
    private let current: Mutex<Current>
    /// One change at a time; readers do not wait for it.
    private let changing = Mutex(())

    /// Reads the versions that the home has.
    package init(custody: CustodyStore, institution: InstitutionID) throws {
        self.custody = custody
        self.source = institution.text
        var current = Current(view: CodeView(index: nil, digest: Digest(hashing: []), source: institution.text))
        let versions = try custody.codeVersions()
        for version in versions {
            switch version.kind {
            case .catalogue: current.catalogue = try Self.damaged { try CodeMap(canonicalBytes: version.bytes) }
            case .entry:
                current.entries.append(try Self.damaged { try CodeMapEntry(canonicalBytes: version.bytes) })
            }
            current.number = version.number
        }
        if let catalogue = current.catalogue, let last = versions.last {
            let map = try Self.damaged { try catalogue.overlaid(by: current.entries) }
            guard map.version == last.version, map.digest == last.digest else { throw Self.damage }
            current.view = CodeView(index: CodeMapIndex(map), digest: last.digest, source: institution.text)
        }
        self.current = Mutex(current)
    }

    private static var damage: AgentFailure {
        AgentFailure(
            .storeDamaged,
            "the stored code map is not the one that was made",
            hint: "Restore custody.sqlite from a backup."
        )
    }

    private static func damaged<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw self.damage }
    }

    /// The version in force.
    var view: CodeView { self.current.withLock { $0.view } }

    // MARK: Changing

    /// Makes the consortium's next catalogue the one in force; entries that were set here stay over it.
    ///
    /// Loading the catalogue that is in force changes nothing.
    func load(_ catalogue: CodeMap, author: String, now: Timestamp) throws -> CodeView {
        try self.change { current in
            if let known = current.catalogue {
                if known.version == catalogue.version {
                    guard known == catalogue else {
                        throw AgentFailure(
                            .mappingVersion,
                            "this version is loaded already, with other content",
                            hint: "A version never changes: give the catalogue a new one."
                        )
                    }
                    return nil
                }
                guard Self.isBefore(known.effective, catalogue.effective) else {
                    throw AgentFailure(
                        .mappingVersion,
                        "the catalogue in force is newer",
                        hint: "A catalogue's effective date may not be before that of the one it replaces."
                    )
                }
            }
            var next = current
            next.catalogue = catalogue
            return (next, .catalogue, catalogue.canonicalBytes, author, now)
        }
    }

    /// Says what a local code of this institution stands for, from now on.
    func set(_ entry: CodeMapEntry, author: String, now: Timestamp) throws -> CodeView {
        try self.change { current in
            guard current.catalogue != nil else { throw Self.noCatalogue }
            var next = current
            next.entries.append(entry)
            return (next, .entry, entry.canonicalBytes, author, now)
        }
    }

    static var noCatalogue: AgentFailure {
        AgentFailure(
            .mappingNoCatalogue,
            "no catalogue is loaded",
            hint: "Load the consortium's catalogue: entente mapping catalogue FILE."
        )
    }

    private static func isBefore(_ left: GregorianDate, _ right: GregorianDate) -> Bool {
        left.daysSinceEpoch <= right.daysSinceEpoch
    }

    private typealias Change = (next: Current, kind: CodeVersion.Kind, bytes: [UInt8], author: String, now: Timestamp)

    private func change(_ body: (Current) throws -> Change?) throws -> CodeView {
        try self.changing.withLock { _ in
            let current = self.current.withLock { $0 }
            guard var change = try body(current), let catalogue = change.next.catalogue else { return current.view }
            guard !change.author.isEmpty, change.author.utf8.count <= Self.authorBytesMax else {
                throw AgentFailure(.badRequest, "an author has 1 to \(Self.authorBytesMax) bytes")
            }
            let map: CodeMap
            do throws(CodeMapFault) {
                map = try catalogue.overlaid(by: change.next.entries)
            } catch {
                throw AgentFailure(.mappingRefused, "\(error.refusal.message) (\(error.refusal.code))")
            }
            let digest = map.digest
            change.next.number += 1
            change.next.view = CodeView(index: CodeMapIndex(map), digest: digest, source: self.source)
            try self.custody.append(
                CodeVersion(
                    number: change.next.number,
                    version: map.version,
                    digest: digest,
                    author: change.author,
                    time: change.now,
                    kind: change.kind,
                    bytes: change.bytes
                )
            )
            self.current.withLock { $0 = change.next }
            return change.next.view
        }
    }

    // MARK: Reading

    /// The codes that the version in force does not settle, the most frequent first.
    ///
    /// Codes that have been mapped since are no longer among them.
    func open() throws -> (codes: [(code: ReviewedCode, count: Int64)], others: Int64) {
        let (codes, others) = try self.custody.reviewedCodes()
        guard let index = self.view.index else { return (codes, others) }
        let open = codes.filter { row in
            let question = ExamCodes.Question(
                system: row.code.system,
                code: row.code.code,
                specimen: row.code.specimen,
                unit: row.code.unit.map { ExamCodes.Question.Unit(text: $0, isDeclared: false) }
            )
            guard case .item(_, _, false) = index.answer(question, source: row.code.source) else { return true }
            return false
        }
        return (open, others)
    }

    /// Whether an exam is what one of `items` names: by the code it is listed under, by the catalogue's code for that, or by its
    /// institution's own code for it.
    func isListed(_ summary: LocatorSummary, of institution: InstitutionID, under items: [String]) -> Bool {
        if items.contains(summary.itemCode) { return true }
        guard !summary.itemCode.isEmpty, let index = self.view.index else { return false }
        func item(_ system: String?, _ code: String) -> CatalogueCode? {
            index.lookup(LocalCode(source: institution.text, system: system, code: code)).item?.code
        }
        let system = summary.itemSystem.isEmpty ? nil : summary.itemSystem
        if let listed = item(system, summary.itemCode), items.contains(listed.code) { return true }
        return items.contains { item(nil, $0)?.code == summary.itemCode }
    }

    func history() throws -> [CodeVersion] { try self.custody.codeVersions() }

    /// Adds what the version in force says about codes that a record's own note does not settle.
    ///
    /// - Returns: Whether it added anything.
    func help(_ parsed: inout ParsedExam, source: InstitutionID) -> Bool {
        // What the note says, and the catalogue's codes that it added, are settled.
        let noted = parsed.codes?.lines ?? []
        let known = Set(noted.flatMap { [[$0.system ?? "", $0.code], [$0.item.code.system, $0.item.code.code]] })
        let view = self.view
        let lines = view.lines(for: parsed.exam, source: source.text).filter {
            !known.contains([$0.system ?? "", $0.code])
        }
        guard !lines.isEmpty else { return false }
        CodeNote(version: view.version, digest: view.digest, lines: lines).apply(to: &parsed.exam)
        return true
    }
}
