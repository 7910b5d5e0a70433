import Foundation
import PeerLink
import Primitives
import Testing

/// Figures for `Documentation/Decisions/0003-peer-streams.md`, printed when `ENTENTE_MEASURE` is set.
@Suite("Measurements", .serialized, .enabled(if: ProcessInfo.processInfo.environment["ENTENTE_MEASURE"] != nil))
struct Measurements {
    private static let frame = [UInt8](repeating: 3, count: 256 << 10)

    /// Two agents, of which the second serves frames without end.
    private func pair() throws -> (TestAgent, TestAgent) {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b") { _, _, response in
            while true { try await response.write(Self.frame) }
        }
        return (a, b)
    }

    /// There and back of a 300-byte frame on the consensus streams.
    private func roundTrips(_ a: TestAgent, _ b: TestAgent, _ count: Int) async throws -> [Duration] {
        let vote = [UInt8](repeating: 9, count: 300)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await frame in b.link.frames { b.link.send(frame.bytes, .consensus, to: a.id) }
            }
            defer { group.cancelAll() }
            var times: [Duration] = []
            var frames = a.link.frames.makeAsyncIterator()
            for _ in 0..<count {
                let start = ContinuousClock.now
                a.link.send(vote, .consensus, to: b.id)
                _ = await frames.next()
                times.append(ContinuousClock.now - start)
                // As far apart as votes are.
                try await Task.sleep(for: .milliseconds(1))
            }
            return times.sorted()
        }
    }

    private func report(_ name: String, _ times: [Duration]) {
        print(
            "\(name): p50 \(times[times.count / 2]), p99 \(times[times.count * 99 / 100]), max \(times[times.count - 1])"
        )
    }

    @Test("Round trip of a vote, idle line")
    func idle() async throws {
        let (a, b) = try self.pair()
        try await connected([a, b]) {
            try await until { a.isConnected(to: b) && b.isConnected(to: a) }
            _ = try await self.roundTrips(a, b, 500)
            self.report("vote, idle", try await self.roundTrips(a, b, 3000))
        }
    }

    @Test("Bulk rate, and round trip of a vote beside it")
    func bulk() async throws {
        let (a, b) = try self.pair()
        try await connected([a, b]) {
            try await until { a.isConnected(to: b) && b.isConnected(to: a) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                let flowing = Event()
                group.addTask {
                    while !flowing.happened {
                        do {
                            try await a.link.fetch([], from: b.id) { frames in
                                for try await _ in frames { flowing.happen() }
                            }
                        } catch let error as PeerLinkError where error.code == .notConnected {
                            await Task.yield()
                        } catch {}
                    }
                }
                await flowing.wait()
                let start = ContinuousClock.now
                let before = a.link.peers[0].bytesIn
                try await Task.sleep(for: .seconds(5))
                let megabytes = Double(a.link.peers[0].bytesIn - before) / 1_000_000
                print("bulk alone: \(megabytes / ((ContinuousClock.now - start) / .seconds(1))) MB/s")
                self.report("vote beside bulk", try await self.roundTrips(a, b, 300))
                group.cancelAll()
            }
        }
    }
}
