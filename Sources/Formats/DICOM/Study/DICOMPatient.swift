import Records

/// What the instances of one study say of its patient (PS3.3 section C.2.2 and C.2.3).
struct DICOMPatient: Hashable, Sendable {
    var id: String?
    var issuer: String?
    var name: DICOMPersonName?
    var birthDate: ClinicalTime?
    var sex: String?
    /// Further identifiers, without repetitions.
    var others: [SourceIdentifier] = []

    init() {}

    init(_ dataSet: DICOMDataSet) throws(DICOMFault) {
        self.id = try dataSet.string(.patientID)
        if self.id != nil {
            let qualifiers = try dataSet.items(.issuerOfPatientIDQualifiersSequence).first
            let local = try dataSet.string(.issuerOfPatientID).map { DICOMIssuer.localPrefix + $0 }
            self.issuer = try qualifiers?.namespace(local: .localNamespaceEntityID) ?? local
        }
        let name = try dataSet.name(.patientName).map { DICOMPersonName($0) }
        if let name, !name.isEmpty { self.name = name }
        if let text = try dataSet.string(.patientBirthDate) {
            guard let date = DICOMTime.date(text) else { throw dataSet.fault(.badDate, .patientBirthDate) }
            self.birthDate = date
        }
        self.sex = try dataSet.string(.patientSex)
        for value in try dataSet.strings(.otherPatientIDs) { self.add(SourceIdentifier(system: nil, value: value)) }
        for item in try dataSet.items(.otherPatientIDsSequence) {
            guard let value = try item.string(.patientID) else { continue }
            let qualifiers = try item.items(.issuerOfPatientIDQualifiersSequence).first
            let local = try item.string(.issuerOfPatientID).map { DICOMIssuer.localPrefix + $0 }
            self.add(
                SourceIdentifier(
                    system: try qualifiers?.namespace(local: .localNamespaceEntityID) ?? local,
                    value: value
                )
            )
        }
    }

    /// More than these are a list of something else.
    private static let othersMax = 64

    private mutating func add(_ identifier: SourceIdentifier) {
        let isKnown = identifier.value == self.id && identifier.system == self.issuer
        guard !isKnown, !self.others.contains(identifier), self.others.count < Self.othersMax else { return }
        self.others.append(identifier)
    }

    /// Takes in what another instance of the same study says.
    ///
    /// What only one of them says is taken; of a name, the groups that only one has.
    ///
    /// - Returns: The element in which they contradict each other, or `nil`.
    mutating func merge(_ other: DICOMPatient) -> DICOMTag? {
        if let left = self.id, let right = other.id, left != right { return .patientID }
        if self.id != nil, other.id != nil, let left = self.issuer, let right = other.issuer, left != right {
            return .issuerOfPatientID
        }
        if let left = self.birthDate, let right = other.birthDate, left.earliest != right.earliest {
            return .patientBirthDate
        }
        if let left = self.sex, let right = other.sex, left != right { return .patientSex }
        if let left = self.name, let right = other.name {
            guard left.agrees(with: right) else { return .patientName }
            self.name = left.merged(with: right)
        }
        self.id = self.id ?? other.id
        self.issuer = self.issuer ?? other.issuer
        self.name = self.name ?? other.name
        self.birthDate = self.birthDate ?? other.birthDate
        self.sex = self.sex ?? other.sex
        for identifier in other.others { self.add(identifier) }
        return nil
    }

    var demographics: PatientDemographics {
        let own = self.id.map { SourceIdentifier(system: self.issuer, value: $0) }
        return PatientDemographics(
            identifiers: (own.map { [$0] } ?? []) + (own == nil ? [] : self.others),
            name: self.name?.name,
            sex: self.sex.map { sex in
                switch sex {
                case "M": .male
                case "F": .female
                case "O": .other
                default: .unknown
                }
            },
            birthDate: self.birthDate
        )
    }
}

extension DICOMPersonName {
    /// Each group from this name or, where it is empty, from the other.
    fileprivate func merged(with other: DICOMPersonName) -> DICOMPersonName {
        DICOMPersonName(groups: zip(self.groups, other.groups).map { $0.isEmpty ? $1 : $0 })
    }
}
