import Records

extension JSONValue {
    /// The identifier system of DICOM UIDs in FHIR; their values carry `urn:oid:`.
    static var dicomUIDSystem: String { "urn:dicom:uid" }

    /// This ImagingStudy resource's study.
    func asImagingSummary() throws(FHIRFault) -> ImagingSummary {
        var studyUID: String?
        for value in try self.objects(FHIRKey.identifier) {
            guard let identifier = try value.asIdentifier(), identifier.system == Self.dicomUIDSystem else { continue }
            guard let uid = Self.dicomUID(identifier.value) else {
                throw FHIRFault(.badUID, at: value, FHIRKey.identifier.name)
            }
            studyUID = studyUID ?? uid
        }
        var series: [ImagingSummary.Series] = []
        for value in try self.objects(FHIRKey.series) { series.append(try value.asSeries()) }
        var modalities: [Coding] = []
        for value in try self.objects(FHIRKey.modality) { modalities.append(try value.asCoding()) }
        // The study may leave to its series what they were made with.
        if modalities.isEmpty {
            var known: Set<Coding> = []
            for modality in series.map(\.modality) where known.insert(modality).inserted { modalities.append(modality) }
        }
        return ImagingSummary(
            studyUID: studyUID,
            started: try self.dateTime(FHIRKey.started),
            modalities: modalities,
            description: try self.text(FHIRKey.description),
            numberOfSeries: try self.unsignedInteger(FHIRKey.numberOfSeries),
            numberOfInstances: try self.unsignedInteger(FHIRKey.numberOfInstances),
            series: series
        )
    }

    private func asSeries() throws(FHIRFault) -> ImagingSummary.Series {
        guard let uid = try self.identity(FHIRKey.uid) else {
            throw FHIRFault(.elementMissing, at: self, FHIRKey.uid.name)
        }
        guard let modality = try self.coding(FHIRKey.modality) else {
            throw FHIRFault(.elementMissing, at: self, FHIRKey.modality.name)
        }
        var instances: [ImagingSummary.Instance] = []
        for value in try self.objects(FHIRKey.instance) {
            guard let uid = try value.identity(FHIRKey.uid) else {
                throw FHIRFault(.elementMissing, at: value, FHIRKey.uid.name)
            }
            guard let sopClass = try value.coding(FHIRKey.sopClass), let code = sopClass.code else {
                throw FHIRFault(.elementMissing, at: value, FHIRKey.sopClass.name)
            }
            instances.append(ImagingSummary.Instance(uid: uid, sopClass: Self.dicomUID(code) ?? code))
        }
        return ImagingSummary.Series(
            uid: uid,
            modality: modality,
            description: try self.text(FHIRKey.description),
            bodySite: try self.coding(FHIRKey.bodySite),
            numberOfInstances: try self.unsignedInteger(FHIRKey.numberOfInstances),
            instances: instances
        )
    }

    /// The digits and dots of a UID that may carry `urn:oid:`.
    private static func dicomUID(_ text: String) -> String? {
        let uid = text.hasPrefix("urn:oid:") ? String(text.dropFirst(8)) : text
        let isUID =
            (1...64).contains(uid.utf8.count)
            && uid.utf8.allSatisfy { JSONReader.isDigit($0) || $0 == UInt8(ascii: ".") }
        return isUID ? uid : nil
    }
}
