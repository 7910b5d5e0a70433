import Ledger
import LedgerStore
import Logging
import Primitives
package import Records
import Vault

/// Shows who read a person's records: what every institution anchored, and what this one has yet to anchor.
package struct AccessLog: Sendable {
    /// Receipts of one person that one institution may have; a reader stops there.
    private static let receiptsMax: UInt64 = 100_000
    private static let window: UInt64 = 16

    /// One opening of a record.
    package struct Reading: Sendable {
        package var receipt: FetchReceipt
        package var isAnchored: Bool
    }

    private let context: AgentContext
    private let resolver: PatientResolver
    private let finder: Finder
    private let disclosure: Disclosure

    package init(context: AgentContext, judge: AccessJudge, finder: Finder, names: PseudonymDesk) {
        self.context = context
        self.finder = finder
        self.disclosure = Disclosure(context: context, judge: judge)
        self.resolver = PatientResolver(context: context, names: names)
    }

    /// Newest first.
    package func readings(of patient: String) async throws -> [Reading] {
        let web = self.context.web(self.context.board.tip.state)
        return try self.readings(
            of: try await self.resolver.pseudonyms(patient).flatMap(web.found(from:)).map(\.pseudonym)
        )
    }

    /// The readings of exams that are listed under any of these identities, newest first.
    package func readings(of pseudonyms: [PatientPseudonym]) throws -> [Reading] {
        var readings: [Digest: Reading] = [:]
        for pseudonym in Set(pseudonyms) {
            for receipt in try self.shown(self.anchored(pseudonym), of: pseudonym) {
                readings[receipt.leafHash] = Reading(receipt: receipt, isAnchored: true)
            }
            for receipt in try self.waiting(pseudonym) where readings[receipt.leafHash] == nil {
                readings[receipt.leafHash] = Reading(receipt: receipt, isAnchored: false)
            }
        }
        return readings.values.sorted {
            ($1.receipt.time, $1.receipt.leafHash) < ($0.receipt.time, $0.receipt.leafHash)
        }
    }

    /// Without what is between others and about an exam that is not listed here.
    private func shown(_ receipts: [FetchReceipt], of pseudonym: PatientPseudonym) throws -> [FetchReceipt] {
        let own = self.context.institution
        guard receipts.contains(where: { $0.institution != own && $0.custodian != own }) else { return receipts }
        let listed = Set(
            try self.finder.exams(of: pseudonym)
                .filter { self.disclosure.isListed($0.summary, of: pseudonym) }.map(\.summary.record)
        )
        return receipts.filter {
            $0.institution == own || $0.custodian == own || listed.contains($0.request.record)
        }
    }

    private func anchored(_ pseudonym: PatientPseudonym) throws -> [FetchReceipt] {
        var receipts: [FetchReceipt] = []
        var open = self.context.board.tip.state.institutionIDs
        var first: UInt64 = 0
        while !open.isEmpty, first < Self.receiptsMax {
            var probes: [LocatorProbe] = []
            var indices: [LocatorTag: UInt64] = [:]
            for institution in open {
                for index in first..<first + Self.window {
                    let tag = pseudonym.receiptTag(institution: institution, index: index)
                    indices[tag] = index
                    probes.append(LocatorProbe(institution: institution, tag: tag))
                }
            }
            var full: Set<InstitutionID> = []
            for row in try self.context.locators.lookupReceipts(probes) {
                guard let index = indices[row.receipt.tag] else { continue }
                if index == first + Self.window - 1 { full.insert(row.institution) }
                guard
                    let receipt = try? PseudonymSealing.openReceipt(
                        row.receipt,
                        pseudonym: pseudonym,
                        institution: row.institution,
                        index: index
                    )
                else { continue }
                // What its institution did not sign, or a clinician did not ask for, is no record of a reading.
                guard self.isAuthentic(receipt) else {
                    self.context.logger.warning(
                        "an institution anchored a receipt that is not authentic",
                        metadata: ["institution": "\(row.institution)"]
                    )
                    continue
                }
                receipts.append(receipt)
            }
            open = full.sorted()
            first += Self.window
        }
        return receipts
    }

    private func isAuthentic(_ receipt: FetchReceipt) -> Bool {
        let chain = self.context.rules.chain
        guard let key = self.context.board.tip.state.institution(receipt.institution)?.card.signingKey else {
            return false
        }
        return receipt.credential.institution == receipt.institution
            && receipt.request.credential == receipt.credential.id
            && key.isValid(receipt.signature, over: receipt.signedBytes(chain: chain))
            && key.isValid(receipt.credential.signature, over: receipt.credential.signedBytes(chain: chain))
            && receipt.credential.key.isValid(
                receipt.requestSignature,
                over: receipt.request.signedBytes(chain: chain)
            )
    }

    private func waiting(_ pseudonym: PatientPseudonym) throws -> [FetchReceipt] {
        let tag = self.context.secrets.tag(of: pseudonym)
        guard let patient = try self.context.custody.patients(tags: [tag])[0] else { return [] }
        return try self.context.custody.receipts(patient: patient.number).map {
            try self.context.secrets.openReceipt($0.sealed)
        }
    }
}
