package import AgentCore
package import Consensus
import Dispatch
import Foundation
import Ledger
package import LedgerStore
package import Logging
package import Primitives
package import Records
import Synchronization
package import Vault

/// Owns the one `AgentCore` value and performs its effects, on a thread of its own: the disk may be waited for, and
/// nothing else touches the value.
package final class AgentLoop: Sendable {
    /// Where the effects go that are not this loop's own.
    package struct Outlets: Sendable {
        package var send: @Sendable (AgentMessage, InstitutionID) -> Void
        package var broadcast: @Sendable (AgentMessage) -> Void
        /// Called after the blocks are in the store.
        package var committed: @Sendable (CommittedRange) -> Void
        /// A custodian says that pages of these grants can be fetched from it.
        package var pagesPublished: @Sendable ([GrantID], InstitutionID) -> Void
        /// The agent stopped for good; the text says why and what to look at.
        package var halted: @Sendable (String) -> Void

        package init(
            send: @escaping @Sendable (AgentMessage, InstitutionID) -> Void,
            broadcast: @escaping @Sendable (AgentMessage) -> Void,
            committed: @escaping @Sendable (CommittedRange) -> Void,
            pagesPublished: @escaping @Sendable ([GrantID], InstitutionID) -> Void,
            halted: @escaping @Sendable (String) -> Void
        ) {
            self.send = send
            self.broadcast = broadcast
            self.committed = committed
            self.pagesPublished = pagesPublished
            self.halted = halted
        }
    }

    private let inbox = Inbox()
    private let board: ChainBoard
    private let chain: ChainStore
    private let votes: VoteLog
    private let vault: Vault
    private let confirmations: TipConfirmations
    private let outlets: Outlets
    private let logger: Logger
    private let ended = DispatchSemaphore(value: 0)
    private let isStarted = Atomic(false)

    package init(
        board: ChainBoard,
        chain: ChainStore,
        votes: VoteLog,
        vault: Vault,
        confirmations: TipConfirmations,
        outlets: Outlets,
        logger: Logger
    ) {
        self.board = board
        self.chain = chain
        self.votes = votes
        self.vault = vault
        self.confirmations = confirmations
        self.outlets = outlets
        self.logger = logger
    }

    /// Starts the thread.
    ///
    /// Call once.
    package func start(_ core: AgentCore, records: [VoteLogRecord], mayVote: Bool) {
        self.isStarted.store(true, ordering: .releasing)
        let thread = Thread {
            var turn = Turn(loop: self, core: core)
            turn.run(starting: .start(records, mayVote: mayVote))
            self.ended.signal()
        }
        thread.name = "agent"
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Ends the thread after the inputs that are queued, and waits for it.
    package func stop() {
        self.inbox.close()
        // An agent that could not listen never started it.
        if self.isStarted.load(ordering: .acquiring) { self.ended.wait() }
    }

    package func put(_ input: AgentInput) { self.inbox.put(input) }

    /// Hands in a peer's message, waiting while the loop is behind; `isUrgent` for what carries votes.
    package func putWhenRoom(_ bytes: [UInt8], from peer: InstitutionID, isUrgent: Bool) async {
        await self.inbox.putWhenRoom(bytes, from: peer, isUrgent: isUrgent)
    }

    /// What the thread works with.
    private struct Turn {
        /// Records below the final view are dropped from the log once it is longer than this.
        static let voteLogBytesMax = 64 << 20
        /// A peer is served blocks at most so often, in milliseconds: reading them takes time that votes do not have.
        static let servingInterval: Int64 = 50
        static let diskRetrySeconds = 1.0
        /// A peer's malformed messages are logged at most so often, in milliseconds.
        static let complaintInterval: Int64 = 60_000

        let loop: AgentLoop
        var core: AgentCore
        var timers: [ConsensusTimer: (generation: UInt64, due: DispatchTime)] = [:]
        var isHalted = false
        var served: [InstitutionID: Int64] = [:]
        var complained: [InstitutionID: Int64] = [:]

        mutating func run(starting input: AgentInput) {
            self.take(input)
            while true {
                let inputs = self.loop.inbox.take(until: self.nextDeadline)
                for input in inputs { self.take(input) }
                self.fireTimers()
                if inputs.isEmpty, self.loop.inbox.isClosed { return }
            }
        }

        private var nextDeadline: DispatchTime {
            self.timers.values.map(\.due).min() ?? .distantFuture
        }

        private mutating func fireTimers() {
            let now = DispatchTime.now()
            for timer in ConsensusTimer.allCases {
                guard let set = self.timers[timer], set.due <= now else { continue }
                self.timers[timer] = nil
                self.take(.timer(timer, generation: set.generation))
            }
        }

        /// Performs the effects in order, then takes the inputs that they caused.
        private mutating func take(_ input: AgentInput) {
            guard !self.isHalted else { return }
            var queue = [input]
            var next = 0
            while next < queue.count {
                for effect in self.core.step(queue[next], now: Clock.now) {
                    if let answer = self.perform(effect) { queue.append(answer) }
                    if self.isHalted { return }
                }
                next += 1
            }
            self.loop.board.update(view: self.core.view, pending: self.core.pendingCount)
        }

        private mutating func perform(_ effect: AgentEffect) -> AgentInput? {
            switch effect {
            case .persist(let token, let drafts): return self.persist(token, drafts)
            case .broadcast(let message): self.loop.outlets.broadcast(message)
            case .send(let message, let peer): self.loop.outlets.send(message, peer)
            case .setTimer(let timer, let generation, let after):
                self.timers[timer] = (generation, .now() + .milliseconds(Int(clamping: after)))
            case .cancelTimer(let timer): self.timers[timer] = nil
            case .commit(let range): self.commit(range)
            case .serveBlock(let hash, let peer): self.serveBlock(hash, to: peer)
            case .serveRange(let from, let bytesMax, let peer): self.serveRange(from, bytesMax, to: peer)
            case .admitted: break
            case .refused(let id, let refusal): self.loop.board.refused(id, refusal)
            case .expired(let id): self.loop.board.refused(id, TransactionRefusal(.expired))
            case .confirmed(let index): self.loop.confirmations.heard(index, uptime: Clock.uptime)
            case .peerStatus(let peer, let height): self.loop.board.peer(peer, isAt: height)
            case .pagesPublished(let grants, let custodian): self.loop.outlets.pagesPublished(grants, custodian)
            case .malformed(let peer):
                if Self.isDue(peer, Self.complaintInterval, &self.complained) {
                    self.loop.logger.warning("malformed messages", metadata: ["peer": "\(peer)"])
                }
            case .conflict(let conflict):
                self.loop.logger.error(
                    "a validator voted twice",
                    metadata: ["signer": "\(conflict.first.signer)", "view": "\(conflict.first.body.view)"]
                )
            case .halt(let reason): self.halt(reason)
            }
            return nil
        }

        private mutating func halt(_ reason: HaltReason) {
            let text =
                switch reason {
                case .conflictingFinalization:
                    "a quorum finalized a block beside the chain: more validators lie than the chain tolerates"
                case .stateDivergence: "a quorum accepted a block that this agent's execution refuses"
                case .unknownOwnVote:
                    "a vote by this agent's key exists that its vote log lacks: the key is in use elsewhere"
                case .contradictoryVoteLog: "the vote log contradicts itself"
                }
            self.stop(text)
        }

        private mutating func stop(_ text: String) {
            self.isHalted = true
            self.loop.logger.critical("halted", metadata: ["reason": "\(text)"])
            self.loop.outlets.halted(text)
        }

        private mutating func persist(_ token: UInt64, _ drafts: [VoteLogDraft]) -> AgentInput? {
            guard let signer = self.core.context.validators.index(of: self.core.institution) else {
                preconditionFailure("only a validator votes")
            }
            do {
                let chain = self.core.context.chain
                let signatures = drafts.map { self.loop.vault.keys.sign($0.body.signedBytes(chain: chain)) }
                let records = zip(drafts, signatures).map { draft, signature in
                    VoteLog.Record(draft.signed(by: signer, signature))
                }
                try self.whileDiskIsFull { () throws(LedgerStoreError) in try self.loop.votes.append(records) }
                return .durable(token: token, signatures: signatures)
            } catch {
                // A vote that may or may not be on disk must not be sent, and no later one either.
                self.stop("the vote log cannot be written: \(error)")
                return nil
            }
        }

        /// Waits for room and tries again: both files leave nothing half done when the disk is full, and an agent that
        /// cannot write must not speak.
        private func whileDiskIsFull(_ body: () throws(LedgerStoreError) -> Void) throws(LedgerStoreError) {
            var didSay = false
            while true {
                do throws(LedgerStoreError) {
                    return try body()
                } catch {
                    guard error.code == .diskFull, !self.loop.inbox.isClosed else { throw error }
                    if !didSay { self.loop.logger.critical("the disk is full: the agent waits for room") }
                    didSay = true
                    Thread.sleep(forTimeInterval: Self.diskRetrySeconds)
                }
            }
        }

        private mutating func commit(_ range: CommittedRange) {
            do {
                try self.whileDiskIsFull { () throws(LedgerStoreError) in try self.loop.chain.commit(range) }
                self.loop.board.committed(range)
                self.loop.outlets.committed(range)
                if self.loop.votes.byteCount > Self.voteLogBytesMax { try self.compactVotes(range.certificate.view) }
            } catch {
                self.stop("the chain cannot be stored: \(error)")
            }
        }

        /// Forgets own votes below a view that is final on disk, and not only in the chain store's unsynced log: after a
        /// power cut this agent would find votes of its own on the chain that it knows nothing of, and halt (rule P4).
        private func compactVotes(_ floor: View) throws(LedgerStoreError) {
            do throws(LedgerStoreError) {
                try self.loop.chain.checkpoint()
            } catch {
                // Readers are in the way: the next commit tries again.
                guard error.code == .busy else { throw error }
                return
            }
            try self.loop.votes.compact(epoch: self.core.context.epoch, floor: floor)
        }

        /// Whether `interval` has passed since this was last true for the peer.
        private static func isDue(
            _ peer: InstitutionID,
            _ interval: Int64,
            _ last: inout [InstitutionID: Int64]
        ) -> Bool {
            let now = Clock.uptime
            guard last[peer].map({ now - $0 >= interval }) ?? true else { return false }
            last[peer] = now
            return true
        }

        private mutating func serveBlock(_ hash: Digest, to peer: InstitutionID) {
            guard Self.isDue(peer, Self.servingInterval, &self.served),
                let stored = try? self.loop.chain.block(hash: hash), let block = Block(stored: stored)
            else { return }
            self.loop.outlets.send(.consensus(.block(block)), peer)
        }

        private mutating func serveRange(_ from: Height, _ bytesMax: Int, to peer: InstitutionID) {
            guard Self.isDue(peer, Self.servingInterval, &self.served),
                let range = try? self.loop.chain.range(from: from, bytesMax: bytesMax)
            else { return }
            self.loop.outlets.send(.consensus(.range(range)), peer)
        }
    }
}
