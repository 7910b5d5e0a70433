package import Consensus
package import Ledger
package import Primitives
package import Records

/// One institution's agent as a value: consensus, ledger and mempool, and nothing that touches the world.
///
/// Given the same inputs and times it gives the same effects, so the simulator runs the very value that production runs.
/// Blocks are executed inside `step`, on states that share structure; nothing here waits for a disk.
package struct AgentCore: Sendable {
    /// Executed blocks kept above the final one.
    ///
    /// More than the consensus ever leaves undecided.
    private static let executedMax = 4096
    /// Sent again at once when consensus asks for it; the rest follows with the next request.
    private static let resentBytesMax = 256 << 10

    package let institution: InstitutionID
    package let rules: LedgerRules
    package let context: EpochContext
    private var machine: ConsensusMachine
    private var mempool = Mempool()
    /// Executed blocks by hash: the final one and those above it.
    private var executed: [Digest: ExecutedBlock] = [:]
    /// The newest final block and the state after it.
    package private(set) var final: ExecutedBlock
    private var effects: [AgentEffect] = []

    /// `tip`: the newest final block, as the store has it; the genesis block on a new chain.
    ///
    /// `certificate`: its finalization; `nil` for the genesis block. `seed`: spreads timers between agents.
    package init(
        institution: InstitutionID,
        genesis: Genesis,
        rules: LedgerRules,
        context: EpochContext,
        tip: ExecutedBlock,
        certificate: Certificate?,
        parameters: ConsensusParameters,
        checker: SignatureChecker = .direct,
        seed: UInt64
    ) {
        self.institution = institution
        self.rules = rules
        self.context = context
        self.final = tip
        self.executed[tip.hash] = tip
        self.startPoint = FinalPoint(header: tip.header, certificate: certificate)
        self.machine = ConsensusMachine(
            context: context,
            institution: institution,
            genesis: FinalPoint(header: rules.genesisBlock.header, certificate: nil),
            parameters: parameters,
            checker: checker,
            seed: seed
        )
    }

    private let startPoint: FinalPoint

    package var view: View { self.machine.view }
    package var pendingCount: Int { self.mempool.count }
    package var isHalted: Bool { self.machine.isHalted }
    package var isSyncing: Bool { self.machine.isSyncing }
    /// Whether there is a reason to vote; an agent that sleeps only sends heartbeats.
    package var isAwake: Bool { self.machine.isAwake }
    /// How long messages may take before a view is given up, in milliseconds, as failed views have stretched it.
    package var delay: Int64 { self.machine.delay }

    package func isPending(_ id: TransactionID) -> Bool { self.mempool.contains(id) }

    /// Takes one input and returns what is to be done about it, in order.
    ///
    /// `now`: the wall clock, which may jump: block times and nothing else depend on it.
    package mutating func step(_ input: AgentInput, now: Timestamp) -> [AgentEffect] {
        switch input {
        case .start(let records, let mayVote):
            let recovery = Recovery(final: self.startPoint, records: records, mayVote: mayVote)
            self.drive(.start(recovery), now)
        case .message(let bytes, let peer): self.receive(bytes, from: peer, now)
        case .connected(let peer):
            self.drive(.connected(peer), now)
            // What was submitted while nobody was there.
            self.sendPending(to: peer)
        case .submit(let transaction): self.submit(transaction, now)
        case .timer(let timer, let generation): self.drive(.timer(timer, generation: generation), now)
        case .durable(let token, let signatures):
            self.drive(.durable(token: token, signatures: signatures), now)
        }
        defer { self.effects = [] }
        return self.effects
    }

    private mutating func receive(_ bytes: [UInt8], from peer: InstitutionID, _ now: Timestamp) {
        let message: AgentMessage
        do throws(CanonicalError) {
            message = try AgentMessage(canonicalBytes: bytes)
        } catch {
            self.effects.append(.malformed(from: peer))
            return
        }
        switch message {
        case .consensus(let message):
            if case .status(let status) = message { self.note(status, from: peer) }
            self.drive(.message(message, from: peer), now)
        case .transactions(let transactions):
            var isNew = false
            for transaction in transactions where self.admit(transaction) == nil { isNew = true }
            if isNew { self.drive(.pending(true), now) }
        case .pagesPublished(let grants): self.effects.append(.pagesPublished(grants, by: peer))
        }
    }

    private mutating func note(_ status: Status, from peer: InstitutionID) {
        self.effects.append(.peerStatus(peer, status.finalHeight))
        guard let index = self.context.validators.index(of: peer), status.epoch == self.context.epoch,
            status.finalHeight <= self.final.header.height
        else { return }
        self.effects.append(.confirmed(by: index))
    }

    private mutating func submit(_ transaction: Transaction, _ now: Timestamp) {
        // Submitting again what still waits is no fault: whoever asks again waits for the same decision.
        if let refusal = self.admit(transaction), refusal.code != .alreadyPending {
            self.effects.append(.refused(transaction.id, refusal))
            return
        }
        self.effects.append(.admitted(transaction.id))
        // To all at once, so that every validator wakes within one message delay.
        self.effects.append(.broadcast(.transactions([transaction])))
        self.drive(.pending(true), now)
    }

    /// Takes a transaction into the mempool, or says why not.
    private mutating func admit(_ transaction: Transaction) -> TransactionRefusal? {
        guard !self.mempool.contains(transaction.id) else { return TransactionRefusal(.alreadyPending) }
        let next = self.final.header.height.next
        switch self.rules.admission(of: transaction, at: next, in: self.final.state, isSignatureKnown: false) {
        case .success: return self.mempool.insert(transaction)
        case .failure(let refusal): return refusal
        }
    }

    // MARK: Consensus

    /// Gives an input to consensus and answers its questions to the ledger until it has none left.
    private mutating func drive(_ input: ConsensusInput, _ now: Timestamp) {
        var inputs = [input]
        var next = 0
        while next < inputs.count {
            for effect in self.machine.step(inputs[next], now: now) {
                if let answer = self.perform(effect) { inputs.append(answer) }
            }
            next += 1
        }
    }

    private mutating func perform(_ effect: ConsensusEffect) -> ConsensusInput? {
        switch effect {
        case .persist(let token, let drafts): self.effects.append(.persist(token: token, drafts: drafts))
        case .broadcast(let message): self.effects.append(.broadcast(.consensus(message)))
        case .send(let message, let peer): self.effects.append(.send(.consensus(message), to: peer))
        case .setTimer(let timer, let generation, let after):
            self.effects.append(.setTimer(timer, generation: generation, afterMilliseconds: after))
        case .cancelTimer(let timer): self.effects.append(.cancelTimer(timer))
        case .build(let request): return .built(view: request.view, self.build(request))
        case .verify(let block): return .verified(hash: block.hash, self.verify(block))
        case .commit(let blocks, let certificate): return self.commit(blocks, certificate)
        case .serveBlock(let hash, let peer): self.effects.append(.serveBlock(hash, to: peer))
        case .serveRange(let from, let bytesMax, let peer):
            self.effects.append(.serveRange(from: from, bytesMax: bytesMax, to: peer))
        case .resendPending: self.sendPending(to: nil)
        case .conflict(let conflict): self.effects.append(.conflict(conflict))
        case .halt(let reason): self.effects.append(.halt(reason))
        }
        return nil
    }

    private mutating func build(_ request: BuildRequest) -> BuildOutcome {
        guard let parent = self.executed[request.parentHash] else { return .failed }
        let position = BlockPosition(
            epoch: request.epoch,
            view: request.view,
            time: request.time,
            proposer: request.proposer,
            justificationHash: request.justificationHash
        )
        let candidates = request.withTransactions ? Array(self.mempool.transactions) : []
        let block = self.rules.build(on: parent, at: position, candidates: candidates, isSignatureKnown: self.isKnown)
        guard request.allowEmpty || !block.body.transactions.isEmpty else { return .nothingToAdd }
        guard self.keep(block) else { return .failed }
        return .block(block.header, body: block.body.canonicalBytes)
    }

    private mutating func verify(_ block: Block) -> VerifyOutcome {
        guard self.executed[block.hash] == nil else { return .valid }
        guard let parent = self.executed[block.header.parentHash] else { return .unavailable }
        let body: BlockBody
        do throws(CanonicalError) {
            body = try BlockBody(canonicalBytes: block.body)
        } catch {
            // No body with these bytes exists, but the header may still have one.
            return .bodyMismatch
        }
        guard body.transactions.count == Int(block.header.transactionCount),
            body.transactionRoot == block.header.transactionRoot
        else { return .bodyMismatch }
        do throws(BlockRefusal) {
            let executed = try self.rules.execute(
                header: block.header,
                body: body,
                on: parent,
                isSignatureKnown: self.isKnown
            )
            return self.keep(executed) ? .valid : .unavailable
        } catch {
            return .invalid
        }
    }

    /// Exactly these bytes are in the mempool, where nothing gets without its signatures having been checked.
    ///
    /// Keys of signers do not change while a transaction is pending.
    private func isKnown(_ transaction: Transaction) -> Bool { self.mempool.transaction(transaction.id) == transaction }

    /// Whether there was room: consensus bounds the blocks that it holds, and this bound is wider.
    private mutating func keep(_ block: ExecutedBlock) -> Bool {
        guard self.executed.count < Self.executedMax else { return false }
        self.executed[block.hash] = block
        return true
    }

    private mutating func commit(_ blocks: [Block], _ certificate: Certificate) -> ConsensusInput? {
        var range: [(block: Block, executed: ExecutedBlock)] = []
        var expired: [TransactionID] = []
        for block in blocks {
            guard let executed = self.executed[block.hash] else {
                preconditionFailure("consensus commits blocks that were executed here")
            }
            range.append((block, executed))
            expired += self.mempool.blockCommitted(
                executed.body.transactions.map(\.id),
                height: executed.header.height
            )
        }
        guard let last = range.last else { return nil }
        self.final = last.executed
        // What is not above the final block is history; branches beside it never become final.
        let height = last.executed.header.height
        self.executed = self.executed.filter { $0.value.header.height > height }
        self.executed[last.executed.hash] = last.executed
        self.effects.append(.commit(CommittedRange(blocks: range, certificate: certificate)))
        for id in expired { self.effects.append(.expired(id)) }
        return .pending(!self.mempool.isEmpty)
    }

    /// Pending transactions from the oldest on, as many as one sending may carry.
    private mutating func sendPending(to peer: InstitutionID?) {
        var batch: [Transaction] = []
        var size = 0
        for transaction in self.mempool.transactions {
            size += transaction.bytes.count
            guard size <= Self.resentBytesMax, batch.count < AgentMessage.transactionsMax else { break }
            batch.append(transaction)
        }
        guard !batch.isEmpty else { return }
        if let peer {
            self.effects.append(.send(.transactions(batch), to: peer))
        } else {
            self.effects.append(.broadcast(.transactions(batch)))
        }
    }
}
