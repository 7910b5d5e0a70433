package import Primitives

/// One match of a QIDO-RS query (PS3.18 section 10.6), as far as it is needed to tell whether a study or series changed.
package struct DICOMMatch: Hashable, Sendable {
    /// Digits and dots.
    package let studyUID: String
    /// Of an answer about a series or an instance.
    package let seriesUID: String?
    /// As the server counts them, where it does.
    package let numberOfInstances: UInt32?
    /// Over what the server says of the study itself: the same for the same facts, however they are written, ordered or
    /// served.
    package let facts: Digest

    /// What ``facts`` covers, in the order of the tags.
    ///
    /// Not where the study can be retrieved, nor whether it is on disk or on tape.
    package static let factTags: [DICOMTag] = [
        .studyDate, .studyTime, .accessionNumber, .modalitiesInStudy, .studyDescription, .patientName, .patientID,
        .issuerOfPatientID, .patientBirthDate, .patientSex, .studyInstanceUID, .seriesInstanceUID,
        .numberOfStudyRelatedSeries, .numberOfStudyRelatedInstances, .numberOfSeriesRelatedInstances,
    ]

    /// The matches of one answer.
    package struct Answer: Sendable {
        package var matches: [DICOMMatch] = []
        /// Of objects that name no study.
        package var faults: [DICOMFault] = []

        package init() {}
    }

    /// Reads the matches of an answer; one that is wrong leaves the others as they are.
    package static func answer(_ bytes: [UInt8]) -> Result<Answer, DICOMFault> {
        DICOMJSON.objects(bytes).map { ranges in
            let decoders = DICOMDecoders()
            var answer = Answer()
            for range in ranges {
                do throws(DICOMFault) {
                    answer.matches.append(try DICOMMatch(DICOMJSON.dataSet(Array(bytes[range]), decoders)))
                } catch {
                    var fault = error
                    fault.offset = range.lowerBound
                    answer.faults.append(fault)
                }
            }
            return answer
        }
    }

    private init(_ dataSet: DICOMDataSet) throws(DICOMFault) {
        guard let study = try dataSet.uid(.studyInstanceUID) else {
            throw DICOMFault(.studyUIDMissing, offset: dataSet.offset, .studyInstanceUID)
        }
        self.studyUID = study
        self.seriesUID = try dataSet.uid(.seriesInstanceUID)
        let counted: DICOMTag =
            self.seriesUID == nil ? .numberOfStudyRelatedInstances : .numberOfSeriesRelatedInstances
        self.numberOfInstances = dataSet.integer(counted).flatMap { UInt32(exactly: $0) }
        var facts = CanonicalEncoder()
        facts.encode("dicom-match")
        for tag in Self.factTags {
            facts.encode(tag.number)
            facts.encode(
                dataSet.elements.first { $0.tag == tag }.map { Digest(hashing: Array(dataSet.bytes[$0.value])) }
            )
        }
        self.facts = Digest(hashing: facts.bytes)
    }
}
