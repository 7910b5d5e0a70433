import Records

extension HL7v2Text {
    /// The resident identity card of GB 11643, as PatientIdentifier knows it.
    private static let identityCard = "urn:oid:2.16.156.10011.1.3"
    private static let passport = "urn:oid:2.16.840.1.113883.4.330.156"

    /// A patient's PID; in messages from China (MSH-17) digits name the kinds of identity documents.
    func patient(_ segment: HL7v2Segment, facility: String, isChina: Bool) throws(HL7v2Fault) -> PatientDemographics {
        var identifiers: [SourceIdentifier] = []
        let repetitions = segment.field(3).repetitions
        guard repetitions.count <= HL7v2Limits.repetitionsMax else {
            throw HL7v2Fault(.tooManyItems, segment, field: 3)
        }
        for field in repetitions {
            if let id = self.identifier(field, facility: facility, isChina: isChina) { identifiers.append(id) }
        }
        let cards = Set(identifiers.filter { $0.system == Self.identityCard }.map { $0.value.uppercased() })
        guard cards.count <= 1 else { throw HL7v2Fault(.patientConflict, segment, field: 3) }
        // A birth date that does not exist (many systems write 0000 for an unknown one) is left out: it describes the
        // patient and identifies nobody.
        let birth = Self.trimmed(segment.field(7).firstRepetition.component(1))
        var birthDate: ClinicalTime?
        if case .time(let time) = HL7v2Time.dateTime(birth) { birthDate = time }
        return PatientDemographics(
            identifiers: identifiers,
            name: self.personName(segment.field(5)),
            sex: self.string(segment.field(8).firstRepetition.component(1)).flatMap(Self.sex),
            birthDate: birthDate
        )
    }

    /// CX: `id^check digit^scheme^assigning authority^type^facility^…^…^country`.
    private func identifier(_ field: HL7v2Field, facility: String, isChina: Bool) -> SourceIdentifier? {
        guard let value = self.string(field.subcomponent(1, 1)) else { return nil }
        let code = self.string(field.component(5))
        var system = self.namespace(field.nested(4), at: 1, facility: facility)
        let country = self.string(field.subcomponent(9, 1))
        let isChina = isChina || country == "CHN" || country == "CN"
        if let code, let national = Self.nationalSystem(code, value: value, isChina: isChina) { system = national }
        let type = code.map {
            CodedConcept(text: nil, codings: [Coding(system: HL7v2CodeSystem.identifierType, code: $0, display: nil)])
        }
        return SourceIdentifier(system: system, value: value, type: type)
    }

    /// What identifier types name a national document of China: HL7 table 0203, WS 364.3 (CV02.01.101), and the names
    /// that hospitals write.
    ///
    /// A code that means other things elsewhere counts only with a number that is one of such a document.
    private static func nationalSystem(_ type: String, value: String, isChina: Bool) -> String? {
        switch type.uppercased() {
        case "NNCHN", "身份证", "身份证号", "身份证号码", "居民身份证", "居民身份证号", "居民身份证号码", "SFZ", "SFZH", "IDCARD":
            return Self.identityCard
        case "01" where isChina, "NI" where isChina, "NNXXX" where isChina:
            return (try? PatientIdentifier(system: Self.identityCard, value: value)) == nil ? nil : Self.identityCard
        case "PPNCHN": return Self.passport
        case "PPN" where isChina: return Self.passport
        case "03" where isChina: return value.utf8.count == 9 && value.first?.isLetter == true ? Self.passport : nil
        default: return nil
        }
    }

    /// The legal name before others; of one person's legal names the one in characters before its spelling.
    private func personName(_ field: HL7v2Field) -> PersonName? {
        var best: (rank: Int, name: PersonName)?
        for repetition in field.repetitions.prefix(16) {
            let family = self.string(repetition.subcomponent(1, 1))
            let given = [2, 3].compactMap { self.string(repetition.subcomponent($0, 1)) }
            guard family != nil || !given.isEmpty else { continue }
            var rank =
                switch self.string(repetition.component(7)) {
                case "L": 6
                case nil, "D": 4
                case "B", "M", "A", "N", "S": 0
                default: 2
                }
            if self.string(repetition.component(8)) == "I" { rank += 1 }
            guard rank > best?.rank ?? -1 else { continue }
            best = (rank, PersonName(text: nil, family: family, given: given))
        }
        return best?.name
    }

    /// HL7 table 0001, GB/T 2261.1 and the words themselves; a code that is none of these tells nothing.
    private static func sex(_ code: String) -> PatientDemographics.Sex? {
        switch code.uppercased() {
        case "M", "1", "男", "男性", "MALE": .male
        case "F", "2", "女", "女性", "FEMALE": .female
        case "O", "A", "N": .other
        case "U", "0", "9", "未知": .unknown
        default: nil
        }
    }
}
