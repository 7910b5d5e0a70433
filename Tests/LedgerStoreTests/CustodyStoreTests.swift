import LedgerStore
import Primitives
import Records
import TestSupport
import Testing

@Suite("The custody store keeps what this institution must never lose")
struct CustodyStoreTests {
    private let folder: TemporaryFolder
    private let store: CustodyStore
    private let now = Timestamp(milliseconds: 1_000)

    init() throws {
        self.folder = try TemporaryFolder()
        self.store = try CustodyStore(path: self.folder.path("custody.sqlite"))
    }

    /// A batch of `count` exams of one patient each, numbered from `first`.
    private func prepare(batch: UInt64, first: Int, count: Int) throws {
        try self.store.prepare(
            Fixture.commitment(batch),
            patients: (first..<first + count).map { Fixture.patient($0, nextLocator: 1) },
            exams: (first..<first + count).map { Fixture.exam($0, patient: $0) }
        )
    }

    @Test("A commit is on disk when it returns: synchronous is FULL on the writing connection")
    func durable() throws {
        #expect(try self.store.synchronousLevel() == 2)
    }

    // MARK: Batches

    @Test("A prepared batch is stored with its exams, patients, counters, transaction and the import's progress")
    func prepareBatch() throws {
        let job = try self.store.beginJob(inputs: Fixture.digest("inputs", 0), now: self.now)
        try self.store.prepare(
            Fixture.commitment(0),
            patients: [Fixture.patient(1, nextLocator: 2), Fixture.patient(2, nextLocator: 1, nextAlias: 1)],
            exams: [
                Fixture.exam(10, patient: 1), Fixture.exam(11, patient: 2), Fixture.exam(12, patient: 1),
            ],
            progress: (job.number, [4, 2])
        )
        let exams = try self.store.exams(batch: 0)
        #expect(exams.map(\.record) == [10, 11, 12].map(Fixture.address))
        #expect(exams.map(\.index) == [0, 1, 2])
        let patients = try self.store.patients(tags: [
            Fixture.digest("patient", 2), Fixture.digest("patient", 9), Fixture.digest("patient", 1),
        ])
        #expect(patients.map { $0?.nextLocator } == [1, nil, 2])
        #expect(patients[0]?.nextAlias == 1)
        let first = try #require(patients[2])
        #expect(exams.map(\.patient) == [first.number, try #require(patients[0]).number, first.number])
        #expect(try self.store.patient(first.number) == first)
        #expect(try self.store.patients(bucket: 1) == [first])
        #expect(try self.store.exams(patient: first.number) == [exams[0], exams[2]])
        #expect(try self.store.exam(record: Fixture.address(11)) == exams[1])
        #expect(try self.store.exam(record: Fixture.address(99)) == nil)
        #expect(exams[0].examTime == Timestamp(milliseconds: 10))
        #expect(exams[1].examTime == nil)
        #expect(try self.store.beginJob(inputs: Fixture.digest("inputs", 0), now: self.now).progress == [4, 2])
        let outgoing = OutgoingTransaction(
            id: Fixture.digest("transaction", 0),
            bytes: Array("transaction 0".utf8)
        )
        #expect(try self.store.outgoingTransactions().first == outgoing)
        let counts = try self.store.counts()
        #expect(counts.patients == 2)
        #expect(counts.exams == 3)
        try self.store.prepare(Fixture.commitment(1), patients: [], exams: [])
        #expect(try self.store.exams(batch: 1).isEmpty)
        #expect(try self.store.exams(batch: 2).isEmpty)
        try self.store.check()
    }

    @Test("A batch that cannot be stored whole leaves nothing behind")
    func allOrNothing() throws {
        try self.prepare(batch: 0, first: 0, count: 2)
        let attempts: [(BatchCommitment, [NewExam])] = [
            (Fixture.commitment(0), [Fixture.exam(20, patient: 20)]),
            (Fixture.commitment(1), [Fixture.exam(20, patient: 20), Fixture.exam(21, patient: 21)]),
            (Fixture.commitment(1), [Fixture.exam(20, patient: 20, supersedes: ExamNumber(99))]),
            (Fixture.commitment(.max), [Fixture.exam(20, patient: 20)]),
        ]
        let codes = attempts.map { commitment, exams in
            code { () throws(LedgerStoreError) in
                try self.store.prepare(commitment, patients: [Fixture.patient(20, nextLocator: 1)], exams: exams)
            }
        }
        #expect(codes == [.conflict, .notFound, .notFound, .outOfRange])
        #expect(try self.store.counts().patients == 2)
        #expect(try self.store.counts().exams == 2)
        #expect(try self.store.outgoingTransactions().count == 1)
    }

    @Test("Counters never go back")
    func counters() throws {
        for (batch, next) in [(0, 5), (1, 3)] as [(UInt64, UInt64)] {
            try self.store.prepare(
                Fixture.commitment(batch),
                patients: [Fixture.patient(1, nextLocator: next)],
                exams: [Fixture.exam(Int(batch), patient: 1)]
            )
        }
        let patient = try #require(try self.store.patients(tags: [Fixture.digest("patient", 1)])[0])
        #expect(patient.nextLocator == 5)
    }

    @Test("Sources are looked up in their order; the newest version of each is found")
    func sources() throws {
        try self.prepare(batch: 0, first: 0, count: 300)
        let old = try #require(try self.store.exams(sources: [Fixture.digest("source", 7)])[0])
        var changed = Fixture.exam(7, patient: 7, supersedes: old.number)
        changed.content = Fixture.digest("content", 7_000)
        changed.record = Fixture.address(7_000)
        try self.store.prepare(Fixture.commitment(1), patients: [Fixture.patient(7)], exams: [changed])

        let order = (0..<400).shuffled()
        let found = try self.store.exams(sources: order.map { Fixture.digest("source", $0) })
        #expect(found.count == 400)
        for (number, exam) in zip(order, found) {
            let record = number == 7 ? 7_000 : number
            #expect(exam?.record == (number < 300 ? Fixture.address(record) : nil))
        }
        let newest = try #require(try self.store.exams(sources: [Fixture.digest("source", 7)])[0])
        #expect(newest.content == changed.content)
        #expect(newest.supersededBy == nil)
        #expect(try self.store.exam(record: Fixture.address(7))?.supersededBy == newest.number)
    }

    @Test("A batch goes from prepared over submitted to final; its transaction is sent again until then")
    func batchStates() throws {
        for batch in 0..<3 as Range<UInt64> { try self.prepare(batch: batch, first: Int(batch) * 10, count: 2) }
        try self.store.markSubmitted(.exams, number: 0)
        try self.store.markFinal(.exams, number: 0, height: Height(8), time: Timestamp(milliseconds: 9))
        try self.store.markSubmitted(.exams, number: 0)
        try self.store.markSubmitted(.exams, number: 1)
        #expect(try self.store.batch(.exams, number: 0)?.state == .final)
        #expect(try self.store.batch(.exams, number: 0)?.height == Height(8))
        #expect(try self.store.openBatches(.exams).map(\.number) == [1, 2])
        #expect(try self.store.openBatches(.exams).map(\.state) == [.submitted, .prepared])
        #expect(try self.store.newestBatch(.exams)?.number == 2)
        #expect(try self.store.newestBatch(.receipts) == nil)
        #expect(try self.store.outgoingTransactions().map(\.id) == [1, 2].map { Fixture.digest("transaction", $0) })

        let signedAgain = OutgoingTransaction(id: Fixture.digest("transaction", 50), bytes: [5])
        try self.store.replaceTransaction(.exams, number: 1, with: signedAgain)
        #expect(try self.store.batch(.exams, number: 1)?.transactionID == signedAgain.id)
        #expect(try self.store.batch(.exams, number: 1)?.state == .prepared)
        #expect(try self.store.outgoingTransactions().map(\.id) == [Fixture.digest("transaction", 2), signedAgain.id])
        let final = code { () throws(LedgerStoreError) in
            try self.store.replaceTransaction(.exams, number: 0, with: signedAgain)
        }
        #expect(final == .notFound)
        let unknown = code { () throws(LedgerStoreError) in
            try self.store.markFinal(.exams, number: 77, height: Height(1), time: Timestamp(milliseconds: 9))
        }
        #expect(unknown == .notFound)
    }

    @Test("Other transactions are kept until they are settled")
    func outgoing() throws {
        let transactions = (0..<3).map { OutgoingTransaction(id: Fixture.digest("other", $0), bytes: [UInt8($0)]) }
        for transaction in transactions + transactions { try self.store.save(transaction) }
        #expect(try self.store.outgoingTransactions() == transactions)
        try self.store.settle([transactions[1].id, .zero])
        #expect(try self.store.outgoingTransactions() == [transactions[0], transactions[2]])
    }

    // MARK: Imports

    @Test("A running import of the same inputs continues; a finished one starts anew")
    func jobs() throws {
        let inputs = Fixture.digest("inputs", 1)
        let job = try self.store.beginJob(inputs: inputs, now: self.now)
        try self.store.advanceJob(job.number, progress: [1])
        #expect(try self.store.beginJob(inputs: inputs, now: self.now).number == job.number)
        #expect(try self.store.beginJob(inputs: Fixture.digest("inputs", 2), now: self.now).number != job.number)
        try self.store.advanceJob(job.number, progress: [2], state: .finished)
        let next = try self.store.beginJob(inputs: inputs, now: self.now)
        #expect(next.number > job.number)
        #expect(next.progress.isEmpty)
        #expect(try self.store.jobs(limit: 2).map(\.number) == [next.number, next.number - 1])
        let unknown = code { () throws(LedgerStoreError) in try self.store.advanceJob(99, progress: []) }
        #expect(unknown == .notFound)
    }

    @Test("Quarantine keeps each bad input once, lists them by page and changes their state")
    func quarantine() throws {
        let job = try self.store.beginJob(inputs: Fixture.digest("inputs", 1), now: self.now)
        let inputs = (0..<5).map { index in
            QuarantinedInput(
                job: job.number,
                file: "exams.ndjson",
                position: UInt64(index),
                code: "badJSON",
                message: "not JSON",
                sealed: [UInt8(index)],
                digest: Fixture.digest("input", index),
                time: self.now
            )
        }
        try self.store.advanceJob(job.number, progress: [1], quarantined: Array(inputs[..<3]))
        // A restart after a kill reads the same inputs again.
        try self.store.quarantine(inputs)
        let all = try self.store.quarantined(limit: 10)
        #expect(all.map(\.sealed) == inputs.map(\.sealed))
        #expect(try self.store.quarantined(after: all[1].number, limit: 2) == Array(all[2...3]))
        try self.store.markQuarantined(number: all[0].number, state: .resolved)
        #expect(try self.store.quarantined(limit: 10) == Array(all[1...]))
        #expect(try self.store.quarantined(job: job.number, state: nil, limit: 10).count == 5)
        #expect(try self.store.quarantined(job: job.number + 1, state: nil, limit: 10).isEmpty)
        #expect(try self.store.quarantined(number: all[0].number)?.state == .resolved)
        #expect(try self.store.counts().openQuarantine == 4)
        let unknown = code { () throws(LedgerStoreError) in
            try self.store.markQuarantined(number: 99, state: .dismissed)
        }
        #expect(unknown == .notFound)
    }

    // MARK: Grants

    private func grant(_ number: Int, until: Int64 = 5_000, patient: PatientNumber? = nil) -> KnownGrant {
        KnownGrant(
            id: GrantID(Fixture.digest("grant", number)),
            isCustodian: true,
            isGrantee: number.isMultiple(of: 2),
            patient: patient,
            notBefore: Timestamp(milliseconds: 0),
            notAfter: Timestamp(milliseconds: until)
        )
    }

    @Test("Grants are active until they end or are revoked; saving again only fills in who the patient is")
    func grants() throws {
        try self.prepare(batch: 0, first: 0, count: 1)
        let patient = try #require(try self.store.patients(tags: [Fixture.digest("patient", 0)])[0])
        for number in 0..<4 { try self.store.save(self.grant(number, until: number == 3 ? 1_000 : 5_000)) }
        try self.store.markRevoked(self.grant(1).id)
        try self.store.markRevoked(GrantID(.zero))
        #expect(try self.store.activeGrants(now: self.now) == [self.grant(0), self.grant(2)])
        #expect(try self.store.grants(patient: patient.number, now: self.now).isEmpty)
        var matched = self.grant(2, patient: patient.number)
        matched.sealedPseudonym = [1]
        try self.store.save(matched)
        try self.store.save(self.grant(1, patient: patient.number))
        try self.store.save(self.grant(2))
        #expect(try self.store.grants(patient: patient.number, now: self.now) == [matched])
        #expect(try self.store.grant(self.grant(1).id)?.isRevoked == true)
        #expect(try self.store.grant(GrantID(.zero)) == nil)
    }

    @Test("A custodian wraps each exam once for a grant and numbers its pages without a gap")
    func publishing() throws {
        try self.prepare(batch: 0, first: 0, count: 4)
        let exams = try self.store.exams(batch: 0).map(\.number)
        let (here, one, two) = (Fixture.institution(0), self.grant(1), self.grant(2))
        for grant in [one, two] { try self.store.save(grant) }
        #expect(try self.store.unwrapped(exams, grant: one.id) == exams)
        try self.store.publishPage(
            grant: one.id,
            custodian: here,
            page: 0,
            object: Fixture.address(100),
            exams: Array(exams[..<3])
        )
        #expect(try self.store.unwrapped(exams, grant: one.id) == [exams[3]])
        #expect(try self.store.unwrapped(exams, grant: two.id) == exams)
        #expect(try self.store.grant(one.id)?.nextPage == 1)
        let repeated = code { () throws(LedgerStoreError) in
            try self.store.publishPage(
                grant: one.id,
                custodian: here,
                page: 0,
                object: Fixture.address(101),
                exams: [exams[3]]
            )
        }
        #expect(repeated == .conflict)
        #expect(try self.store.unwrapped(exams, grant: one.id) == [exams[3]])
        let pages = try self.store.pages(grant: one.id, custodian: here, limit: 10)
        #expect(pages.map(\.object) == [Fixture.address(100)])
        let unknown = code { () throws(LedgerStoreError) in
            _ = try self.store.unwrapped(exams, grant: GrantID(.zero))
        }
        #expect(unknown == .notFound)
    }

    @Test("A grantee finds the wrapped key of a record, and which page is the next to ask for")
    func receivedPages() throws {
        let grant = self.grant(2)
        let custodian = Fixture.institution(3)
        try self.store.save(grant)
        for page in [0, 1, 3] as [UInt32] {
            let records = (0..<3).map { Fixture.address(Int(page) * 10 + $0) } + [Fixture.address(500)]
            for _ in 0..<2 {
                try self.store.savePage(
                    grant: grant.id,
                    custodian: custodian,
                    page: page,
                    object: Fixture.address(100 + Int(page)),
                    records: records
                )
            }
        }
        #expect(try self.store.nextMissingPage(grant: grant.id, custodian: custodian) == 2)
        #expect(try self.store.nextMissingPage(grant: grant.id, custodian: Fixture.institution(4)) == 0)
        let places = try self.store.envelopes(record: Fixture.address(12))
        #expect(places.count == 1)
        let place = try #require(places.first)
        #expect(place.grant == grant.id)
        #expect(place.custodian == custodian)
        #expect(place.object == Fixture.address(101))
        #expect(place.index == 2)
        #expect(try self.store.envelopes(record: Fixture.address(500)).map(\.page) == [3, 1, 0])
        #expect(try self.store.envelopes(record: Fixture.address(99)).isEmpty)
        #expect(try self.store.pages(grant: grant.id, custodian: custodian, from: 1, limit: 1).map(\.page) == [1])
        let granted = try self.store.grantedRecords(now: Timestamp(milliseconds: 0), limit: 100)
        #expect(granted.count == 12)
        #expect(granted.allSatisfy { $0.custodian == custodian && $0.grant == grant.id })
        #expect(
            try self.store.grantedRecords(after: granted[4].number, now: Timestamp(milliseconds: 0), limit: 3)
                == Array(granted[5...7])
        )
        try self.store.markRevoked(grant.id)
        #expect(try self.store.grantedRecords(now: Timestamp(milliseconds: 0), limit: 100).isEmpty)
    }

    @Test("Finders' notes are replaced by newer ones and forgotten by age")
    func notes() throws {
        let notes = (0..<4).map { number in
            FinderNote(
                record: Fixture.address(number),
                institution: Fixture.institution(number),
                sealedPseudonym: [UInt8(number)],
                time: Timestamp(milliseconds: Int64(number))
            )
        }
        try self.store.save(notes)
        var newer = notes[0]
        newer.time = Timestamp(milliseconds: 10)
        try self.store.save([newer])
        try self.store.forgetNotes(before: Timestamp(milliseconds: 2))
        #expect(try self.store.notes(record: notes[0].record) == [newer])
        #expect(try self.store.notes(record: notes[1].record).isEmpty)
        #expect(try self.store.notes(record: notes[2].record) == [notes[2]])
    }

    // MARK: Receipts

    @Test("A receipt is durable with its token's index, waits, and is committed by one batch")
    func receipts() throws {
        var stored: [StoredReceipt] = []
        for number in 0..<5 {
            stored.append(
                try self.store.append(
                    receipt: [UInt8(number)],
                    leafHash: Fixture.digest("leaf", number),
                    patient: Fixture.patient(number % 2)
                )
            )
        }
        #expect(stored.map(\.index) == [0, 0, 1, 1, 2])
        #expect(try self.store.waitingReceipts(limit: 3) == Array(stored[..<3]))
        let repeated = code { () throws(LedgerStoreError) in
            try self.store.append(receipt: [9], leafHash: stored[0].leafHash, patient: Fixture.patient(0))
        }
        #expect(repeated == .conflict)
        try self.store.prepare(Fixture.commitment(0), receipts: [stored[3].number, stored[1].number])
        #expect(try self.store.waitingReceipts(limit: 10).map(\.number) == [0, 2, 4].map { stored[$0].number })
        let committed = try #require(try self.store.receipt(leafHash: stored[1].leafHash))
        #expect(committed.place?.batch == 0)
        #expect(committed.place?.index == 1)
        #expect(try self.store.batch(.receipts, number: 0)?.count == 2)
        let twice = code { () throws(LedgerStoreError) in
            try self.store.prepare(Fixture.commitment(1), receipts: [stored[0].number, stored[1].number])
        }
        #expect(twice == .conflict)
        #expect(try self.store.waitingReceipts(limit: 10).count == 3)
        #expect(try self.store.batch(.receipts, number: 1) == nil)
        #expect(try self.store.counts().waitingReceipts == 3)
        let patient = try #require(try self.store.patients(tags: [Fixture.digest("patient", 0)])[0])
        #expect(patient.nextReceipt == 3)
    }
}
