package import Primitives
package import Records

/// A batch of exams or of facts, where the chain has it.
package struct PlacedBatch: Hashable, Sendable {
    /// What a batch lists.
    package enum Content: Hashable, Sendable {
        case exams
        case facts

        var object: ObjectKind {
            switch self {
            case .exams: .manifest
            case .facts: .factManifest
            }
        }
    }

    /// Why the manifest of a batch cannot be used.
    package enum Gap: Hashable, Sendable {
        /// Nobody has given it.
        case missing(ContentAddress)
        /// It is not the list to which the anchor commits: everybody else's book leaves it out too.
        case wrong(ContentAddress)
    }

    package var content: Content
    package var anchor: BatchAnchor
    package var height: Height
    /// Index of the transaction in its block.
    package var transaction: UInt32
    /// Time of the block.
    package var time: Timestamp

    /// The batches of a block, in the order of its transactions.
    package static func batches(
        header: BlockHeader,
        body: BlockBody,
        receipts: [TransactionReceipt]
    ) -> [PlacedBatch] {
        precondition(receipts.count == body.transactions.count, "a block has a receipt for each transaction")
        return body.transactions.enumerated().compactMap { index, transaction in
            guard receipts[index].code == .ok else { return nil }
            let (content, anchor): (Content, BatchAnchor)
            switch try? LedgerCall(of: transaction.body) {
            case .commitments(.commitExams(let batch)): (content, anchor) = (.exams, batch)
            case .recognition(.anchorFacts(let batch)): (content, anchor) = (.facts, batch)
            default: return nil
            }
            return PlacedBatch(
                content: content,
                anchor: anchor,
                height: header.height,
                transaction: UInt32(index),
                time: header.time
            )
        }
    }
}

extension RecognitionBook {
    /// What a batch did to the book: what became of each of its facts, or why there are none.
    package enum Taking: Hashable, Sendable {
        case taken([FactOutcome])
        case gap(PlacedBatch.Gap)
    }

    /// Takes the next batch of the chain; `object` is what somebody gave for the manifest's address.
    ///
    /// Of a gap nothing is taken.
    @discardableResult
    package mutating func take(_ batch: PlacedBatch, _ object: SealedObject?) -> Taking {
        let anchor = batch.anchor
        guard let object else { return .gap(.missing(anchor.manifest)) }
        guard object.address == anchor.manifest, object.header.kind == batch.content.object,
            object.header.origin == anchor.institution
        else { return .gap(.wrong(anchor.manifest)) }
        switch batch.content {
        case .exams:
            guard let list = try? Manifest(canonicalBytes: object.body), list.institution == anchor.institution,
                list.batch == anchor.number, list.entries.count == Int(anchor.count), list.root == anchor.root
            else { return .gap(.wrong(anchor.manifest)) }
            self.commit(
                list.entries.map(\.leaf),
                by: anchor.institution,
                at: batch.height,
                transaction: batch.transaction,
                time: batch.time
            )
            return .taken([])
        case .facts:
            guard let list = try? FactManifest(canonicalBytes: object.body), list.isBound(by: anchor) else {
                return .gap(.wrong(anchor.manifest))
            }
            return .taken(
                self.record(
                    list.entries.map(\.fact),
                    by: anchor.institution,
                    at: batch.height,
                    transaction: batch.transaction,
                    time: batch.time
                )
            )
        }
    }
}

/// Builds a book from what any verifier has: the blocks in their order, and the manifests that they name.
package struct RecognitionReplay: Sendable {
    package typealias Gap = PlacedBatch.Gap

    package private(set) var book: RecognitionBook
    /// What the book lacks; figures over it are complete only where this holds no missing manifest.
    package private(set) var gaps: [Gap] = []

    package init(policies: PolicyTimeline) { self.book = RecognitionBook(policies: policies) }

    /// Takes the next block; `manifest` gives the object at an address, whose body is checked against the chain.
    package mutating func apply(
        header: BlockHeader,
        body: BlockBody,
        receipts: [TransactionReceipt],
        manifest: (ContentAddress) -> SealedObject?
    ) {
        for batch in PlacedBatch.batches(header: header, body: body, receipts: receipts) {
            if case .gap(let gap) = self.book.take(batch, manifest(batch.anchor.manifest)) { self.gaps.append(gap) }
        }
    }
}

extension FactManifest {
    /// Whether this is the list to which `anchor` commits.
    package func isBound(by anchor: BatchAnchor) -> Bool {
        self.institution == anchor.institution && self.batch == anchor.number
            && self.entries.count == Int(anchor.count) && self.root == anchor.root
    }
}
