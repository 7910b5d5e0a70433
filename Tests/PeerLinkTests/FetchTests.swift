import PeerLink
import Primitives
import Testing

@Suite("Fetches between agents")
struct FetchTests {
    @Test("Frames arrive whole and in order, under the asking institution's name")
    func frames() async throws {
        let sent = (0..<40).map { [UInt8](repeating: UInt8($0), count: 256 << 10) }
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b") { institution, request, response in
            #expect(institution.text == "hospital-a")
            for frame in sent.prefix(Int(request[0])) { try await response.write(frame) }
        }
        try await connected([a, b]) {
            try await a.expectFetch([40], from: b, sent)
            try await a.expectFetch([0], from: b, [])
        }
    }

    @Test("A refusal arrives as what it is, also after frames", arguments: FetchRefusal.allCases)
    func refusals(refusal: FetchRefusal) async throws {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b") { _, request, response in
            for _ in 0..<request[0] { try await response.write([1]) }
            throw refusal
        }
        try await connected([a, b]) {
            await #expect(throws: refusal) { try await fetchAll([0], from: b, by: a) }
            await #expect(throws: refusal) { try await fetchAll([3], from: b, by: a) }
        }
    }

    @Test("A handler that fails or writes too much tells the peer only that it failed")
    func failures() async throws {
        struct Secret: Error {}
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b") { _, request, response in
            if request == [0] { throw Secret() }
            try await response.write([UInt8](repeating: 0, count: 256 << 10 + 1))
        }
        try await connected([a, b]) {
            await #expect(throws: FetchRefusal.failed) { try await fetchAll([0], from: b, by: a) }
            await #expect(throws: FetchRefusal.failed) { try await fetchAll([1], from: b, by: a) }
        }
    }

    @Test("A peer that sends larger frames than agreed is cut off")
    func oversizedFrame() async throws {
        var limits = PeerLinkLimits()
        limits.fetchFrameBytesMax = 1 << 20
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b", limits: limits) { _, _, response in
            try await response.write([UInt8](repeating: 0, count: 300 << 10))
        }
        try await connected([a, b]) {
            let error = await #expect(throws: PeerLinkError.self) { try await fetchAll([], from: b, by: a) }
            #expect(error?.code == .protocolViolation)
        }
    }

    @Test("Strangers, absent peers and large requests are refused here")
    func refusedHere() async throws {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b")
        a.directory.update([PeerEntry(institution: b.id, keyDigests: [b.credentials.digest], addresses: [])])
        try await running([a]) {
            func code(_ request: [UInt8], _ institution: InstitutionID) async -> PeerLinkError.Code? {
                await #expect(throws: PeerLinkError.self) {
                    try await a.link.fetch(request, from: institution) { _ in }
                }?.code
            }
            try await until { !a.link.peers.isEmpty }
            #expect(await code([], b.id) == .notConnected)
            let nobody = try institution("nobody")
            #expect(await code([], nobody) == .unknownPeer)
            #expect(await code([UInt8](repeating: 0, count: 65 << 10), b.id) == .frameTooLarge)
        }
    }

    @Test("A peer with many fetches open is told that the agent is busy")
    func busy() async throws {
        var limits = PeerLinkLimits()
        limits.fetchesPerPeerMax = 2
        let release = Event()
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b", limits: limits) { _, _, response in
            try await response.write([1])
            await release.wait()
        }
        try await connected([a, b]) {
            try await until { a.isConnected(to: b) }
            try await withThrowingTaskGroup(of: [[UInt8]].self) { group in
                let started = [Event(), Event()]
                for event in started {
                    group.addTask {
                        while true {
                            do {
                                return try await a.link.fetch([], from: b.id) { frames in
                                    var all: [[UInt8]] = []
                                    for try await frame in frames {
                                        all.append(frame)
                                        event.happen()
                                    }
                                    return all
                                }
                            } catch let error as PeerLinkError where error.code == .notConnected {
                                await Task.yield()
                            }
                        }
                    }
                }
                for event in started { await event.wait() }
                await #expect(throws: FetchRefusal.busy) { try await fetchAll([], from: b, by: a) }
                release.happen()
                for try await frames in group { #expect(frames == [[1]]) }
            }
            try await a.expectFetch([], from: b, [[1]])
        }
    }

    @Test("Votes pass while bulk saturates the line and while it stands still")
    func votesPassBulk() async throws {
        let voteArrived = Event()
        let frame = [UInt8](repeating: 5, count: 256 << 10)
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b") { _, request, response in
            // Saturates until the vote is there: if bulk could starve votes, this would never end.
            while !voteArrived.happened { try await response.write(frame) }
            try await response.write(request)
        }
        try await connected([a, b]) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                let flowing = Event()
                group.addTask {
                    var last: [UInt8] = []
                    while last.isEmpty {
                        do {
                            last = try await a.link.fetch([42], from: b.id) { frames in
                                var last: [UInt8] = []
                                for try await frame in frames {
                                    flowing.happen()
                                    last = frame
                                }
                                return last
                            }
                        } catch let error as PeerLinkError where error.code == .notConnected {
                            await Task.yield()
                        }
                    }
                    #expect(last == [42])
                }
                group.addTask {
                    // This reader takes one frame and then nothing until the vote is through.
                    await flowing.wait()
                    try await a.link.fetch([43], from: b.id) { frames in
                        for try await _ in frames { await voteArrived.wait() }
                    }
                }
                await flowing.wait()
                // There and back, several times, while it flows.
                for number in UInt8(0)..<20 {
                    a.link.send([number], .consensus, to: b.id)
                    try await b.expect([[number]])
                    b.link.send([number], .consensus, to: a.id)
                    try await a.expect([[number]])
                }
                voteArrived.happen()
                try await group.waitForAll()
            }
        }
    }
}
