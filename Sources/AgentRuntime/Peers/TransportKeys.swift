import Ledger
package import PeerLink
import Primitives
import Records
import Vault

/// The transport key and certificate that this agent shows its peers.
package struct TransportKeys: Sendable {
    private static let lifeMilliseconds: Int64 = 90 * 24 * 3600 * 1000
    /// Peers' clocks may be behind.
    private static let backdatedMilliseconds: Int64 = 24 * 3600 * 1000
    /// A replaced key stays accepted for so many blocks.
    package static let overlapBlocks: UInt64 = 10_000

    private let context: AgentContext

    package init(context: AgentContext) { self.context = context }

    /// A fresh certificate over the newest own key that the chain knows.
    package func identity() throws -> TransportIdentity {
        let keys = self.context.keys
        let accepted =
            self.context.board.tip.state.institution(self.context.institution)?
            .transportKeyDigests(at: self.context.board.tip.height) ?? []
        let candidates = [keys.transportKeyDigest] + keys.formerTransportKeyDigests
        guard let digest = candidates.first(where: accepted.contains) ?? candidates.first,
            let pem = keys.transportKey(withDigest: digest)
        else { throw AgentFailure(.internalError, "this home has no transport key") }
        let now = Clock.now
        return try TransportIdentity.selfSigned(
            privateKeyPEM: pem,
            institution: self.context.institution,
            notBefore: now.advanced(byMilliseconds: -Self.backdatedMilliseconds),
            notAfter: now.advanced(byMilliseconds: Self.lifeMilliseconds)
        )
    }
}

/// The chain's registry of members, as the peer link needs it.
package enum PeerRegistry {
    package static func entries(_ tip: ChainBoard.Tip) -> [PeerEntry] {
        tip.state.institutionIDs.compactMap { id in
            guard let institution = tip.state.institution(id) else { return nil }
            return PeerEntry(
                institution: id,
                keyDigests: Set(institution.transportKeyDigests(at: tip.height)),
                addresses: PeerAddress(institution.card.address).map { [$0] } ?? []
            )
        }
    }
}
