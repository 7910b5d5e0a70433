package import LedgerStore
package import Primitives
package import Records
import Vault

/// Who does what a fact says, and for which visit; kept sealed.
package struct FactAuthor: Sendable {
    package static let none = FactAuthor(id: "", name: "", department: "", visit: "", branch: "")

    package var id: String
    package var name: String
    package var department: String
    package var visit: String
    /// The campus; empty where there is one.
    package var branch: String

    package init(id: String, name: String, department: String, visit: String, branch: String) {
        self.id = id
        self.name = name
        self.department = department
        self.visit = visit
        self.branch = branch
    }

    /// A clinician, as the institution's credential names them.
    package init(_ credential: ClinicianCredential, visit: String, branch: String) {
        self.init(
            id: credential.clinician,
            name: credential.name,
            department: credential.department,
            visit: visit,
            branch: branch
        )
    }
}

/// Makes facts: what everybody may read in the clear, who and what for sealed beside it.
package struct FactMaker: Sendable {
    private static let detailUse = "fact"

    private let context: AgentContext

    package init(context: AgentContext) { self.context = context }

    /// The name of the match that this institution makes under a key.
    package func match(key: [UInt8]) -> MatchID {
        MatchID(
            institution: self.context.institution,
            salt: self.context.vault.localSalt("match"),
            idempotencyKey: key
        )
    }

    /// A department of this institution, as others see it.
    package func department(_ id: String) -> DepartmentKey {
        DepartmentKey(department: id, salt: self.context.vault.localSalt("department"))
    }

    /// What a fact is told apart by, whatever it says: `parts` name what it is about.
    package func name(_ use: String, _ parts: [UInt8]...) -> Digest { self.tag("fact-name", use, parts) }

    /// What was asked for: the same question is answered with the same fact.
    package func request(_ use: String, _ parts: [UInt8]...) -> Digest { self.tag("fact-request", use, parts) }

    private func tag(_ kind: String, _ use: String, _ parts: [[UInt8]]) -> Digest {
        var encoder = CanonicalEncoder()
        encoder.encode(kind)
        encoder.encode(use)
        for part in parts { encoder.encode(bytes: part) }
        return self.context.vault.localTag(encoder.bytes)
    }

    /// A new fact; `content` is given the salt, by which words are committed to.
    package func make(
        name: Digest,
        request: Digest,
        at time: Timestamp,
        by author: FactAuthor,
        isExplained: Bool? = nil,
        text: String? = nil,
        content: (_ salt: [UInt8]) -> RecognitionFact.Content
    ) -> NewFact {
        let salt = GrantDesk.random(count: RecognitionDetail.saltBytes)
        let detail = RecognitionDetail(
            doctorID: author.id,
            doctorName: author.name,
            departmentID: author.department,
            departmentName: author.department,
            visitNumber: author.visit,
            isExplained: isExplained,
            text: text
        )
        let fact = RecognitionFact(
            content: content(salt),
            time: time,
            branch: author.branch,
            department: self.department(author.department),
            detail: detail.commitment(salt: salt)
        )
        let sealed = self.context.vault.protect(detail.padded(salt: salt), label: Self.detailUse)
        return NewFact(
            name: name,
            request: request,
            entry: FactManifest.Entry(fact: fact, sealedDetail: sealed)
        )
    }

    /// Opens the detail of an own fact.
    package func detail(_ entry: FactManifest.Entry) throws -> RecognitionDetail {
        let padded = try self.context.vault.unprotect(entry.sealedDetail, label: Self.detailUse)
        let (detail, salt) = try RecognitionDetail.read(padded: padded)
        guard detail.commitment(salt: salt) == entry.fact.detail else {
            throw AgentFailure(.storeDamaged, "the detail of a fact is not what the fact binds")
        }
        return detail
    }
}
