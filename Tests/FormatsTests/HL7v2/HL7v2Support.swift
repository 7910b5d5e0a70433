import Formats
import Foundation
import Records
import TestSupport
import Testing

/// Everything that one HL7 version 2 input holds.
struct HL7v2Content {
    var exams: [ParsedExam] = []
    var refused: [RefusedPiece] = []
    var skipped: [String: Int] = [:]

    init(_ bytes: [UInt8]) {
        var input = HL7v2Input(document: bytes)
        while let output = input.next() {
            switch output {
            case .exam(let exam): self.exams.append(exam)
            case .refused(let piece): self.refused.append(piece)
            }
        }
        self.skipped = input.skipped
    }

    init(_ text: String) { self.init(Array(text.utf8)) }

    init(vector name: String) throws { self.init([UInt8](try TestData.vector("hl7v2/\(name)"))) }

    var codes: [String] { self.refused.map(\.refusal.code) }

    var items: [ExamItem] { self.exams.flatMap(\.exam.items) }

    /// A message with one order and these results, each `OBX` written from its second field on.
    static func results(_ results: String..., order: String = "F", header: String = "UNICODE UTF-8") -> HL7v2Content {
        self.message(results.enumerated().map { "OBX|\($0 + 1)|\($1)" }, order: order, header: header)
    }

    static func message(_ segments: [String], order: String = "F", header: String = "UNICODE UTF-8") -> HL7v2Content {
        let head = [
            #"MSH|^~\&|LIS|HOSP|HIE|AREA|20260510083000||ORU^R01^ORU_R01|C1|P|2.5.1|||||CHN|"# + header,
            "PID|1||4711^^^HIS^MR||DOE^JOHN||19800101|M",
            "OBR|1|P1|F1|T1^Test^L|||20260510080000|||||||||||||||||LAB|" + order,
        ]
        return HL7v2Content((head + segments).map { $0 + "\r" }.joined())
    }
}
