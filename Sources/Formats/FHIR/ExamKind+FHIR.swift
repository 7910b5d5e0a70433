import Records

extension ExamKind {
    /// What an exam is by its categories, else by those of its results, else by what it consists of.
    init(_ exam: Exam, itemCategories: [CodedConcept]) {
        for concept in exam.categories + itemCategories {
            for coding in concept.codings {
                if let kind = Self.kind(of: coding) {
                    self = kind
                    return
                }
            }
        }
        if !exam.imaging.isEmpty {
            self = .imaging
        } else if !exam.specimens.isEmpty || exam.items.contains(where: { $0.specimen != nil }) {
            self = .laboratory
        } else {
            self = .other
        }
    }

    private static func kind(of coding: Coding) -> ExamKind? {
        guard let code = coding.code else { return nil }
        return switch coding.system {
        case "http://terminology.hl7.org/CodeSystem/v2-0074", "http://hl7.org/fhir/v2/0074": Self.section(code)
        case "http://terminology.hl7.org/CodeSystem/observation-category", "http://hl7.org/fhir/observation-category":
            Self.observationCategories[code]
        case "http://loinc.org": Self.loincClasses[code]
        case "http://snomed.info/sct": Self.specialities[code]
        default: nil
        }
    }

    /// HL7 table 0074, diagnostic service sections.
    static func section(_ code: String) -> ExamKind? {
        switch code {
        case "LAB", "BG", "BLB", "CG", "CH", "GE", "HM", "IMM", "MB", "MCB", "MYC", "OSL", "SR", "TX", "VR": .laboratory
        case "RAD", "CT", "CUS", "NMR", "NMS", "OUS", "RUS", "RX", "VUS", "XRC": .imaging
        case "CP", "SP", "PAT": .pathology
        case "AU", "CTH", "EC", "EN", "PF": .function
        case "NRS": .vitalSigns
        default: nil
        }
    }

    private static let observationCategories: [String: ExamKind] = [
        "laboratory": .laboratory, "imaging": .imaging, "vital-signs": .vitalSigns,
    ]

    /// The report categories of US Core.
    private static let loincClasses: [String: ExamKind] = [
        "LP29684-5": .imaging, "LP7839-6": .pathology, "LP29708-2": .function, "LP29693-6": .laboratory,
    ]

    private static let specialities: [String: ExamKind] = [
        "394914008": .imaging, "363679005": .imaging, "394915009": .pathology, "394597005": .pathology,
        "108252007": .laboratory, "394596001": .laboratory,
    ]
}
