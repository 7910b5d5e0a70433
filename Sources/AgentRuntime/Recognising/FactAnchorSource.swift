package import LedgerStore
import Primitives
import Records

/// The facts of recognition that no batch commits yet, in the order in which they happened.
package struct FactAnchorSource: AnchorSource {
    package let kind = ManifestKind.facts
    private let context: AgentContext

    package init(context: AgentContext) { self.context = context }

    package func waiting(asBatch number: UInt64) throws -> AnchoredList? {
        let waiting = try self.context.custody.waitingFacts(limit: FactManifest.entriesMax)
        guard !waiting.isEmpty else { return nil }
        let manifest = FactManifest(
            institution: self.context.institution,
            batch: number,
            entries: waiting.map(\.entry)
        )
        return AnchoredList(
            object: .factManifest,
            body: manifest.canonicalBytes,
            root: manifest.root,
            rows: waiting.map(\.number)
        )
    }

    package func prepare(_ commitment: BatchCommitment, rows: [Int64]) throws {
        try self.context.custody.prepare(commitment, facts: rows)
    }
}
