import Records

/// The states of orders, results and documents.
enum HL7v2Status {
    /// OBR-25 (HL7 table 0123), and the deletions of table 0085 that senders write there.
    static func order(_ code: String) -> ExamStatus {
        switch code {
        case "F": .final
        case "C", "M": .corrected
        case "P", "R": .preliminary
        case "A": .partial
        case "I", "O", "S", "N": .registered
        case "X": .cancelled
        case "D", "W": .enteredInError
        default: .unknown
        }
    }

    /// OBX-11 (HL7 table 0085).
    static func result(_ code: String) -> ExamStatus {
        switch code {
        case "F", "U", "V": .final
        case "C": .corrected
        case "A", "B": .amended
        case "P", "R", "S": .preliminary
        case "I", "O": .registered
        case "X", "N": .cancelled
        case "D", "W": .enteredInError
        default: .unknown
        }
    }

    /// Why a result without a value has none.
    static func absence(_ code: String) -> CodedConcept? {
        let display: String
        switch code {
        case "X": display = "Results cannot be obtained for this observation"
        case "N": display = "Not asked"
        case "I": display = "Specimen in lab; results pending"
        default: return nil
        }
        return CodedConcept(
            text: nil,
            codings: [Coding(system: HL7v2CodeSystem.resultStatus, code: code, display: display)]
        )
    }

    /// What an order without OBR-25 is, by its results.
    static func summary(_ results: [ExamStatus]) -> ExamStatus {
        let kinds = Set(results)
        if kinds.isEmpty { return .unknown }
        if kinds.count == 1 { return kinds.first ?? .unknown }
        if kinds.contains(.unknown) { return .unknown }
        let isOpen = !kinds.isDisjoint(with: [.preliminary, .registered, .partial])
        if isOpen { return kinds.isDisjoint(with: [.final, .corrected, .amended]) ? .preliminary : .partial }
        if !kinds.isDisjoint(with: [.corrected, .amended]) { return .corrected }
        // A final report of which single results were cancelled or withdrawn.
        return kinds.contains(.final) ? .final : .enteredInError
    }

    /// TXA-17 (HL7 table 0271), with the trigger that says what was done to the document and TXA-19 (table 0273).
    static func document(completion: String?, availability: String?, trigger: String?) -> ExamStatus {
        if trigger == "T11" || availability == "CA" { return .enteredInError }
        switch completion {
        case "AU", "LA", nil:
            switch trigger {
            case "T06": return .appended
            case "T08", "T10": return .corrected
            default: return completion == nil ? .unknown : .final
            }
        case "DI", "DO", "IN", "IP", "PA": return .preliminary
        default: return .unknown
        }
    }
}
