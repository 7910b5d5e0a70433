import AgentAPI
import Formats
import Foundation
import Ledger
import LedgerStore
import Primitives
import Records
import SwiftProtobuf

/// Domain values as the local API carries them.
enum ExamMessages {
    static func found(_ found: Finder.Found, _ state: LedgerState) -> Entente_Api_V1_FoundExam {
        let summary = found.summary
        return .with { exam in
            exam.record = Data(summary.record.digest.bytes)
            exam.institution = found.row.institution.text
            exam.institutionName = state.institution(found.row.institution)?.card.name ?? ""
            exam.kind = summary.kind.rawValue
            exam.itemSystem = summary.itemSystem
            exam.item = summary.itemCode
            exam.display = summary.display
            exam.bodySite = summary.bodySite
            exam.examTime = summary.examTime?.milliseconds ?? 0
            exam.reportTime = summary.reportTime?.milliseconds ?? 0
            exam.status = summary.status.rawValue
            exam.access = found.isErased ? "erased" : found.access.name
            exam.images = summary.imageCount
            exam.recordBytes = summary.recordBytes
            exam.superseded = found.isSuperseded
            exam.identity = found.identity.name
            exam.links = found.steps.map { Data($0.id.digest.bytes) }
            exam.linkKind = found.steps.last?.kind.name ?? ""
            if let supersedes = summary.supersedes { exam.supersedes = Data(supersedes.digest.bytes) }
        }
    }

    static func fetched(_ opened: Fetcher.Opened, wantsOriginal: Bool) -> Entente_Api_V1_FetchReply {
        .with { reply in
            reply.record = Data(opened.location.row.leaf.record.digest.bytes)
            reply.exam = ExamRendering.exam(opened.exam, hiding: opened.hidden)
            reply.exam.readerCodesVersion = opened.readerCodes
            reply.hidden = opened.hidden.sorted()
            reply.proof = Self.proof(opened)
            reply.receipt = Data(opened.receipt.canonicalBytes)
            reply.originalFormat = opened.content.format.name
            if wantsOriginal {
                // What the importing agent noted is no part of the source's bytes.
                let parts = opened.content.parts.filter { $0.type != CodeNote.partType }
                reply.original = parts.map { part in
                    .with {
                        $0.type = part.type
                        $0.content = Data(part.bytes)
                    }
                }
            }
            if let evidence = opened.evidence { reply.evidence = Data(evidence) }
        }
    }

    private static func proof(_ opened: Fetcher.Opened) -> Entente_Api_V1_Proof {
        let custodian = opened.location.row.institution
        return .with { proof in
            proof.custodian = custodian.text
            proof.custodianName = opened.tip.state.institution(custodian)?.card.name ?? ""
            proof.batch = opened.location.row.batch
            proof.height = opened.batch.height.value
            proof.time = opened.batch.time.milliseconds
            proof.checkedHeight = opened.tip.height.value
            proof.checkedTime = opened.tip.block.header.time.milliseconds
            if let terms = opened.terms {
                proof.grant = Data(terms.id.digest.bytes)
                proof.grantNotAfter = terms.state.grant.notAfter.milliseconds
                proof.steps.append("grant in force")
            }
            proof.steps += [
                "bytes match their address", "content matches its commitment", "commitment is in the batch",
                "batch is final on the chain", "reading recorded",
            ]
        }
    }

    static func read(_ reading: AccessLog.Reading) -> Entente_Api_V1_Read {
        let receipt = reading.receipt
        return .with { read in
            read.record = Data(receipt.request.record.digest.bytes)
            read.institution = receipt.institution.text
            read.clinician = receipt.credential.clinician
            read.clinicianName = receipt.credential.name
            read.department = receipt.credential.department
            read.purpose = receipt.request.purpose.code
            read.time = receipt.time.milliseconds
            if let grant = receipt.grant { read.grant = Data(grant.digest.bytes) }
            read.checkedHeight = receipt.height.value
            read.custodian = receipt.custodian.text
            read.anchored = reading.isAnchored
        }
    }

    // MARK: Imports

    static func event(_ event: ImportSession.Event) -> Entente_Api_V1_ImportEvent {
        .with { message in
            switch event {
            case .progress(let progress):
                message.progress = .with {
                    $0.bytesRead = UInt64(clamping: progress.bytesRead)
                    $0.bytesTotal = UInt64(clamping: progress.bytesTotal)
                    $0.exams = progress.exams
                    $0.committed = progress.committed
                    $0.quarantined = progress.quarantined
                    $0.elapsedMilliseconds = progress.elapsedMilliseconds
                    $0.waitingMilliseconds = progress.waitingMilliseconds
                }
            case .rejection(let rejection):
                message.rejection = .with {
                    $0.file = rejection.file
                    $0.position = rejection.position
                    $0.code = rejection.code
                    $0.message = rejection.message
                    $0.quarantineID = rejection.quarantine.map { String($0) } ?? ""
                }
            }
        }
    }

    static func summary(_ summary: ImportSession.Summary) -> Entente_Api_V1_ImportEvent {
        .with { message in
            message.summary = .with { reply in
                reply.read = summary.read
                reply.committed = summary.committed
                reply.duplicates = summary.duplicates
                reply.newVersions = summary.newVersions
                reply.quarantined = summary.quarantined
                reply.skipped = summary.skipped
                reply.rejections = summary.rejections
                reply.elapsedMilliseconds = summary.elapsedMilliseconds
                reply.batches = summary.batches.map { batch in
                    .with {
                        $0.number = batch.number
                        $0.root = Data(batch.root.bytes)
                        $0.count = batch.count
                        $0.height = batch.height.value
                    }
                }
            }
        }
    }
}
