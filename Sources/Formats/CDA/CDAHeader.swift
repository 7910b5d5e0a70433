import Records

/// What the header of a document says about the document itself (CDA R2 section 4.2.1 and 4.2.2.12).
struct CDAHeader {
    /// Names the set of the document's versions, else the document; `nil` if its id names neither.
    let source: ExamSource?
    /// The document's id, then that of its set.
    let identifiers: [SourceIdentifier]
    let code: CodedConcept
    /// A confidentiality that is more than normal.
    let restriction: [CodedConcept]
    let issued: ClinicalTime
    /// Whether it takes the place of another document.
    let replaces: Bool
    /// What the header says about where the document stands.
    let documentStatus: ExamStatus

    init(_ document: CDADocument) throws(CDAFault) {
        let root = document.root
        guard
            let id = try Self.one("id", of: root).flatMap({ element throws(CDAFault) in
                try CDADocument.identifier(element)
            })
        else { throw CDAFault(.elementMissing, at: root, "id") }
        guard let issued = try CDADocument.time(try Self.one("effectiveTime", of: root)) else {
            throw CDAFault(.elementMissing, at: root, "effectiveTime")
        }
        self.issued = issued
        var set: SourceIdentifier?
        if let element = try Self.one("setId", of: root) { set = try CDADocument.identifier(element) }
        let replaced = try Self.replaced(root, set: set)
        let title = root.child("title").flatMap(CDADocument.plain)
        var code = try document.concept(try Self.one("code", of: root)) ?? CodedConcept(text: nil, codings: [])
        code.text = title ?? code.text
        guard code.label != nil else { throw CDAFault(.codeMissing, at: root, "code") }
        self.source =
            if let set = set ?? replaced?.set, !Self.isExample(set) {
                ExamSource(system: "cda", value: "setId/" + Self.key(set))
            } else {
                // Without a set, a replacement has the name of what it replaces.
                Self.source(replaced?.id ?? id, code: code, root)
            }
        let setType = CodedConcept(text: "setId", codings: [])
        self.identifiers = [id] + (set.map { [.init(system: $0.system, value: $0.value, type: setType)] } ?? [])
        self.replaces = replaced != nil
        self.code = code
        let confidentiality = try document.concept(root.child("confidentialityCode"))
        self.restriction = confidentiality.flatMap { ["R", "V"].contains($0.primary?.code) ? [$0] : nil } ?? []
        self.documentStatus =
            if !Self.isSigned(root) { .preliminary } else if replaced != nil { .corrected } else { .final }
    }

    private static func one(_ name: String, of root: XMLElement) throws(CDAFault) -> XMLElement? {
        let elements = root.children(name)
        guard elements.count <= 1 else { throw CDAFault(.elementRepeated, at: elements[1]) }
        return elements.first
    }

    /// Whether a root is in the arc that HL7 keeps for examples.
    ///
    /// Its numbers are copied from one document into the next, in practice too: a set of them joins what is unrelated.
    private static func isExample(_ identifier: SourceIdentifier) -> Bool {
        let arc = "urn:oid:2.16.840.1.113883.19"
        return identifier.system == arc || identifier.system?.hasPrefix(arc + ".") == true
    }

    private static func source(_ id: SourceIdentifier, code: CodedConcept, _ root: XMLElement) -> ExamSource? {
        // An id that is only the namespace of the patient's number names no document.
        let patients = root.descendant("recordTarget", "patientRole")?.children("id") ?? []
        guard !patients.contains(where: { $0.attribute("root").map(CDAVocabulary.uri) == id.value }) else { return nil }
        let type = Self.isExample(id) ? "|" + (code.primary?.code ?? code.label ?? "") : ""
        return ExamSource(system: "cda", value: "id/" + Self.key(id) + type)
    }

    private static func key(_ identifier: SourceIdentifier) -> String {
        (identifier.system ?? "") + "|" + identifier.value
    }

    /// The document that this one replaces: an addendum (APND) and a transformation (XFRM) leave theirs in place.
    ///
    /// Forms with an empty parent are written where nothing is replaced.
    private static func replaced(
        _ root: XMLElement,
        set: SourceIdentifier?
    ) throws(CDAFault) -> (id: SourceIdentifier?, set: SourceIdentifier?)? {
        for related in root.children("relatedDocument") where related.attribute("typeCode") == "RPLC" {
            for parent in related.children("parentDocument") {
                let id = try CDADocument.identifiers(in: parent).first
                var parentSet: SourceIdentifier?
                if let element = parent.child("setId") { parentSet = try CDADocument.identifier(element) }
                guard id != nil || parentSet != nil else { continue }
                if let set, let parentSet, set != parentSet { throw CDAFault(.setConflict, at: parent, "setId") }
                return (id, parentSet)
            }
        }
        return nil
    }

    /// Whether somebody has signed, legally or otherwise; a signature that is intended or required is none yet.
    private static func isSigned(_ root: XMLElement) -> Bool {
        (root.children("legalAuthenticator") + root.children("authenticator")).contains { participation in
            guard participation.attribute("nullFlavor") == nil else { return false }
            let code = participation.child("signatureCode")?.attribute("code")
            return code != "I" && code != "X"
        }
    }
}
