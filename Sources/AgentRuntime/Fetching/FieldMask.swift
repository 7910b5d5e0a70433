import Formats
import Ledger
import Records

/// The results of an exam that a grant hides.
///
/// The reading institution's agent leaves them out of what it shows: it holds the record's key, and a changed program
/// could show them (`Documentation/Protocol/Access.md`).
struct FieldMask: Sendable {
    private let hidden: Set<String>

    init(_ answer: AccessAnswer) {
        guard case .allowed(let permission) = answer else {
            self.hidden = []
            return
        }
        self.hidden = Set(permission.hidden)
    }

    /// The codes of `exam` that are hidden; its own code hides all of it.
    func applied(to exam: ParsedExam) -> Set<String> {
        guard !self.hidden.isEmpty else { return [] }
        var found = Self.codes(of: exam.exam.code).intersection(self.hidden)
        var open = exam.exam.items
        while let item = open.popLast() {
            found.formUnion(Self.codes(of: item.code).intersection(self.hidden))
            open += item.components
        }
        return found
    }

    static func hides(_ concept: CodedConcept, _ hidden: Set<String>) -> Bool {
        !hidden.isEmpty && !hidden.isDisjoint(with: Self.codes(of: concept))
    }

    private static func codes(of concept: CodedConcept) -> Set<String> {
        Set(concept.codings.compactMap(\.code))
    }
}
