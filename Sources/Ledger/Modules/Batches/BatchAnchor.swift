package import Primitives

/// One batch that an institution commits to: so many leaves under one Merkle root, and where the list of them is found.
///
/// Batches of one institution are numbered from 0 without a gap and each names the one before.
package struct BatchAnchor: Hashable, Sendable {
    package var institution: InstitutionID
    package var number: UInt64
    /// ``digest`` of the batch before; zero for batch 0.
    package var previous: Digest
    package var count: UInt32
    package var root: Digest
    /// Address of the sealed object with the batch's list.
    package var manifest: ContentAddress

    package init(
        institution: InstitutionID,
        number: UInt64,
        previous: Digest,
        count: UInt32,
        root: Digest,
        manifest: ContentAddress
    ) {
        self.institution = institution
        self.number = number
        self.previous = previous
        self.count = count
        self.root = root
        self.manifest = manifest
    }

    /// `H("entente/batch/1\0" ‖ anchor)`: what the next batch names.
    package var digest: Digest { Digest(hashing: Array("entente/batch/1\0".utf8) + self.canonicalBytes) }
}

extension BatchAnchor: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.institution)
        encoder.encode(self.number)
        encoder.encode(self.previous)
        encoder.encode(self.count)
        encoder.encode(self.root)
        encoder.encode(self.manifest)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.institution = try decoder.decode()
        self.number = try decoder.decode()
        self.previous = try decoder.decode()
        self.count = try decoder.decode()
        self.root = try decoder.decode()
        self.manifest = try decoder.decode()
    }
}

/// A batch as it stands in the state, and when it came there.
package struct BatchState: Hashable, Sendable, CanonicalCodable {
    package var anchor: BatchAnchor
    package var transaction: TransactionID
    package var height: Height
    package var time: Timestamp

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.anchor)
        encoder.encode(self.transaction)
        encoder.encode(self.height)
        encoder.encode(self.time)
    }

    package init(anchor: BatchAnchor, transaction: TransactionID, height: Height, time: Timestamp) {
        self.anchor = anchor
        self.transaction = transaction
        self.height = height
        self.time = time
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.anchor = try decoder.decode()
        self.transaction = try decoder.decode()
        self.height = try decoder.decode()
        self.time = try decoder.decode()
    }
}

/// What an institution's next batch must be.
package struct BatchHead: Hashable, Sendable, CanonicalCodable {
    package static let start = BatchHead(next: 0, previous: .zero)

    package var next: UInt64
    package var previous: Digest

    package init(next: UInt64, previous: Digest) {
        self.next = next
        self.previous = previous
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.next)
        encoder.encode(self.previous)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.next = try decoder.decode()
        self.previous = try decoder.decode()
    }
}

/// The rules that both kinds of batches share; the kinds differ in their limit, their codes and their place.
struct BatchRules {
    let module: ModuleID
    let countMax: UInt32
    let wrongSigner: TransactionCode
    let unknownInstitution: TransactionCode
    let wrongNumber: TransactionCode
    let wrongPrevious: TransactionCode
    let badCount: TransactionCode

    func headKey(_ institution: InstitutionID) -> StateKey { StateKey(self.module, tag: 1, institution) }

    func batchKey(_ institution: InstitutionID, _ number: UInt64) -> StateKey {
        StateKey(self.module, tag: 2) { encoder in
            encoder.encode(institution)
            encoder.encode(number)
        }
    }

    func append(_ anchor: BatchAnchor, in context: inout ExecutionContext) throws(TransactionRefusal) {
        try context.require(signers: [.institution(anchor.institution)], else: self.wrongSigner)
        guard try context.exists(.institution(anchor.institution)) else {
            throw TransactionRefusal(self.unknownInstitution)
        }
        guard (1...self.countMax).contains(anchor.count) else { throw TransactionRefusal(self.badCount) }
        let head = try context.value(BatchHead.self, at: self.headKey(anchor.institution)) ?? .start
        guard anchor.number == head.next else {
            throw TransactionRefusal(self.wrongNumber, detail: String(head.next))
        }
        guard anchor.previous == head.previous else { throw TransactionRefusal(self.wrongPrevious) }
        let (next, overflow) = head.next.addingReportingOverflow(1)
        guard !overflow else { throw TransactionRefusal(self.wrongNumber) }
        try context.write(BatchHead(next: next, previous: anchor.digest), at: self.headKey(anchor.institution))
        let state = BatchState(
            anchor: anchor,
            transaction: context.transaction,
            height: context.height,
            time: context.time
        )
        try context.write(state, at: self.batchKey(anchor.institution, anchor.number))
    }
}
