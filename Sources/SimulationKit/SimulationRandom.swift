/// SplitMix64: every choice of a run comes from one of these, so that the seed decides the whole run.
struct SimulationRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func number(in range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }
    mutating func index(below count: Int) -> Int { Int.random(in: 0..<count, using: &self) }

    /// Whether something that happens in `perMille` of 1,000 cases happens now.
    mutating func happens(perMille: Int) -> Bool { self.index(below: 1_000) < perMille }
}
