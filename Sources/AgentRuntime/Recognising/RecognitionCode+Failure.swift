import Ledger

extension AgentFailure {
    /// A fact that would count for nobody, refused before it is made.
    init(rule: RecognitionCode) {
        let (message, hint) = rule.words
        self.init(rule: rule, message, hint: hint)
    }
}

extension RecognitionCode {
    /// The status with which the command line exits.
    var exitStatus: Int32 {
        switch self {
        case .malformed, .partialGroup, .reasonWithAdoption, .reasonMissing, .badReason, .textMissing, .badAmount,
            .duplicateItem, .badProduction, .future, .beforeMatch, .beforeDecision:
            2
        case .unknownMatch, .unknownCandidate: 3
        case .matchConflict, .wrongInstitution, .decisionConflict, .notDecided, .undoConflict, .voidConflict,
            .notSource, .closedConflict, .undoCited:
            4
        case .candidateReplaced, .candidateVoid, .undoLate: 5
        case .policyNotInForce: 9
        }
    }

    fileprivate var words: (message: String, hint: String) {
        switch self {
        case .malformed: ("the items are none that the match has, or stand twice", "entente matches shows its items.")
        case .future: ("the time lies in the future", "Check the clock of whoever sent it.")
        case .matchConflict:
            ("the visit and order stand for another reminder", "Ask for other items under another order number.")
        case .duplicateItem: ("one item stands twice in the order", "Ask for each item once.")
        case .unknownCandidate:
            ("an institution committed no such record", "It may still be on its way: see entente status.")
        case .candidateReplaced:
            ("there is a newer version of a result of this match", "Make a new match, under another order number.")
        case .candidateVoid:
            ("a result of this match was declared void by its source", "Make a new match, under another order number.")
        case .policyNotInForce: ("the policy pack is not the rules at this time", "See entente policy.")
        case .unknownMatch: ("there is no such match here", "entente matches lists them.")
        case .wrongInstitution: ("the match is another institution's", "")
        case .beforeMatch: ("the time lies before the match", "")
        case .partialGroup:
            ("a match is decided on as a whole", "Say what becomes of the other items: --rest adopt, or --rest D0n.")
        case .reasonWithAdoption: ("an adoption has no reason and no text", "")
        case .reasonMissing: ("a refusal needs a reason", "Give --reason D01 to D08, D98 or D99.")
        case .badReason: ("there is no such reason", "Reasons: D01 to D08, D98, D99.")
        case .textMissing: ("this reason needs words", "Give --text - and write them on standard input.")
        case .badAmount: ("the amount is none that an examination costs", "Check the price list.")
        case .decisionConflict:
            ("the match was decided on otherwise", "entente undo takes the decision back, while the rules allow it.")
        case .notDecided: ("there is no decision for this", "entente matches shows what was decided.")
        case .beforeDecision: ("the time lies before the decision, or before the undo", "")
        case .undoLate: ("the time in which a decision can be taken back is over", "The decision stands.")
        case .undoCited: ("a result of this match stands in a record already", "The decision stands.")
        case .undoConflict: ("the decision was taken back at another time", "")
        case .voidConflict: ("the record was declared void for another reason", "")
        case .notSource: ("the record is none that this institution committed", "")
        case .badProduction: ("the numbers of a day cannot be", "")
        case .closedConflict: ("the reminder was put away at another time", "")
        }
    }
}
