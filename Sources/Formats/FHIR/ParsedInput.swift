package import Records

extension RefusedPiece {
    init(_ error: JSONError, range: Range<Int>) {
        self.init(FormatRefusal(FHIRRefusal(error.code)), offset: error.offset, range: range)
    }

    init(_ fault: FHIRFault, range: Range<Int>, bundleIndex: Int?) {
        self.init(
            FormatRefusal(fault.refusal),
            element: fault.element,
            offset: fault.offset,
            range: range,
            bundleIndex: bundleIndex
        )
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
