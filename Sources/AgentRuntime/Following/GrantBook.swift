import Primitives
package import Records
import Synchronization

/// The grants, delegations and choices of the chain by bucket of their patients: enough to tell which concern a person.
package final class GrantBook: Sendable {
    /// What is needed to recognise whom something is about.
    private struct Line<ID: Hashable & Sendable>: Hashable, Sendable {
        var id: ID
        var handle: PatientHandle
        var salt: [UInt8]
    }

    private struct Lines {
        var grants: [UInt8: [Line<GrantID>]] = [:]
        var groups: [GroupID: Set<GrantID>] = [:]
        var choices: [UInt8: Set<Line<DiscoveryChoice>>] = [:]
        var delegations: [UInt8: Set<Line<DelegationID>>] = [:]
        var events: [UInt8: Set<Line<LifeEventID>>] = [:]
        var hasLinks = false
    }

    private let lines = Mutex(Lines())

    package init() {}

    package func add(_ id: GrantID, _ grant: AccessGrant) {
        self.lines.withLock { lines in
            guard lines.grants[grant.bucket]?.contains(where: { $0.id == id }) != true else { return }
            lines.grants[grant.bucket, default: []].append(Line(id: id, handle: grant.handle, salt: grant.salt))
            for group in grant.groups { lines.groups[group, default: []].insert(id) }
        }
    }

    /// A choice takes the place of its speaker's last one.
    package func add(_ choice: DiscoveryChoice) {
        self.lines.withLock { lines in
            var known = lines.choices[choice.bucket] ?? []
            known = known.filter { $0.handle != choice.handle || $0.id.principal != choice.principal }
            known.insert(Line(id: choice, handle: choice.handle, salt: choice.salt))
            lines.choices[choice.bucket] = known
        }
    }

    package func add(_ id: DelegationID, _ delegation: Delegation) {
        self.lines.withLock { lines in
            _ = lines.delegations[delegation.bucket, default: []].insert(
                Line(id: id, handle: delegation.handle, salt: delegation.salt)
            )
        }
    }

    package func add(_ event: LifeEvent) {
        self.lines.withLock { lines in
            _ = lines.events[event.bucket, default: []].insert(
                Line(id: event.id, handle: event.handle, salt: event.salt)
            )
        }
    }
    /// Remembers that the chain has links of identities.
    package func noteLinks() { self.lines.withLock { $0.hasLinks = true } }

    /// Whether the chain ever had a link of identities: without one nobody looks for them.
    package var hasLinks: Bool { self.lines.withLock { $0.hasLinks } }

    /// Whether anybody in the bucket may have granted anything: told without opening a pseudonym.
    package func mayConcern(bucket: UInt8) -> Bool { self.lines.withLock { $0.grants[bucket] != nil } }

    package var isEmpty: Bool { self.lines.withLock { $0.grants.isEmpty } }

    /// The grants about a person, in the order in which they were made.
    package func grants(of pseudonym: PatientPseudonym) -> [GrantID] {
        Self.matching(self.lines.withLock { $0.grants[pseudonym.bucket] ?? [] }, pseudonym)
    }

    /// The grants to a group, sorted.
    package func grants(to group: GroupID) -> [GrantID] {
        self.lines.withLock { $0.groups[group] ?? [] }.sorted()
    }

    /// Whether somebody who speaks for the person wants that the person's exams are not listed.
    package func isHidden(_ pseudonym: PatientPseudonym) -> Bool {
        let hiding = self.lines.withLock { $0.choices[pseudonym.bucket] ?? [] }.filter(\.id.isHidden)
        return !Self.matching(hiding, pseudonym).isEmpty
    }

    /// The delegations about a person, sorted.
    package func delegations(of pseudonym: PatientPseudonym) -> [DelegationID] {
        Self.matching(self.lines.withLock { $0.delegations[pseudonym.bucket] ?? [] }, pseudonym).sorted()
    }

    /// What institutions declared about a person's life, sorted.
    package func lifeEvents(of pseudonym: PatientPseudonym) -> [LifeEventID] {
        Self.matching(self.lines.withLock { $0.events[pseudonym.bucket] ?? [] }, pseudonym).sorted()
    }

    private static func matching<ID: Hashable & Sendable>(
        _ candidates: some Sequence<Line<ID>>,
        _ pseudonym: PatientPseudonym
    ) -> [ID] {
        // What one key signs shares a salt, so the handle is computed once for all of it.
        var handles: [[UInt8]: PatientHandle] = [:]
        return candidates.compactMap { line in
            let handle = handles[line.salt] ?? pseudonym.handle(salt: line.salt)
            handles[line.salt] = handle
            return handle == line.handle ? line.id : nil
        }
    }
}
