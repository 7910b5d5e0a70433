import Dispatch

/// Keeps the time that an answer took from telling what was looked at on the way.
///
/// Answers that could tell whether something exists are given at the end of a step of time, counted from the question:
/// a refusal after a hundred microseconds and one after three milliseconds come at the same moment. What takes longer than
/// a step tells the number of steps, so a step is longer than any look-up that ends in a refusal.
package enum AnswerPace {
    /// Of refusals, by the local API and to peers alike.
    ///
    /// The longest look-up, a patient with exams at five of 400 institutions, takes 7.4 ms at the 99th percentile.
    package static let refusal: Duration = .milliseconds(20)
    /// Of lists about a person, which may be empty or leave something out.
    package static let list: Duration = .milliseconds(10)

    /// What is left of the step that has begun when `elapsed` is over; nothing at its very end.
    package static func rest(after elapsed: Duration, step: Duration) -> Duration {
        let (whole, part) = (Self.nanoseconds(elapsed), Self.nanoseconds(step))
        guard whole > 0 else { return step }
        return .nanoseconds((part - whole % part) % part)
    }

    /// When the answer to a question that took `elapsed` is given: a whole number of steps.
    package static func given(after elapsed: Duration, step: Duration) -> Duration {
        elapsed + Self.rest(after: elapsed, step: step)
    }

    /// Waits until the answer to a question that was asked at `start` may be given.
    ///
    /// A caller that went away is not waited for.
    package static func hold(since start: ContinuousClock.Instant, step: Duration) async {
        let rest = Self.rest(after: ContinuousClock.now - start, step: step)
        try? await Task.sleep(for: rest, clock: .continuous)
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
