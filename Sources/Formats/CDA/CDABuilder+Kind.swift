import Records

extension CDABuilder {
    /// What sort of examination the document reports: by its type, else by what it consists of.
    ///
    /// A summary with results beside diagnoses and medication is none of the sorts: access to laboratory results must
    /// not open it.
    func kind(of code: CodedConcept) -> ExamKind {
        for coding in code.codings {
            guard let code = coding.code else { continue }
            switch coding.system {
            case CDAVocabulary.loinc: if let kind = Self.documentTypes[code] { return kind }
            case CDAVocabulary.chineseDocuments:
                if code == "C0007" { return .laboratory }
                if code == "C0006" { return self.chineseKind }
            default: break
            }
        }
        guard !self.hasOtherContent, self.sorts.count == 1, let sort = self.sorts.first else {
            return self.imaging.isEmpty || self.hasOtherContent || !self.sorts.isEmpty ? .other : .imaging
        }
        return switch sort {
        case .laboratory: .laboratory
        case .imaging: .imaging
        case .pathology: .pathology
        case .function: .function
        case .vitalSigns: .vitalSigns
        case .studies: self.studiesKind
        }
    }

    /// A results section may hold examinations of any sort: batteries, measured amounts and specimens are a laboratory's, and
    /// CPT keeps one range of codes for radiology and one for laboratory and pathology.
    private var studiesKind: ExamKind {
        let codes = (self.panels + self.items.map(\.code)).flatMap(\.codings)
        let ranges = Set(codes.filter { $0.system == CDAVocabulary.cpt }.compactMap { $0.code?.first })
        if ranges == ["7"] || (!self.imaging.isEmpty && ranges.isEmpty) { return .imaging }
        let isMeasured = self.items.contains { item in
            switch item.value {
            case .quantity?, .range?, .ratio?: return true
            default: return item.specimen != nil
            }
        }
        return ranges == ["8"] || (ranges.isEmpty && (isMeasured || self.hasBattery)) ? .laboratory : .other
    }

    /// WS/T 500.6 covers every examination; DE04.30.018.00 says which.
    private var chineseKind: ExamKind {
        if !self.imaging.isEmpty { return .imaging }
        let category = self.items.lazy.compactMap { item -> String? in
            guard item.code.primary?.code == "DE04.30.018.00" else { return nil }
            switch item.value {
            case .text(let text): return text
            case .coded(let concept): return concept.label
            default: return nil
            }
        }.first
        guard let category = category?.uppercased() else { return .other }
        let words: [(ExamKind, [String])] = [
            (.pathology, ["病理"]), (.function, ["心电", "脑电", "肌电", "肺功能", "听力"]),
            (.imaging, ["放射", "影像", "超声", "CT", "MR", "磁共振", "X线", "核医学", "B超", "DR"]),
        ]
        return words.first { _, words in words.contains { category.contains($0) } }?.0 ?? .other
    }

    /// LOINC document types that are reports of one sort (C-CDA diagnostic imaging report and the classes of LOINC).
    private static let documentTypes: [String: ExamKind] = [
        "11502-2": .laboratory, "26436-6": .laboratory, "18717-9": .laboratory, "18718-7": .laboratory,
        "18719-5": .laboratory, "18720-3": .laboratory, "18721-1": .laboratory, "18723-7": .laboratory,
        "18725-2": .laboratory, "18727-8": .laboratory, "18728-6": .laboratory,
        "18748-4": .imaging, "18747-6": .imaging, "18755-9": .imaging, "18756-7": .imaging, "18757-5": .imaging,
        "18758-3": .imaging, "85430-7": .imaging, "18760-9": .imaging, "18726-0": .imaging, "11522-0": .imaging,
        "11525-3": .imaging, "18782-3": .imaging, "42148-7": .imaging,
        "11526-1": .pathology, "60567-5": .pathology, "60568-3": .pathology, "60571-7": .pathology,
        "11524-6": .function, "34534-8": .function, "18754-2": .function, "18759-1": .function,
    ]
}
