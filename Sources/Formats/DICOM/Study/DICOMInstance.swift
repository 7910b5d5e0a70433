import Records

/// What one header says of its study, its series and itself.
struct DICOMInstance: Sendable {
    var study: Study
    var series: Series?
    var instance: ImagingSummary.Instance?
    /// Instance Number (0020,0013); orders instances, and is often missing.
    var number: Int32?
    var patient: DICOMPatient
    /// The report or the encapsulated document that the instance is, if it is one.
    var document: DICOMDocument?

    struct Study: Sendable {
        var uid: String
        var started: ClinicalTime?
        var description: String?
        var procedures: [Coding]
        var accession: SourceIdentifier?
        var performers: [ExamPerformer]
        /// Whether a person is among them.
        var namesPerson: Bool
        /// Of an answer to a query, which may count what it does not list.
        var modalities: [String]
        var numberOfSeries: UInt32?
        var numberOfInstances: UInt32?
    }

    struct Series: Sendable {
        var uid: String
        /// Series Number (0020,0011).
        var number: Int32?
        var modality: String?
        var description: String?
        var bodyPart: String?
        var numberOfInstances: UInt32?
        /// Of an image: what made a report or a document is no source of results.
        var device: String?
    }

    /// A file is one instance; an answer to a query may be a study or a series only.
    init(_ dataSet: DICOMDataSet, isFile: Bool) throws(DICOMFault) {
        guard let studyUID = try dataSet.uid(.studyInstanceUID) else {
            throw DICOMFault(.studyUIDMissing, offset: dataSet.offset, .studyInstanceUID)
        }
        let seriesUID = try dataSet.uid(.seriesInstanceUID)
        let instanceUID = try dataSet.uid(.sopInstanceUID)
        let sopClass = try dataSet.uid(.sopClassUID)
        if isFile || instanceUID != nil {
            guard seriesUID != nil else {
                throw DICOMFault(.seriesUIDMissing, offset: dataSet.offset, .seriesInstanceUID)
            }
        }
        if isFile {
            guard instanceUID != nil else {
                throw DICOMFault(.instanceUIDMissing, offset: dataSet.offset, .sopInstanceUID)
            }
        }
        self.study = try Self.study(dataSet, uid: studyUID)
        self.series = nil
        if let seriesUID {
            self.series = Series(
                uid: seriesUID,
                number: dataSet.integer(.seriesNumber),
                modality: try dataSet.string(.modality),
                description: try dataSet.string(.seriesDescription),
                bodyPart: try dataSet.string(.bodyPartExamined),
                numberOfInstances: dataSet.count(.numberOfSeriesRelatedInstances)
            )
        }
        self.instance = nil
        if let instanceUID {
            guard let sopClass else { throw DICOMFault(.classUIDMissing, offset: dataSet.offset, .sopClassUID) }
            self.instance = ImagingSummary.Instance(uid: instanceUID, sopClass: sopClass)
        }
        self.number = dataSet.integer(.instanceNumber)
        self.patient = try DICOMPatient(dataSet)
        self.document = instanceUID == nil ? nil : try DICOMDocument(dataSet, sopClass: sopClass ?? "")
        if instanceUID != nil, self.document == nil { self.series?.device = try Self.device(dataSet) }
    }

    /// `Maker Model, Station`, as far as they are known.
    private static func device(_ dataSet: DICOMDataSet) throws(DICOMFault) -> String? {
        let model = [try dataSet.string(.manufacturer), try dataSet.string(.manufacturerModelName)].compactMap { $0 }
        let parts = [model.isEmpty ? nil : model.joined(separator: " "), try dataSet.string(.stationName)]
        let named = parts.compactMap { $0 }
        return named.isEmpty ? nil : named.joined(separator: ", ")
    }

    private static func study(_ dataSet: DICOMDataSet, uid: String) throws(DICOMFault) -> Study {
        var accession: SourceIdentifier?
        if let value = try dataSet.string(.accessionNumber) {
            let issuer = try dataSet.items(.issuerOfAccessionNumberSequence).first
            accession = SourceIdentifier(
                system: try issuer?.namespace(local: .localNamespaceEntityID),
                value: value,
                type: CodedConcept(
                    text: nil,
                    codings: [
                        Coding(
                            system: "http://terminology.hl7.org/CodeSystem/v2-0203",
                            code: "ACSN",
                            display: "Accession ID"
                        )
                    ]
                )
            )
        }
        var performers: [ExamPerformer] = []
        if let institution = try dataSet.string(.institutionName) {
            performers.append(ExamPerformer(display: institution, identifiers: []))
        }
        if let department = try dataSet.string(.institutionalDepartmentName) {
            performers.append(ExamPerformer(display: department, identifiers: []))
        }
        var namesPerson = false
        for name in try dataSet.names(.performingPhysicianName) {
            guard let label = DICOMPersonName(name).name?.label else { continue }
            namesPerson = true
            performers.append(ExamPerformer(display: label, identifiers: []))
        }
        return Study(
            uid: uid,
            started: try dataSet.time(date: .studyDate, time: .studyTime),
            description: try dataSet.string(.studyDescription),
            procedures: try dataSet.codings(.procedureCodeSequence),
            accession: accession,
            performers: performers,
            namesPerson: namesPerson,
            modalities: try dataSet.strings(.modalitiesInStudy),
            numberOfSeries: dataSet.count(.numberOfStudyRelatedSeries),
            numberOfInstances: dataSet.count(.numberOfStudyRelatedInstances)
        )
    }
}

extension DICOMDataSet {
    fileprivate func count(_ tag: DICOMTag) -> UInt32? { self.integer(tag).flatMap { UInt32(exactly: $0) } }

    /// A date and, if there is one, its time, with the data set's offset from UTC; a time without a date is no time.
    func time(date: DICOMTag, time: DICOMTag) throws(DICOMFault) -> ClinicalTime? {
        guard let day = try self.string(date) else { return nil }
        guard DICOMTime.date(day) != nil else { throw self.fault(.badDate, date) }
        let clock = try self.string(time)
        guard let read = DICOMTime.dateTime(date: day, time: clock, offset: try self.offsetFromUTC()) else {
            throw self.fault(.badTime, time)
        }
        return read
    }

    private func offsetFromUTC() throws(DICOMFault) -> (text: String, minutes: Int)? {
        guard let text = try self.string(.timezoneOffsetFromUTC) else { return nil }
        guard let minutes = DICOMTime.offset(text) else { throw self.fault(.badOffset, .timezoneOffsetFromUTC) }
        return (text, minutes)
    }
}
