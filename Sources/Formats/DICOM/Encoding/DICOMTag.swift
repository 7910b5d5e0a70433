/// The number of a data element (PS3.5 section 7.1): group in the upper 16 bits, element in the lower.
package struct DICOMTag: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let number: UInt32

    package init(_ number: UInt32) { self.number = number }

    package var group: UInt16 { UInt16(truncatingIfNeeded: self.number >> 16) }

    package static func < (left: DICOMTag, right: DICOMTag) -> Bool { left.number < right.number }

    /// `(gggg,eeee)` in hexadecimal digits.
    package var description: String {
        func digits(_ value: UInt16) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: 4 - text.count) + text
        }
        return "(\(digits(self.group)),\(digits(UInt16(truncatingIfNeeded: self.number))))"
    }
}

// Names are those of PS3.6 section 6.
extension DICOMTag {
    // Delimiters.
    static let item = DICOMTag(0xfffe_e000)
    static let itemDelimitation = DICOMTag(0xfffe_e00d)
    static let sequenceDelimitation = DICOMTag(0xfffe_e0dd)
    // File meta information and directories.
    static let mediaStorageSOPClassUID = DICOMTag(0x0002_0002)
    static let transferSyntaxUID = DICOMTag(0x0002_0010)
    package static let directoryRecordSequence = DICOMTag(0x0004_1220)
    package static let directoryRecordType = DICOMTag(0x0004_1430)
    // What it is.
    package static let specificCharacterSet = DICOMTag(0x0008_0005)
    package static let sopClassUID = DICOMTag(0x0008_0016)
    package static let sopInstanceUID = DICOMTag(0x0008_0018)
    package static let timezoneOffsetFromUTC = DICOMTag(0x0008_0201)
    // Study.
    package static let studyDate = DICOMTag(0x0008_0020)
    package static let studyTime = DICOMTag(0x0008_0030)
    package static let accessionNumber = DICOMTag(0x0008_0050)
    static let issuerOfAccessionNumberSequence = DICOMTag(0x0008_0051)
    static let modalitiesInStudy = DICOMTag(0x0008_0061)
    static let institutionName = DICOMTag(0x0008_0080)
    static let institutionalDepartmentName = DICOMTag(0x0008_1040)
    package static let studyDescription = DICOMTag(0x0008_1030)
    static let procedureCodeSequence = DICOMTag(0x0008_1032)
    static let performingPhysicianName = DICOMTag(0x0008_1050)
    package static let studyInstanceUID = DICOMTag(0x0020_000d)
    static let numberOfStudyRelatedSeries = DICOMTag(0x0020_1206)
    static let numberOfStudyRelatedInstances = DICOMTag(0x0020_1208)
    static let numberOfSeriesRelatedInstances = DICOMTag(0x0020_1209)
    // Series and instance.
    package static let modality = DICOMTag(0x0008_0060)
    package static let seriesDescription = DICOMTag(0x0008_103e)
    static let bodyPartExamined = DICOMTag(0x0018_0015)
    package static let seriesInstanceUID = DICOMTag(0x0020_000e)
    package static let seriesNumber = DICOMTag(0x0020_0011)
    static let manufacturer = DICOMTag(0x0008_0070)
    static let stationName = DICOMTag(0x0008_1010)
    static let manufacturerModelName = DICOMTag(0x0008_1090)
    package static let instanceNumber = DICOMTag(0x0020_0013)
    package static let numberOfFrames = DICOMTag(0x0028_0008)
    package static let rows = DICOMTag(0x0028_0010)
    package static let columns = DICOMTag(0x0028_0011)
    // Patient.
    package static let patientName = DICOMTag(0x0010_0010)
    package static let patientID = DICOMTag(0x0010_0020)
    static let issuerOfPatientID = DICOMTag(0x0010_0021)
    static let issuerOfPatientIDQualifiersSequence = DICOMTag(0x0010_0024)
    package static let patientBirthDate = DICOMTag(0x0010_0030)
    package static let patientSex = DICOMTag(0x0010_0040)
    static let otherPatientIDs = DICOMTag(0x0010_1000)
    static let otherPatientIDsSequence = DICOMTag(0x0010_1002)
    static let localNamespaceEntityID = DICOMTag(0x0040_0031)
    static let universalEntityID = DICOMTag(0x0040_0032)
    static let universalEntityIDType = DICOMTag(0x0040_0033)
    // Codes.
    static let codeValue = DICOMTag(0x0008_0100)
    static let codingSchemeDesignator = DICOMTag(0x0008_0102)
    static let codeMeaning = DICOMTag(0x0008_0104)
    static let longCodeValue = DICOMTag(0x0008_0119)
    static let urnCodeValue = DICOMTag(0x0008_0120)
    // Structured reports.
    static let valueType = DICOMTag(0x0040_a040)
    static let conceptNameCodeSequence = DICOMTag(0x0040_a043)
    static let conceptCodeSequence = DICOMTag(0x0040_a168)
    static let verificationDateTime = DICOMTag(0x0040_a030)
    static let verifyingObserverSequence = DICOMTag(0x0040_a073)
    static let verifyingObserverName = DICOMTag(0x0040_a075)
    static let contentDateTime = DICOMTag(0x0040_a120)
    static let contentDate = DICOMTag(0x0040_a121)
    static let contentTime = DICOMTag(0x0040_a122)
    static let personName = DICOMTag(0x0040_a123)
    static let uid = DICOMTag(0x0040_a124)
    static let textValue = DICOMTag(0x0040_a160)
    static let measuredValueSequence = DICOMTag(0x0040_a300)
    static let numericValueQualifierCodeSequence = DICOMTag(0x0040_a301)
    static let numericValue = DICOMTag(0x0040_a30a)
    static let measurementUnitsCodeSequence = DICOMTag(0x0040_08ea)
    static let completionFlag = DICOMTag(0x0040_a491)
    static let verificationFlag = DICOMTag(0x0040_a493)
    static let preliminaryFlag = DICOMTag(0x0040_a496)
    static let contentSequence = DICOMTag(0x0040_a730)
    // Encapsulated documents.
    static let documentTitle = DICOMTag(0x0042_0010)
    static let encapsulatedDocument = DICOMTag(0x0042_0011)
    static let mimeTypeOfEncapsulatedDocument = DICOMTag(0x0042_0012)
    static let encapsulatedDocumentLength = DICOMTag(0x0042_0015)
    /// Pixel data and everything after it belong to groups from here on.
    static let pixelDataGroup: UInt16 = 0x7fe0

    /// The elements that an exam takes from every instance; a compact part holds these and no others.
    static let used: Set<DICOMTag> = [
        .specificCharacterSet, .sopClassUID, .sopInstanceUID, .timezoneOffsetFromUTC, .studyDate, .studyTime,
        .accessionNumber, .issuerOfAccessionNumberSequence, .institutionName, .institutionalDepartmentName,
        .studyDescription, .procedureCodeSequence, .performingPhysicianName, .studyInstanceUID, .modality,
        .seriesDescription, .bodyPartExamined, .seriesInstanceUID, .seriesNumber, .instanceNumber, .patientName,
        .patientID, .issuerOfPatientID, .issuerOfPatientIDQualifiersSequence, .patientBirthDate, .patientSex,
        .otherPatientIDs, .otherPatientIDsSequence, .manufacturer, .stationName, .manufacturerModelName,
    ]
}
