import AgentAPI
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

@Suite("The local API")
struct AgentClientTests {
    /// Serves a ``ScriptedAgent`` at a socket while `body` calls it.
    private func serving(_ body: @escaping @Sendable (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let path = folder.file(AgentSocket.fileName).path
        let server = GRPCServer(transport: try AgentSocket.listen(at: path), services: [ScriptedAgent()])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.serve() }
            defer { server.beginGracefulShutdown() }
            // A server that is stopped before it serves keeps its socket.
            _ = try await AgentClient.connected(to: path) { try await $0.status(.init()) }
            try await body(path)
        }
        withExtendedLifetime(folder) {}
    }

    @Test("A call is answered")
    func unary() async throws {
        try await self.serving { path in
            let status = try await AgentClient.connected(to: path) { try await $0.status(.init()) }
            #expect(status.institution == "hospital-a")
            #expect(status.height == 42)
        }
    }

    @Test("Leaving without a call is harmless")
    func noCall() async throws {
        try await self.serving { path in
            for _ in 0..<50 { try await AgentClient.connected(to: path) { _ in } }
        }
    }

    @Test(
        "Measure: a call over the socket",
        .enabled(if: ProcessInfo.processInfo.environment["ENTENTE_MEASURE"] != nil)
    )
    func measureCalls() async throws {
        try await self.serving { path in
            try await AgentClient.connected(to: path) { client in
                var times: [Duration] = []
                for _ in 0..<5000 {
                    let start = ContinuousClock.now
                    _ = try await client.status(.init())
                    times.append(ContinuousClock.now - start)
                }
                times.sort()
                print("call: p50 \(times[2500]), p99 \(times[4950])")
            }
            var times: [Duration] = []
            for _ in 0..<500 {
                let start = ContinuousClock.now
                _ = try await AgentClient.connected(to: path) { try await $0.status(.init()) }
                times.append(ContinuousClock.now - start)
            }
            times.sort()
            print("connect, call and close: p50 \(times[250]), p99 \(times[495])")
        }
    }

    @Test("An agent's error arrives as it was thrown, from a reply and from a stream")
    func errors() async throws {
        try await self.serving { path in
            try await AgentClient.connected(to: path) { client in
                await #expect(throws: ScriptedAgent.refusal) { try await client.fetch(.init()) }
                let seen = Mutex(0)
                await #expect(throws: ScriptedAgent.refusal) {
                    try await client.importFiles(.with { $0.format = "refused" }) { _ in seen.withLock { $0 += 1 } }
                }
                #expect(seen.withLock { $0 } == 100)
                let unforeseen = await #expect(throws: AgentAPIError.self) { try await client.doctor(.init()) }
                #expect(unforeseen?.code == "agent.call-failed")
                #expect(unforeseen?.exitStatus == .internalError)
            }
        }
    }

    @Test("Import events arrive in order and end with the summary")
    func importFiles() async throws {
        try await self.serving { path in
            try await AgentClient.connected(to: path) { client in
                let events = Mutex<[Entente_Api_V1_ImportEvent]>([])
                try await client.importFiles(.with { $0.paths = ["/a", "/b"] }) { event in
                    events.withLock { $0.append(event) }
                }
                let all = events.withLock { $0 }
                #expect(all.dropLast().map(\.progress.exams) == Array(1...100))
                #expect(all.last?.summary.read == 2)
            }
        }
    }

    @Test("An upload arrives whole, whatever its pieces")
    func importUpload() async throws {
        try await self.serving { path in
            try await AgentClient.connected(to: path) { client in
                let (bytes, input) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
                for count in [0, 1, 3 << 20, 5 << 20] { input.yield([UInt8](repeating: 7, count: count)) }
                input.finish()
                let last = Mutex<Entente_Api_V1_ImportEvent?>(nil)
                try await client.importUpload(.with { $0.format = "fhir" }, bytes: bytes) { event in
                    last.withLock { $0 = event }
                }
                let summary = try #require(last.withLock { $0 }).summary
                #expect(summary.read == (8 << 20) + 1)
                #expect(summary.skipped == ["fhir": 1])
            }
        }
    }

    @Test("A reply of the largest size passes")
    func largeReply() async throws {
        try await self.serving { path in
            let reply = try await AgentClient.connected(to: path) { client in
                try await client.quarantineShow(.with { $0.id = "\(60 << 20)" })
            }
            #expect(reply.content.count == 60 << 20)
        }
    }

    @Test("Without an agent the error says what to do")
    func notRunning() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("agent.sock").path
        let absent = await #expect(throws: AgentAPIError.self) {
            try await AgentClient.connected(to: path) { _ in }
        }
        #expect(absent?.code == "agent.not-running")
        #expect(absent?.exitStatus == .notReady)
        // A socket that a killed agent left behind: bound, but nobody listens any more.
        try await self.serving { served in try FileManager.default.linkItem(atPath: served, toPath: path) }
        let refused = await #expect(throws: AgentAPIError.self) {
            try await AgentClient.connected(to: path) { _ in }
        }
        #expect(refused?.code == "agent.not-running")
        let long = await #expect(throws: AgentAPIError.self) {
            try await AgentClient.connected(to: String(repeating: "x", count: 200)) { _ in }
        }
        #expect(long?.code == "agent.socket-unusable")
    }

    @Test("The socket belongs to its owner alone, replaces a dead one, and refuses a second agent")
    func socket() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("agent.sock").path
        try await self.serving { served in
            let mode = try FileManager.default.attributesOfItem(atPath: served)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let second = #expect(throws: AgentAPIError.self) { _ = try AgentSocket.listen(at: served) }
            #expect(second?.code == "agent.already-running")
            try FileManager.default.linkItem(atPath: served, toPath: path)
        }
        let server = GRPCServer(transport: try AgentSocket.listen(at: path), services: [ScriptedAgent()])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.serve() }
            defer { server.beginGracefulShutdown() }
            let status = try await AgentClient.connected(to: path) { try await $0.status(.init()) }
            #expect(status.height == 42)
        }
    }

    @Test("Every error keeps its parts over the wire", arguments: AgentAPIError.ExitStatus.allCases)
    func conversion(status: AgentAPIError.ExitStatus) {
        let error = AgentAPIError(code: "a.b", message: "what", hint: "how", exitStatus: status)
        #expect(AgentAPIError(RPCError(error)) == error)
    }

    @Test("Foreign and broken errors become ones that a person can read")
    func foreignErrors() {
        struct Other: Error {}
        #expect(AgentAPIError(Other()).code == "agent.call-failed")
        #expect(AgentAPIError(RPCError(code: .unavailable, message: "")).code == "agent.connection-lost")
        #expect(AgentAPIError(RPCError(code: .unimplemented, message: "")).code == "agent.other-version")
        var metadata = Metadata()
        metadata.addBinary([0xff, 0xff], forKey: "entente-error-bin")
        #expect(AgentAPIError(RPCError(code: .notFound, message: "", metadata: metadata)).code == "agent.call-failed")
    }
}
