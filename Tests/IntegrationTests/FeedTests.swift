import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Messages over MLLP", .serialized)
    struct FeedTests {}
}

/// One hospital whose agent listens for HL7 messages.
final class FeedHospital {
    let hospitals: Consortium
    let port: UInt16
    private let arguments: [String]

    init(_ arguments: [String] = []) throws {
        self.hospitals = try Consortium(["a"], starting: false)
        self.port = try Loopback.freePort()
        self.arguments = ["--mllp", "127.0.0.1:\(self.port)"] + arguments
        try self.start()
    }

    func start() throws { try self.hospitals.start("a", arguments: self.arguments) }
    func kill() { self.hospitals.kill("a") }
    func stop() { self.hospitals.stop("a") }
    func sender() throws -> MLLPSender { try MLLPSender(port: self.port) }
    func exams() throws -> Int { try self.hospitals.status("a")["exams"].int }

    func quarantined() throws -> [JSON] {
        try self.hospitals.succeed("a", ["quarantine", "list", "--json"]).json["items"].list
    }
}

extension IntegrationTests.FeedTests {
    @Test("Messages are answered in order however they are cut into pieces, and their exams are there")
    func pieces() throws {
        let hospital = try FeedHospital()
        let sender = try hospital.sender()
        // Two in one write.
        try sender.send((1...2).flatMap { MLLPSender.frame(Array(HL7.result($0).utf8)) })
        #expect(sender.answer()?.controlID == "C1")
        #expect(sender.answer()?.controlID == "C2")
        // One byte by byte.
        for byte in MLLPSender.frame(Array(HL7.result(3).utf8)) { try sender.send([byte]) }
        let third = try #require(sender.answer())
        #expect(third.code == "AA" && third.controlID == "C3")
        // Fifty that are sent ahead.
        try sender.send((4...53).flatMap { MLLPSender.frame(Array(HL7.result($0, patient: $0 % 7).utf8)) })
        for number in 4...53 {
            let answer = try #require(sender.answer())
            #expect(answer.code == "AA" && answer.controlID == "C\(number)")
        }
        #expect(try hospital.exams() == 53)
        // Answered when it is durable, counted when it is final.
        let status = try hospital.hospitals.status("a") { $0["feeds"][0]["sinceReceipt"]["exams"].int == 53 }
        #expect(status["feeds"][0]["feed"].string == "mllp" && status["feeds"][0]["committed"].int == 53)
        let reader = try hospital.hospitals.reader("a")
        let found = try reader.find(HL7.patient(1)) { $0.count == 10 }
        let opened = try reader.fetch(try #require(found.first)["record"].string) { $0.status == 0 }
        #expect(opened.json["exam"]["items"][0]["value"].string == "5.4")
    }

    @Test("Messages in every character set are taken, and taken once")
    func vectors() throws {
        let hospital = try FeedHospital()
        let names = [
            "big5", "document", "euc-kr", "gb18030", "gbk-undeclared", "iso-2022-jp", "iso8859-5", "latin1",
            "shift-jis", "specimens", "utf-16be",
        ]
        var counts: [Int] = []
        for _ in 0..<2 {
            let sender = try hospital.sender()
            for name in names {
                let answer = try sender.exchange(Array(TestData.vector("hl7v2/\(name).hl7")))
                #expect(answer.code == "AA", "\(name): \(answer)")
            }
            counts.append(try hospital.exams())
        }
        #expect(counts[0] >= names.count)
        #expect(counts[0] == counts[1])
    }

    @Test("What was answered survives a kill at once, and a message that comes again adds nothing")
    func killed() throws {
        let hospital = try FeedHospital()
        for round in 0..<5 {
            let sender = try hospital.sender()
            let numbers = (10 * round)..<(10 * round + 10)
            try sender.send(numbers.flatMap { MLLPSender.frame(Array(HL7.result($0).utf8)) })
            var answered = 0
            // The first round waits for one answer, the last for nine; the rest is cut off wherever it is.
            while answered <= 2 * round, sender.answer()?.code == "AA" { answered += 1 }
            hospital.kill()
            try hospital.start()
            #expect(try hospital.exams() >= 10 * round + answered)
            let again = try hospital.sender()
            for number in numbers { #expect(try again.exchange(HL7.result(number)).code == "AA") }
            #expect(try hospital.exams() == 10 * round + 10)
        }
        try hospital.hospitals.succeed("a", ["doctor", "--full"])
    }

    @Test("A shutdown answers what is in work: every answered exam is there, and no other was told so")
    func drained() throws {
        let hospital = try FeedHospital()
        let sender = try hospital.sender()
        try sender.send((0..<2_000).flatMap { MLLPSender.frame(Array(HL7.result($0).utf8)) })
        #expect(sender.answer()?.code == "AA")
        hospital.stop()
        var answered = 1
        while let answer = sender.answer(), answer.code == "AA" { answered += 1 }
        try hospital.start()
        #expect(try hospital.exams() == answered, "what was made durable was answered")
    }

    @Test("What is no result or unreadable is rejected with its reason, and the connection goes on")
    func rejected() throws {
        let hospital = try FeedHospital()
        let sender = try hospital.sender()
        func expect(_ message: String, _ condition: String, _ refusal: String) throws {
            let answer = try sender.exchange(message)
            #expect(answer.code == "AR" && answer.condition == condition && answer.refusal == refusal, "\(answer)")
        }
        try expect(HL7.result(1, type: "ADT^A08^ADT_A01"), "200", "hl7.unsupported-type")
        try expect(HL7.result(1, processing: "T"), "202", "hl7.unsupported-processing")
        try expect(HL7.result(1, version: "3.0"), "203", "hl7.unsupported-version")
        try expect("no message", "100", "hl7.no-header")
        try expect(HL7.result(1).replacingOccurrences(of: "^~\\&", with: "^^^^"), "102", "hl7.bad-delimiters")
        try sender.send(Array("GET / HTTP/1.1\r\n\r\n".utf8) + MLLPSender.frame(Array(HL7.result(2).utf8)))
        #expect(sender.answer()?.refusal == "hl7.frame-garbage")
        #expect(sender.answer()?.code == "AA")
        try sender.send([0x0b] + Array(HL7.result(3).utf8) + MLLPSender.frame(Array(HL7.result(4).utf8)))
        #expect(sender.answer()?.refusal == "hl7.frame-open")
        #expect(sender.answer()?.controlID == "C4")
        // One more than the importer takes, and a whole one after it.
        let large = [UInt8](repeating: UInt8(ascii: "A"), count: 31 << 20)
        try sender.send([0x0b] + Array(HL7.result(5).utf8) + large + [0x1c, 0x0d])
        #expect(sender.answer()?.refusal == "hl7.too-large")
        #expect(try sender.exchange(HL7.result(6)).code == "AA")
        #expect(try hospital.exams() == 3)
        #expect(try hospital.quarantined().isEmpty)
    }

    @Test("A message with an error is in quarantine before its sender is told, and may be corrected")
    func refused() throws {
        let hospital = try FeedHospital()
        let sender = try hospital.sender()
        let answer = try sender.exchange(HL7.result(1, time: "20260231"))
        #expect(answer.code == "AE" && answer.controlID == "C1" && answer.refusal == "hl7.bad-time")
        let noPatient = HL7.result(2).split(separator: "\r").filter { !$0.hasPrefix("PID") }.joined(separator: "\r")
        #expect(try sender.exchange(noPatient).refusal == "subject.missing")
        hospital.kill()
        try hospital.start()
        #expect(try hospital.quarantined().map { $0["code"].string } == ["hl7.bad-time", "subject.missing"])
        let again = try hospital.sender()
        // The same again is the same row, and the corrected message keeps its control id.
        #expect(try again.exchange(HL7.result(1, time: "20260231")).code == "AE")
        #expect(try hospital.quarantined().count == 2)
        #expect(try again.exchange(HL7.result(1)).code == "AA")
        #expect(try hospital.exams() == 1)
        #expect(!hospital.hospitals.log("a").contains("测试"))
    }

    @Test("Another message under the same control id is refused, and the same one is not")
    func controlID() throws {
        let hospital = try FeedHospital()
        let sender = try hospital.sender()
        #expect(try sender.exchange(HL7.result(1, control: "X")).code == "AA")
        #expect(try sender.exchange(HL7.result(1, control: "X")).code == "AA")
        let other = try sender.exchange(HL7.result(2, control: "X"))
        #expect(other.code == "AE" && other.condition == "205" && other.refusal == "hl7.control-id-reused")
        // A correction of the same order under its own control id is a new version.
        #expect(try sender.exchange(HL7.result(1, control: "Y", value: "5.5")).code == "AA")
        #expect(try hospital.exams() == 2)
    }

    @Test("Four senders at once are each answered, in their own order")
    func senders() throws {
        let hospital = try FeedHospital()
        let senders = try (0..<4).map { _ in try hospital.sender() }
        for (index, sender) in senders.enumerated() {
            try sender.send((0..<30).flatMap { MLLPSender.frame(Array(HL7.result(100 * index + $0).utf8)) })
        }
        for (index, sender) in senders.enumerated() {
            for number in 0..<30 { #expect(sender.answer()?.controlID == "C\(100 * index + number)") }
        }
        #expect(try hospital.exams() == 120)
    }

    @Test("One connection more than allowed is closed, and the others go on")
    func limit() throws {
        let hospital = try FeedHospital()
        let senders = try (0..<64).map { _ in try hospital.sender() }
        // Answered, so that each is known to be served before the next comes.
        for (number, sender) in senders.enumerated() {
            #expect(try sender.exchange(HL7.result(number)).code == "AA")
        }
        let surplus = try hospital.sender()
        #expect(surplus.answer() == nil && surplus.isClosed)
        #expect(try senders[0].exchange(HL7.result(100)).code == "AA")
    }

    @Test("A half of TLS, a taken port and a missing folder keep the agent from starting")
    func misconfigured() throws {
        let hospital = try FeedHospital()
        hospital.stop()
        let home = ["--home", hospital.hospitals.home("a").path, "agent"]
        let port = "127.0.0.1:\(hospital.port)"
        let half = try Program.run(home + ["--mllp", port, "--mllp-certificate", "x"])
        #expect(half.code == "usage.mllp-tls")
        #expect(try Program.run(home + ["--watch", "/nonexistent"]).code == "request.invalid")
        try hospital.start()
        let other = try Consortium(["b"], starting: false)
        let taken = try Program.run(["--home", other.home("b").path, "agent", "--mllp", port])
        #expect(taken.code == "request.invalid")
    }
}
