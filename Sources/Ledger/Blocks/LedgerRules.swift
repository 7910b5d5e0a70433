package import Primitives
package import Records

/// Why a block's header or body cannot follow its parent.
package enum BlockRefusal: Error, Hashable, Sendable {
    /// A field of the header is not what the parent and the chain demand.
    case wrongHeader
    /// The time is not after the parent's.
    case wrongTime
    case tooLarge
    /// A transaction may not stand in this block.
    case transaction(TransactionRefusal)
    /// Executing the block gives other roots than its header says.
    case wrongRoots
}

/// The consensus' part of a block's header: who proposes, when, on what grounds.
package struct BlockPosition: Hashable, Sendable {
    package var epoch: Epoch
    package var view: View
    package var time: Timestamp
    package var proposer: UInt16
    package var justificationHash: Digest

    package init(epoch: Epoch, view: View, time: Timestamp, proposer: UInt16, justificationHash: Digest) {
        self.epoch = epoch
        self.view = view
        self.time = time
        self.proposer = proposer
        self.justificationHash = justificationHash
    }
}

/// The rules of one chain: its genesis block, and how blocks follow each other.
///
/// Pure: the same parent, position and transactions give the same block everywhere.
package struct LedgerRules: Sendable {
    package let chain: ChainID
    package let suite: SuiteID
    package let parameters: ChainParameters
    package let parametersHash: Digest
    /// The validators' digest that every header carries (`Documentation/Protocol/Transactions.md`).
    package let validatorsHash: Digest
    package let genesisBlock: ExecutedBlock
    private let checker: SignatureChecker

    package init(genesis: Genesis, validatorsHash: Digest, checker: SignatureChecker = .direct) {
        self.chain = genesis.chain
        self.suite = genesis.suite
        self.parameters = genesis.parameters
        self.parametersHash = genesis.parameters.hash
        self.validatorsHash = validatorsHash
        self.checker = checker
        self.genesisBlock = Self.genesisBlock(genesis, chain: self.chain, validatorsHash: validatorsHash)
    }

    /// Whether `transaction` may stand in the block at `height` that follows `state`; its decoded call if so.
    ///
    /// `isSignatureKnown` says that exactly these bytes were checked before.
    package func admission(
        of transaction: Transaction,
        at height: Height,
        in state: some StateReading,
        isSignatureKnown: Bool
    ) -> Result<LedgerCall, TransactionRefusal> {
        do throws(TransactionRefusal) {
            let body = transaction.body
            guard transaction.bytes.count <= Int(self.parameters.transactionBytesMax) else {
                throw TransactionRefusal(.tooLarge)
            }
            guard body.version == TransactionBody.currentVersion, body.suite == self.suite else {
                throw TransactionRefusal(.wrongVersion)
            }
            guard body.chain == self.chain else { throw TransactionRefusal(.wrongChain) }
            let call = try LedgerCall(of: body)
            guard body.validUntil >= height else { throw TransactionRefusal(.expired) }
            guard body.validUntil.value - height.value < UInt64(self.parameters.replayWindowBlocks) else {
                throw TransactionRefusal(.validTooLong)
            }
            guard state.heightOfTransaction(transaction.id) == nil else { throw TransactionRefusal(.replayed) }
            let keys = try Self.keys(of: body.signers, in: state)
            if !isSignatureKnown {
                let message = body.signedBytes
                for (key, signature) in zip(keys, transaction.signatures) {
                    guard self.checker.isValid(signature, by: key, over: message) else {
                        throw TransactionRefusal(.badSignature)
                    }
                }
            }
            return .success(call)
        } catch {
            return .failure(error)
        }
    }

    /// The keys of the signers.
    ///
    /// At least one of them must be known to the chain: strangers write nothing to it.
    private static func keys(
        of signers: [Signer],
        in state: some StateReading
    ) throws(TransactionRefusal) -> [VerifyingKey] {
        var keys: [VerifyingKey] = []
        var isOneKnown = false
        for signer in signers {
            switch signer {
            case .institution(let id):
                guard let institution = state.institution(id) else { throw TransactionRefusal(.unknownSigner) }
                keys.append(institution.card.signingKey)
                isOneKnown = true
            case .key(let key):
                keys.append(key)
                isOneKnown = isOneKnown || state.enrolment(key) != nil
            }
        }
        guard isOneKnown else { throw TransactionRefusal(.unknownSigner) }
        return keys
    }

    /// Builds the next block from those of `candidates` that may stand in it, in their order.
    package func build(
        on parent: ExecutedBlock,
        at position: BlockPosition,
        candidates: some Sequence<Transaction>,
        isSignatureKnown: (Transaction) -> Bool
    ) -> ExecutedBlock {
        var executor = BlockExecutor(rules: self, parent: parent, time: position.time)
        var included: [Transaction] = []
        // Four bytes hold any number of transactions that a body can have.
        var size = 4
        for transaction in candidates {
            guard included.count < BlockBody.transactionsMax else { break }
            guard size + transaction.bytes.count <= Int(self.parameters.blockBytesMax) else { break }
            guard executor.append(transaction, isSignatureKnown: isSignatureKnown(transaction)) == nil else { continue }
            included.append(transaction)
            size += transaction.bytes.count
        }
        return self.close(executor, BlockBody(transactions: included), on: parent, at: position)
    }

    /// Executes a block that somebody proposed, and checks every field of its header that the ledger decides.
    ///
    /// The proposer, the view, the parent's view and the justification are the consensus' to check, and so is that the
    /// time is not ahead of this agent's clock.
    package func execute(
        header: BlockHeader,
        body: BlockBody,
        on parent: ExecutedBlock,
        isSignatureKnown: (Transaction) -> Bool
    ) throws(BlockRefusal) -> ExecutedBlock {
        guard header.height == parent.header.height.next, header.parentHash == parent.hash,
            header.epoch == parent.header.epoch, Int(header.transactionCount) == body.transactions.count
        else { throw .wrongHeader }
        guard header.time > parent.header.time else { throw .wrongTime }
        guard body.transactions.reduce(4, { $0 + $1.bytes.count }) <= Int(self.parameters.blockBytesMax) else {
            throw .tooLarge
        }
        // Before any execution: a body that is not the header's costs one hash per transaction.
        guard body.transactionRoot == header.transactionRoot else { throw .wrongRoots }
        var executor = BlockExecutor(rules: self, parent: parent, time: header.time)
        for transaction in body.transactions {
            if let refusal = executor.append(transaction, isSignatureKnown: isSignatureKnown(transaction)) {
                throw .transaction(refusal)
            }
        }
        let position = BlockPosition(
            epoch: header.epoch,
            view: header.view,
            time: header.time,
            proposer: header.proposer,
            justificationHash: header.justificationHash
        )
        let block = self.close(executor, body, on: parent, at: position)
        guard block.header == header else { throw .wrongRoots }
        return block
    }

    private func close(
        _ executor: BlockExecutor,
        _ body: BlockBody,
        on parent: ExecutedBlock,
        at position: BlockPosition
    ) -> ExecutedBlock {
        var executor = executor
        let changes = executor.finish()
        var state = parent.state
        state.apply(changes)
        let header = BlockHeader(
            suite: self.suite,
            chain: self.chain,
            epoch: position.epoch,
            view: position.view,
            height: parent.header.height.next,
            time: position.time,
            proposer: position.proposer,
            parentView: parent.header.view,
            parentHash: parent.hash,
            justificationHash: position.justificationHash,
            transactionCount: UInt32(body.transactions.count),
            transactionRoot: body.transactionRoot,
            receiptRoot: MerkleTree.root(executor.receipts.map(\.leafHash)),
            stateRoot: state.root,
            historySize: parent.history.count,
            historyRoot: parent.history.root,
            validatorsHash: self.validatorsHash,
            parametersHash: self.parametersHash
        )
        return ExecutedBlock(
            header: header,
            body: body,
            receipts: executor.receipts,
            changes: changes,
            events: executor.events,
            state: state,
            ancestors: parent.history
        )
    }

    /// Height 0: the founding members, at time 0, signed by nobody because the chain's name is its digest.
    private static func genesisBlock(_ genesis: Genesis, chain: ChainID, validatorsHash: Digest) -> ExecutedBlock {
        var values: [Digest: [UInt8]] = [:]
        for member in genesis.members {
            let card = member.card
            values[StateKey.institution(card.id).digest] = InstitutionState(card: card).canonicalBytes
            values[StateKey.transportKeyOwner(card.transportKeyDigest).digest] = card.id.canonicalBytes
        }
        let ids = InstitutionIDs(ids: genesis.members.map(\.card.id))
        values[StateKey.institutionIDs.digest] = ids.canonicalBytes
        let changes = values.map { StateChange(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key }
        var state = LedgerState()
        state.apply(changes)
        let header = BlockHeader(
            suite: genesis.suite,
            chain: chain,
            epoch: Epoch(0),
            view: View(0),
            height: Height(0),
            time: Timestamp(milliseconds: 0),
            proposer: 0,
            parentView: View(0),
            parentHash: .zero,
            justificationHash: .zero,
            transactionCount: 0,
            transactionRoot: MerkleTree.emptyRoot,
            receiptRoot: MerkleTree.emptyRoot,
            stateRoot: state.root,
            historySize: 0,
            historyRoot: MerkleTree.emptyRoot,
            validatorsHash: validatorsHash,
            parametersHash: genesis.parameters.hash
        )
        return ExecutedBlock(
            header: header,
            body: BlockBody(),
            receipts: [],
            changes: changes,
            events: [],
            state: state,
            ancestors: MerkleFrontier()
        )
    }
}
