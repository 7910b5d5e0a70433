import Formats
import Testing

@Suite("What a header says to whoever answers")
struct HL7v2HeadTests {
    private static func head(_ processing: String, _ version: String, control: String = "C1") -> HL7v2Head? {
        HL7v2Head(of: Array("MSH|^~\\&|LIS|H|HIE|A|1||ORU^R01|\(control)|\(processing)|\(version)\rPID|".utf8))
    }

    @Test(
        "Version 2 in production is taken, and what says nothing is read as that",
        arguments: [("P", "2.5.1"), ("P^T", "2.1"), ("", ""), ("P", "2"), ("", "2.8^CHN")]
    )
    func taken(processing: String, version: String) throws {
        let head = try #require(Self.head(processing, version))
        #expect(head.refusal == nil && head.hasControlID)
    }

    @Test("Other versions, tests and training are not taken")
    func refused() {
        #expect(Self.head("T", "2.4")?.refusal == .unsupportedProcessing)
        #expect(Self.head("D", "2.4")?.refusal == .unsupportedProcessing)
        #expect(Self.head("P", "3.0")?.refusal == .unsupportedVersion)
        #expect(Self.head("P", "25")?.refusal == .unsupportedVersion)
        #expect(HL7v2Head(of: Array("PID|1".utf8)) == nil)
        #expect(HL7v2Head(of: []) == nil)
    }

    @Test("Names of messages do not run into each other")
    func names() throws {
        func name(_ header: String) throws -> [UInt8] { try #require(HL7v2Head(of: Array(header.utf8))).name }
        let first = try name("MSH|^~\\&|AB|C|||1||ORU^R01|1|P|2.4\r")
        #expect(try first != name("MSH|^~\\&|A|BC|||1||ORU^R01|1|P|2.4\r"))
        #expect(try first == name("MSH|^~\\&|AB|C|X|Y|2||ORU^R02|1|P|2.5\r"))
        #expect(Self.head("P", "2.4", control: "")?.hasControlID == false)
    }
}
