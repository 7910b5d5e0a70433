package import Ledger
import LedgerStore
package import Primitives
package import Recognition
package import Records
import Synchronization

/// The policy packs that the chain adopted, read from its blocks and ready to judge with.
///
/// What is in force at a time follows from the chain alone, so that every agent takes the same pack.
package final class PolicyShelf: Sendable {
    /// A pack with its place on the chain.
    package struct Volume: Sendable {
        package var state: PolicyState
        package var engine: RecognitionEngine
    }

    /// A consortium replaces its pack a few times a year; older ones are read again when they are asked for.
    private static let volumesMax = 4

    private let context: AgentContext
    private let volumes = Mutex<[Volume]>([])

    package init(context: AgentContext) { self.context = context }

    /// The pack in force at a time, as far as was known at a height; `nil` if there was none.
    ///
    /// A pack that ran out has not given its place back to the one before it.
    ///
    /// - Throws: ``AgentFailure`` `policyDamaged` if what was adopted is no pack.
    package func volume(asOf time: Timestamp, knownAt height: Height? = nil) throws -> Volume? {
        guard let state = self.context.board.tip.state.policies.pack(asOf: time, knownAt: height) else { return nil }
        let volume = try self.volume(state)
        return volume.engine.policy.isInForce(at: time.secondsDown) ? volume : nil
    }

    /// The pack with that digest, if the chain ever adopted it.
    package func volume(pack: Digest) throws -> Volume? {
        guard let state = self.context.board.tip.state.policies.packs.last(where: { $0.proposal.pack == pack }) else {
            return nil
        }
        return try self.volume(state)
    }

    package func volume(_ state: PolicyState) throws -> Volume {
        if let known = self.volumes.withLock({ $0.first { $0.state.proposal.id == state.proposal.id } }) {
            return known
        }
        let pack = try self.pack(state.proposal, chunkHeights: state.chunkHeights)
        let volume = Volume(state: state, engine: RecognitionEngine(pack))
        self.volumes.withLock { volumes in
            volumes.append(volume)
            if volumes.count > Self.volumesMax { volumes.removeFirst() }
        }
        return volume
    }

    /// Reads a pack whose chunks are all on the chain.
    package func pack(_ proposal: PolicyProposal, chunkHeights: [Height]) throws -> PolicyPack {
        guard let bytes = proposal.assemble(try self.chunks(of: proposal, at: chunkHeights)),
            let pack = try? PolicyPack(canonicalBytes: bytes), pack.hash == proposal.pack
        else {
            throw AgentFailure(
                .policyDamaged,
                "what stands on the chain under this proposal is no policy pack",
                hint: "Propose a new version: entente policy publish."
            )
        }
        return pack
    }

    private func chunks(of proposal: PolicyProposal, at heights: [Height]) throws -> [[UInt8]] {
        var chunks: [Int: [UInt8]] = [:]
        for height in Set(heights).sorted(by: { $0.value < $1.value }) {
            guard let block = try self.context.chain.block(at: height) else { continue }
            for transaction in try BlockBody(canonicalBytes: block.body).transactions {
                guard
                    case .policies(.publishChunk(proposal.id, _, let index, let bytes)) =
                        try? LedgerCall(of: transaction.body),
                    proposal.chunks.indices.contains(Int(index)),
                    PolicyProposal.chunkDigest(bytes) == proposal.chunks[Int(index)]
                else { continue }
                chunks[Int(index)] = bytes
            }
        }
        return chunks.sorted { $0.key < $1.key }.map(\.value)
    }
}

extension Timestamp {
    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down also before it.
    var secondsDown: Int64 {
        let (quotient, remainder) = self.milliseconds.quotientAndRemainder(dividingBy: 1000)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
