import Foundation
import LedgerStore
import Primitives
import Records
import TestSupport

/// Values that differ by number.
enum Fixture {
    static func digest(_ use: String, _ number: Int) -> Digest { Digest(hashing: Array("\(use)/\(number)".utf8)) }

    static func address(_ number: Int) -> ContentAddress { ContentAddress(Self.digest("record", number)) }

    static func institution(_ number: Int) -> InstitutionID {
        guard let id = InstitutionID("hospital-\(number)") else { preconditionFailure("the name is well formed") }
        return id
    }

    /// A chain of `count` blocks from genesis on, whose hashes and history roots fit each other.
    static func chain(count: Int) -> [StoredBlock] {
        var blocks: [StoredBlock] = []
        var history = MerkleFrontier()
        for height in 0..<UInt64(count) {
            let parent = blocks.last?.header
            let body = Array("body \(height)".utf8)
            let header = BlockHeader(
                suite: .international,
                chain: ChainID(Self.digest("chain", 0)),
                epoch: Epoch(0),
                view: View(height),
                height: Height(height),
                time: Timestamp(milliseconds: Int64(height)),
                proposer: 0,
                parentView: parent?.view ?? View(0),
                parentHash: parent?.hash ?? .zero,
                justificationHash: .zero,
                transactionCount: 0,
                transactionRoot: Digest(hashing: body),
                receiptRoot: .zero,
                stateRoot: .zero,
                historySize: height,
                historyRoot: history.root,
                validatorsHash: .zero,
                parametersHash: .zero
            )
            history.append(MerkleTree.leafHash(use: "blk/1", header.hash.bytes))
            blocks.append(
                StoredBlock(
                    header: header,
                    body: body,
                    justification: height.isMultiple(of: 2) ? [] : [1, 2, 3],
                    receipts: (0..<height % 3).map { [UInt8](repeating: 7, count: Int($0)) }
                )
            )
        }
        return blocks
    }

    /// A manifest whose entries are tagged by `pseudonym` from `firstIndex` on.
    static func manifest(
        institution: Int,
        batch: UInt64,
        count: Int,
        tag: (Int) -> LocatorTag = { LocatorTag(Fixture.digest("tag", $0)) },
        record: (Int) -> ContentAddress = Fixture.address,
        aliases: [LocatorTag] = []
    ) -> Manifest {
        Manifest(
            institution: Self.institution(institution),
            batch: batch,
            entries: (0..<count).map { index in
                let locator = Self.entry(tag(index), filler: UInt8(truncatingIfNeeded: index))
                let leaf = ExamLeaf(
                    record: record(index),
                    sealedBytes: UInt32(index),
                    commitment: Self.digest("commitment", index),
                    locatorDigest: locator.digest,
                    supersedes: index.isMultiple(of: 3) ? Self.address(-1) : nil
                )
                return Manifest.Entry(leaf: leaf, locator: locator)
            },
            aliases: aliases.map { Self.entry($0, filler: 0xaa) }
        )
    }

    static func entry(_ tag: LocatorTag, filler: UInt8) -> LocatorEntry {
        LocatorEntry(tag: tag, sealed: [UInt8](repeating: filler, count: LocatorEntry.sealedByteCount))
    }

    static func patient(_ number: Int, nextLocator: UInt64 = 0, nextAlias: UInt64 = 0) -> PatientChange {
        PatientChange(
            tag: Self.digest("patient", number),
            sealedPseudonym: Array("sealed \(number)".utf8),
            bucket: UInt8(truncatingIfNeeded: number),
            nextLocator: nextLocator,
            nextAlias: nextAlias
        )
    }

    static func exam(_ number: Int, patient: Int, supersedes: ExamNumber? = nil) -> NewExam {
        NewExam(
            source: Self.digest("source", number),
            content: Self.digest("content", number),
            record: Self.address(number),
            patientTag: Self.digest("patient", patient),
            kind: .laboratory,
            itemCode: "4537-7",
            examTime: number.isMultiple(of: 2) ? Timestamp(milliseconds: Int64(number)) : nil,
            supersedes: supersedes
        )
    }

    static func commitment(_ number: UInt64) -> BatchCommitment {
        BatchCommitment(
            number: number,
            root: Self.digest("root", Int(clamping: number)),
            manifest: ContentAddress(Self.digest("manifest", Int(clamping: number))),
            transactionID: Self.digest("transaction", Int(clamping: number)),
            transaction: Array("transaction \(number)".utf8)
        )
    }
}

extension TemporaryFolder {
    func path(_ name: String) -> String { self.file(name).path }
}

/// The code of the error that `body` throws.
func code(_ body: () throws(LedgerStoreError) -> Void) -> LedgerStoreError.Code? {
    do {
        try body()
        return nil
    } catch {
        return error.code
    }
}
