package import Primitives
package import Records

/// How urgent a want is.
///
/// A more urgent one is served first whenever there is a choice.
package enum FetchPriority: Int, CaseIterable, Comparable, Sendable {
    /// A clinician waits.
    case interactive
    /// Wrapped keys: without them the records are of no use.
    case grantPages
    case manifest
    case record

    package static func < (left: FetchPriority, right: FetchPriority) -> Bool { left.rawValue < right.rawValue }
}

/// An object that this agent lacks.
package struct Want: Hashable, Sendable {
    package var address: ContentAddress
    package var priority: FetchPriority
    /// Who may have it, in the order in which to ask: its origin first.
    package var sources: [InstitutionID]

    package init(address: ContentAddress, priority: FetchPriority, sources: [InstitutionID]) {
        self.address = address
        self.priority = priority
        self.sources = sources
    }
}

/// Why a fetch brought nothing.
package enum FetchFailure: Hashable, Sendable {
    /// The peer answered that it does not have it or does not give it.
    case refused
    /// No answer: the connection broke or the time ran out.
    case failed
    /// The answer was not what the address or a signature says.
    case wrong
}

/// What happened.
package enum ReplicationInput: Hashable, Sendable {
    /// What the stores lack: all of it at the start, later what the chain or a clinician adds. What is wanted already
    /// only becomes more urgent.
    case wanted([Want])
    /// Nobody waits for it any more, or it came another way.
    case unwanted(ContentAddress)
    /// This institution is a grantee; `page` is the first page that has not come from the custodian.
    case grantBegan(GrantID, custodian: InstitutionID, page: UInt32)
    /// Revoked or run out.
    case grantEnded(GrantID)
    /// The institution committed a batch: it may have wrapped more keys.
    case batchCommitted(InstitutionID)
    case peerUp(InstitutionID)
    case peerDown(InstitutionID)
    /// The object is stored, checked against its address.
    case stored(ContentAddress, from: InstitutionID)
    case notFetched(ContentAddress, from: InstitutionID, FetchFailure)
    /// Pages up to `next` are stored; `isLast` if the custodian has no more.
    case pagesStored(GrantID, from: InstitutionID, next: UInt32, isLast: Bool)
    case pagesNotFetched(GrantID, from: InstitutionID, FetchFailure)
    /// The time of the last `setTimer` has come.
    case timer
}

/// What to do, in order.
///
/// Every fetch is answered by exactly one input, in bounded time, also when its peer goes down.
package enum ReplicationEffect: Hashable, Sendable {
    case fetch(ContentAddress, from: InstitutionID)
    case fetchPages(GrantID, from: InstitutionID, page: UInt32)
    /// The object is there.
    case satisfied(ContentAddress)
    /// Nobody who is connected gave what a clinician waits for. It stays wanted, as `record`.
    case unavailable(ContentAddress)
    /// Replaces the timer set before.
    case setTimer(Timestamp)
    /// Wants were turned away for lack of room, and there is room again: list what the stores lack.
    case listAgain
}

/// Bounds of the replication of one agent.
package struct ReplicationLimits: Hashable, Sendable {
    /// Fetches under way at one peer: enough to fill a 1 Gb/s path of 50 ms with pages and manifests of a megabyte.
    package var perPeer = 8
    /// Fetches under way in all: bounds the memory for answers.
    package var inFlight = 64
    /// More fetches for interactive wants, at one peer and in all, so that they never wait for bulk.
    package var interactiveReserve = 4
    /// Wants held: some 30 MB.
    ///
    /// Any number more is listed again later.
    package var wants = 262_144

    package init() {}
}
