/// Why a DICOM file or a study made of such files is not imported.
package enum DICOMRefusal: String, FormatRefusalCode, Error {
    // The file.
    case notDICOM = "dicom.not-dicom"
    case badMeta = "dicom.bad-meta"
    case unknownTransferSyntax = "dicom.unknown-transfer-syntax"
    case encodingMismatch = "dicom.encoding-mismatch"
    case badDeflate = "dicom.bad-deflate"
    case truncated = "dicom.truncated"
    case badStructure = "dicom.bad-structure"
    case unknownVR = "dicom.unknown-vr"
    case duplicateElement = "dicom.duplicate-element"
    case tooDeep = "dicom.too-deep"
    case tooLarge = "dicom.too-large"
    case directory = "dicom.directory"
    case jsonSyntax = "dicom.json-syntax"
    case jsonStructure = "dicom.json-structure"
    // Values.
    case unknownCharacterSet = "dicom.unknown-character-set"
    case undecodableText = "dicom.undecodable-text"
    case badString = "dicom.bad-string"
    case tooManyValues = "dicom.too-many-values"
    case badUID = "dicom.bad-uid"
    case badDate = "dicom.bad-date"
    case badTime = "dicom.bad-time"
    case badOffset = "dicom.bad-offset"
    case badNumber = "dicom.bad-number"
    case badCode = "dicom.bad-code"
    case valueTypeMissing = "dicom.value-type-missing"
    // The place in a study.
    case studyUIDMissing = "dicom.study-uid-missing"
    case seriesUIDMissing = "dicom.series-uid-missing"
    case instanceUIDMissing = "dicom.instance-uid-missing"
    case classUIDMissing = "dicom.class-uid-missing"
    case studyConflict = "dicom.study-conflict"
    case seriesConflict = "dicom.series-conflict"
    case instanceConflict = "dicom.instance-conflict"
    case patientConflict = "dicom.patient-conflict"
    case tooManyInstances = "dicom.too-many-instances"
    case tooManyItems = "dicom.too-many-items"

    package var message: String {
        switch self {
        case .notDICOM: "This is not DICOM: neither a file prefix nor the start of a data set."
        case .badMeta: "The file meta information cannot be read."
        case .unknownTransferSyntax: "The file's transfer syntax is not one that DICOM defines."
        case .encodingMismatch: "The data set is not encoded as its transfer syntax says, nor in another known way."
        case .badDeflate: "The deflated data set cannot be inflated."
        case .truncated: "The file ends inside an element: it was cut off."
        case .badStructure: "A sequence, an item or a delimiter stands where none may be."
        case .unknownVR: "An element has a value representation that DICOM does not define."
        case .duplicateElement: "An element occurs twice in one data set."
        case .tooDeep: "Sequences are nested too deeply."
        case .tooLarge: "The header or the study is larger than the importer takes."
        case .directory: "This is a media directory: it names instances and is none itself."
        case .jsonSyntax: "This is not JSON."
        case .jsonStructure: "This JSON does not follow the DICOM JSON model."
        case .unknownCharacterSet:
            "A text is not ASCII, and the data set names a character set that DICOM does not define."
        case .undecodableText: "A text does not belong to the character set that the data set names."
        case .badString: "A text holds control characters or is too long."
        case .tooManyValues: "An element that may have one value has several."
        case .badUID: "A UID is not 1 to 64 digits and dots, or has fewer than two components."
        case .badDate: "A date does not exist or is not written as DICOM says."
        case .badTime: "A time of day does not exist or is not written as DICOM says."
        case .badOffset: "An offset from UTC does not exist or is not written as DICOM says."
        case .badNumber: "A number is not written as DICOM says."
        case .badCode: "A coded entry has no code, or a code without a coding scheme."
        case .valueTypeMissing: "A content item of a report does not say what sort of value it has."
        case .studyUIDMissing: "The instance does not say which study it belongs to."
        case .seriesUIDMissing: "The instance does not say which series it belongs to."
        case .instanceUIDMissing: "The instance has no SOP Instance UID."
        case .classUIDMissing: "The instance has no SOP Class UID."
        case .studyConflict: "Instances of different studies were given as one."
        case .seriesConflict: "One series has two modalities."
        case .instanceConflict: "Two different instances have the same SOP Instance UID."
        case .patientConflict: "Instances of one study name different patients."
        case .tooManyInstances: "The study has more instances than the importer takes."
        case .tooManyItems: "The study's reports have more content items than the importer takes."
        }
    }
}

/// What is wrong with a file or a study, and where.
package struct DICOMFault: Error, Hashable, Sendable {
    package var refusal: DICOMRefusal
    /// Byte index in the file; in a deflated file, of the inflated data set.
    package var offset: Int
    /// The element at fault as `(gggg,eeee)`, if one is.
    package var element: String?
    /// Index of the file among those of the study.
    package var member: Int?

    init(_ refusal: DICOMRefusal, offset: Int, _ tag: DICOMTag? = nil, member: Int? = nil) {
        self.refusal = refusal
        self.offset = offset
        self.element = tag?.description
        self.member = member
    }
}
