import AgentAPI
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// Serves the local API on the home's socket.
struct LocalServer: Sendable {
    /// How long calls may go on after the agent was told to stop.
    private static let grace: Duration = .seconds(5)

    private let layout: HomeLayout
    private let harness: AgentHarness

    init(layout: HomeLayout, harness: AgentHarness) {
        self.layout = layout
        self.harness = harness
    }

    /// Runs until cancelled, and removes the socket.
    func run(ready: @escaping @Sendable () -> Void) async throws {
        let transport = try AgentSocket.listen(at: self.layout.socket.path)
        defer { try? FileManager.default.removeItem(at: self.layout.socket) }
        let server = GRPCServer(transport: transport, services: [self.harness])
        // Not a child of this task: cancelling a server tears its connections down in the middle of an answer.
        let serving = Task { try await server.serve() }
        // The socket listens already: a call that comes before the server takes it waits.
        ready()
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            server.beginGracefulShutdown()
            // A caller that neither sends nor reads must not keep the agent from ending.
            Task {
                try? await Task.sleep(for: Self.grace)
                serving.cancel()
            }
        }
    }
}
