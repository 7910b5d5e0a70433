import LedgerStore
import Primitives
import TestSupport
import Testing

@Suite("The custody store keeps the versions of the code map and the codes to look at")
struct CustodyCodesTests {
    private let folder: TemporaryFolder
    private let store: CustodyStore

    init() throws {
        self.folder = try TemporaryFolder()
        self.store = try CustodyStore(path: self.folder.path("custody.sqlite"))
    }

    private static func version(_ number: Int64, _ name: String? = nil) -> CodeVersion {
        CodeVersion(
            number: number,
            version: name ?? "v\(number)",
            digest: Fixture.digest("map", Int(number)),
            author: "lab",
            time: Timestamp(milliseconds: number),
            kind: number == 1 ? .catalogue : .entry,
            bytes: Array("version \(number)".utf8)
        )
    }

    private static func code(_ code: String, name: String? = nil, unit: String? = nil) -> ReviewedCode {
        ReviewedCode(source: "a", system: "L", code: code, specimen: nil, name: name, unit: unit, reason: .unmapped)
    }

    private func prepare(_ batch: UInt64, _ codes: ReviewedCodes) throws {
        try self.store.prepare(Fixture.commitment(batch), patients: [], exams: [], codes: codes)
    }

    @Test("Versions ascend without gaps, and none is made twice")
    func versions() throws {
        try self.store.append(Self.version(1))
        try self.store.append(Self.version(2))
        for wrong in [Self.version(2), Self.version(4), Self.version(3, "v1")] {
            #expect(throws: LedgerStoreError.self) { try self.store.append(wrong) }
        }
        #expect(try self.store.codeVersions() == [Self.version(1), Self.version(2)])
    }

    @Test("Codes are counted with their batch, by name and unit, the most frequent first")
    func counts() throws {
        var codes = ReviewedCodes()
        for code in ["b", "a", "a"] { codes.add(Self.code(code)) }
        try self.prepare(1, codes)
        codes.add(Self.code("b", unit: "g/L"))
        #expect(throws: LedgerStoreError.self) { try self.prepare(1, codes) }
        try self.prepare(2, codes)
        let found = try self.store.reviewedCodes()
        #expect(found.codes.map(\.code) == [Self.code("a"), Self.code("b"), Self.code("b", unit: "g/L")])
        #expect(found.codes.map(\.count) == [4, 2, 1])
        #expect(found.others == 0)
    }

    @Test("What fills the list, or is too long for it, is only counted")
    func bounded() throws {
        var codes = ReviewedCodes()
        for number in 0...ReviewedCodes.codesMax { codes.add(Self.code("\(number)")) }
        codes.add(Self.code(String(repeating: "x", count: ReviewedCodes.textBytesMax + 1)))
        codes.add(Self.code("0", name: String(repeating: "x", count: ReviewedCodes.textBytesMax + 1)))
        #expect(codes.counts.count == ReviewedCodes.codesMax)
        #expect(codes.others == 2)
        #expect(codes.counts[Self.code("0")] == 2)
        try self.prepare(1, codes)
        var more = ReviewedCodes()
        more.add(Self.code("another"))
        more.add(Self.code("0"))
        try self.prepare(2, more)
        let found = try self.store.reviewedCodes()
        #expect(found.codes.count == ReviewedCodes.codesMax)
        #expect(found.codes.first?.count == 3)
        #expect(found.others == 3)
    }
}
