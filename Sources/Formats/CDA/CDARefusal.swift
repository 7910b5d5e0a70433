/// Why a CDA document is not imported.
package enum CDARefusal: String, FormatRefusalCode, Error {
    // The text.
    case xmlSyntax = "cda.xml-syntax"
    case xmlNamespace = "cda.xml-namespace"
    case documentType = "cda.document-type"
    case unknownEncoding = "cda.unknown-encoding"
    case badEncoding = "cda.bad-encoding"
    case encodingConflict = "cda.encoding-conflict"
    case tooDeep = "cda.too-deep"
    case tooLarge = "cda.too-large"
    case tooManyAttributes = "cda.too-many-attributes"
    // The document.
    case notCDA = "cda.not-cda"
    case wrongNamespace = "cda.wrong-namespace"
    case elementMissing = "cda.element-missing"
    case elementRepeated = "cda.element-repeated"
    case bodyMissing = "cda.body-missing"
    case codeMissing = "cda.code-missing"
    case setConflict = "cda.set-conflict"
    // The patient.
    case patientMissing = "cda.patient-missing"
    case severalPatients = "cda.several-patients"
    case patientUnidentified = "cda.patient-unidentified"
    case patientConflict = "cda.patient-conflict"
    case subjectConflict = "cda.subject-conflict"
    // Data types.
    case badID = "cda.bad-id"
    case badCode = "cda.bad-code"
    case badStatus = "cda.bad-status"
    case badTime = "cda.bad-time"
    case badNumber = "cda.bad-number"
    case badBoolean = "cda.bad-boolean"
    case badBase64 = "cda.bad-base64"
    case valueTypeMissing = "cda.value-type-missing"
    case unknownValueType = "cda.unknown-value-type"
    // Results.
    case tooManyItems = "cda.too-many-items"
    case notOnePart = "cda.not-one-part"

    package var message: String {
        switch self {
        case .xmlSyntax: "This is not well-formed XML."
        case .xmlNamespace: "A namespace prefix is not declared, or a namespace is misused."
        case .documentType: "The XML has a document type declaration, which could draw in other content."
        case .unknownEncoding: "The XML declares an encoding that is not known here."
        case .badEncoding: "Bytes do not belong to the encoding that the XML declares."
        case .encodingConflict: "The bytes are or may be in another encoding than the XML declares."
        case .tooDeep: "The XML is nested too deeply."
        case .tooLarge: "The document is larger than the importer takes."
        case .tooManyAttributes: "An element has more attributes or namespaces than the importer takes."
        case .notCDA: "The root element is not ClinicalDocument."
        case .wrongNamespace: "ClinicalDocument is not in the namespace of HL7 version 3."
        case .elementMissing: "A required element or attribute is missing or has no value."
        case .elementRepeated: "An element that may occur once occurs several times."
        case .bodyMissing: "The document has no body."
        case .codeMissing: "A document or result has neither code nor name: it does not say what it is."
        case .setConflict: "The document replaces a document of another set."
        case .patientMissing: "The document does not say whose it is."
        case .severalPatients: "The document is about several patients."
        case .patientUnidentified: "The patient has no identifier."
        case .patientConflict: "The patient has two different identity card numbers."
        case .subjectConflict: "A result in the document is another person's than the patient's."
        case .badID: "An identifier's root or extension holds spaces or control characters, or is too long."
        case .badCode: "A coded value is not one that CDA defines here."
        case .badStatus: "A status is not one that HL7 version 3 defines for acts."
        case .badTime: "A date or time does not exist or is not written as HL7 version 3 says."
        case .badNumber: "A number is not written as one or has too many digits."
        case .badBoolean: "A value that is true or false is neither."
        case .badBase64: "Embedded data is not base64."
        case .valueTypeMissing: "A result's value does not say its data type."
        case .unknownValueType: "A result's value has a data type that CDA does not define."
        case .tooManyItems: "The document has more results than the importer takes."
        case .notOnePart: "The record does not consist of one document."
        }
    }

    init(_ code: XMLError.Code) {
        self =
            switch code {
            case .syntax: .xmlSyntax
            case .namespace: .xmlNamespace
            case .documentType: .documentType
            case .unknownEncoding: .unknownEncoding
            case .badEncoding: .badEncoding
            case .encodingConflict: .encodingConflict
            case .tooDeep: .tooDeep
            case .tooLarge: .tooLarge
            case .tooManyAttributes: .tooManyAttributes
            }
    }
}
