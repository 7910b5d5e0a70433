import Logging

/// The loop of a service that works off what its store lists as waiting.
///
/// What an earlier run left comes first; what comes within a moment after the first shares a batch; a failure is said
/// in the log and tried again.
struct Gathering: Sendable {
    /// What comes within this time after the first shares a batch.
    private static let pause: Duration = .seconds(2)

    let bell: Bell
    let logger: Logger
    /// What the log says waits when the work fails.
    let complaint: Logger.Message

    /// Runs until cancelled.
    ///
    /// `work`: does a piece of what waits; whether there was anything.
    func run(_ work: () async throws -> Bool) async {
        while !Task.isCancelled {
            do {
                guard try await !work() else { continue }
                await self.bell.wait()
                try? await Task.sleep(for: Self.pause)
            } catch {
                self.logger.error(self.complaint, metadata: ["error": "\(error)"])
                await self.bell.wait(atMost: .seconds(5))
            }
        }
    }
}
