internal import Ledger
internal import Primitives
package import Records

/// Checks an institution's account of a period against a genesis file alone, without a network, a clock or a store
/// (`Documentation/Protocol/Account.md`).
package struct AccountVerifier {
    private typealias Finding = AccountReport.Finding

    private let genesis: Genesis
    private let evidence: EvidenceVerifier

    package static func verify(_ bytes: [UInt8], genesis: Genesis) -> AccountReport {
        let verifier = AccountVerifier(genesis: genesis, evidence: EvidenceVerifier(genesis: genesis))
        return verifier.verify(bytes)
    }

    private func verify(_ bytes: [UInt8]) -> AccountReport {
        guard let signed = try? AccountFile(canonicalBytes: bytes), let last = signed.account.blocks.last?.header else {
            return AccountReport(findings: [Finding(.malformed, "The bytes are not an account.")])
        }
        let account = signed.account
        guard account.chain == self.genesis.chain, account.header.chain == account.chain,
            let card = self.genesis.card(of: account.institution)
        else {
            let text = "The account speaks of another chain, or of no member of this one."
            return AccountReport(findings: [Finding(.wrongChain, text)], account: account)
        }
        var findings = [Finding(.ok, "The account is of institution \(account.institution), a member of this chain.")]
        findings.append(
            card.signingKey.isValid(signed.signature, over: signed.signedBytes)
                ? Finding(.ok, "The institution signed that this is all.")
                : Finding(.notSigned, "The institution did not sign this account.")
        )
        let final = self.evidence.checkFinality(account.header, account.finalization)
        findings.append(
            Finding(
                final.isOK ? .ok : final.code == .otherEpoch ? .otherEpoch : .notFinal,
                final.text,
                time: final.time
            )
        )
        findings += [self.checkHistory(account, last), Self.checkLinks(account), Self.checkPeriod(account, last)]
        guard let contents = Self.contents(account) else {
            findings.append(Finding(.otherContent, "A block does not hold what the account says it holds."))
            return AccountReport(findings: findings, account: account)
        }
        findings.append(
            Finding(.ok, "The \(account.blocks.count) blocks hold \(contents.count) transactions, and all are here.")
        )
        var report = AccountReport(findings: findings, account: account)
        report.events = contents.filter { account.from <= $0.event.time && $0.event.time < account.until }.map(\.event)
        self.checkReadings(account, contents, card, into: &report)
        return report
    }

    // MARK: Blocks

    private func checkHistory(_ account: Account, _ last: BlockHeader) -> Finding {
        let isIn =
            last.hash == account.header.hash
            ? account.history.isEmpty
            : MerkleTree.verifyInclusion(
                leaf: ExecutedBlock.historyLeaf(last.hash),
                index: last.height.value,
                size: account.header.historySize,
                proof: account.history,
                root: account.header.historyRoot
            )
        return isIn
            ? Finding(.ok, "Block \(last.height) is an ancestor of the certified block, or it itself.")
            : Finding(.notInHistory, "The last block is not an ancestor of the certified one.")
    }

    private static func checkLinks(_ account: Account) -> Finding {
        let headers = account.blocks.map(\.header)
        let isWhole = zip(headers, headers.dropFirst()).allSatisfy { parent, child in
            child.height.value == parent.height.value + 1 && child.parentHash == parent.hash
        }
        return isWhole
            ? Finding(.ok, "Each block is the child of the one before it.")
            : Finding(.blocksMissing, "A block between the first and the last one is missing.")
    }

    /// A block lies before the period, or there is none before it; and one behind it, or none was made yet.
    private static func checkPeriod(_ account: Account, _ last: BlockHeader) -> Finding {
        let first = account.blocks[0].header
        guard account.from < account.until, first.height.value == 0 || first.time < account.from,
            last.time >= account.until || last.hash == account.header.hash
        else { return Finding(.periodNotCovered, "The blocks do not cover the whole period.") }
        return Finding(.ok, "No block of the period can be missing.")
    }

    /// A transaction of the account, and what it was.
    private struct Content {
        var event: AccountReport.Event
        /// The batch of the institution's receipts that it anchors.
        var anchor: BatchAnchor?
    }

    /// What the blocks hold; `nil` unless it is what their headers commit to.
    private static func contents(_ account: Account) -> [Content]? {
        var contents: [Content] = []
        for block in account.blocks {
            let header = block.header
            guard block.transactions.count == Int(header.transactionCount),
                block.receipts.count == block.transactions.count,
                MerkleTree.root(block.transactions.map { MerkleTree.leafHash(use: "tx/1", $0) })
                    == header.transactionRoot,
                MerkleTree.root(block.receipts.map { MerkleTree.leafHash(use: "rcpt/1", $0) }) == header.receiptRoot
            else { return nil }
            for (bytes, said) in zip(block.transactions, block.receipts) {
                guard let transaction = try? Transaction(canonicalBytes: bytes),
                    let receipt = try? TransactionReceipt(canonicalBytes: said), receipt.transaction == transaction.id
                else { return nil }
                let call = try? LedgerCall(of: transaction.body)
                let isOwn = transaction.body.signers.contains(.institution(account.institution))
                var content = Content(
                    event: AccountReport.Event(
                        height: header.height,
                        time: header.time,
                        name: call?.name ?? "unknown",
                        isOwn: isOwn,
                        isRefused: receipt.code != .ok
                    )
                )
                if case .receipts(.anchorReceipts(let anchor)) = call, anchor.institution == account.institution,
                    receipt.code == .ok
                {
                    content.anchor = anchor
                }
                contents.append(content)
            }
        }
        return contents
    }

    // MARK: Readings

    private func checkReadings(
        _ account: Account,
        _ contents: [Content],
        _ card: InstitutionCard,
        into report: inout AccountReport
    ) {
        let anchors = contents.filter { $0.anchor != nil }
        let isWhole =
            anchors.count == account.readings.count
            && zip(anchors, account.readings).allSatisfy { content, receipts in
                receipts.count == Int(content.anchor?.count ?? 0)
                    && MerkleTree.root(receipts.map(\.leafHash)) == content.anchor?.root
            }
        guard isWhole else {
            report.findings.append(
                Finding(.readingsMissing, "The readings are not all that the institution anchored in these blocks.")
            )
            return
        }
        let count = account.readings.reduce(0) { $0 + $1.count }
        report.findings.append(
            Finding(.ok, "The \(count) readings in \(anchors.count) batches are all that the institution anchored.")
        )
        let grants = self.grants(of: account)
        var (forged, forbidden) = (0, 0)
        for (content, receipts) in zip(anchors, account.readings) {
            for receipt in receipts {
                let clinician = self.evidence.checkClinician(receipt)
                if receipt.institution != account.institution || !clinician.isOK
                    || !self.evidence.isSigned(receipt, by: card) || receipt.height > account.header.height
                {
                    forged += 1
                }
                let grant = receipt.grant.flatMap { grants[$0] }
                if !Self.allows(grant, receipt) { forbidden += 1 }
                guard account.from <= content.event.time, content.event.time < account.until else { continue }
                report.readings.append(
                    AccountReport.Reading(
                        receipt: receipt,
                        anchored: content.event.time,
                        isEmergency: grant?.isEmergency ?? false
                    )
                )
            }
        }
        report.findings.append(
            forged == 0
                ? Finding(.ok, "Each was asked for by a clinician and is signed by the institution.")
                : Finding(.readingNotAuthentic, "\(forged) readings are not signed as a reading must be.")
        )
        // Every bit of a account is covered by a check, so nothing is carried that none reads.
        let named = Set(account.readings.joined().compactMap(\.grant))
        report.findings.append(
            forbidden == 0 && grants.count == account.grants.count && named == Set(grants.keys)
                ? Finding(.ok, "Each is of an own record, or was allowed by a grant or in an emergency at that height.")
                : Finding(.readingNotAllowed, "\(forbidden) readings were not allowed by what the chain holds.")
        )
    }

    private struct ProvedGrant {
        var state: GrantState
        var groups: [GroupState]

        var isEmergency: Bool {
            if case .emergency = self.state.grant.grantor { true } else { false }
        }
    }

    /// Those that stand in the certified state in the form that the account gives.
    private func grants(of account: Account) -> [GrantID: ProvedGrant] {
        var grants: [GrantID: ProvedGrant] = [:]
        let root = account.header.stateRoot
        for grant in account.grants {
            guard let state = try? GrantState(canonicalBytes: grant.state),
                grant.proof.verify(key: StateKey.grant(state.grant.id).digest, value: grant.state, root: root)
            else { continue }
            var proved = ProvedGrant(state: state, groups: [])
            proved.groups = grant.groups.compactMap { support in
                guard let group = try? GroupState(canonicalBytes: support.state),
                    state.grant.groups.contains(group.id),
                    support.proof.verify(key: StateKey.group(group.id).digest, value: support.state, root: root)
                else { return nil }
                return group
            }
            guard proved.groups.count == grant.groups.count else { continue }
            grants[state.grant.id] = proved
        }
        return grants
    }

    private static func allows(_ grant: ProvedGrant?, _ receipt: FetchReceipt) -> Bool {
        guard receipt.grant != nil else { return receipt.institution == receipt.custodian }
        guard let grant else { return false }
        let state = grant.state
        let narrowings = state.narrowings.filter { $0.height <= receipt.height }.map(\.narrowing)
        return state.names(receipt.institution, groups: grant.groups, at: receipt.height)
            && state.covers(custodian: receipt.custodian)
            && !narrowings.contains { $0.withoutGrantees.contains(receipt.institution) }
            && !narrowings.contains { $0.withoutCustodians.contains(receipt.custodian) }
            && state.createdHeight <= receipt.height
            && state.grant.notBefore <= receipt.time && receipt.time < state.grant.notAfter
            && state.revokedHeight.map { receipt.height < $0 } ?? true
    }
}
