import Ledger
import LedgerStore
import Primitives
package import Records
import Vault

/// Finds the pseudonym under which a person's exams are listed, from any identifier the person has shown.
package struct PatientResolver: Sendable {
    /// Other names of one person that an institution may publish under one identifier.
    ///
    /// More are not followed.
    static let aliasesMax: UInt64 = 4

    private let context: AgentContext

    private let names: PseudonymDesk

    package init(context: AgentContext, names: PseudonymDesk) {
        self.context = context
        self.names = names
    }

    /// Reads `SYSTEM:VALUE` or `URI|VALUE`.
    package static func identifier(_ text: String) throws(AgentFailure) -> PatientIdentifier {
        do throws(PatientIdentifier.Refusal) {
            return try PatientIdentifier(parsing: text.composedIdentifier)
        } catch {
            let reason =
                switch error {
                case .noSystem: "the identifier names no system"
                case .emptyValue: "the identifier has no value"
                case .tooLong: "the identifier is too long"
                case .badCheckDigit: "the check character of the number is wrong"
                case .badLength: "a resident identity number has 18 characters, an old one 15, a temporary one 13"
                case .badCharacter: "the identifier holds a character that cannot be in it"
                }
            throw AgentFailure(
                .patientIdentifier,
                reason,
                hint: "Write CN-RIC:..., CN-PP:..., MRN@institution:..., or URI|VALUE."
            )
        }
    }

    /// The pseudonyms of the person: the one of the identifier itself, and those to which institutions say it is another
    /// name.
    ///
    /// For looking, not for granting: what an institution says about another's patients may be wrong or a lie.
    package func pseudonyms(_ text: String) async throws -> [PatientPseudonym] {
        let shown = try await self.names.pseudonym(try Self.identifier(text))
        return [shown] + (try self.aliases(of: shown)).map(\.primary).filter { $0 != shown }
    }

    /// The one pseudonym that a new grant or enrolment speaks of.
    ///
    /// One that this institution merged into another, or that was temporary, is that other.
    package func primary(_ text: String) async throws -> PatientPseudonym {
        let listed = try await self.listed(text)
        return self.context.web(self.context.board.tip.state).survivor(of: listed, by: self.context.institution)
    }

    /// The one pseudonym under which this institution lists exams of whom an identifier names.
    ///
    /// A national number or passport speaks for itself. For any other identifier only this institution's own word counts
    /// that it names somebody who is listed under a stronger one.
    package func listed(_ text: String) async throws -> PatientPseudonym {
        let identifier = try Self.identifier(text)
        let shown = try await self.names.pseudonym(identifier)
        guard !identifier.isNational else { return shown }
        let aliases = try self.aliases(of: shown)
        let own = Set(aliases.filter { $0.institution == self.context.institution }.map(\.primary))
        switch own.count {
        case 1: return own.first ?? shown
        case 0 where aliases.isEmpty: return shown
        default:
            throw AgentFailure(
                .patientAmbiguous,
                "this identifier is not enough to speak for a patient here",
                hint: "Use the identity number or the passport of the patient."
            )
        }
    }

    private func aliases(
        of shown: PatientPseudonym
    ) throws -> [(institution: InstitutionID, primary: PatientPseudonym)] {
        var found: [(institution: InstitutionID, primary: PatientPseudonym)] = []
        var open = self.context.board.tip.state.institutionIDs
        var index: UInt64 = 0
        while !open.isEmpty, index < Self.aliasesMax {
            let rows = try self.context.locators.lookupAliases(
                open.map { LocatorProbe(institution: $0, tag: shown.aliasTag(institution: $0, index: index)) }
            )
            for row in rows {
                // A row that does not open is another institution's mistake or lie; it names nobody.
                guard
                    let primary = try? PseudonymSealing.openAlias(
                        row.entry,
                        under: shown,
                        institution: row.institution,
                        index: index
                    ), !found.contains(where: { $0.institution == row.institution && $0.primary == primary })
                else { continue }
                found.append((row.institution, primary))
            }
            open = Array(Set(rows.map(\.institution))).sorted()
            index += 1
        }
        return found
    }
}
