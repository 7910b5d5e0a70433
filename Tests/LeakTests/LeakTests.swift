import Testing

/// All suites of this target, one after another: each runs several processes, and they must not starve each other.
@Suite("Nothing is learnt that is not granted", .serialized)
enum LeakTests {}
