package import Records

/// The codes of an exam that a code map is asked about, each with what decides the answer.
package enum ExamCodes {
    /// One question; equal questions have equal answers under one map.
    package struct Question: Hashable, Sendable {
        package var system: String?
        package var code: String
        package var specimen: String?
        /// The unit as it is written, and whether it is declared as UCUM; `nil` of what is no amount.
        package var unit: Unit?

        package init(system: String?, code: String, specimen: String?, unit: Unit?) {
            self.system = system
            self.code = code
            self.specimen = specimen
            self.unit = unit
        }

        /// A unit as a source writes it.
        package struct Unit: Hashable, Sendable {
            package var text: String?
            package var isDeclared: Bool

            package init(text: String?, isDeclared: Bool) {
                self.text = text
                self.isDeclared = isDeclared
            }
        }
    }

    /// All codings of one thing, the first that a map knows counts; with what the source calls it.
    package struct Subject: Sendable {
        package var questions: [Question]
        package var name: String?
    }

    /// What a map makes of a question.
    package enum Answer: Sendable {
        /// The item, the line to be noted if one is needed, and whether the unit cannot be converted.
        case item(CatalogueItem, line: CodeNote.Line?, hasUnitFault: Bool)
        case ambiguous
        case unknown
    }

    /// What sources call UCUM.
    private static let ucumNames: Set<String> = [
        CodeSystem.ucum, "UCUM", "ucum", "urn:oid:2.16.840.1.113883.6.8", "2.16.840.1.113883.6.8",
    ]

    /// The exam's own code first, then those of its results in their order.
    package static func subjects(of exam: Exam) -> [Subject] {
        var subjects: [Subject] = []
        subjects.reserveCapacity(exam.items.count + 1)
        let specimen = self.specimen(of: exam)
        subjects.append(self.subject(exam.code, specimen, unit: nil))
        self.collect(exam.items, specimen, into: &subjects)
        return subjects
    }

    private static func collect(_ items: [ExamItem], _ specimen: String?, into subjects: inout [Subject]) {
        for item in items {
            let specimen = self.specimen(of: item) ?? specimen
            var unit: Question.Unit?
            if case .quantity(let quantity) = item.value, quantity.value != nil {
                let isDeclared = quantity.code != nil && quantity.system.map(Self.ucumNames.contains) ?? false
                unit = Question.Unit(
                    text: isDeclared ? quantity.code : quantity.unit ?? quantity.code,
                    isDeclared: isDeclared
                )
            }
            subjects.append(self.subject(item.code, specimen, unit: unit))
            if !item.components.isEmpty { self.collect(item.components, specimen, into: &subjects) }
        }
    }

    private static func subject(_ concept: CodedConcept, _ specimen: String?, unit: Question.Unit?) -> Subject {
        var questions: [Question] = []
        for coding in concept.codings {
            guard let code = coding.code else { continue }
            questions.append(Question(system: coding.system, code: code, specimen: specimen, unit: unit))
        }
        return Subject(questions: questions, name: concept.text ?? concept.codings.first?.display)
    }

    static func specimen(of exam: Exam) -> String? {
        exam.specimens.lazy.compactMap { $0.type?.label ?? $0.display }.first
    }

    static func specimen(of item: ExamItem) -> String? {
        item.specimen.flatMap { $0.type?.label ?? $0.display }
    }
}

extension CodeMapIndex {
    /// What the map says to a question about a code of `source`.
    package func answer(_ question: ExamCodes.Question, source: String) -> ExamCodes.Answer {
        let local = LocalCode(
            source: source,
            system: question.system,
            code: question.code,
            specimen: question.specimen
        )
        let (match, entry) = self.find(local)
        if case .ambiguous = match { return .ambiguous }
        guard let item = match.item else { return .unknown }
        var isIdentity = true
        var hasUnitFault = false
        if let unit = question.unit, item.unit != nil {
            let quantity = Quantity(
                comparator: nil,
                value: nil,
                unit: unit.text,
                system: unit.isDeclared ? CodeSystem.ucum : nil,
                code: unit.isDeclared ? unit.text : nil
            )
            do throws(UnitRefusal) {
                let way = try item.way(from: quantity, assumed: entry?.unit)
                isIdentity = way.conversion.isIdentity && unit.text == way.unit
            } catch {
                hasUnitFault = true
            }
        }
        // A code of the catalogue itself in the catalogue's unit says everything by itself.
        guard entry != nil || !isIdentity, question.code.utf8.count <= CatalogueItem.textBytesMax,
            (question.system?.utf8.count ?? 0) <= CatalogueItem.textBytesMax
        else { return .item(item, line: nil, hasUnitFault: hasUnitFault) }
        let line = CodeNote.Line(
            system: question.system.map { CodeSystem(recognising: $0).name },
            code: question.code,
            specimen: entry?.specimen,
            assumedUnit: entry?.unit,
            // Names are for suggestions only.
            item: CatalogueItem(
                code: item.code,
                display: item.display,
                unit: item.unit,
                molarMass: item.molarMass
            )
        )
        return .item(item, line: line, hasUnitFault: hasUnitFault)
    }
}
