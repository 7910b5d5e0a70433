import AgentAPI
import AgentRuntime
import AgentTestSupport
import Foundation
import GRPCCore
import TestSupport
import Testing

extension LeakTests {
    @Suite("Answers do not tell what exists", .serialized)
    struct AnswerTests {}
}

extension LeakTests.AnswerTests {
    @Test("A stranger's answers about what exists and what does not are the same, for every call")
    func answers() async throws {
        let strangers = try Strangers()
        let question = AnswerCase.Question(
            credential: strangers.credential,
            stranger: strangers.stranger,
            chain: strangers.chain,
            patient: Person.other
        )
        let (existing, missing) = (strangers.existing, strangers.missing)
        // The things do exist: those whom they concern see them.
        let seen = try strangers.hospitals.succeed("b", ["notices", "--json"]).json["notices"]
        #expect(seen.list.count == 1)
        try await AgentClient.connected(to: strangers.socket) { client in
            for (name, call) in AnswerCase.all.sorted(by: { $0.key < $1.key }) {
                guard case .alike(let ask) = call else { continue }
                let first = await Self.outcome { try await ask(client, existing, question) }
                let second = await Self.outcome { try await ask(client, missing, question) }
                #expect(first == second, "\(name)")
            }
        }
    }

    private static func outcome(_ body: () async throws -> Data) async -> String {
        var reply = Data()
        let error = await AnswerCase.error { reply = try await body() }
        return error + "\n" + reply.base64EncodedString()
    }

    @Test("Every call of the local API has a case, and every case a call")
    func everyCall() {
        let calls = Set(Entente_Api_V1_Agent.Method.descriptors.map(\.method))
        #expect(calls == Set(AnswerCase.all.keys))
    }

    @Test("Every call answers through the one function that keeps the time of refusals")
    func everyCallIsPaced() throws {
        let folder = TestData.repositoryFile("Sources/AgentRuntime/API")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasPrefix("AgentHarness") }
        var (calls, answers) = (0, 0)
        for file in files {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            calls += text.components(separatedBy: "context: ServerContext").count - 1
            answers += text.components(separatedBy: "try await self.answer {").count - 1
            answers += text.components(separatedBy: "try await self.answer(paced: true) {").count - 1
        }
        #expect(calls == Entente_Api_V1_Agent.Method.descriptors.count)
        #expect(calls == answers)
    }

    @Test("An answer is given at the end of a step, however long it took")
    func pace() {
        let step = AnswerPace.refusal
        #expect(AnswerPace.rest(after: .zero, step: step) == step)
        for microseconds in stride(from: 1, through: 19_999, by: 37) {
            let given = AnswerPace.given(after: .microseconds(microseconds), step: step)
            #expect(given == step)
        }
        #expect(AnswerPace.given(after: step, step: step) == step)
        #expect(AnswerPace.given(after: step + .nanoseconds(1), step: step) == step * 2)
        #expect(AnswerPace.rest(after: .milliseconds(-5), step: step) == step)
    }
}
