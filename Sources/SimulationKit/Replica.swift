internal import Consensus
internal import Primitives

/// What agents send each other in a run.
enum SimulatedMessage: Sendable {
    case consensus(ConsensusMessage)
    case transaction(UInt64)
}

/// What happens to a replica.
enum ReplicaEvent: Sendable {
    case start(Recovery)
    case received(SimulatedMessage, from: Int)
    case timer(ConsensusTimer, generation: UInt64)
    case durable(token: UInt64, signatures: [Signature])
    /// A user hands in a transaction.
    case submitted(UInt64)
    /// The application's own answer, which it took its time for.
    case answered(ConsensusInput)
}

/// What a replica wants done, in order.
enum ReplicaAction: Sendable {
    case persist(token: UInt64, drafts: [VoteLogDraft])
    /// To one agent, or to all others.
    case send(SimulatedMessage, to: Int?)
    case setTimer(ConsensusTimer, generation: UInt64, after: Int64)
    case answer(ConsensusInput)
    /// With the ledger's state after the last of the blocks.
    case commit([Block], Certificate, stateRoot: Digest?)
    case serveBlock(Digest, to: Int)
    case serveRange(from: Height, to: Int)
    case conflict(VoteConflict)
    case halt(HaltReason)
}

/// What the cluster drives: one agent as a value, here the consensus machine with the simulated ledger behind it.
///
/// The cluster knows nothing of what is inside but the final block and the view, which the invariants speak of.
struct Replica: Sendable {
    private(set) var machine: ConsensusMachine
    private(set) var ledger: SimulatedLedger

    init(committee: Committee, agent: Int, checker: SignatureChecker, replaying commits: [SimulatedDisk.Commit]) {
        self.machine = ConsensusMachine(
            context: committee.context,
            institution: Committee.id(agent),
            genesis: committee.genesis,
            parameters: .loopback,
            checker: checker,
            seed: UInt64(agent)
        )
        self.ledger = SimulatedLedger(genesis: committee.genesis)
        for commit in commits {
            for block in commit.blocks {
                guard self.ledger.verify(block) == .valid else { preconditionFailure("a stored block replays") }
            }
            self.ledger.commit(commit.blocks)
        }
    }

    mutating func step(_ event: ReplicaEvent, now: Timestamp) -> [ReplicaAction] {
        switch event {
        case .start(let recovery):
            return self.give(.start(recovery), now)
        case .received(.consensus(let message), let peer):
            return self.give(.message(message, from: Committee.id(peer)), now)
        case .received(.transaction(let transaction), _):
            guard self.ledger.submit(transaction) else { return [] }
            return self.give(.pending(true), now)
        case .submitted(let transaction):
            guard self.ledger.submit(transaction) else { return [] }
            return [.send(.transaction(transaction), to: nil)] + self.give(.pending(true), now)
        case .timer(let timer, let generation):
            return self.give(.timer(timer, generation: generation), now)
        case .durable(let token, let signatures):
            return self.give(.durable(token: token, signatures: signatures), now)
        case .answered(let input):
            return self.give(input, now)
        }
    }

    private mutating func give(_ input: ConsensusInput, _ now: Timestamp) -> [ReplicaAction] {
        var actions: [ReplicaAction] = []
        var hasCommitted = false
        for effect in self.machine.step(input, now: now) {
            switch effect {
            case .persist(let token, let drafts): actions.append(.persist(token: token, drafts: drafts))
            case .broadcast(let message): actions.append(.send(.consensus(message), to: nil))
            case .send(let message, let peer):
                actions.append(.send(.consensus(message), to: Committee.agent(peer)))
            case .setTimer(let timer, let generation, let after):
                actions.append(.setTimer(timer, generation: generation, after: after))
            case .cancelTimer: break  // Its generation makes a late alarm harmless.
            case .build(let request):
                actions.append(.answer(.built(view: request.view, self.ledger.build(request))))
            case .verify(let block):
                actions.append(.answer(.verified(hash: block.hash, self.ledger.verify(block))))
            case .commit(let blocks, let certificate):
                self.ledger.commit(blocks)
                actions.append(.commit(blocks, certificate, stateRoot: self.ledger.stateRoot))
                hasCommitted = true
            case .serveBlock(let hash, let peer): actions.append(.serveBlock(hash, to: Committee.agent(peer)))
            case .serveRange(let from, _, let peer):
                actions.append(.serveRange(from: from, to: Committee.agent(peer)))
            case .resendPending:
                actions += self.ledger.pool.map { .send(.transaction($0), to: nil) }
            case .conflict(let conflict): actions.append(.conflict(conflict))
            case .halt(let reason): actions.append(.halt(reason))
            }
        }
        if hasCommitted { actions += self.give(.pending(self.ledger.isPending), now) }
        return actions
    }
}
