import Formats
import Records
import TestSupport
import Testing

@Suite("A stream is cut into messages and frames")
struct HL7v2StreamTests {
    private static let message = "MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1|A^B\r"

    private static func pieces(_ bytes: [UInt8], by step: Int) -> [HL7v2MessageSplitter.Piece] {
        var splitter = HL7v2MessageSplitter()
        var pieces: [HL7v2MessageSplitter.Piece] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            pieces += splitter.append(bytes[start..<min(start + step, bytes.count)])
        }
        return pieces + splitter.finish()
    }

    @Test(
        "However the bytes come, the same pieces are found",
        arguments: [
            "orders.hl7", "continued.hl7", "document.hl7", "utf-16le.hl7", "utf-16be.hl7", "utf-8-bom.hl7",
            "gb18030.hl7",
        ]
    )
    func chunks(name: String) throws {
        let bytes = [UInt8](try TestData.vector("hl7v2/\(name)"))
        let mllp: [UInt8] = [0x0b] + bytes + [0x1c, 0x0d, 0x0b] + bytes + [0x1c, 0x0d]
        for input in [bytes, bytes + bytes, mllp, Array("EVN|x\r\n\r\n".utf8) + bytes] {
            let whole = Self.pieces(input, by: input.count)
            for step in [1, 2, 3, 7, 64, 1000] { #expect(Self.pieces(input, by: step) == whole) }
        }
    }

    @Test("Lines and offsets count from the stream's start")
    func places() {
        let text = "\u{feff}junk\r\n\r\n\(Self.message)BTS|1\r\n\(Self.message)"
        let pieces = Self.pieces(Array(text.utf8), by: 5)
        let bytes = Array(text.utf8)
        guard pieces.count == 4, case .refused(let junk, let junkLine) = pieces[0],
            case .message(let first) = pieces[1],
            case .refused(let trailer, let trailerLine) = pieces[2], case .message(let second) = pieces[3]
        else {
            Issue.record("junk, a message, a trailer and a message")
            return
        }
        #expect(junk.refusal.code == "hl7.no-header" && junkLine == 1 && junk.range == 3..<11)
        #expect(first.line == 3 && bytes[first.range].elementsEqual(Self.message.utf8))
        #expect(trailer.refusal.code == "hl7.batch-open" && trailerLine == 6)
        #expect(second.line == 7 && bytes[second.offset...].elementsEqual(Self.message.utf8))
    }

    @Test(
        "Counts of batches and files are checked, and their messages read",
        arguments: [
            ("FHS|^~\\&\rBHS|^~\\&\rMBTS|1\rFTS|1\r", []), ("BHS|^~\\&\rMMBTS|2\r", []), ("BHS|^~\\&\rMBTS\r", []),
            ("BHS|^~\\&\rMBTS|2\r", ["hl7.batch-count"]), ("BHS|^~\\&\rMBTS|x\r", []),
            ("FHS|^~\\&\rBHS|^~\\&\rMBTS|1\rFTS|2\r", ["hl7.batch-count"]), ("BHS|^~\\&\rM", ["hl7.batch-open"]),
            ("MBTS|1\r", ["hl7.batch-open"]), ("FHS|^~\\&\rMFTS|1\r", []),
            ("FHS|^~\\&\rBHS|^~\\&\rMFTS|0\r", ["hl7.batch-open"]),
            ("BHS|^~\\&\rBHS|^~\\&\rMBTS|1\r", ["hl7.batch-open"]),
        ] as [(String, [String])]
    )
    func batches(text: String, codes: [String]) {
        let content = HL7v2Content(
            text.replacing("M", with: Self.message.replacing("M", with: "\u{0}")).replacing("\u{0}", with: "M")
        )
        #expect(content.codes == codes)
        #expect(content.exams.count == text.count { $0 == "M" })
    }

    @Test(
        "Segments may end with CR, LF or both, and the last with nothing",
        arguments: ["\r", "\n", "\r\n", "\r\n\r\n"]
    )
    func terminators(_ terminator: String) {
        let content = HL7v2Content(Self.message.replacing("\r", with: terminator))
        #expect(content.exams.count == 1 && content.refused.isEmpty)
        let open = HL7v2Content(String(Self.message.dropLast()).replacing("\r", with: terminator))
        #expect(open.exams.map(\.exam) == content.exams.map(\.exam))
    }

    @Test("A line feed inside a field of a message with CR is text")
    func lineFeed() {
        #expect(HL7v2Content.results("ST|A^A||one\ntwo||||||F").items.first?.value == .text("one\ntwo"))
    }

    @Test("Frames are cut out, and what is none is told")
    func frames() {
        var splitter = MLLPFrameSplitter(frameBytesMax: 4)
        let bytes: [UInt8] = [1, 2, 0x0b, 65, 0x1c, 0x0d, 0x0a, 0x0b, 66, 0x0b, 67, 0x1c, 68, 0x1c, 0x0d]
        #expect(
            splitter.append(bytes) == [
                .garbage(0..<2), .frame([65], offset: 3), .open(8..<9), .frame([67, 0x1c, 68], offset: 10),
            ]
        )
        #expect(
            splitter.append([0x0b, 1, 2, 3, 4, 5, 6, 0x1c, 0x0d, 0x0b, 9, 0x1c, 0x0d]) == [
                .tooLarge(16..<20), .frame([9], offset: 25),
            ]
        )
        #expect(splitter.append([0x0b, 65, 0x1c]).isEmpty)
        #expect(splitter.finish() == [.frame([65], offset: 29)])
        #expect(splitter.append([0x0b, 65]).isEmpty)
        #expect(splitter.finish() == [.open(32..<33)])
    }

    @Test("A truncated last frame is refused, and the rest imported")
    func truncated() {
        let frame: [UInt8] = [0x0b] + Array(Self.message.utf8) + [0x1c, 0x0d]
        let content = HL7v2Content(frame + frame + frame.dropLast(6))
        #expect(content.exams.count == 2 && content.codes == ["hl7.frame-open"])
        #expect(content.exams.map(\.offset) == [1, 1 + frame.count])
        #expect(HL7v2Content(frame + [65, 66] + frame).codes == ["hl7.frame-garbage"])
    }

    @Test("A message beyond the limit is refused, and the next one read, in bounded memory")
    func tooLarge() {
        var splitter = HL7v2MessageSplitter()
        var pieces = splitter.append(Array("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rOBX|1|TX|A||".utf8)[...])
        let chunk = [UInt8](repeating: 65, count: 1 << 20)
        for _ in 0...(HL7v2Limits.messageBytesMax >> 20) { pieces += splitter.append(chunk[...]) }
        pieces += splitter.append(Array(("\r" + Self.message).utf8)[...])
        pieces += splitter.finish()
        guard pieces.count == 2, case .refused(let piece, _) = pieces[0], case .message(let message) = pieces[1] else {
            Issue.record("a refused message and another one")
            return
        }
        #expect(piece.refusal.code == "hl7.too-large" && piece.range.count > HL7v2Limits.messageBytesMax)
        #expect(message.bytes == Array(Self.message.utf8) && message.offset == piece.range.upperBound)
    }
}

@Suite("Messages are acknowledged as their sender expects")
struct HL7v2AcknowledgementTests {
    private static let refusal = FormatRefusal(HL7v2Refusal.badTime)

    private static func reply(
        _ message: String,
        _ code: HL7v2Acknowledgement.Code,
        _ refusal: FormatRefusal? = nil
    ) -> String {
        let answer = HL7v2Acknowledgement.Answer(
            code: code,
            refusal: refusal,
            controlID: "ACK1",
            time: "20260510083001"
        )
        return String(decoding: HL7v2Acknowledgement.reply(to: Array(message.utf8), answer), as: UTF8.self)
    }

    @Test("Sender and receiver are exchanged and the control id repeated")
    func accept() {
        let text = Self.reply(
            "MSH|^~\\&|LIS|医院|HIE|AREA|1||ORU^R01^ORU_R01|C\\T\\1|T|2.5.1||||||UNICODE UTF-8\rPID|",
            .accept
        )
        #expect(
            text
                == "MSH|^~\\&|HIE|AREA|LIS|医院|20260510083001||ACK^R01^ACK|ACK1|T|2.5.1||||||UNICODE UTF-8\rMSA|AA|C\\T\\1\r"
        )
    }

    @Test(
        "An error is written as the version says",
        arguments: [
            ("2.3", "ERR|^^^102&Data type error&HL70357\r", "ACK^R01|"), ("2.4", "ERR|^^^102&", "ACK^R01^ACK|"),
            ("2.5", "ERR|||102^Data type error^HL70357|E|hl7.bad-time|||A date", "ACK^R01^ACK|"),
            ("2.1", "ERR|^^^102&", "|ACK|"),
        ]
    )
    func error(version: String, error: String, type: String) {
        let text = Self.reply("MSH|^~\\&|LIS|H|HIE|A|1||ORU^R01|C1|P|\(version)\r", .error, Self.refusal)
        #expect(text.contains(error) && text.contains(type) && text.contains("MSA|AE|C1"))
        #expect(HL7v2Content(text).skipped.values.reduce(0, +) == 1, "an answer is a message itself")
    }

    @Test("The sender's delimiters are used, and escaped in our text")
    func delimiters() {
        let refusal = FormatRefusal(HL7v2Refusal.unknownCharacterSet)
        let text = Self.reply("MSH*%$!,*LIS*H*HIE*A*1**ORU%R01*C1*P*2.4\r", .error, refusal)
        #expect(text.hasPrefix("MSH*%$!,*HIE*A*LIS*H*20260510083001**ACK%R01%ACK*ACK1*P*2.4\rMSA*AE*C1*"))
        #expect(text.contains("can be read!T! or") && text.contains("\rERR*%%%103,Table value not found,HL70357\r"))
    }

    @Test("A double-byte name whose second byte is a delimiter is repeated whole")
    func doubleByte() throws {
        let message = [UInt8](try TestData.vector("hl7v2/gb18030.hl7"))
        let answer = HL7v2Acknowledgement.Answer(code: .accept, controlID: "A", time: "1")
        let reply = HL7v2Acknowledgement.reply(to: message, answer)
        let skipped = HL7v2Content(reply)
        #expect(skipped.refused.isEmpty && skipped.skipped == ["ACK^R01": 1])
        #expect(reply.suffix(10).elementsEqual("MSA|AA|C1\r".utf8))
    }

    @Test("UTF-16 is answered in UTF-16, and rubbish in the usual form", arguments: ["utf-16le.hl7", "utf-16be.hl7"])
    func wide(name: String) throws {
        let message = [UInt8](try TestData.vector("hl7v2/\(name)"))
        let answer = HL7v2Acknowledgement.Answer(code: .accept, controlID: "A", time: "1")
        #expect(HL7v2Content(HL7v2Acknowledgement.reply(to: message, answer)).skipped == ["ACK^R01": 1])
        #expect(Self.reply("rubbish", .reject) == "MSH|^~\\&|||||20260510083001||ACK|ACK1|P|2.5.1\rMSA|AR\r")
    }
}
