package import Primitives
package import Records

/// Which identities are of one person, and which newborn is whose.
///
/// The chain sees nodes that nobody can tell from one another, and keeps what links make of them a forest: no loop, nobody
/// merged twice, no child with two mothers.
package enum IdentitiesCall: Hashable, Sendable {
    /// Identifiers that one person may have: card, passports, permits and the numbers of a few hospitals.
    package static let identitiesMax = 8
    /// Newborns that one mother may have in a year.
    package static let newbornsMax = 8
    /// Links of one identity, of both sorts.
    static let nodeLinksMax = Self.identitiesMax + Self.newbornsMax

    /// Signed by the author and, where the link names one, by the patient's key.
    case link(IdentityLink)
    /// Signed by who ends it.
    case unlink(IdentityUnlink)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .link(let link): try Self.link(link, in: &context)
        case .unlink(let unlink): try Self.unlink(unlink, in: &context)
        }
    }

    // MARK: Linking

    private static func link(_ link: IdentityLink, in context: inout ExecutionContext) throws(TransactionRefusal) {
        let signers: [Signer] = [.institution(link.author)] + (link.patientKey.map { [.key($0)] } ?? [])
        try context.require(signers: signers, else: .identityWrongSigner)
        guard try context.exists(.institution(link.author)) else { throw TransactionRefusal(.identityUnknownAuthor) }
        if let key = link.patientKey {
            guard try context.exists(.enrolment(key)) else { throw TransactionRefusal(.identityNotEnrolled) }
        }
        guard link.first.node != link.second.node else { throw TransactionRefusal(.identitySelfLink) }
        guard link.first.sealed.count == AccessGrant.sealedScopeBytes,
            link.second.sealed.count == AccessGrant.sealedScopeBytes
        else { throw TransactionRefusal(.identityBadStatement) }
        try Self.checkPeriod(link, context.time)
        let id = link.id
        guard try !context.exists(.identityLink(id)) else { throw TransactionRefusal(.identityExists) }
        let first = try Self.person(link.first.node, in: &context)
        let second = try Self.person(link.second.node, in: &context)
        try Self.check(link, first, second)
        try context.write(
            IdentityLinkState(link: link, createdHeight: context.height, createdTime: context.time),
            at: .identityLink(id)
        )
        for (node, person) in [(link.first.node, first), (link.second.node, second)] {
            // Those that are over by themselves give up their places here.
            let standing = person.links[node] ?? []
            try context.write(IdentityNodeLinks(links: standing.map(\.id) + [id]), at: .identityNode(node))
        }
    }

    private static func checkPeriod(_ link: IdentityLink, _ now: Timestamp) throws(TransactionRefusal) {
        guard link.kind == .newborn else {
            guard link.notAfter == nil else { throw TransactionRefusal(.identityBadPeriod) }
            return
        }
        guard let end = link.notAfter else { throw TransactionRefusal(.identityBadPeriod) }
        let (period, overflow) = end.milliseconds.subtractingReportingOverflow(now.milliseconds)
        guard !overflow, period > 0, period <= IdentityLink.newbornMillisecondsMax else {
            throw TransactionRefusal(.identityBadPeriod)
        }
    }

    /// Everything that links say of one person.
    private struct Person {
        typealias Standing = (id: IdentityLinkID, link: IdentityLink)

        /// In the order in which they were found.
        var nodes: [IdentityNode]
        /// The links that stand, of each node.
        var links: [IdentityNode: [Standing]] = [:]

        func isRetired(_ node: IdentityNode) -> Bool {
            self.links[node]?.contains { $0.link.kind == .merge && $0.link.second.node == node } ?? false
        }

        func newborns(of node: IdentityNode) -> [IdentityLink] {
            (self.links[node] ?? []).map(\.link).filter { $0.kind == .newborn && $0.first.node == node }
        }

        func isNewborn(_ node: IdentityNode) -> Bool {
            self.links[node]?.contains { $0.link.kind == .newborn && $0.link.second.node == node } ?? false
        }
    }

    private static func person(
        _ node: IdentityNode,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) -> Person {
        var person = Person(nodes: [node])
        var next = 0
        while next < person.nodes.count {
            let node = person.nodes[next]
            next += 1
            var standing: [Person.Standing] = []
            let known: IdentityNodeLinks = try context.value(at: .identityNode(node)) ?? IdentityNodeLinks()
            for id in known.links {
                guard let state: IdentityLinkState = try context.value(at: .identityLink(id)),
                    state.holds(at: context.time)
                else { continue }
                standing.append((id, state.link))
                let other = state.link.other(than: node).node
                if state.link.kind.isOnePerson, !person.nodes.contains(other) { person.nodes.append(other) }
            }
            person.links[node] = standing
        }
        return person
    }

    private static func check(
        _ link: IdentityLink,
        _ first: Person,
        _ second: Person
    ) throws(TransactionRefusal) {
        let (mine, other) = (link.first.node, link.second.node)
        guard first.links[mine]?.contains(where: { $0.link.other(than: mine).node == other }) != true else {
            throw TransactionRefusal(.identityExists)
        }
        guard !first.nodes.contains(other) else { throw TransactionRefusal(.identityLoop) }
        guard !first.isRetired(mine), !second.isRetired(other) else { throw TransactionRefusal(.identityMerged) }
        guard link.kind.isOnePerson else {
            // A child with an own number, or with a mother, is nobody's newborn, and a newborn is no mother.
            guard second.nodes.count == 1, !second.isNewborn(other), second.newborns(of: other).isEmpty,
                !first.nodes.contains(where: first.isNewborn)
            else { throw TransactionRefusal(.identityBadRole) }
            guard first.newborns(of: mine).count < Self.newbornsMax else { throw TransactionRefusal(.identityTooMany) }
            return
        }
        guard !Self.areMotherAndChild(first, second), !Self.areMotherAndChild(second, first) else {
            throw TransactionRefusal(.identityBadRole)
        }
        guard first.nodes.count + second.nodes.count <= Self.identitiesMax else {
            throw TransactionRefusal(.identityTooMany)
        }
    }

    private static func areMotherAndChild(_ mother: Person, _ child: Person) -> Bool {
        mother.nodes.contains { node in
            mother.newborns(of: node).contains { child.nodes.contains($0.second.node) }
        }
    }

    // MARK: Unlinking

    private static func unlink(_ unlink: IdentityUnlink, in context: inout ExecutionContext) throws(TransactionRefusal)
    {
        let signer: Signer =
            switch unlink.signer {
            case .institution(let id): .institution(id)
            case .patient(let key): .key(key)
            }
        try context.require(signers: [signer], else: .identityWrongSigner)
        guard var state: IdentityLinkState = try context.value(at: .identityLink(unlink.link)) else {
            throw TransactionRefusal(.identityUnknown)
        }
        let isOwn =
            switch unlink.signer {
            case .institution(let id): id == state.link.author
            case .patient(let key): key == state.link.patientKey
            }
        if !isOwn {
            // Somebody else who knows the person, and so holds what the statement holds.
            guard let key = unlink.contestKey, IdentityLink.contest(of: key) == state.link.contest else {
                throw TransactionRefusal(.identityBadContest)
            }
            let isKnown =
                switch unlink.signer {
                case .institution(let id): try context.exists(.institution(id))
                case .patient(let key): try context.exists(.enrolment(key))
                }
            guard isKnown else { throw TransactionRefusal(.identityWrongSigner) }
        }
        guard state.ending == nil else { throw TransactionRefusal(.identityAlreadyUnlinked) }
        state.ending = IdentityLinkState.Ending(unlink: unlink, height: context.height, time: context.time)
        try context.write(state, at: .identityLink(unlink.link))
        for node in [state.link.first.node, state.link.second.node] {
            var known = try context.value(IdentityNodeLinks.self, at: .identityNode(node)) ?? IdentityNodeLinks()
            known.links.removeAll { $0 == unlink.link }
            if known.links.isEmpty {
                try context.remove(.identityNode(node))
            } else {
                try context.write(known, at: .identityNode(node))
            }
        }
    }
}

extension IdentitiesCall: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .link(let link):
            encoder.encode(variant: 0)
            encoder.encode(link)
        case .unlink(let unlink):
            encoder.encode(variant: 1)
            encoder.encode(unlink)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 2) {
        case 0: self = .link(try decoder.decode())
        default: self = .unlink(try decoder.decode())
        }
    }
}
