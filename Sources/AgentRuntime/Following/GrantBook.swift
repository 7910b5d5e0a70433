import Ledger
import Primitives
package import Records
import Synchronization

/// The grants of the chain that have not ended, by bucket of their patients: enough to tell which concern a person.
package final class GrantBook: Sendable {
    /// What is needed to recognise whom a grant is about.
    package struct Line: Hashable, Sendable {
        package var id: GrantID
        package var handle: PatientHandle
        package var salt: [UInt8]
    }

    private let lines = Mutex<[UInt8: [Line]]>([:])

    package init() {}

    package func add(_ id: GrantID, _ grant: AccessGrant) {
        self.lines.withLock { lines in
            guard lines[grant.bucket]?.contains(where: { $0.id == id }) != true else { return }
            lines[grant.bucket, default: []].append(Line(id: id, handle: grant.handle, salt: grant.salt))
        }
    }

    /// Whether anybody in the bucket may have granted anything: told without opening a pseudonym.
    package func mayConcern(bucket: UInt8) -> Bool { self.lines.withLock { $0[bucket] != nil } }

    package var isEmpty: Bool { self.lines.withLock { $0.isEmpty } }

    /// The grants about a person, in the order in which they were made.
    package func grants(of pseudonym: PatientPseudonym) -> [GrantID] {
        let candidates = self.lines.withLock { $0[pseudonym.bucket] ?? [] }
        // Grants by one key share a salt, so the handle is computed once for all of them.
        var handles: [[UInt8]: PatientHandle] = [:]
        return candidates.compactMap { line in
            let handle = handles[line.salt] ?? pseudonym.handle(salt: line.salt)
            handles[line.salt] = handle
            return handle == line.handle ? line.id : nil
        }
    }
}
