import Formats

/// Why a PACS, or one of its studies, is not read.
package enum DICOMWebRefusal: String, CaseIterable, FormatRefusalCode, Error {
    case unreachable = "dicomweb.unreachable"
    case certificate = "dicomweb.certificate"
    case timeout = "dicomweb.timeout"
    case denied = "dicomweb.denied"
    case redirected = "dicomweb.redirected"
    case gone = "dicomweb.gone"
    case status = "dicomweb.status"
    case tooLarge = "dicomweb.too-large"
    case badAnswer = "dicomweb.bad-answer"
    case tooMany = "dicomweb.too-many"
    case incomplete = "dicomweb.incomplete"

    package var message: String {
        switch self {
        case .unreachable: "The PACS cannot be reached."
        case .certificate: "The certificate of the PACS is not trusted, or TLS failed."
        case .timeout: "The PACS took too long to answer."
        case .denied: "The PACS does not take the credentials, or needs some."
        case .redirected: "The PACS sends elsewhere, and redirections are not followed."
        case .gone: "The PACS does not have it, or not any more."
        case .status: "The PACS answered that it cannot do it."
        case .tooLarge: "The answer of the PACS is larger than the importer takes."
        case .badAnswer: "The answer of the PACS is not DICOM JSON."
        case .tooMany: "The PACS has more studies than are looked at; look at fewer days."
        case .incomplete: "The PACS counts other instances than it gives."
        }
    }

    /// Whether other studies may be read all the same.
    var isOfStudy: Bool {
        switch self {
        case .gone, .status, .timeout, .tooLarge, .badAnswer, .incomplete: true
        case .unreachable, .certificate, .denied, .redirected, .tooMany: false
        }
    }
}
