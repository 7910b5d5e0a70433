import Ledger
package import LedgerStore
import Logging
package import Primitives
package import Records
import Vault

/// What is to be committed next: a list that others will fetch, and the rows of the store that it holds.
package struct AnchoredList: Sendable {
    package var object: ObjectKind
    /// Canonical bytes of the manifest.
    package var body: [UInt8]
    package var root: Digest
    /// Rows of the custody store, in the order of the leaves.
    package var rows: [Int64]

    package init(object: ObjectKind, body: [UInt8], root: Digest, rows: [Int64]) {
        self.object = object
        self.body = body
        self.root = root
        self.rows = rows
    }
}

/// Where a ``BatchAnchorer`` finds what waits.
package protocol AnchorSource: Sendable {
    var kind: ManifestKind { get }

    /// What waits, as the list that batch `number` would have; `nil` if nothing does.
    func waiting(asBatch number: UInt64) throws -> AnchoredList?

    /// Makes a batch durable: all of it or nothing.
    func prepare(_ commitment: BatchCommitment, rows: [Int64]) throws
}

/// Commits what waits in the store to the chain in batches, so that others see it soon after it happened.
///
/// A list is in the vault before the batch is in the store, and the batch in the store before it is sent: a kill at any
/// moment leaves an unreferenced list at most.
package struct BatchAnchorer: Sendable {
    private let context: AgentContext
    private let desk: TransactionDesk
    private let sequencer: BatchSequencer
    private let source: any AnchorSource
    private let bell: Bell
    private let prepared: @Sendable () -> Void

    /// `bell`: rung when something waits.
    ///
    /// `prepared`: called when a batch waits to be submitted.
    package init(
        context: AgentContext,
        desk: TransactionDesk,
        source: any AnchorSource,
        bell: Bell,
        prepared: @escaping @Sendable () -> Void
    ) throws {
        self.context = context
        self.desk = desk
        self.sequencer = try BatchSequencer(kind: source.kind, context: context)
        self.source = source
        self.bell = bell
        self.prepared = prepared
    }

    /// Runs until cancelled.
    package func run() async {
        await Gathering(bell: self.bell, logger: self.context.logger, complaint: "a batch waits to be anchored")
            .run { try await self.anchorWaiting() }
    }

    private func anchorWaiting() async throws -> Bool {
        // Nothing but this task makes batches of this kind, so the number cannot be taken between here and `next`.
        guard let list = try self.source.waiting(asBatch: self.sequencer.nextNumber) else { return false }
        let object = try self.context.vault.makeObject(list.object, body: list.body)
        try await self.context.vault.append([object])
        _ = try self.sequencer.next { number, previous in
            let anchor = BatchAnchor(
                institution: self.context.institution,
                number: number,
                previous: previous,
                count: UInt32(list.rows.count),
                root: list.root,
                manifest: object.address
            )
            let transaction = self.desk.signed(BatchSequencer.call(anchor, kind: self.source.kind))
            try self.source.prepare(
                BatchCommitment(
                    number: number,
                    root: anchor.root,
                    manifest: anchor.manifest,
                    transactionID: transaction.id.digest,
                    transaction: transaction.bytes
                ),
                rows: list.rows
            )
            return anchor
        }
        self.prepared()
        return true
    }
}
