package import Primitives
package import Records

/// A link as it stands in the state; written twice at most: when made, and when ended.
package struct IdentityLinkState: Hashable, Sendable {
    /// Who ended it, when and why.
    package struct Ending: Hashable, Sendable, CanonicalCodable {
        package var unlink: IdentityUnlink
        package var height: Height
        package var time: Timestamp

        package init(unlink: IdentityUnlink, height: Height, time: Timestamp) {
            self.unlink = unlink
            self.height = height
            self.time = time
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.unlink)
            encoder.encode(self.height)
            encoder.encode(self.time)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.unlink = try decoder.decode()
            self.height = try decoder.decode()
            self.time = try decoder.decode()
        }
    }

    package var link: IdentityLink
    package var createdHeight: Height
    package var createdTime: Timestamp
    package var ending: Ending?

    package init(link: IdentityLink, createdHeight: Height, createdTime: Timestamp, ending: Ending? = nil) {
        self.link = link
        self.createdHeight = createdHeight
        self.createdTime = createdTime
        self.ending = ending
    }

    /// Whether it stands, for one whose clock says `time`.
    package func holds(at time: Timestamp) -> Bool {
        self.ending == nil && self.link.notAfter.map { time < $0 } ?? true
    }

    /// Whether it stood at `time`.
    package func held(at time: Timestamp) -> Bool {
        self.createdTime <= time && self.ending.map { time < $0.time } ?? true
            && self.link.notAfter.map { time < $0 } ?? true
    }
}

extension IdentityLinkState: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.link)
        encoder.encode(self.createdHeight)
        encoder.encode(self.createdTime)
        encoder.encode(self.ending)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.link = try decoder.decode()
        self.createdHeight = try decoder.decode()
        self.createdTime = try decoder.decode()
        self.ending = try decoder.decodeOptional()
    }
}

/// The links of one identity that nobody ended, oldest first.
struct IdentityNodeLinks: Hashable, Sendable, CanonicalCodable {
    var links: [IdentityLinkID]

    init(links: [IdentityLinkID] = []) { self.links = links }

    func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.links) }

    init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.links = try decoder.decodeArray(max: IdentitiesCall.nodeLinksMax)
    }
}

extension StateKey {
    package static func identityLink(_ id: IdentityLinkID) -> StateKey { StateKey(.identities, tag: 1, id) }

    static func identityNode(_ node: IdentityNode) -> StateKey { StateKey(.identities, tag: 2, node) }
}

extension StateReading {
    package func identityLink(_ id: IdentityLinkID) -> IdentityLinkState? { self.value(at: .identityLink(id)) }

    /// The links of an identity that nobody ended, oldest first; some may be over by themselves.
    package func identityLinks(of node: IdentityNode) -> [(id: IdentityLinkID, state: IdentityLinkState)] {
        let known: IdentityNodeLinks? = self.value(at: .identityNode(node))
        return (known?.links ?? []).compactMap { id in self.identityLink(id).map { (id, $0) } }
    }
}
