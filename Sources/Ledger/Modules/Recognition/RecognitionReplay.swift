package import Primitives
package import Records

/// Builds a book from what any verifier has: the blocks in their order, and the manifests that they name.
package struct RecognitionReplay: Sendable {
    /// A manifest that the chain names and that cannot be used.
    package enum Gap: Hashable, Sendable {
        /// Nobody has given it.
        case missing(ContentAddress)
        /// It is not the list to which the anchor commits: everybody else's book leaves it out too.
        case wrong(ContentAddress)
    }

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
        precondition(receipts.count == body.transactions.count, "a block has a receipt for each transaction")
        for (index, transaction) in body.transactions.enumerated() where receipts[index].code == .ok {
            let place = (height: header.height, transaction: UInt32(index), time: header.time)
            switch try? LedgerCall(of: transaction.body) {
            case .commitments(.commitExams(let anchor)):
                guard let object = self.object(anchor, .manifest, manifest) else { continue }
                guard let list = try? Manifest(canonicalBytes: object.body), list.institution == anchor.institution,
                    list.batch == anchor.number, list.entries.count == Int(anchor.count), list.root == anchor.root
                else {
                    self.gaps.append(.wrong(anchor.manifest))
                    continue
                }
                self.book.commit(
                    list.entries.map(\.leaf),
                    by: anchor.institution,
                    at: place.height,
                    transaction: place.transaction,
                    time: place.time
                )
            case .recognition(.anchorFacts(let anchor)):
                guard let object = self.object(anchor, .factManifest, manifest) else { continue }
                guard let list = try? FactManifest(canonicalBytes: object.body), list.isBound(by: anchor) else {
                    self.gaps.append(.wrong(anchor.manifest))
                    continue
                }
                _ = self.book.record(
                    list.entries.map(\.fact),
                    by: anchor.institution,
                    at: place.height,
                    transaction: place.transaction,
                    time: place.time
                )
            default: continue
            }
        }
    }

    private mutating func object(
        _ anchor: BatchAnchor,
        _ kind: ObjectKind,
        _ manifest: (ContentAddress) -> SealedObject?
    ) -> SealedObject? {
        guard let object = manifest(anchor.manifest) else {
            self.gaps.append(.missing(anchor.manifest))
            return nil
        }
        guard object.address == anchor.manifest, object.header.kind == kind,
            object.header.origin == anchor.institution
        else {
            self.gaps.append(.wrong(anchor.manifest))
            return nil
        }
        return object
    }
}

extension FactManifest {
    /// Whether this is the list to which `anchor` commits.
    package func isBound(by anchor: BatchAnchor) -> Bool {
        self.institution == anchor.institution && self.batch == anchor.number
            && self.entries.count == Int(anchor.count) && self.root == anchor.root
    }
}
