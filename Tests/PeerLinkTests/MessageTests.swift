import PeerLink
import Primitives
import ServiceLifecycle
import Testing

@Suite("Messages between agents")
struct MessageTests {
    @Test("Both directions and both classes arrive under the sender's name and in order")
    func bothDirections() async throws {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b")
        try await connected([a, b]) {
            for number in UInt8(0)..<100 {
                #expect(a.link.send([number], .consensus, to: b.id) == .queued)
                #expect(b.link.send([number, 1], .transactions, to: a.id) == .queued)
            }
            let atB = try await b.receive(100)
            #expect(
                atB == (0..<100).map { InboundFrame(from: a.id, messageClass: .consensus, bytes: [UInt8($0)]) }
            )
            let atA = try await a.receive(100)
            #expect(
                atA == (0..<100).map { InboundFrame(from: b.id, messageClass: .transactions, bytes: [UInt8($0), 1]) }
            )
            try await until { a.isConnected(to: b) && b.isConnected(to: a) }
            let status = try #require(a.link.peers.first)
            #expect(status.institution == b.id)
            #expect(status.bytesIn == 200)
            #expect(status.bytesOut == 100)
        }
    }

    @Test("A message of the largest size arrives, a larger one and one for a stranger are refused at once")
    func sizes() async throws {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b")
        let stranger = try institution("nobody")
        try await connected([a, b]) {
            let largest = [UInt8](repeating: 7, count: PeerLinkLimits().messageBytesMax)
            #expect(a.link.send(largest + [0], .consensus, to: b.id) == .refused(.tooLarge))
            #expect(a.link.send([], .consensus, to: stranger) == .refused(.unknownPeer))
            #expect(a.link.send(a.id.text.utf8.map { $0 }, .consensus, to: a.id) == .refused(.unknownPeer))
            #expect(a.link.send(largest, .consensus, to: b.id) == .queued)
            #expect(a.link.send([], .consensus, to: b.id) == .queued)
            try await b.expect([largest, []])
        }
    }

    @Test("A reader that does not read holds the sender up, and nothing accepted is lost")
    func slowReader() async throws {
        var limits = PeerLinkLimits()
        limits.inboundFramesMax = 4
        limits.inboundBytesMax = 64 << 10
        limits.streamWindowBytes = 64 << 10
        limits.outboundFramesMax = 8
        let a = try TestAgent("hospital-a", limits: limits)
        let b = try TestAgent("hospital-b", limits: limits)
        try await connected([a, b]) {
            try await until { a.isConnected(to: b) }
            // Sockets and windows hold some; then the sender's queue stays full.
            var accepted = 0
            var refusedInARow = 0
            while refusedInARow < 20_000 {
                let frame = [UInt8](repeating: UInt8(accepted & 0xff), count: 16 << 10)
                switch a.link.send(frame, .transactions, to: b.id) {
                case .queued:
                    accepted += 1
                    refusedInARow = 0
                case .refused(.full):
                    refusedInARow += 1
                    await Task.yield()
                case let other:
                    Issue.record("a transaction is queued or refused: \(other)")
                    return
                }
                try #require(accepted < 10_000, "the sender was never held up")
            }
            // The other class is not held up by it.
            #expect(a.link.send([1], .consensus, to: b.id) == .queued)
            try await until { b.link.peers.first.map { $0.bytesIn % (16 << 10) == 1 } ?? false }
            let frames = try await b.receive(accepted + 1)
            let transactions = frames.filter { $0.messageClass == .transactions }
            #expect(transactions.map { $0.bytes[0] } == (0..<accepted).map { UInt8($0 & 0xff) })
            let vote = try #require(frames.firstIndex { $0.messageClass == .consensus })
            #expect(vote <= 1, "consensus goes before what waits of transactions")
        }
    }

    @Test("A peer that comes back under the same address is found again, and gets the newest of what waits")
    func restart() async throws {
        var limits = PeerLinkLimits()
        limits.outboundFramesMax = 10
        let a = try TestAgent("hospital-a", limits: limits)
        let first = try TestAgent("hospital-b")
        try await running([a]) {
            let address = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await first.link.run() }
                let entries = [try await a.entry(), try await first.entry()]
                a.directory.update(entries)
                first.directory.update(entries)
                a.link.send([1], .consensus, to: first.id)
                try await first.expect([[1]])
                group.cancelAll()
                try await group.waitForAll()
                return try await first.link.listeningAddress
            }
            try await until { !a.isConnected(to: first) }
            for number in UInt8(2)..<22 { a.link.send([number], .consensus, to: first.id) }
            let second = try TestAgent("hospital-b", credentials: first.credentials, address: address)
            second.directory.update([try await a.entry()])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await second.link.run() }
                try await second.expect((12..<22).map { [$0] })
                second.link.send([99], .consensus, to: a.id)
                try await a.expect([[99]])
                group.cancelAll()
            }
        }
    }

    @Test("A graceful stop sends what is queued and takes no more")
    func gracefulStop() async throws {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b")
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [a.link], logger: a.log.logger)
        )
        try await running([b]) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await services.run() }
                let entries = [try await a.entry(), try await b.entry()]
                a.directory.update(entries)
                b.directory.update(entries)
                try await until { a.isConnected(to: b) }
                for number in UInt8(0)..<200 { a.link.send([number], .consensus, to: b.id) }
                await services.triggerGracefulShutdown()
                try await group.waitForAll()
            }
            #expect(a.link.send([1], .consensus, to: b.id) == .refused(.stopping))
            try await b.expect((0..<200).map { [UInt8($0)] })
            try await until { !b.isConnected(to: a) }
        }
    }

    @Test("An address that cannot be used is said so")
    func addressInUse() async throws {
        let a = try TestAgent("hospital-a")
        try await running([a]) {
            let b = try TestAgent("hospital-b", address: try await a.link.listeningAddress)
            let error = await #expect(throws: PeerLinkError.self) { try await b.link.run() }
            #expect(error?.code == .addressUnusable)
            let second = await #expect(throws: PeerLinkError.self) { try await b.link.listeningAddress }
            #expect(second?.code == .addressUnusable)
        }
    }
}
