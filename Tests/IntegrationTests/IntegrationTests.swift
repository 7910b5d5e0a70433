// Every file of this target uses the agents that it runs.
@_exported import AgentTestSupport
import Testing

/// All suites of this target, one after another: each runs several processes, and they must not starve each other.
@Suite("Agents as real processes on loopback", .serialized)
enum IntegrationTests {}
