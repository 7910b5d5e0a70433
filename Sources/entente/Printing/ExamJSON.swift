import AgentAPI
import Foundation

/// A fetched exam as a JSON object.
enum ExamJSON {
    static func object(_ reply: Entente_Api_V1_FetchReply) -> [String: Any] {
        let proof = reply.proof
        var proofObject: [String: Any] = [
            "custodian": proof.custodian, "batch": proof.batch, "height": proof.height,
            "time": Times.format(proof.time), "checkedHeight": proof.checkedHeight,
            "checkedTime": Times.format(proof.checkedTime), "steps": proof.steps,
        ]
        if !proof.grant.isEmpty { proofObject["grant"] = proof.grant.hex }
        return [
            "record": reply.record.hex,
            "exam": self.exam(reply.exam),
            "receipt": reply.receipt.base64EncodedString(),
            "proof": proofObject,
            "hidden": reply.hidden,
        ]
    }

    private static func exam(_ exam: Entente_Api_V1_Exam) -> [String: Any] {
        [
            "kind": exam.kind, "status": exam.status, "code": self.concept(exam.code),
            "patient": [
                "name": exam.patient.name, "identifier": exam.patient.identifier, "sex": exam.patient.sex,
                "birthDate": exam.patient.birthDate,
            ],
            "effective": exam.effectiveText, "issued": exam.issuedText, "performers": exam.performers,
            "specimens": exam.specimens, "conclusion": exam.conclusion, "identifiers": exam.identifiers,
            "presentedForms": exam.presentedForms, "origin": exam.origin, "devices": exam.devices,
            "codes": [
                "version": exam.codesVersion, "digest": exam.codesDigest.hex, "readerVersion": exam.readerCodesVersion,
            ],
            "items": exam.items.map(self.item),
            "imaging": exam.imaging.map(self.imaging),
        ]
    }

    private static func item(_ item: Entente_Api_V1_Item) -> [String: Any] {
        [
            "code": self.concept(item.code), "level": Int(item.level), "value": item.value, "unit": item.unit,
            "range": item.range, "flags": item.flags, "status": item.status, "effective": item.effectiveText,
            "absentReason": item.absentReason, "notes": item.notes, "canonicalValue": item.canonicalValue,
            "canonicalUnit": item.canonicalUnit,
        ]
    }

    private static func imaging(_ study: Entente_Api_V1_Imaging) -> [String: Any] {
        [
            "studyUID": study.studyUid, "started": study.startedText, "modalities": study.modalities,
            "description": study.description_p, "series": Int(study.seriesCount), "images": Int(study.instanceCount),
            "seriesList": study.series.map { series in
                [
                    "uid": series.uid, "modality": series.modality, "description": series.description_p,
                    "bodySite": series.bodySite, "images": Int(series.instanceCount),
                ] as [String: Any]
            },
        ]
    }

    private static func concept(_ concept: Entente_Api_V1_Concept) -> [String: Any] {
        [
            "text": concept.text,
            "codings": concept.codings.map { ["system": $0.system, "code": $0.code, "display": $0.display] },
        ]
    }
}

/// The source's own bytes as a file that the source's own programs read.
enum OriginalFile {
    static func write(_ reply: Entente_Api_V1_FetchReply, to path: String) throws {
        let parts = reply.original
        switch reply.originalFormat {
        case "hl7v2": try PrivateFile.write(parts.reduce(into: Data()) { $0 += $1.content }, to: path)
        case "csv":
            // The header stands first in a table, and what the mapping says is no part of it.
            let rows = parts.filter { $0.type == "header" } + parts.filter { $0.type.hasPrefix("row") }
            try PrivateFile.write(self.lines(rows), to: path)
        case "dicom" where parts.count > 1:
            let folder = URL(fileURLWithPath: path)
            try FileManager.default.createDirectory(
                at: folder,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700]
            )
            for (index, part) in parts.enumerated() {
                try PrivateFile.write(part.content, to: folder.appending(path: "\(index + 1).dcm").path)
            }
        default: try PrivateFile.write(parts.count == 1 ? parts[0].content : self.lines(parts), to: path)
        }
    }

    private static func lines(_ parts: [Entente_Api_V1_OriginalPart]) -> Data {
        parts.reduce(into: Data()) { $0 += $1.content + [UInt8(ascii: "\n")] }
    }
}
