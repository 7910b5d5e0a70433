/// What a run was like.
package struct RunReport: Hashable, Sendable, CustomStringConvertible {
    package let seed: UInt64
    /// Simulated milliseconds in all.
    package internal(set) var time: Int64 = 0
    /// Simulated milliseconds from the end of the faults until all was decided and quiet.
    package internal(set) var settled: Int64 = 0
    /// Blocks decided, counted at the first agent that commits each.
    package internal(set) var blocks = 0
    package internal(set) var emptyBlocks = 0
    /// Transactions in decided blocks.
    package internal(set) var transactions = 0
    /// Transactions that the contract modules refused, so that only their receipts changed anything.
    package internal(set) var refusals = 0
    /// Highest view that an honest agent reached.
    package internal(set) var views: UInt64 = 0
    package internal(set) var messages = 0
    package internal(set) var crashes = 0
    /// Contradictions of the equivocating validator that honest agents reported.
    package internal(set) var conflicts = 0
    /// Changes with every event: equal for equal seeds.
    package internal(set) var traceHash: UInt64 = 0xCBF2_9CE4_8422_2325

    package init(seed: UInt64) { self.seed = seed }

    /// FNV-1a over 64-bit words.
    mutating func mix(_ words: UInt64...) {
        for word in words { self.traceHash = (self.traceHash ^ word) &* 0x0000_0100_0000_01B3 }
    }

    /// FNV-1a over bytes.
    mutating func mix(_ bytes: [UInt8]) {
        var hash = self.traceHash
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        self.traceHash = hash
    }

    package var description: String {
        "seed \(self.seed): \(self.blocks) blocks (\(self.emptyBlocks) empty) in \(self.views) views, "
            + "\(self.transactions) transactions (\(self.refusals) refused), \(self.messages) messages, \(self.crashes) crashes, \(self.conflicts) conflicts reported, "
            + "settled in \(self.settled) ms, trace \(String(self.traceHash, radix: 16))"
    }
}
