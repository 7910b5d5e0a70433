/// What happens in one run, drawn from its seed.
///
/// Times are milliseconds of simulated time.
package struct Scenario: Hashable, Sendable {
    package let seed: UInt64
    package let validators: Int
    /// Signs contradictions, proposes twice, on stale parents, and serves wrong bodies.
    package let hasEquivocator: Bool
    package let hasSilent: Bool
    /// One agent that follows without voting, and may lose its whole disk.
    package let hasVerifier: Bool
    /// One validator's clock is an hour off; it counts as faulty.
    package let hasWrongClock: Bool
    /// One validator's vote log turns out to be damaged: from then on it follows without voting, and counts as faulty.
    package let hasDamagedLog: Bool
    /// Until then messages are lost, late and doubled, links break and agents crash.
    let chaosEnd: Int64
    let lossPerMille: Int
    let duplicationPerMille: Int
    let chaosDelayMax: Int64
    let diskDelayMax: Int64
    let crashes: Int
    let clusterCrashes: Int
    let partitions: Int
    let transactions: Int
    /// Longest delay of a message after the faults have ended; below the protocol's assumption of 100.
    let calmDelayMax: Int64 = 40

    /// Draws a scenario with at most f faulty validators.
    package init(seed: UInt64, validators: Int? = nil) {
        var random = SimulationRandom(seed: seed)
        self.seed = seed
        let drawn = [4, 5, 7][random.index(below: 3)]
        self.validators = validators ?? drawn
        let faultLimit = (self.validators - 1) / 3
        var faulty = 0
        func take(_ perMille: Int, _ random: inout SimulationRandom) -> Bool {
            guard random.happens(perMille: perMille), faulty < faultLimit else { return false }
            faulty += 1
            return true
        }
        self.hasEquivocator = take(500, &random)
        self.hasSilent = take(400, &random)
        self.hasWrongClock = take(200, &random)
        self.hasDamagedLog = take(300, &random)
        self.hasVerifier = random.happens(perMille: 300)
        self.chaosEnd = random.number(in: 5_000...20_000)
        self.lossPerMille = random.index(below: 300)
        self.duplicationPerMille = random.index(below: 100)
        self.chaosDelayMax = random.number(in: 20...300)
        self.diskDelayMax = random.number(in: 0...30)
        self.crashes = random.index(below: 25)
        self.clusterCrashes = random.happens(perMille: 400) ? 1 + random.index(below: 2) : 0
        self.partitions = random.index(below: 6)
        self.transactions = 10 + random.index(below: 60)
    }

    package var faultLimit: Int { (self.validators - 1) / 3 }
    package var agents: Int { self.validators + (self.hasVerifier ? 1 : 0) }
}
