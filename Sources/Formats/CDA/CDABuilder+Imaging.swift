import Records

extension CDABuilder {
    /// Studies of one document.
    private static let studiesMax = 64
    /// Series and images of one study that are listed; the archive lists them all.
    private static let objectsMax = 4096

    /// Reads a DICOM object catalogue (DICOM PS3.20, C-CDA 2.16.840.1.113883.10.20.6.1.1).
    mutating func readCatalogue(_ section: XMLElement) throws(CDAFault) {
        for study in section.children("entry").flatMap({ $0.children("act") }) where Self.isDicom(study, "113014") {
            guard self.imaging.count < Self.studiesMax else { throw CDAFault(.tooManyItems, at: study) }
            var count = 0
            var series: [ImagingSummary.Series] = []
            for act in study.children("entryRelationship").flatMap({ $0.children("act") })
            where Self.isDicom(act, "113015") {
                series.append(try self.series(act, &count))
                guard count + series.count <= Self.objectsMax else { throw CDAFault(.tooManyItems, at: act) }
            }
            var modalities: [Coding] = []
            for modality in series.map(\.modality) where !modalities.contains(modality) { modalities.append(modality) }
            self.imaging.append(
                ImagingSummary(
                    studyUID: try Self.uid(study),
                    started: try CDADocument.period(study.child("effectiveTime"))?.first,
                    modalities: modalities,
                    description: study.child("text").flatMap(self.document.text),
                    numberOfSeries: nil,
                    numberOfInstances: nil,
                    series: series
                )
            )
        }
    }

    private func series(_ act: XMLElement, _ count: inout Int) throws(CDAFault) -> ImagingSummary.Series {
        guard let uid = try Self.uid(act) else { throw CDAFault(.elementMissing, at: act, "id") }
        var modality = Coding(system: CDAVocabulary.dicom, code: nil, display: nil)
        for qualifier in act.child("code")?.children("qualifier") ?? []
        where qualifier.child("name")?.attribute("code") == "121139" {
            if let coding = qualifier.child("value").flatMap(CDADocument.coding) { modality = coding }
        }
        var instances: [ImagingSummary.Instance] = []
        for object in act.children("entryRelationship").flatMap({ $0.children("observation") })
        where object.attribute("classCode") == "DGIMG" {
            guard let uid = try Self.uid(object), let sopClass = object.child("code")?.attribute("code") else {
                throw CDAFault(.elementMissing, at: object, "id")
            }
            instances.append(ImagingSummary.Instance(uid: uid, sopClass: sopClass))
            count += 1
            guard count <= Self.objectsMax else { throw CDAFault(.tooManyItems, at: object) }
        }
        return ImagingSummary.Series(
            uid: uid,
            modality: modality,
            description: act.child("text").flatMap(self.document.text),
            bodySite: nil,
            numberOfInstances: nil,
            instances: instances
        )
    }

    private static func isDicom(_ act: XMLElement, _ code: String) -> Bool {
        let element = act.child("code")
        return element?.attribute("code") == code && element?.attribute("codeSystem") == "1.2.840.10008.2.16.4"
    }

    /// A DICOM UID: digits and dots, at most 64 (DICOM PS3.5 section 9.1).
    private static func uid(_ act: XMLElement) throws(CDAFault) -> String? {
        guard let id = act.child("id"), let uid = id.attribute("root") else { return nil }
        let isUID = uid.utf8.count <= 64 && uid.utf8.allSatisfy { CDATime.isDigit($0) || $0 == UInt8(ascii: ".") }
        guard isUID else { throw CDAFault(.badID, at: id, "root") }
        return uid
    }
}
