package import LedgerStore
import Records
import Vault

extension IdentityDesk {
    /// Cases shown at once.
    private static let casesMax = 500

    /// A case with its patients' identifiers, masked.
    package struct Reviewed: Sendable {
        package var item: IdentityCase
        package var identifiers: [String]
    }

    /// The cases that wait for somebody, oldest first.
    package func cases() throws -> [Reviewed] {
        let profiles = ProfileKeeper(context: self.context)
        return try self.context.custody.openIdentityCases(limit: Self.casesMax).map { item in
            let identifiers = try profiles.traits(of: item).compactMap { $0.identifiers.first?.identifier.masked }
            return Reviewed(item: item, identifiers: identifiers)
        }
    }

    /// Decides a case, and with it every open case of the patient with the same description.
    ///
    /// Exams that were held back are shared from then on, if they are the patient's. Returns how many cases were decided.
    package func decide(_ number: Int64, isSame: Bool) async throws -> UInt32 {
        guard let item = try self.context.custody.identityCase(number), item.state == .open else {
            throw AgentFailure(
                .identityUnknown,
                "there is no such case that waits for somebody",
                hint: "See entente identity review."
            )
        }
        let profiles = ProfileKeeper(context: self.context)
        let state: IdentityCase.State = isSame ? .same : .different
        guard item.kind == .mismatch, let traits = try profiles.traits(of: item).first else {
            try self.context.custody.decide(number, state, profile: nil)
            return 1
        }
        var decided: UInt32 = 0
        for other in try self.context.custody.openIdentityCases(of: item.patientTag)
        where other.kind == .mismatch {
            guard try profiles.traits(of: other).first == traits else { continue }
            let profile = isSame ? try profiles.accepting(traits, of: item.patientTag) : nil
            try self.context.custody.decide(other.number, state, profile: profile)
            decided += 1
        }
        if isSame, let patient = try self.context.custody.patients(tags: [item.patientTag])[0] {
            try await self.share(patient)
        }
        return decided
    }
}
