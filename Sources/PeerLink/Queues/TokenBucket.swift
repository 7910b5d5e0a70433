/// Lets `capacity` events through at once and `refillPerSecond` in the long run; says how long to wait for the rest.
package struct TokenBucket: Sendable {
    private let capacity: Double
    private let refillPerSecond: Double
    private var tokens: Double
    private var updated: ContinuousClock.Instant

    package init(capacity: Int, refillPerSecond: Int, now: ContinuousClock.Instant) {
        precondition(capacity > 0 && refillPerSecond > 0, "a bucket holds and gains tokens")
        self.capacity = Double(capacity)
        self.refillPerSecond = Double(refillPerSecond)
        self.tokens = Double(capacity)
        self.updated = now
    }

    /// Takes a token.
    ///
    /// The result is how long the caller must pause before it goes on; zero within the rate.
    package mutating func take(at now: ContinuousClock.Instant) -> Duration {
        if now > self.updated {
            let seconds = (now - self.updated) / .seconds(1)
            self.tokens = min(self.capacity, self.tokens + seconds * self.refillPerSecond)
            self.updated = now
        }
        self.tokens -= 1
        return self.tokens >= 0 ? .zero : .seconds(-self.tokens / self.refillPerSecond)
    }
}
