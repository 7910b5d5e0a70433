/// Why a fact does not count, although the chain has ordered it.
///
/// Everybody who holds the manifests finds the same: a fact that is refused here changes no figure anywhere. An agent
/// asks before it anchors, so that its own facts are refused at the desk. Numbers and names are part of the protocol,
/// never reused, and none is one of ``TransactionCode``.
package enum RecognitionCode: UInt16, Error, CaseIterable, Sendable {
    /// Empty or repeated items, or ones that the match does not have.
    case malformed = 630
    /// Later than the block that holds it.
    case future = 631
    /// The match id stands for another reminder.
    case matchConflict = 632
    /// One item with one candidate twice in one order.
    case duplicateItem = 633
    /// No such record was committed by that source.
    case unknownCandidate = 634
    /// The candidate has a newer version.
    case candidateReplaced = 635
    /// The source declared the candidate void.
    case candidateVoid = 636
    /// The pack was not the rules when the match was made.
    case policyNotInForce = 637
    case unknownMatch = 638
    /// The match is another institution's.
    case wrongInstitution = 639
    /// Earlier than the match that it is about.
    case beforeMatch = 640
    /// The decision leaves out items of its group.
    case partialGroup = 641
    case reasonWithAdoption = 642
    case reasonMissing = 643
    case badReason = 644
    /// The reason says nothing without words.
    case textMissing = 645
    case badAmount = 646
    /// The match was decided on otherwise.
    case decisionConflict = 647
    /// There is no adoption that could be cited, or no decision that could be taken back.
    case notDecided = 648
    /// Earlier than the decision that it is about.
    case beforeDecision = 649
    case undoLate = 650
    /// The result stands in a record already.
    case undoCited = 651
    /// The decision was taken back at another time.
    case undoConflict = 652
    /// The record was declared void for another reason.
    case voidConflict = 653
    /// The record is not the institution's own.
    case notSource = 654
    /// Numbers that cannot be, or more than the chain holds of that institution.
    case badProduction = 655
    /// The reminder was put away at another time.
    case closedConflict = 656

    /// The stable name that answers, logs and scripts use.
    package var name: String {
        switch self {
        case .malformed: "recognition.malformed"
        case .future: "recognition.future"
        case .matchConflict: "recognition.match-conflict"
        case .duplicateItem: "recognition.duplicate-item"
        case .unknownCandidate: "recognition.unknown-candidate"
        case .candidateReplaced: "recognition.candidate-replaced"
        case .candidateVoid: "recognition.candidate-void"
        case .policyNotInForce: "recognition.policy-not-in-force"
        case .unknownMatch: "recognition.unknown-match"
        case .wrongInstitution: "recognition.wrong-institution"
        case .beforeMatch: "recognition.before-match"
        case .partialGroup: "recognition.partial-group"
        case .reasonWithAdoption: "recognition.reason-with-adoption"
        case .reasonMissing: "recognition.reason-missing"
        case .badReason: "recognition.bad-reason"
        case .textMissing: "recognition.text-missing"
        case .badAmount: "recognition.bad-amount"
        case .decisionConflict: "recognition.decision-conflict"
        case .notDecided: "recognition.not-decided"
        case .beforeDecision: "recognition.before-decision"
        case .undoLate: "recognition.undo-late"
        case .undoCited: "recognition.undo-cited"
        case .undoConflict: "recognition.undo-conflict"
        case .voidConflict: "recognition.void-conflict"
        case .notSource: "recognition.not-source"
        case .badProduction: "recognition.bad-production"
        case .closedConflict: "recognition.closed-conflict"
        }
    }
}
