import Primitives

// The traces that an exam leaves.
extension ExamTrace {
    /// The traces of an exam, each name once.
    package static func traces(of exam: Exam) -> [ExamTrace] {
        self.specimens(exam) + self.numbers(exam) + self.instances(exam)
    }

    // MARK: Specimens

    private static func specimens(_ exam: Exam) -> [ExamTrace] {
        var traces: [ExamTrace] = []
        var places: [Name: Int] = [:]
        // Which of several specimens an item was measured in is known only if the item says so.
        let common = exam.specimens.count == 1 ? exam.specimens.first : nil
        // By index here and below: an item is large, and copying it costs more than what is read of it.
        for index in exam.items.indices {
            let specimen = exam.items[index].specimen ?? common
            guard let identifiers = specimen?.identifiers, !identifiers.isEmpty else { continue }
            let facts = self.facts(exam.items[index])
            guard !facts.isEmpty else { continue }
            for identifier in identifiers {
                let name = Name(system: identifier.system, value: identifier.value)
                if let place = places[name] {
                    let room = self.factsMax - traces[place].facts.count
                    traces[place].facts += facts.prefix(room)
                } else if traces.count < self.namesMax {
                    places[name] = traces.count
                    traces.append(
                        ExamTrace(
                            use: .specimen,
                            system: identifier.system,
                            value: identifier.value,
                            standing: ExamStanding(exam.status),
                            facts: facts
                        )
                    )
                }
            }
        }
        return traces
    }

    private struct Name: Hashable {
        var system: String?
        var value: String
    }

    /// What an item and its components say, if they are released results.
    private static func facts(_ item: ExamItem) -> [Fact] {
        guard ExamStanding(item.status) == .released else { return [] }
        var facts: [Fact] = []
        self.forEachResult(item) { code, value in
            guard let value, let code = self.key(code) else { return }
            facts.append(Fact(subject: self.hash(code), value: self.hash(self.text(value))))
        }
        return facts
    }

    /// The code and value of an item and of its components.
    private static func forEachResult(_ item: ExamItem, _ body: (CodedConcept, ItemValue?) -> Void) {
        body(item.code, item.value)
        for index in item.components.indices { body(item.components[index].code, item.components[index].value) }
    }

    // MARK: Numbers

    /// Types of numbers that stand over one report.
    ///
    /// An order may ask for several, so a placer's number is none of them.
    private static let numberTypes: Set<String> = ["ACSN", "FILL"]

    /// The exam by its own name, and by its numbers.
    ///
    /// A study and its report share an accession number and say different things, and so do reports on two items: under
    /// a number each is compared with its own kind. A report is compared with its own other versions whatever they are
    /// about; a study is not, since it grows while its series arrive.
    private static func numbers(_ exam: Exam) -> [ExamTrace] {
        let standing = ExamStanding(exam.status)
        let numbers = exam.identifiers.filter { $0.type == nil || $0.isOfType(self.numberTypes) }
        let code = self.key(exam.code) ?? ""
        var traces: [ExamTrace] = []
        var fact: Fact
        if exam.source.system == "urn:dicom:uid" {
            guard !numbers.isEmpty else { return [] }
            let uids = exam.imaging.compactMap(\.studyUID).joined(separator: " ")
            fact = Fact(subject: self.hash("study \(code)"), value: self.hash(uids))
        } else {
            fact = Fact(subject: 0, value: self.content(exam))
            let source = exam.source
            traces.append(
                ExamTrace(use: .exam, system: source.system, value: source.value, standing: standing, facts: [fact])
            )
            guard !numbers.isEmpty else { return traces }
            fact.subject = self.hash("report \(code)")
        }
        var seen: Set<Name> = []
        for number in numbers.prefix(self.namesMax)
        where seen.insert(Name(system: number.system, value: number.value)).inserted {
            traces.append(
                ExamTrace(
                    use: .number,
                    system: number.system,
                    value: number.value,
                    standing: standing,
                    facts: [fact]
                )
            )
        }
        return traces
    }

    /// What a reader would take from a report: not in which order it was written or who sent it.
    private static func content(_ exam: Exam) -> UInt64 {
        var items: [String] = []
        for index in exam.items.indices {
            self.forEachResult(exam.items[index]) { code, value in
                items.append("\(self.key(code) ?? "")=\(value.map(self.text) ?? "")")
            }
        }
        var encoder = CanonicalEncoder()
        encoder.encode(self.key(exam.code))
        encoder.encode(exam.conclusion)
        encoder.encode(exam.conclusionCodes.compactMap(self.key).sorted())
        encoder.encode(exam.imaging.compactMap(\.studyUID).sorted())
        encoder.encode(items.sorted())
        return Digest(hashing: encoder.bytes).prefix64
    }

    // MARK: Instances

    private static func instances(_ exam: Exam) -> [ExamTrace] {
        var traces: [ExamTrace] = []
        for study in exam.imaging {
            guard let uid = study.studyUID else { continue }
            let subject = self.hash(uid)
            for series in study.series {
                for instance in series.instances {
                    // As DICOM and FHIR write the same class.
                    let sopClass =
                        instance.sopClass.hasPrefix("urn:oid:")
                        ? String(instance.sopClass.dropFirst("urn:oid:".count)) : instance.sopClass
                    traces.append(
                        ExamTrace(
                            use: .instance,
                            system: nil,
                            value: instance.uid,
                            standing: .released,
                            facts: [Fact(subject: subject, value: self.hash("\(series.uid) \(sopClass)"))]
                        )
                    )
                }
            }
        }
        guard traces.count > self.instancesMax else { return traces }
        let ranked = traces.map { (rank: self.hash($0.value), trace: $0) }
        return ranked.sorted { ($0.rank, $0.trace.value) < ($1.rank, $1.trace.value) }
            .prefix(self.instancesMax).map(\.trace)
    }

    // MARK: Hashes

    private static func key(_ concept: CodedConcept) -> String? {
        if let coding = concept.primary, let code = coding.code { return "\(coding.system ?? "")|\(code)" }
        return concept.text
    }

    private static func hash(_ text: String) -> UInt64 { Digest(hashing: Array(text.utf8)).prefix64 }

    /// A value in a form in which equal ones are equal.
    private static func text(_ value: ItemValue) -> String {
        switch value {
        case .quantity(let quantity): self.text(quantity)
        case .coded(let concept): self.key(concept) ?? ""
        case .text(let text): text
        case .boolean(let boolean): boolean ? "true" : "false"
        case .integer(let integer): String(integer)
        case .range(let low, let high): "\(low.map(self.text) ?? "") - \(high.map(self.text) ?? "")"
        case .ratio(let numerator, let denominator):
            "\(numerator.map(self.text) ?? "") / \(denominator.map(self.text) ?? "")"
        // The points of a curve stay in the original.
        case .sampledData(let data): "\(self.text(data.origin)) \(data.period) \(data.dimensions)"
        case .time(let time): time
        case .dateTime(let time): time.text
        case .period(let start, let end): "\(start?.text ?? "") - \(end?.text ?? "")"
        }
    }

    private static func text(_ quantity: Quantity) -> String {
        let value = quantity.value.map(self.withoutEmptyDigits) ?? ""
        return "\(quantity.comparator?.rawValue ?? "")\(value) \(quantity.code ?? quantity.unit ?? "")"
    }

    /// 5.0 and 5.00 are two precisions of one result: systems add and drop zeros on the way.
    private static func withoutEmptyDigits(_ number: String) -> String {
        guard number.contains("."), number.allSatisfy({ $0.isNumber || $0 == "." || $0 == "-" }) else { return number }
        var digits = Substring(number)
        while digits.last == "0" { digits.removeLast() }
        if digits.last == "." { digits.removeLast() }
        return String(digits)
    }
}
