import PeerLink
import Primitives
import TestSupport
import Testing

@Suite("Addresses and the directory")
struct DirectoryTests {
    @Test(
        "An address is host and port",
        arguments: [
            ("10.0.0.1:7000", "10.0.0.1", 7000), ("agent.example:1", "agent.example", 1), ("[::1]:65535", "::1", 65535),
        ]
    )
    func addresses(text: String, host: String, port: Int) throws {
        let address = try #require(PeerAddress(text))
        #expect(address == PeerAddress(host: host, port: port))
        #expect(address.description == text)
    }

    @Test("What is no address is refused", arguments: ["", "host", ":1", "host:", "host:65536", "host:-1", "::1:7"])
    func notAddresses(text: String) { #expect(PeerAddress(text) == nil) }

    @Test("A key listed for two institutions belongs to neither")
    func ambiguousKey() throws {
        let shared = Digest(hashing: [1])
        let own = Digest(hashing: [2])
        let a = try institution("a")
        let b = try institution("b")
        let directory = PeerDirectory([
            PeerEntry(institution: a, keyDigests: [shared, own], addresses: []),
            PeerEntry(institution: b, keyDigests: [shared], addresses: []),
        ])
        #expect(directory.institution(forKeyDigest: shared) == nil)
        #expect(directory.institution(forKeyDigest: own) == a)
        directory.update([PeerEntry(institution: b, keyDigests: [shared], addresses: [])])
        #expect(directory.institution(forKeyDigest: shared) == b)
        #expect(directory.institution(forKeyDigest: own) == nil)
        #expect(directory.entry(a) == nil)
    }
}

@Suite("Rates and waits")
struct PacingTests {
    @Test("A bucket lets a burst through at once and then its rate")
    func bucket() {
        let start = ContinuousClock.now
        var bucket = TokenBucket(capacity: 3, refillPerSecond: 10, now: start)
        #expect((0..<3).allSatisfy { _ in bucket.take(at: start) == .zero })
        #expect(bucket.take(at: start) == .seconds(0.1))
        #expect(bucket.take(at: start) == .seconds(0.2))
        #expect(bucket.take(at: start + .seconds(10)) == .zero)
        #expect(bucket.take(at: start + .seconds(9)) == .zero, "a clock that goes back gives nothing and takes nothing")
        #expect(bucket.take(at: start + .seconds(10)) == .zero)
        #expect(bucket.take(at: start + .seconds(10)) > .zero, "what was not used is not saved beyond the capacity")
    }

    @Test("Waits double up to the last and vary by a quarter", arguments: 0..<20 as Range<UInt64>)
    func backoff(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var backoff = Backoff(first: .milliseconds(100), last: .seconds(1))
        for nominal in [100, 200, 400, 800, 1000, 1000] {
            let wait = backoff.next(using: &generator)
            #expect(wait >= .milliseconds(nominal) * 0.75 && wait <= .milliseconds(nominal) * 1.25)
        }
        backoff.reset()
        #expect(backoff.next(using: &generator) <= .milliseconds(125))
    }
}
