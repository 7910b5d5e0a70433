import Formats
import Ledger
import LedgerStore
import Primitives
import Records
import Vault

/// Opens the seal of records whose access somebody else has judged, and reads what they hold.
struct RecordOpener: Sendable {
    private let context: AgentContext

    init(context: AgentContext) { self.context = context }

    /// `access`: own, or the permission under which the key was released.
    ///
    /// - Throws: ``AgentFailure`` `recordNotHere` while the key has not arrived; errors of the vault.
    func unseal(_ row: LocatorRow, _ access: AccessAnswer) throws -> OpenedRecord {
        let record = row.leaf.record
        guard case .allowed(let permission) = access else { return try self.context.vault.openOwn(record) }
        let object = try self.context.vault.read(record)
        for place in try self.context.custody.envelopes(record: record)
        where place.grant == permission.grant && place.custodian == row.institution {
            let page = try KeyEnvelopePage(canonicalBytes: self.context.vault.read(place.object).body)
            // A page made before this institution joined the group holds nothing for it.
            guard page.recipients.contains(where: { $0.institution == self.context.institution }) else { continue }
            return try self.context.vault.openGranted(object, page: page, chain: self.context.rules.chain)
        }
        throw AgentFailure(
            .recordNotHere,
            "the key for this record has not reached this agent yet",
            hint: "Its institution wraps it when it sees the grant: see entente status, and try again."
        )
    }

    static func parse(_ content: RecordContent) throws -> ParsedExam {
        switch ExamReader.read(content) {
        case .success(let exam): return exam
        case .failure(let refusal):
            throw AgentFailure(
                .recordUnreadable,
                "the record is authentic, but this release cannot read it (\(refusal.code))",
                hint: "Take the source's own bytes: fetch --original."
            )
        }
    }
}
