/// One performed examination or test with its report: the unit of import, sealing, grant and recognition.
///
/// It is a reading of the source's original bytes, which stay what is hashed and sealed: an exam can always be made
/// again from them.
package struct Exam: Hashable, Sendable {
    package var kind: ExamKind
    package var source: ExamSource
    /// Business identifiers, in the source's order.
    package var identifiers: [SourceIdentifier]
    package var code: CodedConcept
    package var categories: [CodedConcept]
    package var status: ExamStatus
    /// When the sample was taken or the patient examined.
    package var effective: ClinicalPeriod?
    /// When this version of the report was released.
    package var issued: ClinicalTime?
    package var performers: [ExamPerformer] = []
    /// Whether a person, not only an institution, is named who made, observed or signed it.
    package var namesPerson = false
    /// What a clinician concluded, as text and as codes.
    package var conclusion: String?
    package var conclusionCodes: [CodedConcept] = []
    package var presentedForms: [PresentedForm] = []
    package var specimens: [ExamSpecimen] = []
    /// The results in the report's order; those that a grouping result contains follow it one level deeper.
    package var items: [ExamItem] = []
    /// The studies that the report speaks about, or the one study that is the exam.
    package var imaging: [ImagingSummary] = []

    package init(
        kind: ExamKind,
        source: ExamSource,
        identifiers: [SourceIdentifier],
        code: CodedConcept,
        categories: [CodedConcept],
        status: ExamStatus
    ) {
        self.kind = kind
        self.source = source
        self.identifiers = identifiers
        self.code = code
        self.categories = categories
        self.status = status
    }

    /// The time by which an exam is found and sorted: when it took place, else when a study began, else when the
    /// report was released.
    package var time: ClinicalTime? {
        self.effective?.first ?? self.imaging.lazy.compactMap(\.started).first ?? self.issued
    }
}

/// Names an exam within its source, so that another reading of it is recognised as the same exam.
///
/// A version number is not part of it: a corrected report has the identity of the report it corrects. Ids of servers
/// are short and may collide between departments, so callers compare it together with the patient.
package struct ExamSource: Hashable, Sendable {
    /// Namespace of `value`; `fhir` for a resource's own `Type/id`, `sha-256` where the source gives no name at all.
    package var system: String
    package var value: String

    package init(system: String, value: String) {
        self.system = system
        self.value = value
    }
}

/// Who performed or answers for an exam.
package struct ExamPerformer: Hashable, Sendable {
    package var display: String?
    package var identifiers: [SourceIdentifier]

    package init(display: String?, identifiers: [SourceIdentifier]) {
        self.display = display
        self.identifiers = identifiers
    }
}

/// What is known about a rendered report; its bytes stay in the original.
package struct PresentedForm: Hashable, Sendable {
    /// Media type.
    package var contentType: String?
    package var title: String?
    /// In bytes, before transport encoding.
    package var size: UInt64?

    package init(contentType: String?, title: String?, size: UInt64?) {
        self.contentType = contentType
        self.title = title
        self.size = size
    }
}

/// What was examined.
package struct ExamSpecimen: Hashable, Sendable {
    package var display: String?
    package var identifiers: [SourceIdentifier]
    package var type: CodedConcept?
    package var collected: ClinicalPeriod?

    package init(
        display: String?,
        identifiers: [SourceIdentifier] = [],
        type: CodedConcept? = nil,
        collected: ClinicalPeriod? = nil
    ) {
        self.display = display
        self.identifiers = identifiers
        self.type = type
        self.collected = collected
    }
}
