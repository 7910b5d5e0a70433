internal import Consensus
internal import Ledger
package import Primitives
package import Records

/// Checks evidence files against a genesis file alone, without a network, a clock or a store.
///
/// What a good file proves, and what it leaves open, is said in `Documentation/Protocol/Evidence.md`.
package struct EvidenceVerifier: Sendable {
    private typealias Code = EvidenceReport.Code
    private typealias Finding = EvidenceReport.Finding

    private let genesis: Genesis
    private let chain: ChainID
    private let checker: SignatureChecker

    package init(genesis: Genesis, checker: SignatureChecker = .direct) {
        self.genesis = genesis
        self.chain = genesis.chain
        self.checker = checker
    }

    package static func verify(_ bytes: [UInt8], genesis: Genesis) -> EvidenceReport {
        EvidenceVerifier(genesis: genesis).verify(bytes)
    }

    package func verify(_ bytes: [UInt8]) -> EvidenceReport {
        let file: EvidenceFile
        do {
            file = try EvidenceFile(canonicalBytes: bytes)
        } catch {
            let text = "The bytes are not an evidence file."
            return EvidenceReport(findings: [Finding(step: .file, code: .malformed, text: text)])
        }
        let transaction = try? Transaction(canonicalBytes: file.commitment.transaction)
        let anchor = transaction.flatMap(Self.anchor)
        let grant = file.grant.flatMap { try? GrantState(canonicalBytes: $0.state) }
        let findings = [
            Finding(step: .file, code: .ok, text: "The file is well formed."),
            self.checkChain(file),
            self.checkRecord(file.record),
            self.checkBatch(file.record, anchor),
            self.checkTransaction(transaction, anchor),
            self.checkBlock(file, transaction),
            self.checkHistory(file),
            self.checkFinality(file.header, file.finalization),
            self.checkReceipt(file, anchor),
            self.checkClinician(file.receipt),
            self.checkGrant(file, grant),
        ]
        return EvidenceReport(findings: findings, file: file, grant: grant)
    }

    private func checkChain(_ file: EvidenceFile) -> Finding {
        let headers = [file.header] + (file.commitment.ancestor.map { [$0.header] } ?? [])
        guard file.chain == self.chain, headers.allSatisfy({ $0.chain == self.chain }) else {
            return Finding(step: .chain, code: .wrongChain, text: "The file speaks of another chain.")
        }
        return Finding(step: .chain, code: .ok, text: "The file speaks of the chain of this genesis file.")
    }

    private func checkRecord(_ record: EvidenceFile.Record) -> Finding {
        guard record.suite == .international else {
            return Finding(step: .record, code: .unknownSuite, text: "The record uses an unknown set of algorithms.")
        }
        let commitment = RecordContent.commitment(
            suite: record.suite,
            salt: record.salt,
            canonicalContent: record.content
        )
        guard commitment == record.leaf.commitment else {
            return Finding(step: .record, code: .contentMismatch, text: "The content is not what was committed to.")
        }
        guard (try? RecordContent(canonicalBytes: record.content)) != nil else {
            return Finding(step: .record, code: .contentUnreadable, text: "The committed content is not a record.")
        }
        return Finding(step: .record, code: .ok, text: "The content is what its leaf commits to.")
    }

    private func checkBatch(_ record: EvidenceFile.Record, _ anchor: BatchAnchor?) -> Finding {
        guard let anchor,
            MerkleTree.verifyInclusion(
                leaf: record.leaf.leafHash,
                index: UInt64(record.index),
                size: UInt64(anchor.count),
                proof: record.path,
                root: anchor.root
            )
        else { return Finding(step: .batch, code: .notInBatch, text: "The record is not in the committed batch.") }
        let text = "The record is number \(record.index) of \(anchor.count) in batch \(anchor.number)."
        return Finding(step: .batch, code: .ok, text: text)
    }

    private func checkTransaction(_ transaction: Transaction?, _ anchor: BatchAnchor?) -> Finding {
        guard let transaction, let anchor, transaction.body.version == TransactionBody.currentVersion,
            transaction.body.suite == .international, transaction.body.chain == self.chain,
            transaction.body.signers == [.institution(anchor.institution)]
        else {
            let text = "The transaction does not commit an institution to a batch of exams."
            return Finding(step: .transaction, code: .notACommitment, text: text)
        }
        guard let card = self.genesis.card(of: anchor.institution) else {
            return Finding(
                step: .transaction,
                code: .unknownInstitution,
                text: "The committing institution is no member."
            )
        }
        guard
            self.checker.isValid(
                transaction.signatures[0],
                by: card.signingKey,
                over: transaction.body.signedBytes
            )
        else {
            let text = "The institution did not sign this commitment."
            return Finding(step: .transaction, code: .badTransactionSignature, text: text)
        }
        return Finding(step: .transaction, code: .ok, text: "Institution \(anchor.institution) signed the batch.")
    }

    private func checkBlock(_ file: EvidenceFile, _ transaction: Transaction?) -> Finding {
        let commitment = file.commitment
        let header = commitment.ancestor?.header ?? file.header
        guard let transaction,
            MerkleTree.verifyInclusion(
                leaf: transaction.leafHash,
                index: UInt64(commitment.index),
                size: UInt64(header.transactionCount),
                proof: commitment.transactionPath,
                root: header.transactionRoot
            )
        else { return Finding(step: .block, code: .notInBlock, text: "The transaction is not in the block.") }
        guard
            MerkleTree.verifyInclusion(
                leaf: TransactionReceipt(transaction: transaction.id).leafHash,
                index: UInt64(commitment.index),
                size: UInt64(header.transactionCount),
                proof: commitment.receiptPath,
                root: header.receiptRoot
            )
        else {
            let text = "The block does not say that the transaction succeeded."
            return Finding(step: .block, code: .transactionFailed, text: text)
        }
        let text = "Block \(header.height) holds the commitment, and it succeeded."
        return Finding(step: .block, code: .ok, text: text, time: header.time)
    }

    private func checkHistory(_ file: EvidenceFile) -> Finding {
        guard let ancestor = file.commitment.ancestor else {
            return Finding(step: .history, code: .ok, text: "That block is the certified one.")
        }
        guard
            MerkleTree.verifyInclusion(
                leaf: ExecutedBlock.historyLeaf(ancestor.header.hash),
                index: ancestor.header.height.value,
                size: file.header.historySize,
                proof: ancestor.path,
                root: file.header.historyRoot
            )
        else {
            let text = "The commitment's block is not an ancestor of the certified one."
            return Finding(step: .history, code: .notInHistory, text: text)
        }
        return Finding(step: .history, code: .ok, text: "That block is an ancestor of block \(file.header.height).")
    }

    func checkFinality(_ header: BlockHeader, _ finalization: [UInt8]) -> EvidenceReport.Finding {
        let validators = ValidatorSet(
            self.genesis.validators.map { Validator(id: $0.id, key: $0.signingKey) }
        )
        guard let validators, header.epoch == Epoch(0), header.validatorsHash == validators.hash else {
            return Finding(step: .finality, code: .otherEpoch, text: "The block belongs to other validators.")
        }
        let context = EpochContext(chain: self.chain, epoch: Epoch(0), validators: validators, boundary: .zero)
        guard let certificate = try? Certificate(canonicalBytes: finalization), certificate.kind == .finalize,
            certificate.hash == header.hash, certificate.view == header.view,
            certificate.isValid(in: context, checker: self.checker)
        else {
            return Finding(step: .finality, code: .notFinal, text: "No quorum of validators made the block final.")
        }
        let text =
            "\(certificate.signatures.count) of \(validators.count) validators made block \(header.height) final; "
            + "everything here is proved as of its time."
        return Finding(step: .finality, code: .ok, text: text, time: header.time)
    }

    private func checkReceipt(_ file: EvidenceFile, _ anchor: BatchAnchor?) -> Finding {
        let receipt = file.receipt
        guard receipt.request.record == file.record.leaf.record else {
            return Finding(step: .receipt, code: .otherRecord, text: "The receipt is for another record.")
        }
        guard let anchor, receipt.custodian == anchor.institution else {
            return Finding(step: .receipt, code: .otherCustodian, text: "The receipt names another custodian.")
        }
        guard let card = self.genesis.card(of: receipt.institution) else {
            return Finding(step: .receipt, code: .unknownInstitution, text: "The reading institution is no member.")
        }
        guard self.isSigned(receipt, by: card) else {
            let text = "The reading institution did not sign this receipt."
            return Finding(step: .receipt, code: .badReceiptSignature, text: text)
        }
        guard receipt.height <= file.header.height else {
            let text = "The record was read at a later height than the proof covers."
            return Finding(step: .receipt, code: .readAfterProof, text: text)
        }
        let text = "Institution \(receipt.institution) read it, purpose \(receipt.request.purpose.code)."
        return Finding(step: .receipt, code: .ok, text: text, time: receipt.time)
    }

    func isSigned(_ receipt: FetchReceipt, by card: InstitutionCard) -> Bool {
        self.checker.isValid(
            receipt.signature,
            by: card.signingKey,
            over: receipt.signedBytes(chain: self.chain)
        )
    }

    func checkClinician(_ receipt: FetchReceipt) -> EvidenceReport.Finding {
        let credential = receipt.credential
        guard credential.institution == receipt.institution, receipt.request.credential == credential.id else {
            let text = "The credential is not the one of this reading."
            return Finding(step: .clinician, code: .otherCredential, text: text)
        }
        let card = self.genesis.card(of: credential.institution)
        guard let card,
            self.checker.isValid(
                credential.signature,
                by: card.signingKey,
                over: credential.signedBytes(chain: self.chain)
            )
        else {
            let text = "The institution does not vouch for the clinician."
            return Finding(step: .clinician, code: .badCredentialSignature, text: text)
        }
        guard credential.issuedAt <= receipt.time, receipt.time < credential.expiresAt else {
            let text = "The credential was not valid at the time of the reading."
            return Finding(step: .clinician, code: .credentialNotValidThen, text: text)
        }
        let request = receipt.request.signedBytes(chain: self.chain)
        guard self.checker.isValid(receipt.requestSignature, by: credential.key, over: request) else {
            let text = "The clinician did not ask for this record."
            return Finding(step: .clinician, code: .badRequestSignature, text: text)
        }
        return Finding(step: .clinician, code: .ok, text: "A clinician of the institution asked for this record.")
    }

    private func checkGrant(_ file: EvidenceFile, _ state: GrantState?) -> Finding {
        let receipt = file.receipt
        guard let id = receipt.grant else {
            guard file.grant == nil else {
                return Finding(step: .grant, code: .needlessGrant, text: "The receipt names no grant.")
            }
            guard receipt.institution == receipt.custodian else {
                return Finding(step: .grant, code: .noGrant, text: "Another's record was read without a grant.")
            }
            return Finding(step: .grant, code: .ok, text: "The record is the institution's own; no grant is needed.")
        }
        guard let grant = file.grant else {
            return Finding(step: .grant, code: .noGrant, text: "The grant that the receipt names is not in the file.")
        }
        guard let state, state.grant.id == id else {
            return Finding(step: .grant, code: .otherGrant, text: "The grant is not the one that the receipt names.")
        }
        let key = StateKey.grant(id).digest
        guard grant.proof.verify(key: key, value: grant.state, root: file.header.stateRoot) else {
            let text = "The certified state does not hold the grant in this form."
            return Finding(step: .grant, code: .grantNotInState, text: text)
        }
        guard grant.scope.commitment(salt: state.grant.salt) == state.grant.scopeCommitment else {
            return Finding(step: .grant, code: .scopeMismatch, text: "The scope is not the granted one.")
        }
        let salt = state.grant.salt
        guard state.narrowings.count == grant.narrowings.count,
            zip(state.narrowings, grant.narrowings).allSatisfy({
                $0.narrowing.scopeCommitment == $1.commitment(salt: salt)
            })
        else {
            return Finding(step: .grant, code: .scopeMismatch, text: "The narrowed scopes are not the ones on chain.")
        }
        guard let supports = GrantSupports(grant, state, root: file.header.stateRoot) else {
            let text = "The certified state does not hold what the grant leans on in this form."
            return Finding(step: .grant, code: .grantNotInState, text: text)
        }
        if let code = Self.refusal(of: receipt, under: state, scope: grant.scope, supports) {
            return Finding(step: .grant, code: code, text: "The grant did not allow this reading.")
        }
        let ending = state.revokedHeight.map { " It was revoked later, in block \($0)." } ?? ""
        let witness = state.isSelfWitnessed ? " The patient's consent is witnessed by the reader itself." : ""
        let text = "The grant of block \(state.createdHeight) allowed the reading at height \(receipt.height)."
        return Finding(step: .grant, code: .ok, text: text + ending + witness, time: state.createdTime)
    }

    /// Why the grant does not allow what the receipt says.
    private static func refusal(
        of receipt: FetchReceipt,
        under state: GrantState,
        scope: GrantScope,
        _ supports: GrantSupports
    ) -> Code? {
        let grant = state.grant
        let narrowings = state.narrowings.filter { $0.height <= receipt.height }.map(\.narrowing)
        guard state.names(receipt.institution, groups: supports.groups, at: receipt.height),
            !narrowings.contains(where: { $0.withoutGrantees.contains(receipt.institution) })
        else { return .notAGrantee }
        guard state.covers(custodian: receipt.custodian),
            !narrowings.contains(where: { $0.withoutCustodians.contains(receipt.custodian) })
        else { return .custodianNotCovered }
        guard scope.purpose == receipt.request.purpose else { return .otherPurpose }
        guard state.createdHeight <= receipt.height else { return .grantLater }
        guard grant.notBefore <= receipt.time, receipt.time < grant.notAfter else { return .outsidePeriod }
        if let revoked = state.revokedHeight, revoked <= receipt.height { return .revokedBefore }
        guard supports.hold(at: receipt.height, time: receipt.time) else { return .revokedBefore }
        return nil
    }

    private static func anchor(of transaction: Transaction) -> BatchAnchor? {
        guard case .commitments(.commitExams(let anchor)) = try? LedgerCall(of: transaction.body) else { return nil }
        return anchor
    }
}
