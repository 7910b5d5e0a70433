/// A failure of the link to another agent or of what it was configured with.
package struct PeerLinkError: Error, Sendable {
    /// What callers branch on.
    package enum Code: String, Hashable, Sendable {
        /// The listening address cannot be used.
        case addressUnusable = "peer.address-unusable"
        /// The certificate and key do not belong together, or one of them cannot be read.
        case identityInvalid = "peer.identity-invalid"
        /// No connection to the peer is up; it may come back, try later or try another holder.
        case notConnected = "peer.not-connected"
        /// The directory has no such peer.
        case unknownPeer = "peer.unknown"
        /// A frame or request of this agent is larger than its limit.
        case frameTooLarge = "peer.frame-too-large"
        /// The peer's key is not one that the directory lists for the institution that was dialled.
        case peerMismatch = "peer.mismatch"
        /// The peer sent what cannot be read, or a frame over its limit.
        case protocolViolation = "peer.protocol-violation"
        /// The connection ended in the middle of a transfer.
        case interrupted = "peer.interrupted"
    }

    package var code: Code
    /// What failed and what an operator can do; never a key, address or payload byte.
    package var message: String
    /// The error below, for debugging only.
    package var cause: (any Error)?

    package init(code: Code, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension PeerLinkError: CustomStringConvertible {
    package var description: String { "\(self.code.rawValue): \(self.message)" }
}

/// Why a peer does not serve a fetch: part of the protocol, carried between agents by its text.
package enum FetchRefusal: String, Error, Hashable, Sendable, CaseIterable {
    /// The peer does not hold the object.
    case notFound = "not-found"
    /// The asking institution may not have the object.
    case denied
    /// The peer serves this institution enough already; try later or elsewhere.
    case busy
    /// The request's bytes are not a request.
    case malformed
    /// The peer failed; it knows why.
    case failed
}
