import AgentAPI
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// Serves the local API on the home's socket.
struct LocalServer: Sendable {
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
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.serve() }
            group.addTask {
                _ = try await transport.listeningAddress
                ready()
                // Until the group is cancelled.
                while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
            }
            try await withTaskCancellationHandler {
                _ = try await group.next()
            } onCancel: {
                server.beginGracefulShutdown()
            }
            group.cancelAll()
        }
    }
}
