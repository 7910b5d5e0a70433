/// Why a piece of HL7 version 2 input is not imported.
package enum HL7v2Refusal: String, FormatRefusalCode, Error {
    // The stream and its envelope.
    case noHeader = "hl7.no-header"
    case tooLarge = "hl7.too-large"
    case frameOpen = "hl7.frame-open"
    case frameGarbage = "hl7.frame-garbage"
    case batchCount = "hl7.batch-count"
    case batchOpen = "hl7.batch-open"
    // What a connection's sender is told of a message that is not looked at (section 2.9.2).
    case unsupportedType = "hl7.unsupported-type"
    case unsupportedProcessing = "hl7.unsupported-processing"
    case unsupportedVersion = "hl7.unsupported-version"
    case controlIDReused = "hl7.control-id-reused"
    // The message.
    case badDelimiters = "hl7.bad-delimiters"
    case messageTypeMissing = "hl7.message-type-missing"
    case badSegment = "hl7.bad-segment"
    case mixedTerminators = "hl7.mixed-terminators"
    case unknownCharacterSet = "hl7.unknown-character-set"
    case badText = "hl7.bad-text"
    case continuationMissing = "hl7.continuation-missing"
    case orderMissing = "hl7.order-missing"
    case patientConflict = "hl7.patient-conflict"
    case tooManySegments = "hl7.too-many-segments"
    // The order and its results.
    case codeMissing = "hl7.code-missing"
    case badTime = "hl7.bad-time"
    case badAttachment = "hl7.bad-attachment"
    case tooManyItems = "hl7.too-many-items"
    // A record's parts.
    case badParts = "hl7.bad-parts"

    package var message: String {
        switch self {
        case .noHeader: "These lines belong to no message: no MSH segment precedes them."
        case .tooLarge: "The message is larger than the importer takes."
        case .frameOpen: "An MLLP frame has no end: the message in it is cut off."
        case .frameGarbage: "There are bytes between two MLLP frames."
        case .batchCount: "A batch or file trailer counts other messages or batches than there are."
        case .batchOpen: "A batch or file has a header and no trailer, or the reverse: messages may be missing."
        case .unsupportedType: "Messages of this type hold no results and are not taken."
        case .unsupportedProcessing: "MSH-11 does not say production: tests and training are not taken."
        case .unsupportedVersion: "MSH-12 is not a version 2."
        case .controlIDReused: "A message with other content came under this control id (MSH-10) a moment ago."
        case .badDelimiters: "MSH-1 and MSH-2 name no four different delimiters."
        case .messageTypeMissing: "The message does not say of what type it is, or not in a type's form."
        case .badSegment: "A line is not a segment."
        case .mixedTerminators: "Some segments end with CR and some with LF: it is unclear where segments end."
        case .unknownCharacterSet: "The character set is not one that can be read, or is not named and cannot be told."
        case .badText: "Text holds control characters or bytes that are not of its character set."
        case .continuationMissing: "A message that is continued lacks its continuation, or a continuation its message."
        case .orderMissing: "The result message has no order (OBR) and no document (TXA)."
        case .patientConflict: "The message names different patients for one result."
        case .tooManySegments: "The message has more segments than the importer takes."
        case .codeMissing: "An order or a value does not say what was examined."
        case .badTime: "A date or time does not exist or is not written as HL7 says."
        case .badAttachment: "Attached data is not in the encoding that it names."
        case .tooManyItems: "The exam has more results or repetitions than the importer takes."
        case .badParts: "A record's parts are not one order of one message."
        }
    }
}

/// What is wrong with a message, and where in its bytes.
struct HL7v2Fault: Error, Hashable, Sendable {
    var refusal: HL7v2Refusal
    /// Index in the message's bytes.
    var offset: Int
    /// Name of the segment and field, such as `OBX-5`; never the source's content.
    var element: String?

    init(_ refusal: HL7v2Refusal, offset: Int, element: String? = nil) {
        self.refusal = refusal
        self.offset = offset
        self.element = element
    }

    init(_ refusal: HL7v2Refusal, _ segment: HL7v2Segment, field: Int) {
        self.init(refusal, offset: segment.range.lowerBound, element: "\(segment.id.name)-\(field)")
    }
}

/// How much the reader takes.
package enum HL7v2Limits {
    /// A report with a scanned document of some 20 MB in base64; what is larger does not fit into one record.
    package static let messageBytesMax = 31 << 20
    /// Messages that one is continued in; each joining copies what came before.
    static let fragmentsMax = 64
    /// Some 50 times the largest real message: a culture with hundreds of results and notes.
    static let segmentsMax = 50_000
    /// No segment of any version has half as many; fields after the last are not read.
    static let fieldsMax = 128
    /// Of one field; values that repeat more often are a series of measurements, which has its own segment types.
    static let repetitionsMax = 1024
    /// Results of one exam, repetitions among them.
    static let itemsMax = 16_384
    /// What all parts of one message may hold, times the message: orders share its header, but not without end.
    static let sharingFactorMax = 8
    /// What small messages may hold in any case.
    static let sharedBytesMin = 1 << 20
}
