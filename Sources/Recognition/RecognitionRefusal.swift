/// Why a question gets no verdict at all; the question itself is wrong.
package enum RecognitionRefusal: String, Error, CaseIterable, Hashable, Sendable {
    case tooManyCandidates = "recognition.too-many-candidates"
    case duplicateCandidate = "recognition.duplicate-candidate"
    case policyNotInForce = "recognition.policy-not-in-force"
    case inputTooLarge = "recognition.input-too-large"
    case tooManyItems = "recognition.too-many-items"

    package var message: String {
        switch self {
        case .tooManyCandidates: "An order is judged against 256 exams at most; take the newest."
        case .duplicateCandidate: "One line of one report version was given twice."
        case .policyNotInForce: "The policy pack does not apply at the time of the order."
        case .inputTooLarge: "A text or list of the order, an exam or the access is too long."
        case .tooManyItems: "An order has at most 64 items, components of joint ones included."
        }
    }
}
