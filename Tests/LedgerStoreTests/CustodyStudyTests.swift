import LedgerStore
import Primitives
import TestSupport
import Testing

@Suite("The custody store remembers which studies of a PACS were read")
struct CustodyStudyTests {
    @Test("What was saved last counts, also after a restart, and what was refused can be forgotten")
    func studies() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("custody.sqlite")
        let digests = (0..<6).map { Fixture.digest("study", $0) }
        do {
            let store = try CustodyStore(path: path)
            try store.save([
                KnownStudy(tag: digests[0], facts: digests[3], state: .imported),
                KnownStudy(tag: digests[1], facts: digests[4], state: .refused),
            ])
            try store.save([KnownStudy(tag: digests[0], facts: digests[5], state: .imported)])
            try store.close()
        }
        let store = try CustodyStore(path: path)
        let known = try store.studies(tags: [digests[2], digests[1], digests[0]])
        #expect(known.map { $0?.facts } == [nil, digests[4], digests[5]])
        try store.forgetRefusedStudies()
        #expect(try store.studies(tags: [digests[0], digests[1]]).map { $0?.state } == [.imported, nil])
    }
}
