import Records

extension CDABuilder {
    /// The one patient of the document (CDA R2 section 4.2.2.11 recordTarget).
    mutating func patient() throws(CDAFault) -> PatientDemographics {
        let root = self.document.root
        let targets = root.children("recordTarget").filter { $0.attribute("nullFlavor") == nil }
        guard let role = targets.first?.child("patientRole") else {
            throw CDAFault(.patientMissing, at: root, "recordTarget")
        }
        guard targets.count == 1, targets[0].children("patientRole").count == 1,
            role.children("patient").count <= 1
        else {
            throw CDAFault(.severalPatients, at: targets[targets.count - 1])
        }
        let patient = role.child("patient")
        var patientIdentifiers: [SourceIdentifier] = []
        // WS/T 500 writes the identity card below the person, where release 1 of the schema has no id.
        let elements = role.children("id") + (patient?.children("id") ?? [])
        guard elements.count <= Self.identifiersMax else { throw CDAFault(.tooManyItems, at: role, "id") }
        for element in elements {
            guard var identifier = try CDADocument.identifier(element) else { continue }
            // A root without an extension names a system, not a person, unless it is a UUID.
            guard identifier.system != "urn:ietf:rfc:3986" || !identifier.value.hasPrefix("urn:oid:") else { continue }
            let root = element.attribute("root") ?? ""
            if let name = CDAVocabulary.chineseOrderNumbers[root] {
                identifier.type = CodedConcept(text: name, codings: [])
                self.orderNumbers.append(identifier)
                continue
            }
            if let name = CDAVocabulary.chineseHospitalNumbers[root] {
                identifier.system = self.custodianCode.map { "\(CDAVocabulary.uri(root))#\($0)" }
                identifier.type = CodedConcept(text: name, codings: [])
            }
            if !patientIdentifiers.contains(identifier) { patientIdentifiers.append(identifier) }
        }
        guard !patientIdentifiers.isEmpty else { throw CDAFault(.patientUnidentified, at: role, "id") }
        let cards = patientIdentifiers.filter { $0.system == CDAVocabulary.uri(CDAVocabulary.chineseIdentityCard) }
        guard Set(cards.map { $0.value.uppercased() }).count <= 1 else {
            throw CDAFault(.patientConflict, at: role, "id")
        }
        return PatientDemographics(
            identifiers: patientIdentifiers,
            name: patient.flatMap { CDADocument.personName(among: $0.children("name")) },
            sex: try patient?.child("administrativeGenderCode").flatMap { element throws(CDAFault) in
                try Self.sex(element)
            },
            birthDate: try CDADocument.time(patient?.child("birthTime"))
        )
    }

    /// Identifiers of one person; a dozen is many.
    private static let identifiersMax = 64

    /// The organisation that keeps the document: numbers of its patients are unique only there.
    private var custodianCode: String? {
        let organisation = self.document.root.descendant(
            "custodian",
            "assignedCustodian",
            "representedCustodianOrganization"
        )
        // A code with white space would make another system of each spelling.
        return organisation?.children("id").lazy.compactMap { $0.attribute("extension") ?? $0.attribute("root") }
            .first { $0.utf8.allSatisfy { $0 > 0x20 } }
    }

    /// Administrative sex of HL7 version 3, or biological sex of GB/T 2261.1.
    private static func sex(_ element: XMLElement) throws(CDAFault) -> PatientDemographics.Sex? {
        guard let code = element.attribute("code") else { return nil }
        switch (element.attribute("codeSystem"), code) {
        case ("2.16.156.10011.2.3.3.4", "1"), (_, "M"): return .male
        case ("2.16.156.10011.2.3.3.4", "2"), (_, "F"): return .female
        case ("2.16.156.10011.2.3.3.4", "0"), ("2.16.156.10011.2.3.3.4", "9"), (_, "UNK"), (_, "U"): return .unknown
        case (_, "UN"), (_, "O"): return .other
        default: throw CDAFault(.badCode, at: element)
        }
    }

    // MARK: Those who answer for it

    /// Authors, the legal authenticator, the performers of the documented event and the custodian, each once.
    mutating func readPerformers() throws(CDAFault) {
        let root = self.document.root
        for author in root.children("author") { try self.addPerformer(author.child("assignedAuthor")) }
        for signer in root.children("legalAuthenticator") { try self.addPerformer(signer.child("assignedEntity")) }
        for event in root.children("documentationOf").compactMap({ $0.child("serviceEvent") })
        where event.attribute("classCode") != "PCPR" {
            for performer in event.children("performer") { try self.addPerformer(performer.child("assignedEntity")) }
        }
        let custodian = root.descendant("custodian", "assignedCustodian", "representedCustodianOrganization")
        try self.addPerformer(custodian)
    }

    private mutating func addPerformer(_ role: XMLElement?) throws(CDAFault) {
        guard let role else { return }
        let person = (role.child("assignedPerson")?.children("name")).flatMap(CDADocument.personName)?.label
        let device = role.descendant("assignedAuthoringDevice", "softwareName").flatMap(CDADocument.plain)
        let organisation =
            (role.child("representedOrganization") ?? role.child("representedAuthoringOrganization") ?? role)
            .child("name").flatMap(CDADocument.plain)
        let performer = ExamPerformer(
            display: person ?? device ?? organisation,
            identifiers: try CDADocument.identifiers(in: role)
        )
        if person != nil { self.namesPerson = true }
        guard performer.display != nil || !performer.identifiers.isEmpty else { return }
        self.note(performer)
    }

    mutating func note(_ performer: ExamPerformer) {
        guard self.performers.count < Self.performersMax, !self.performers.contains(performer) else { return }
        self.performers.append(performer)
    }

    /// More names than this are a distribution list.
    private static let performersMax = 64
}
