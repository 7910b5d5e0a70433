import Records

extension ExamKind {
    /// What an exam is: by the diagnostic service (OBR-24), else the codes of the order, else the kind of document, else
    /// the system that sends it, else what it consists of.
    init(_ exam: Exam, request: HL7v2Segment?, document: HL7v2Segment?, text: HL7v2Text, message: HL7v2Message) {
        let section = request.flatMap { text.string($0.field(24).component(1)) }.flatMap(Self.section)
        let type = document.flatMap { text.string($0.field(2).component(1)) }.flatMap(Self.documentKind)
        let sender = text.string(message.header.field(3).component(1)).flatMap(Self.senderKind)
        let coded = exam.code.codings.lazy.compactMap(Self.orderKind).first
        self = section ?? coded ?? type ?? sender ?? Self.kind(ofContent: exam)
    }

    /// CPT numbers its procedures by speciality; LOINC's general report codes say it by themselves.
    private static func orderKind(_ coding: Coding) -> ExamKind? {
        guard let code = coding.code else { return nil }
        if coding.system == HL7v2CodeSystem.loinc { return Self.loincReports[code] }
        guard coding.system == "http://www.ama-assn.org/go/cpt", code.utf8.count == 5, let number = Int(code) else {
            return nil
        }
        return switch number {
        case 70_010...79_999: .imaging
        case 88_104...88_399: .pathology
        case 80_047...89_398: .laboratory
        case 93_000...93_278, 94_010...94_799, 95_700...95_967: .function
        default: nil
        }
    }

    private static let loincReports: [String: ExamKind] = [
        "11502-2": .laboratory, "18748-4": .imaging, "11526-1": .pathology, "60567-5": .pathology,
        "11524-6": .function, "34534-8": .function, "85353-1": .vitalSigns, "34566-0": .vitalSigns,
    ]

    /// HL7 table 0270.
    private static func documentKind(_ code: String) -> ExamKind? {
        switch code {
        case "DI": .imaging
        case "CD": .function
        case "SP": .pathology
        default: nil
        }
    }

    /// The usual names of departmental systems (MSH-3), alone or in a longer name: `LIS`, `RIS_MAIN`.
    private static func senderKind(_ application: String) -> ExamKind? {
        for word in application.uppercased().split(whereSeparator: { !$0.isLetter }) {
            switch word {
            case "LIS", "LIMS", "LAB": return .laboratory
            case "RIS", "PACS": return .imaging
            case "PIS": return .pathology
            case "ECG", "EKG": return .function
            default: continue
            }
        }
        return nil
    }

    private static func kind(ofContent exam: Exam) -> ExamKind {
        if !exam.specimens.isEmpty { return .laboratory }
        let isMeasured = exam.items.contains { item in
            guard !item.referenceRanges.isEmpty else { return false }
            switch item.value {
            case .quantity, .range, .ratio: return true
            default: return false
            }
        }
        return isMeasured ? .laboratory : .other
    }
}
