import Primitives
import Records
import Testing

@Suite("One exam is checked by itself")
struct ExamChecksTests {
    private func kinds(
        _ exam: Exam,
        birthDate: ClinicalTime? = nil,
        format: SourceFormat = .fhirR4JSON
    ) -> [AnomalyKind] {
        let circumstances = ExamChecks.Circumstances(
            now: ExamSample.now.earliest,
            birthDate: birthDate,
            format: format
        )
        return ExamChecks.findings(exam, circumstances).map(\.kind)
    }

    @Test("A report with its times in order gives nothing")
    func clean() {
        var exam = ExamSample.report("1", specimen: "S")
        exam.specimens[0].collected = .period(start: ExamSample.at(day: 20_780), end: nil)
        exam.issued = ExamSample.at(day: 20_780, hour: 9)
        #expect(self.kinds(exam, birthDate: ExamSample.at(day: -4000)) == [])
    }

    @Test("A time beyond the tolerance in the future is impossible; within it clocks differ")
    func future() {
        var exam = ExamSample.report("1")
        exam.effective = .time(ExamSample.at(day: 20_781, hour: 13))
        #expect(self.kinds(exam) == [.timeImpossible])
        let soon = ExamSample.now.earliest.milliseconds + ExamChecks.clockToleranceMilliseconds
        exam.effective = .time(
            ClinicalTime(text: "soon", precision: .second, offsetMinutes: 0, earliest: Timestamp(milliseconds: soon))
        )
        #expect(self.kinds(exam) == [])
        // Without an offset it may be this very hour somewhere on earth.
        exam.effective = .time(ExamSample.time("local", day: 20_781, hour: 20, offsetMinutes: nil))
        #expect(self.kinds(exam) == [])
        exam.effective = nil
        exam.issued = ExamSample.at(day: 30_000)
        #expect(self.kinds(exam) == [.timeImpossible])
    }

    @Test("An examination before birth is impossible; on the day of birth it is not")
    func birth() {
        let exam = ExamSample.report("1")
        #expect(
            self.kinds(exam, birthDate: ExamSample.time("next day", day: 20_782, hour: 0, precision: .day)) == [
                .timeImpossible
            ]
        )
        let birthday = ExamSample.time("same day", day: 20_780, hour: 0, precision: .day, offsetMinutes: nil)
        #expect(self.kinds(exam, birthDate: birthday) == [])
    }

    @Test(
        "A report released before the examination or the collection is told; a day's precision is given its whole day"
    )
    func beforeExam() {
        var exam = ExamSample.report("1", specimen: "S")
        exam.issued = ExamSample.at(day: 20_779, hour: 20)
        #expect(self.kinds(exam) == [.resultBeforeExam])
        exam.issued = ExamSample.at(day: 20_780, hour: 8)
        #expect(self.kinds(exam) == [])
        exam.specimens[0].collected = .time(ExamSample.at(day: 20_780, hour: 9))
        #expect(self.kinds(exam) == [.resultBeforeExam])
        exam.issued = ExamSample.time("the day", day: 20_780, hour: 0, precision: .day)
        #expect(self.kinds(exam) == [])
        exam.issued = ExamSample.at(day: 20_780, hour: 8)
        // The end of a period says nothing about its beginning.
        exam.specimens[0].collected = .period(start: nil, end: ExamSample.at(day: 20_780, hour: 10))
        #expect(self.kinds(exam) == [])
    }

    @Test("A laboratory result without an order is told where the format has a place for it")
    func order() {
        #expect(self.kinds(ExamSample.report("1"), format: .hl7v2) == [.orderMissing])
        #expect(self.kinds(ExamSample.report("1"), format: .fhirR4JSON) == [])
        for type in ["FILL", "PLAC"] {
            let exam = ExamSample.report("1", numbers: [ExamSample.number("7", type: type)])
            #expect(self.kinds(exam, format: .hl7v2) == [])
        }
        let document = ExamSample.report("1", numbers: [ExamSample.number("7", type: "DOC")])
        #expect(self.kinds(document, format: .hl7v2) == [.orderMissing])
    }

    @Test("An imaging exam without a series is told, unless the source counts one or withdrew the exam")
    func series() {
        var exam = ExamSample.study("1.2", series: [])
        #expect(self.kinds(exam) == [.imagingNoSeries])
        exam.imaging[0].numberOfSeries = 2
        #expect(self.kinds(exam) == [])
        #expect(self.kinds(ExamSample.study("1.2", series: [("1.2.1", [])])) == [])
        var withdrawn = ExamSample.study("1.2", series: [])
        withdrawn.status = .enteredInError
        #expect(self.kinds(withdrawn) == [])
    }

    @Test("A report committed after the policy's time is told; within it, or without a time of release, it is not")
    func late() {
        var exam = ExamSample.report("1")
        exam.effective = nil
        exam.issued = ExamSample.at(day: 20_778, hour: 11)
        #expect(self.kinds(exam) == [.attestationLate])
        exam.issued = ExamSample.at(day: 20_778, hour: 12)
        #expect(self.kinds(exam) == [])
        exam.issued = nil
        #expect(self.kinds(exam) == [])
    }

    @Test("Identifiers are masked, times and codes are not")
    func masked() {
        #expect(AnomalyDetail.Fact(.specimen, "SPECIMEN-88154").masked == "SP…54")
        #expect(AnomalyDetail.Fact(.specimen, "S-88154").masked == "…")
        #expect(AnomalyDetail.Fact(.born, "1960-01-01").masked == "19…01")
        #expect(AnomalyDetail.Fact(.released, "2026-01-01").masked == "2026-01-01")
        #expect(AnomalyDetail.Fact(.number, String(repeating: "号", count: 200)).text.utf8.count == 255)
    }

    @Test("The commitment binds detail and salt, and the detail comes back from its bytes")
    func commitment() throws {
        let detail = AnomalyDetail([.init(.specimen, "S-1"), .init(.otherPatient, "yes")])
        let salt = [UInt8](repeating: 1, count: AnomalyDetail.saltBytes)
        #expect(try AnomalyDetail(canonicalBytes: detail.canonicalBytes) == detail)
        #expect(detail.commitment(salt: salt) != detail.commitment(salt: salt.map { $0 + 1 }))
        #expect(detail.commitment(salt: salt) != AnomalyDetail([.init(.specimen, "S-2")]).commitment(salt: salt))
    }
}
