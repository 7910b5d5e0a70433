internal import Primitives

/// Delays that double, with half of each drawn from a seed, so that agents that failed together do not retry together.
struct Backoff: Sendable {
    static let firstMilliseconds: Int64 = 500
    static let lastMilliseconds: Int64 = 60_000
    /// For a peer that sent wrong bytes: it is broken or hostile, and either takes longer to mend.
    static let wrongFirstMilliseconds: Int64 = 60_000
    static let wrongLastMilliseconds: Int64 = 3_600_000

    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    /// The delay after `failures` in a row, at least one.
    mutating func delay(failures: Int, first: Int64 = firstMilliseconds, last: Int64 = lastMilliseconds) -> Int64 {
        let doubled = first << Int64(min(max(failures, 1) - 1, 20))
        let delay = min(doubled, last)
        return delay / 2 + Int64(self.next() % UInt64(delay / 2 + 1))
    }

    /// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
    private mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
