/// What one agent grants all its peers together and each of them alone.
///
/// A peer is another institution's machine: it may be broken into, so nothing it does may exhaust memory, descriptors
/// or attention here.
package struct PeerLinkLimits: Sendable {
    /// Largest message frame: a proposal carries a whole block, and a block is kept below 1 MiB.
    package var messageBytesMax = 1 << 20
    /// Largest fetched frame: at 100 Mb/s it holds up whatever waits behind it for 21 ms.
    package var fetchFrameBytesMax = 256 << 10
    /// Largest fetch request: room for 1,000 addresses with ranges.
    package var fetchRequestBytesMax = 64 << 10
    /// Frames of one class held for a peer that does not take them, and their bytes: minutes of votes.
    ///
    /// A message to many peers is held once.
    package var outboundFramesMax = 4096
    package var outboundBytesMax = 8 << 20
    /// Frames of one class of one peer received but not yet taken by the agent, and their bytes; beyond it the socket
    /// is not read.
    ///
    /// With what HTTP/2 and gRPC hold of a stream (``streamWindowBytes``, one frame in assembly, ten frames waiting)
    /// a peer occupies at worst about 30 MiB, in both classes together.
    package var inboundFramesMax = 256
    package var inboundBytesMax = 2 << 20
    /// HTTP/2 window of a message stream.
    package var streamWindowBytes = 1 << 20
    /// HTTP/2 window of a fetch: 50 ms at 1 Gb/s need 6 MiB.
    package var fetchWindowBytes = 8 << 20
    /// Message frames a peer may send at once, and per second in the long run, in one class; beyond it reading pauses.
    ///
    /// A validator sends about five frames for a block; the rest is for transactions and for catching up.
    package var frameBurst = 4096
    package var framesPerSecond = 2048
    /// Connections of one institution: messages and bulk, twice, since a restarted peer comes back before its old
    /// connections are seen to be dead.
    ///
    /// The oldest is closed for a fifth.
    package var connectionsPerPeerMax = 4
    /// Connections that have not yet shown who they are.
    package var connectionsUnknownMax = 64
    /// Accepted connections in all; a consortium has at most a few hundred members.
    package var connectionsMax = 2048
    /// Streams on one connection: two for messages and what ``fetchesPerPeerMax`` allows, with room for closing ones.
    package var streamsPerConnectionMax = 24
    /// Fetches served to one peer at a time.
    package var fetchesPerPeerMax = 16
    /// From accepted or dialled to authenticated: several round trips of a bad line.
    package var handshakeTimeout: Duration = .seconds(5)
    package var connectTimeout: Duration = .seconds(5)
    /// A ping after this much silence; firewalls drop connections idle for 30 to 60 s.
    package var keepaliveInterval: Duration = .seconds(15)
    /// A connection whose ping is not answered in this time is dead (half open).
    package var keepaliveTimeout: Duration = .seconds(5)
    /// Waits between attempts to connect: doubled from the first to the last, each varied by a quarter.
    package var backoffFirst: Duration = .milliseconds(100)
    package var backoffLast: Duration = .seconds(10)
    /// Time to send what is queued when the agent stops.
    package var shutdownGrace: Duration = .seconds(2)
    /// Keys of refused peers remembered so that each is logged once.
    package var refusedKeysRemembered = 1024

    package init() {}
}
