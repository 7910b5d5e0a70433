package import Primitives
internal import Synchronization

/// Where an agent listens.
package struct PeerAddress: Hashable, Sendable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `[address]:port`.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }
}

extension PeerAddress: CustomStringConvertible {
    package var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }
}

/// What the chain says about one institution's agent.
package struct PeerEntry: Hashable, Sendable {
    package var institution: InstitutionID
    /// SHA-256 of each accepted key's SubjectPublicKeyInfo: one, or two while the key is being replaced.
    package var keyDigests: Set<Digest>
    /// Tried in turn; empty if the agent cannot be dialled.
    package var addresses: [PeerAddress]

    package init(institution: InstitutionID, keyDigests: Set<Digest>, addresses: [PeerAddress]) {
        self.institution = institution
        self.keyDigests = keyDigests
        self.addresses = addresses
    }
}

/// Whose key is whose, and where to find them: the chain's registry as of now.
///
/// Whoever follows the chain updates it; connections whose key is no longer listed are then closed.
package final class PeerDirectory: Sendable {
    private struct State {
        var entries: [InstitutionID: PeerEntry] = [:]
        var owners: [Digest: InstitutionID] = [:]
        var observer: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    package init(_ entries: [PeerEntry] = []) { self.update(entries) }

    /// Replaces the whole directory.
    ///
    /// A key listed for two institutions belongs to neither: it would let one pass as the other.
    package func update(_ entries: [PeerEntry]) {
        let observer = self.state.withLock { state in
            state.entries = [:]
            state.owners = [:]
            var ambiguous: Set<Digest> = []
            for entry in entries {
                state.entries[entry.institution] = entry
                for digest in entry.keyDigests {
                    if let owner = state.owners[digest], owner != entry.institution { ambiguous.insert(digest) }
                    state.owners[digest] = entry.institution
                }
            }
            for digest in ambiguous { state.owners[digest] = nil }
            return state.observer
        }
        observer?()
    }

    package func institution(forKeyDigest digest: Digest) -> InstitutionID? {
        self.state.withLock { $0.owners[digest] }
    }

    package func entry(_ institution: InstitutionID) -> PeerEntry? {
        self.state.withLock { $0.entries[institution] }
    }

    package var entries: [PeerEntry] {
        self.state.withLock { Array($0.entries.values) }.sorted { $0.institution < $1.institution }
    }

    /// One observer: the link that uses this directory.
    func observe(_ observer: @escaping @Sendable () -> Void) { self.state.withLock { $0.observer = observer } }
}
