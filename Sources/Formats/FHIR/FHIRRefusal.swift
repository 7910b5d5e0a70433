/// Why a piece of FHIR input is not imported.
package enum FHIRRefusal: String, FormatRefusalCode, Error {
    // The text.
    case jsonSyntax = "fhir.json-syntax"
    case trailingData = "fhir.trailing-data"
    case duplicateKey = "fhir.duplicate-key"
    case notUTF8 = "fhir.not-utf8"
    case tooDeep = "fhir.too-deep"
    case tooLarge = "fhir.too-large"
    // The resource.
    case notAResource = "fhir.not-a-resource"
    case unknownResourceType = "fhir.unknown-resource-type"
    case bundleTypeMissing = "fhir.bundle-type-missing"
    case bundleTypeUnsupported = "fhir.bundle-type-unsupported"
    case badStructure = "fhir.bad-structure"
    case choiceConflict = "fhir.choice-conflict"
    case unknownValueType = "fhir.unknown-value-type"
    case modifierExtension = "fhir.modifier-extension"
    case elementMissing = "fhir.element-missing"
    case statusMissing = "fhir.status-missing"
    case codeMissing = "fhir.code-missing"
    // Primitive values.
    case badStatus = "fhir.bad-status"
    case badCode = "fhir.bad-code"
    case badString = "fhir.bad-string"
    case badURI = "fhir.bad-uri"
    case badID = "fhir.bad-id"
    case badUID = "fhir.bad-uid"
    case badDate = "fhir.bad-date"
    case badTime = "fhir.bad-time"
    case badDecimal = "fhir.bad-decimal"
    case badInteger = "fhir.bad-integer"
    case badBoolean = "fhir.bad-boolean"
    case badBase64 = "fhir.bad-base64"
    // References.
    case subjectConflict = "fhir.subject-conflict"
    case resultUnresolved = "fhir.result-unresolved"
    case referenceAmbiguous = "fhir.reference-ambiguous"
    case referenceType = "fhir.reference-type"
    case tooManyItems = "fhir.too-many-items"

    package var message: String {
        switch self {
        case .jsonSyntax: "This is not JSON."
        case .trailingData: "Something follows the end of the JSON value."
        case .duplicateKey: "A property occurs twice in one object."
        case .notUTF8: "The text is not UTF-8."
        case .tooDeep: "The JSON is nested too deeply."
        case .tooLarge: "The piece is larger than the importer takes."
        case .notAResource: "This JSON is not a FHIR resource: it has no resourceType."
        case .unknownResourceType: "FHIR R4 has no such resource type."
        case .bundleTypeMissing: "The Bundle has no type."
        case .bundleTypeUnsupported: "The Bundle's type is unknown or holds no current resources."
        case .badStructure: "An element has the wrong shape: object, array or plain value."
        case .choiceConflict: "An element that may have one type occurs with two."
        case .unknownValueType: "The result's value has a type that FHIR R4 does not allow."
        case .modifierExtension: "The resource has an extension that changes its meaning and is not understood."
        case .elementMissing: "A required element is missing."
        case .statusMissing: "The resource has no status."
        case .codeMissing: "The resource has no code: it does not say what was examined."
        case .badStatus: "The status is not one that FHIR R4 defines here."
        case .badCode: "A code is empty, unknown, or has spaces where none may be."
        case .badString: "A text is empty or holds control characters, or is no text."
        case .badURI: "A URI is empty, has spaces, or is no text."
        case .badID: "An id is not 1 to 64 letters, digits, - and dots."
        case .badUID: "A DICOM UID is not 1 to 64 digits and dots."
        case .badDate: "A date or time does not exist or is not written as FHIR R4 says."
        case .badTime: "A time of day does not exist or is not written as FHIR R4 says."
        case .badDecimal: "A number is not a JSON number or has too many digits."
        case .badInteger: "A whole number is out of range or not written as one."
        case .badBoolean: "A value that is true or false is neither."
        case .badBase64: "Attached data is not base64."
        case .subjectConflict: "A result in the report is another patient's."
        case .resultUnresolved: "A result that the report names is not in the input."
        case .referenceAmbiguous: "A reference fits two different resources."
        case .referenceType: "A reference points to a resource of the wrong type."
        case .tooManyItems: "The exam has more results than the importer takes."
        }
    }

    package init(_ code: JSONError.Code) {
        self =
            switch code {
            case .syntax, .truncated, .badEscape, .controlCharacter: .jsonSyntax
            case .trailingData: .trailingData
            case .duplicateKey: .duplicateKey
            case .notUTF8: .notUTF8
            case .tooDeep: .tooDeep
            case .tooLarge: .tooLarge
            }
    }
}
