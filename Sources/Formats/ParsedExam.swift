package import Records

/// Whose an exam is, as far as the input tells.
package enum ExamSubject: Hashable, Sendable {
    case patient(PatientDemographics)
    /// The reference leads to nothing in the input.
    case unresolved
    case missing
    /// A group, device, place or animal herd.
    case notAPatient

    /// Why an exam of this subject cannot be filed; `nil` if it can.
    package var refusal: SubjectRefusal? {
        switch self {
        case .patient(let patient):
            // An identifier without a system, or a bare resource id, still names a patient within the institution.
            patient.identifiers.isEmpty && patient.sourceID == nil ? .unidentified : nil
        case .unresolved: .unresolved
        case .missing: .missing
        case .notAPatient: .notAPatient
        }
    }
}

/// An exam with the bytes it can be read from again.
package struct ParsedExam: Hashable, Sendable {
    package var format: SourceFormat
    package var exam: Exam
    package var subject: ExamSubject
    /// What the format's reader makes the same exam of again, by itself: of FHIR the report, study or observation first,
    /// then what it uses in the order of use.
    package var parts: [RecordContent.Part]
    /// Index in the input of the first byte of the first part.
    package var offset: Int
    /// Position of the first part in its Bundle, from 0.
    package var bundleIndex: Int?
    /// What the record that it was read from says about its codes.
    package var codes: CodeNote?

    package init(
        format: SourceFormat,
        exam: Exam,
        subject: ExamSubject,
        parts: [RecordContent.Part],
        offset: Int,
        bundleIndex: Int? = nil
    ) {
        self.format = format
        self.exam = exam
        self.subject = subject
        self.parts = parts
        self.offset = offset
        self.bundleIndex = bundleIndex
    }
}

/// A piece of input that is not imported.
package struct RefusedPiece: Hashable, Sendable {
    package var refusal: FormatRefusal
    /// The element at fault, if the text could be read that far.
    package var element: String?
    /// Index in the input of what is at fault.
    package var offset: Int
    /// The refused resource, line or document.
    package var range: Range<Int>
    /// Position of the resource in its Bundle, from 0.
    package var bundleIndex: Int?

    package init(
        _ refusal: FormatRefusal,
        element: String? = nil,
        offset: Int,
        range: Range<Int>,
        bundleIndex: Int? = nil
    ) {
        self.refusal = refusal
        self.element = element
        self.offset = offset
        self.range = range
        self.bundleIndex = bundleIndex
    }
}
