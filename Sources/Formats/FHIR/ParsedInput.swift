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
    package var refusal: FormatRefusal? {
        switch self {
        case .patient(let patient):
            // An identifier without a system, or a bare resource id, still names a patient within the institution.
            patient.identifiers.isEmpty && patient.sourceID == nil ? .patientUnidentified : nil
        case .unresolved: .patientUnresolved
        case .missing: .subjectMissing
        case .notAPatient: .subjectNotPatient
        }
    }
}

/// An exam with the bytes it can be read from again.
package struct ParsedExam: Hashable, Sendable {
    package var exam: Exam
    package var subject: ExamSubject
    /// The report, study or observation first, then what it uses in the order of use.
    package var parts: [RecordContent.Part]
    /// Index in the input of the first byte of the first part.
    package var offset: Int
    /// Position of the first part in its Bundle, from 0.
    package var bundleIndex: Int?
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

    init(_ error: JSONError, range: Range<Int>) {
        self.refusal = FormatRefusal(error.code)
        self.offset = error.offset
        self.range = range
    }

    init(_ fault: FHIRFault, range: Range<Int>, bundleIndex: Int?) {
        self.refusal = fault.refusal
        self.element = fault.element
        self.offset = fault.offset
        self.range = range
        self.bundleIndex = bundleIndex
    }
}

/// Everything that one input of moderate size holds.
package struct ParsedInput: Sendable {
    package var exams: [ParsedExam] = []
    package var patients: [PatientDemographics] = []
    package var refused: [RefusedPiece] = []
    /// Resources that are no part of any exam, by type, in the order of the types' names.
    package var skipped: [(type: String, count: Int)] = []

    /// Reads a Bundle, a resource, or resources one a line: then each Bundle is read by itself, and all other
    /// resources together.
    package init(fhir bytes: [UInt8]) {
        guard FHIRForm(startOf: bytes[...]) == .lines else {
            self.init([FHIRInput(document: bytes)])
            return
        }
        var inputs: [FHIRInput] = []
        var single: [JSONValue] = []
        var refused: [RefusedPiece] = []
        for line in FHIRForm.lines(of: bytes) {
            do throws(JSONError) {
                let root = try JSONReader.read(bytes, in: line).root
                if FHIRForm.isBundle(root) { inputs.append(FHIRInput([root])) } else { single.append(root) }
            } catch {
                refused.append(RefusedPiece(error, range: line))
            }
        }
        self.init(inputs + [FHIRInput(single)])
        self.refused += refused
    }

    private init(_ inputs: [FHIRInput]) {
        var skipped: [String: Int] = [:]
        for var input in inputs {
            self.patients += input.patients
            skipped.merge(input.skipped, uniquingKeysWith: +)
            while let output = input.next() {
                switch output {
                case .exam(let exam): self.exams.append(exam)
                case .refused(let piece): self.refused.append(piece)
                }
            }
        }
        self.skipped = skipped.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
