import Records

// What the ordered members of a study say together.
extension DICOMStudy {
    static func exam(_ members: [Member], parts: [RecordContent.Part]) throws(DICOMFault) -> ParsedExam {
        guard let first = members.first else { throw DICOMFault(.notDICOM, offset: 0) }
        let patient = try self.patient(members)
        let series = try self.series(members)
        let studyUID = first.value.study.uid
        let uid = "urn:oid:\(studyUID)"
        let modalities = self.modalities(members)
        let description = self.first(members) { $0.study.description }
        let started = self.first(members) { $0.study.started }
        var procedures = self.distinct(members.flatMap(\.value.study.procedures))
        // Without a name the modality says what was done.
        if description == nil, procedures.isEmpty { procedures = modalities }
        var exam = Exam(
            kind: .imaging,
            source: ExamSource(system: "urn:dicom:uid", value: uid),
            identifiers: [SourceIdentifier(system: "urn:dicom:uid", value: uid)]
                + self.distinct(members.compactMap(\.value.study.accession)),
            code: CodedConcept(text: description, codings: procedures),
            categories: [],
            status: .available
        )
        exam.effective = started.map { .time($0) }
        exam.performers = self.distinct(members.flatMap(\.value.study.performers))
        exam.imaging = [
            ImagingSummary(
                studyUID: studyUID,
                started: started,
                modalities: modalities,
                description: description,
                numberOfSeries: self.greatest(series.count, members.compactMap(\.value.study.numberOfSeries)),
                numberOfInstances: self.greatest(
                    series.reduce(0) { $0 + $1.instances.count },
                    members.compactMap(\.value.study.numberOfInstances)
                ),
                series: series
            )
        ]
        exam.namesPerson = members.contains { $0.value.study.namesPerson }
        try self.addDocuments(members, to: &exam)
        return ParsedExam(
            format: .dicom,
            exam: exam,
            subject: .patient(patient.demographics),
            parts: parts,
            offset: members.map(\.offset).min() ?? 0
        )
    }

    private static func patient(_ members: [Member]) throws(DICOMFault) -> DICOMPatient {
        let studyUID = members.first?.value.study.uid
        var patient = DICOMPatient()
        for member in members {
            guard member.value.study.uid == studyUID else {
                throw DICOMFault(.studyConflict, offset: member.offset, .studyInstanceUID, member: member.index)
            }
            if let tag = patient.merge(member.value.patient) {
                throw DICOMFault(.patientConflict, offset: member.offset, tag, member: member.index)
            }
        }
        return patient
    }

    private static func series(_ members: [Member]) throws(DICOMFault) -> [ImagingSummary.Series] {
        var series: [ImagingSummary.Series] = []
        for member in members {
            guard let value = member.value.series else { continue }
            if series.last?.uid != value.uid {
                series.append(
                    ImagingSummary.Series(
                        uid: value.uid,
                        modality: Coding(system: nil, code: nil, display: nil),
                        description: nil,
                        bodySite: nil,
                        numberOfInstances: nil,
                        instances: []
                    )
                )
            }
            let index = series.count - 1
            if let modality = value.modality {
                guard series[index].modality.code ?? modality == modality else {
                    throw DICOMFault(.seriesConflict, offset: member.offset, .modality, member: member.index)
                }
                series[index].modality = self.modality(modality)
            }
            series[index].description = series[index].description ?? value.description
            series[index].bodySite =
                series[index].bodySite ?? value.bodyPart.map { Coding(system: nil, code: $0, display: nil) }
            series[index].device = series[index].device ?? value.device
            if let instance = member.value.instance { series[index].instances.append(instance) }
            series[index].numberOfInstances = self.greatest(
                series[index].instances.count,
                [series[index].numberOfInstances, value.numberOfInstances].compactMap { $0 }
            )
        }
        return series
    }

    private static func modality(_ code: String) -> Coding {
        Coding(system: DICOMDataSet.dicomOntology, code: code, display: nil)
    }

    private static func modalities(_ members: [Member]) -> [Coding] {
        self.distinct(
            members.flatMap { member in
                (member.value.series?.modality.map { [$0] } ?? []) + member.value.study.modalities
            }
        ).map { self.modality($0) }
    }

    private static func addDocuments(_ members: [Member], to exam: inout Exam) throws(DICOMFault) {
        var conclusions: [String] = []
        var observers: [ExamPerformer] = []
        for member in members {
            guard let document = member.value.document else { continue }
            exam.items += document.items
            guard exam.items.count <= DICOMDocument.itemsMax else {
                throw DICOMFault(.tooManyItems, offset: member.offset, .contentSequence, member: member.index)
            }
            conclusions += document.conclusions
            exam.conclusionCodes += document.conclusionCodes
            observers += document.observers
            if let form = document.form { exam.presentedForms.append(form) }
            if let issued = document.issued, exam.issued.map({ $0.earliest < issued.earliest }) ?? true {
                exam.issued = issued
            }
        }
        exam.performers = self.distinct(exam.performers + observers)
        if !observers.isEmpty { exam.namesPerson = true }
        if !conclusions.isEmpty { exam.conclusion = conclusions.joined(separator: "\n") }
    }

    // MARK: Values

    private static func first<Value>(_ members: [Member], _ value: (DICOMInstance) -> Value?) -> Value? {
        for member in members { if let found = value(member.value) { return found } }
        return nil
    }

    private static func distinct<Value: Hashable>(_ values: [Value]) -> [Value] {
        var seen: Set<Value> = []
        return values.filter { seen.insert($0).inserted }
    }

    /// What was counted, or more if the source says so: `nil` for neither.
    private static func greatest(_ counted: Int, _ stated: [UInt32]) -> UInt32? {
        let greatest = max(UInt32(clamping: counted), stated.max() ?? 0)
        return greatest == 0 && stated.isEmpty ? nil : greatest
    }
}
