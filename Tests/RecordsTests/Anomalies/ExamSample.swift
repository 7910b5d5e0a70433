import Primitives
import Records

/// Exams as a reader would give them, with the parts that the checks look at.
enum ExamSample {
    static let now = Self.time("2026-11-24T12:00:00Z", day: 20_781, hour: 12)

    /// A time with an offset, `hour` hours into day `day` since 1970.
    static func time(
        _ text: String,
        day: Int64,
        hour: Int64 = 8,
        precision: ClinicalTime.Precision = .second,
        offsetMinutes: Int? = 0
    ) -> ClinicalTime {
        ClinicalTime(
            text: text,
            precision: precision,
            offsetMinutes: offsetMinutes,
            earliest: Timestamp(milliseconds: (day * 24 + hour) * 3_600_000)
        )
    }

    static func at(day: Int64, hour: Int64 = 8) -> ClinicalTime {
        self.time("day \(day) hour \(hour)", day: day, hour: hour)
    }

    static func code(_ code: String) -> CodedConcept {
        CodedConcept(text: nil, codings: [Coding(system: "http://loinc.org", code: code, display: nil)])
    }

    static func quantity(_ value: String, _ unit: String = "mmol/L") -> ItemValue {
        .quantity(Quantity(comparator: nil, value: value, unit: unit, system: nil, code: nil))
    }

    static func number(_ value: String, type: String? = nil, system: String? = "urn:lis") -> SourceIdentifier {
        SourceIdentifier(
            system: system,
            value: value,
            type: type.map { CodedConcept(text: nil, codings: [Coding(system: nil, code: $0, display: nil)]) }
        )
    }

    /// A laboratory report with one item.
    static func report(
        _ id: String,
        value: String = "5.5",
        item: String = "2345-7",
        specimen: String? = nil,
        numbers: [SourceIdentifier] = [],
        status: ExamStatus = .final
    ) -> Exam {
        var exam = Exam(
            kind: .laboratory,
            source: ExamSource(system: "fhir", value: "DiagnosticReport/\(id)"),
            identifiers: numbers,
            code: self.code(item),
            categories: [],
            status: status
        )
        exam.effective = .time(self.at(day: 20_780))
        var result = ExamItem(code: self.code(item), status: .final, effective: nil, level: 0)
        result.value = self.quantity(value)
        exam.items = [result]
        if let specimen { exam.specimens = [ExamSpecimen(display: nil, identifiers: [self.number(specimen)])] }
        return exam
    }

    static func study(_ uid: String, series: [(uid: String, instances: [String])], accession: String? = nil) -> Exam {
        var exam = Exam(
            kind: .imaging,
            source: ExamSource(system: "urn:dicom:uid", value: "urn:oid:\(uid)"),
            identifiers: accession.map { [self.number($0, type: "ACSN")] } ?? [],
            code: self.code("CT"),
            categories: [],
            status: .available
        )
        exam.imaging = [
            ImagingSummary(
                studyUID: uid,
                started: self.at(day: 20_780),
                modalities: [],
                description: nil,
                numberOfSeries: nil,
                numberOfInstances: nil,
                series: series.map { series in
                    ImagingSummary.Series(
                        uid: series.uid,
                        modality: Coding(system: nil, code: "CT", display: nil),
                        description: nil,
                        bodySite: nil,
                        numberOfInstances: nil,
                        instances: series.instances.map { .init(uid: $0, sopClass: "1.2.840.10008.5.1.4.1.1.2") }
                    )
                }
            )
        ]
        return exam
    }
}
