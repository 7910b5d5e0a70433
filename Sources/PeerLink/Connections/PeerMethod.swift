internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import NIOCore

/// The RPCs between agents, service `entente.peer.v1.Peer`.
///
/// Messages are the frames' bytes as they are.
enum PeerMethod {
    private static let service = "entente.peer.v1.Peer"

    static let consensus = MethodDescriptor(fullyQualifiedService: Self.service, method: "Consensus")
    static let transactions = MethodDescriptor(fullyQualifiedService: Self.service, method: "Transactions")
    static let fetch = MethodDescriptor(fullyQualifiedService: Self.service, method: "Fetch")

    /// Carries a ``FetchRefusal`` beside the status.
    static let refusalKey = "entente-refusal"
    /// Initial metadata of a message stream: the listener's wall clock, milliseconds since 1970 in decimal.
    static let clockKey = "entente-clock"

    static func messages(_ messageClass: MessageClass) -> MethodDescriptor {
        switch messageClass {
        case .consensus: Self.consensus
        case .transactions: Self.transactions
        }
    }

    static func messageClass(_ method: MethodDescriptor) -> MessageClass? {
        MessageClass.allCases.first { Self.messages($0) == method }
    }
}

extension GRPCNIOTransportBytes {
    var array: [UInt8] { self.withUnsafeBytes { Array($0) } }
}
