package import Ledger
import LedgerStore
package import Primitives
package import Records
import Vault

/// Destroys what this home holds of erased records: data keys of own ones, wrapped keys and ciphertexts of all.
///
/// Every step is durable before the next and harmless to repeat, so that a kill at any moment leaves a record readable or
/// destroyed, and a restart destroys the rest.
package struct Destroyer: Sendable {
    private let context: AgentContext

    package init(context: AgentContext) { self.context = context }

    /// What was destroyed for an accepted erasure, after destroying whatever of it is still here.
    ///
    /// - Throws: ``AgentFailure`` `recordNotHere` if an own record is missing, so that nobody can say which key is its own.
    package func destroy(_ erasure: Erasure) async throws -> Destruction {
        var plan = try self.plan(of: erasure.id) ?? ErasurePlan()
        let records = Set(erasure.records)
        let pages = try self.pages(holding: records)
        if plan.generation == nil || !pages.isEmpty {
            plan.generation = nil
            try self.extend(&plan, with: erasure, pages)
            try self.save(plan, erasure.id)
            try await self.replace(pages, without: records)
            let generation = try self.context.vault.destroyDataKeys(Set(plan.keys.map(\.sequence)))
            try self.context.vault.remove(Set(plan.objects))
            plan.generation = generation
            try self.save(plan, erasure.id)
        }
        return Destruction(
            erasure: erasure.id,
            institution: self.context.institution,
            list: erasure.listDigest,
            generation: plan.generation ?? 0,
            dataKeys: UInt32(plan.keys.count),
            copies: plan.copies
        )
    }

    private struct Held {
        var address: ContentAddress
        /// `nil` for a page that is damaged: all of it goes.
        var page: KeyEnvelopePage?
    }

    private func extend(_ plan: inout ErasurePlan, with erasure: Erasure, _ pages: [Held]) throws {
        for record in erasure.records where erasure.source == self.context.institution {
            guard !plan.keys.contains(where: { $0.record == record }) else { continue }
            do throws(VaultError) {
                guard let sequence = try self.context.vault.ownSequence(of: record) else { continue }
                plan.keys.append(ErasurePlan.OwnKey(record: record, sequence: sequence))
            } catch {
                guard error.code == .notFound else { throw error }
                throw AgentFailure(
                    .recordNotHere,
                    "an own record that is to be erased is missing, so its key cannot be told from others",
                    hint: "Restore the vault's segments: entente doctor --full."
                )
            }
        }
        for record in erasure.records where !plan.objects.contains(record) {
            guard try self.context.vault.contains(record) || erasure.source == self.context.institution else {
                continue
            }
            plan.objects.append(record)
            plan.copies += 1
        }
        for held in pages where !plan.objects.contains(held.address) {
            plan.objects.append(held.address)
            plan.copies += UInt32(held.page?.entries.count { erasure.records.contains($0.record) } ?? 1)
        }
    }

    /// Every page in the vault that wraps a key of one of the records.
    private func pages(holding records: Set<ContentAddress>) throws -> [Held] {
        var seen: Set<ContentAddress> = []
        var found: [Held] = []
        for record in records.sorted() {
            for place in try self.context.custody.pagesHolding(record, custodian: self.context.institution)
            where seen.insert(place.object).inserted {
                do throws(VaultError) {
                    let object = try self.context.vault.read(place.object)
                    guard let page = try? KeyEnvelopePage(canonicalBytes: object.body),
                        page.entries.contains(where: { records.contains($0.record) })
                    else { continue }
                    found.append(Held(address: place.object, page: page))
                } catch {
                    switch error.code {
                    case .damaged: found.append(Held(address: place.object, page: nil))
                    case .notFound: continue
                    default: throw error
                    }
                }
            }
        }
        return found
    }

    /// Puts pages without the records in the place of those with them.
    private func replace(_ pages: [Held], without records: Set<ContentAddress>) async throws {
        for held in pages {
            var address = held.address
            if let page = held.page {
                let object = try self.trimmed(page, without: records)
                try await self.context.vault.append([object])
                address = object.address
            }
            try self.context.custody.replacePage(held.address, with: address, without: records.sorted())
        }
    }

    /// A page without these records, as an object of this home.
    package func trimmed(_ page: KeyEnvelopePage, without records: Set<ContentAddress>) throws -> SealedObject {
        let rest = try self.context.vault.trimmed(page, without: records, chain: self.context.rules.chain)
        return try self.context.vault.makeObject(.keyEnvelopePage, body: rest.canonicalBytes)
    }

    private func plan(of id: ErasureID) throws -> ErasurePlan? {
        try self.context.custody.accessNote(.erasurePlan, key: id.digest).map {
            try ErasurePlan(canonicalBytes: $0)
        }
    }

    private func save(_ plan: ErasurePlan, _ id: ErasureID) throws {
        try self.context.custody.note(.erasurePlan, key: id.digest, value: plan.canonicalBytes)
    }
}
