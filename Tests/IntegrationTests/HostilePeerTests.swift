import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Peers that are not what they say", .serialized)
    struct HostilePeerTests {}
}

extension IntegrationTests.HostilePeerTests {
    @Test("Garbage on the port ends its connection and nothing else")
    func garbage() throws {
        let hospitals = try Consortium(["a", "b"])
        let address = try hospitals.status("b") { $0["peers"][0]["connected"].bool }["peers"][0]["address"].string
        let port = try #require(UInt16(address.split(separator: ":").last ?? ""))
        var generator = SeededGenerator(seed: 7)
        // A TLS record header that promises more than it holds, an HTTP request, HTTP/2's preface, and noise.
        let hello: [UInt8] = [0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0xff, 0xff]
        var pieces = [[], hello, Array("GET / HTTP/1.1\r\n\r\n".utf8), Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)]
        pieces += (0..<40).map { [UInt8].random(count: 1 << ($0 % 16), using: &generator) }
        for piece in pieces {
            let answer = try #require(Loopback.exchange(port: port, piece), "nobody listens any more")
            #expect(answer.count < 1024)
        }
        #expect(hospitals.agents["a"]?.isRunning == true)
        #expect(try hospitals.status("b") { $0["peers"][0]["connected"].bool }["exams"].int == 0)
        _ = try hospitals.grant(ExamFile.patient(0), witnessedBy: "b", ["--to", "b"])
    }

    @Test("A home joins only a chain that lists it with its own keys, and a stolen genesis opens nothing")
    func foreignGenesis() throws {
        let hospitals = try Consortium(["a", "b"])
        let others = try Consortium(["a", "x"], starting: false)
        // Another chain with a member of the same name; a chain without it; a chain that it joined already.
        let foreign = try others.expect(2, "a", ["join", hospitals.path("genesis")])
        #expect(foreign.code == "request.invalid")
        #expect(try others.expect(2, "x", ["join", hospitals.path("genesis")]).code == "request.invalid")
        try hospitals.succeed("a", ["join", hospitals.path("genesis")])
        let genesis = try Data(contentsOf: hospitals.file("genesis"))
        let broken = hospitals.file("broken")
        for step in 0..<16 {
            var copy = genesis
            copy[(copy.count - 1) * step / 15] ^= 0x01
            try copy.write(to: broken)
            let result = try Program.run(["--home", others.home("a").path, "join", broken.path])
            #expect(result.status != 0 && !result.code.isEmpty, "byte \(step)")
        }
        // Put there by hand: the agent sees on its own that the chain does not know it.
        for name in ["a", "x"] {
            try genesis.write(to: others.home(name).appending(path: "genesis"))
            let ended = #expect(throws: AgentProcess.Ended.self) { try others.start(name) }
            #expect((1...9).contains(ended?.status ?? 0), "\(ended?.description ?? "")")
            #expect(ended?.log.contains("error[") == true)
        }
        #expect(try hospitals.status("b") { $0["peers"][0]["connected"].bool }["peers"].list.count == 1)
    }

    @Test("A second agent on a home is refused, and the first goes on")
    func secondAgent() throws {
        let hospitals = try Consortium(["a"])
        let ended = #expect(throws: AgentProcess.Ended.self) { _ = try AgentProcess(home: hospitals.home("a")) }
        #expect(ended?.status == 9)
        #expect(ended?.log.contains("error[agent.not-ready]") == true)
        #expect(hospitals.agents["a"]?.isRunning == true)
        _ = try hospitals.grant(ExamFile.patient(0), witnessedBy: "a", ["--to", "a"])
        // The home of a killed agent is free.
        hospitals.kill("a")
        try hospitals.start("a")
    }
}
