import Primitives
import Records
import Testing

@Suite("Exams that share a name are compared")
struct ExamTraceTests {
    private static let samePatient = ExamTrace.Relation(isSameExam: false, isSamePatient: true)
    private static let otherPatient = ExamTrace.Relation(isSameExam: false, isSamePatient: false)
    private static let newVersion = ExamTrace.Relation(isSameExam: true, isSamePatient: true)

    /// What is wrong about `later` in the light of `earlier`: each name that both leave a trace under is compared.
    private func kinds(_ earlier: Exam, _ later: Exam, _ relation: ExamTrace.Relation) throws -> [AnomalyKind] {
        let old = ExamTrace.traces(of: earlier)
        return try ExamTrace.traces(of: later).flatMap { trace in
            try old.filter { ($0.use, $0.system, $0.value) == (trace.use, trace.system, trace.value) }.compactMap {
                left in
                // As it comes back from the store.
                let statement = try ExamTrace.Statement(canonicalBytes: left.statement.canonicalBytes)
                return trace.conflict(with: statement, relation)?.kind
            }
        }
    }

    // MARK: Specimens

    @Test("One specimen with two values of an item is told")
    func twoResults() throws {
        let first = ExamSample.report("1", value: "5.5", specimen: "S")
        let second = ExamSample.report("2", value: "7.5", specimen: "S")
        #expect(try self.kinds(first, second, Self.samePatient) == [.specimenTwoResults])
        #expect(try self.kinds(first, second, Self.otherPatient) == [.specimenTwoResults])
    }

    @Test("Equal values, other items, other specimens, corrections and what is not released yet contradict nothing")
    func noTwoResults() throws {
        let first = ExamSample.report("1", value: "5.5", specimen: "S")
        #expect(try self.kinds(first, ExamSample.report("2", value: "5.50", specimen: "S"), Self.samePatient) == [])
        #expect(
            try self.kinds(first, ExamSample.report("2", value: "7", item: "718-7", specimen: "S"), Self.samePatient)
                == []
        )
        #expect(try self.kinds(first, ExamSample.report("2", value: "7.5", specimen: "T"), Self.samePatient) == [])
        for status in [ExamStatus.corrected, .amended, .preliminary, .cancelled] {
            let later = ExamSample.report("2", value: "7.5", specimen: "S", status: status)
            #expect(try self.kinds(first, later, Self.samePatient) == [], "\(status)")
        }
        let preliminary = ExamSample.report("1", specimen: "S", status: .preliminary)
        #expect(
            try self.kinds(preliminary, ExamSample.report("2", value: "7.5", specimen: "S"), Self.samePatient) == []
        )
        // Which of two specimens was measured is not known.
        var two = ExamSample.report("2", value: "7.5", specimen: "S")
        two.specimens.append(ExamSpecimen(display: nil, identifiers: [ExamSample.number("T")]))
        #expect(try self.kinds(first, two, Self.samePatient) == [])
    }

    @Test("A specimen's number without a namespace belongs to the patient")
    func namespace() throws {
        var exam = ExamSample.report("1")
        exam.specimens = [ExamSpecimen(display: nil, identifiers: [ExamSample.number("1", system: nil)])]
        let bare = try #require(ExamTrace.traces(of: exam).first { $0.use == .specimen })
        #expect(bare.isOfPatient)
        let named = try #require(
            ExamTrace.traces(of: ExamSample.report("1", specimen: "1")).first { $0.use == .specimen }
        )
        #expect(!named.isOfPatient)
    }

    // MARK: Numbers

    @Test("A released report that changes without saying so is told; a declared correction and an equal one are not")
    func silentChange() throws {
        for numbers in [[], [ExamSample.number("A-1", type: "FILL")]] {
            let first = ExamSample.report("1", numbers: numbers)
            #expect(
                try self.kinds(first, ExamSample.report("1", value: "9", numbers: numbers), Self.newVersion) == [
                    .accessionConflict
                ]
            )
            #expect(try self.kinds(first, ExamSample.report("1", numbers: numbers), Self.newVersion) == [])
            for status in [ExamStatus.corrected, .amended, .appended, .cancelled, .enteredInError] {
                let later = ExamSample.report("1", value: "9", numbers: numbers, status: status)
                #expect(try self.kinds(first, later, Self.newVersion) == [], "\(status)")
            }
            // Another item under the same exam is a change as well.
            let other = ExamSample.report("1", item: "718-7", numbers: numbers)
            #expect(try self.kinds(first, other, Self.newVersion) == [.accessionConflict])
            let preliminary = ExamSample.report("1", numbers: numbers, status: .preliminary)
            #expect(
                try self.kinds(preliminary, ExamSample.report("1", value: "9", numbers: numbers), Self.newVersion) == []
            )
        }
    }

    @Test("One number over two contents or two patients is told; two items of one order are not")
    func sharedNumber() throws {
        let number = [ExamSample.number("A-1", type: "ACSN")]
        let first = ExamSample.report("1", numbers: number)
        #expect(
            try self.kinds(first, ExamSample.report("2", value: "9", numbers: number), Self.samePatient) == [
                .accessionConflict
            ]
        )
        #expect(
            try self.kinds(first, ExamSample.report("2", numbers: number), Self.otherPatient) == [.accessionConflict]
        )
        #expect(try self.kinds(first, ExamSample.report("2", numbers: number), Self.samePatient) == [])
        #expect(try self.kinds(first, ExamSample.report("2", item: "718-7", numbers: number), Self.samePatient) == [])
        // A study and its report share an accession number.
        #expect(
            try self.kinds(
                first,
                ExamSample.study("1.2", series: [("1.2.1", ["1.2.9"])], accession: "A-1"),
                Self.samePatient
            ) == []
        )
        // An order may ask for several reports.
        let order = [ExamSample.number("O-1", type: "PLAC")]
        let ordered = ExamSample.report("1", numbers: order)
        #expect(try self.kinds(ordered, ExamSample.report("2", value: "9", numbers: order), Self.samePatient) == [])
    }

    @Test("The order of items is no content")
    func order() throws {
        var first = ExamSample.report("1")
        var item = first.items[0]
        item.code = ExamSample.code("718-7")
        first.items.append(item)
        var second = first
        second.items.reverse()
        #expect(try self.kinds(first, second, Self.newVersion) == [])
    }

    // MARK: Instances

    @Test("An image in two studies or two series is told; a study that grows and a report on it are not")
    func instances() throws {
        let first = ExamSample.study("1.2", series: [("1.2.1", ["1.2.9.1", "1.2.9.2"])])
        let stolen = ExamSample.study("1.3", series: [("1.3.1", ["1.2.9.2"])])
        #expect(try self.kinds(first, stolen, Self.otherPatient) == [.instanceTwoContents])
        let moved = ExamSample.study("1.2", series: [("1.2.7", ["1.2.9.1"])])
        #expect(try self.kinds(first, moved, Self.newVersion) == [.instanceTwoContents])
        let grown = ExamSample.study("1.2", series: [("1.2.1", ["1.2.9.1", "1.2.9.2"]), ("1.2.2", ["1.2.9.3"])])
        #expect(try self.kinds(first, grown, Self.newVersion) == [])
        var report = ExamSample.report("1")
        report.imaging = first.imaging
        #expect(try self.kinds(first, report, Self.samePatient) == [])
    }

    @Test("A study with very many images leaves a bounded choice of them, and the same choice in another study")
    func manyInstances() throws {
        let uids = (0..<3000).map { "1.2.9.\($0)" }
        let first = ExamTrace.traces(of: ExamSample.study("1.2", series: [("1.2.1", uids)])).filter {
            $0.use == .instance
        }
        let copy = ExamTrace.traces(of: ExamSample.study("1.3", series: [("1.3.1", uids)])).filter {
            $0.use == .instance
        }
        #expect(first.count == ExamTrace.instancesMax)
        #expect(first.map(\.value) == copy.map(\.value))
    }

    @Test("A report with thousands of items leaves bounded traces")
    func manyItems() {
        var exam = ExamSample.report("1", specimen: "S")
        exam.items = (0..<5000).map { number in
            var item = ExamItem(code: ExamSample.code("\(number)"), status: .final, effective: nil, level: 0)
            item.value = ExamSample.quantity("\(number)")
            item.specimen = ExamSpecimen(display: nil, identifiers: [ExamSample.number("S-\(number % 40)")])
            return item
        }
        let traces = ExamTrace.traces(of: exam)
        #expect(traces.count { $0.use == .specimen } == ExamTrace.namesMax)
        #expect(traces.allSatisfy { $0.facts.count <= ExamTrace.factsMax })
    }
}
