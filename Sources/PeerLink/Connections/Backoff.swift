/// Waits between attempts to connect: doubled each time up to a limit, varied by a quarter so that agents do not
/// return in step.
package struct Backoff: Sendable {
    private let first: Duration
    private let last: Duration
    private var current: Duration

    package init(first: Duration, last: Duration) {
        self.first = first
        self.last = last
        self.current = first
    }

    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        defer { self.current = min(self.current * 2, self.last) }
        return self.current * Double.random(in: 0.75...1.25, using: &generator)
    }

    package mutating func reset() { self.current = self.first }
}
