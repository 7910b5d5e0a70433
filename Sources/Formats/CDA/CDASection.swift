/// What a section is for, by its templates and its code (C-CDA R2.1, IHE XD-LAB, DICOM PS3.20, WS/T 500-2016).
struct CDASection {
    /// What the results of a section are about.
    enum Sort: Hashable {
        case laboratory, imaging, pathology, function, vitalSigns
        /// Examinations of any sort.
        case studies
    }

    /// How its entries and its narrative are read.
    enum Role {
        /// Observations are results.
        case results(Sort)
        /// The narrative is what a clinician concluded.
        case conclusion(Sort)
        /// The objects of an imaging study.
        case imageCatalogue
        /// Observations are results only if they say so themselves.
        case other
    }

    let role: Role

    init(_ section: XMLElement, inside outer: Role) {
        for template in section.children("templateId") {
            if let role = template.attribute("root").flatMap({ Self.templates[$0] }) {
                self.role = role
                return
            }
        }
        let code = section.child("code")
        let system = code?.attribute("codeSystem")
        if let value = code?.attribute("code") {
            let table = system == "1.2.840.10008.2.16.4" ? Self.dicomCodes : Self.loincCodes
            let isKnown = system == nil || system == "2.16.840.1.113883.6.1" || system == "1.2.840.10008.2.16.4"
            self.role = (isKnown ? table[value] : nil) ?? Self.inherited(outer)
        } else {
            // The report sections of WS/T 500 have a name, but no code.
            self.role = code?.attribute("displayName").flatMap { Self.chineseNames[$0] } ?? Self.inherited(outer)
        }
    }

    /// A section within results holds results; one within a conclusion is not the conclusion itself.
    private static func inherited(_ outer: Role) -> Role {
        if case .results = outer { outer } else { .other }
    }

    private static let templates: [String: Role] = [
        "2.16.840.1.113883.10.20.22.2.3": .results(.studies), "2.16.840.1.113883.10.20.22.2.3.1": .results(.studies),
        "2.16.840.1.113883.10.20.22.2.4": .results(.vitalSigns),
        "2.16.840.1.113883.10.20.22.2.4.1": .results(.vitalSigns),
        "2.16.840.1.113883.10.20.1.14": .results(.studies), "2.16.840.1.113883.10.20.1.16": .results(.vitalSigns),
        "1.3.6.1.4.1.19376.1.3.3.2.1": .results(.laboratory), "1.3.6.1.4.1.19376.1.3.3.2.2": .results(.laboratory),
        "2.16.840.1.113883.10.20.6.1.1": .imageCatalogue, "2.16.840.1.113883.10.20.6.1.2": .results(.imaging),
    ]

    private static let loincCodes: [String: Role] = [
        "30954-2": .results(.studies), "8716-3": .results(.vitalSigns),
        // Laboratory studies: the set, its specialities, and the older report names.
        "26436-6": .results(.laboratory), "11502-2": .results(.laboratory), "18717-9": .results(.laboratory),
        "18718-7": .results(.laboratory), "18719-5": .results(.laboratory), "18720-3": .results(.laboratory),
        "18721-1": .results(.laboratory), "18722-9": .results(.laboratory), "18723-7": .results(.laboratory),
        "18724-5": .results(.laboratory), "18725-2": .results(.laboratory), "18727-8": .results(.laboratory),
        "18728-6": .results(.laboratory), "18767-4": .results(.laboratory), "18768-2": .results(.laboratory),
        "18769-0": .results(.laboratory), "26435-8": .results(.laboratory), "26437-4": .results(.laboratory),
        "26438-2": .results(.laboratory),
        "18748-4": .results(.imaging), "18782-3": .results(.imaging),
        "60567-5": .results(.pathology), "22634-0": .results(.pathology), "60570-9": .results(.pathology),
        "11524-6": .results(.function),
        "19005-8": .conclusion(.imaging), "22637-3": .conclusion(.pathology), "55110-1": .conclusion(.studies),
    ]

    private static let dicomCodes: [String: Role] = [
        "121181": .imageCatalogue, "121070": .results(.imaging), "121072": .conclusion(.imaging),
        "121076": .conclusion(.imaging),
    ]

    private static let chineseNames: [String: Role] = [
        "检验报告": .results(.laboratory), "检查报告": .results(.studies), "检验报告章节": .results(.laboratory),
        "检查报告章节": .results(.studies), "实验室检查章节": .results(.laboratory), "实验室检查": .results(.laboratory),
    ]

    // MARK: Entries that say themselves that they are results

    static let resultTemplates: Set<String> = [
        // Result and vital sign observation, and those of the continuity of care document before C-CDA.
        "2.16.840.1.113883.10.20.22.4.2", "2.16.840.1.113883.10.20.22.4.27", "2.16.840.1.113883.10.20.1.31",
        // IHE vital signs and laboratory observation.
        "1.3.6.1.4.1.19376.1.5.3.1.4.13.2", "1.3.6.1.4.1.19376.1.3.1.6",
    ]

    static let organizerTemplates: Set<String> = [
        // Result and vital signs organizer, and those of the continuity of care document before C-CDA.
        "2.16.840.1.113883.10.20.22.4.1", "2.16.840.1.113883.10.20.22.4.26", "2.16.840.1.113883.10.20.1.32",
        "2.16.840.1.113883.10.20.1.35",
        // IHE vital signs, and the isolate and battery of laboratory reports.
        "1.3.6.1.4.1.19376.1.5.3.1.4.13.1", "1.3.6.1.4.1.19376.1.3.1.4", "1.3.6.1.4.1.19376.1.3.1.5",
    ]

    static func has(_ element: XMLElement, templateIn set: Set<String>) -> Bool {
        element.children("templateId").contains { set.contains($0.attribute("root") ?? "") }
    }
}
