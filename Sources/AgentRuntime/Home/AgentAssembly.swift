import AgentCore
import Consensus
import Foundation
import Ledger
import LedgerStore
import Logging
import PeerLink
import Primitives
import Records
import Vault

/// What the vote log held at the start.
struct RecoveredVotes: Sendable {
    let log: VoteLog
    let records: [VoteLogRecord]
    /// `false` if the log is damaged: some vote may be forgotten, so none is cast.
    let mayVote: Bool

    private init(log: VoteLog, records: [VoteLogRecord], mayVote: Bool) {
        self.log = log
        self.records = records
        self.mayVote = mayVote
    }

    /// Reads the log of a home.
    ///
    /// With a damaged one the agent follows the chain without voting, and writes nothing to it.
    ///
    /// A chain above its genesis without a log means that the log was lost, and with it what this validator has said.
    static func read(_ layout: HomeLayout, isNewChain: Bool, _ logger: Logger) throws -> RecoveredVotes {
        do {
            guard isNewChain || FileManager.default.fileExists(atPath: layout.voteLog.path) else {
                throw LedgerStoreError(.voteLogDamaged, "votes.log is missing")
            }
            let (log, stored) = try VoteLog.open(path: layout.voteLog.path)
            let records = try stored.map { try VoteLogRecord(canonicalBytes: $0.payload) }
            return RecoveredVotes(log: log, records: records, mayVote: true)
        } catch let error as LedgerStoreError where error.code == .voteLogDamaged {
            logger.critical("the vote log is damaged: this agent follows the chain and casts no vote")
            let spare = try VoteLog.open(path: layout.voteLog.appendingPathExtension("observer").path).log
            return RecoveredVotes(log: spare, records: [], mayVote: false)
        }
    }
}

/// What wakes which service.
private struct Bells: Sendable {
    let exams = Bell()
    let receipts = Bell()
    let written = Bell()
    let found = Bell()
    /// A fact of recognition waits to be committed; a batch of them waits to be submitted.
    let madeFacts = Bell()
    let facts = Bell()
    /// For the book of facts: the chain has a block, or a manifest has come.
    let book = Bell()
    /// The chain has a block: for the follower, and for whoever shares the pseudonym key.
    let follow = Bell()
    let blocks = Bell()
    let served = Bell()
    /// An entry of the local chain waits, or the chain has a block.
    let offline = Bell()
}

/// Opens a home and puts the services of its agent together.
struct AgentAssembly {
    static let confirmedMark = "confirmed-at"
    /// The number of the kind of message that stands before a consensus message.
    private static let messageOverheadBytes = 16

    private let layout: HomeLayout
    private let passphrase: [UInt8]?
    private let listen: String?
    private let logger: Logger

    init(layout: HomeLayout, passphrase: [UInt8]?, listen: String?, logger: Logger) {
        self.layout = layout
        self.passphrase = passphrase
        self.listen = listen
        self.logger = logger
    }

    func parts() throws -> AgentParts {
        let vault = try Vault.open(home: self.layout.root.path, passphrase: self.passphrase)
        guard let bytes = try? Founding.read(self.layout.genesis, bytesMax: Genesis.bytesMax) else {
            throw AgentFailure(.notReady, "this home has joined no chain", hint: "Run entente join GENESIS.")
        }
        let genesis = try Founding.readGenesis(bytes)
        guard let validators = ValidatorSet(genesis.validators.map { Validator(id: $0.id, key: $0.signingKey) }) else {
            throw AgentFailure(.badRequest, "the chain has more validators than this release supports")
        }
        let context = try self.context(vault, genesis, bytes, validators)
        let isNewChain = context.board.tip.height == Height(0)
        let votes = try RecoveredVotes.read(self.layout, isNewChain: isNewChain, self.logger)
        let core = AgentCore(
            institution: context.institution,
            genesis: genesis,
            rules: context.rules,
            context: context.epoch,
            tip: context.board.tip.block,
            certificate: context.board.tip.certificate,
            parameters: ConsensusParameters(baseDelay: Int64(genesis.parameters.messageDelayMilliseconds)),
            seed: UInt64.random(in: .min ... .max)
        )
        return try self.connect(context, core, votes)
    }

    private func context(
        _ vault: Vault,
        _ genesis: Genesis,
        _ genesisBytes: [UInt8],
        _ validators: ValidatorSet
    ) throws -> AgentContext {
        let institution = vault.institution
        guard let member = genesis.members.first(where: { $0.card.id == institution }),
            member.card.signingKey == vault.keys.verifyingKey
        else {
            throw AgentFailure(
                .badRequest,
                "the genesis file lists this institution with other keys, or not at all",
                hint: "Join the chain that was founded with this home's card."
            )
        }
        let rules = LedgerRules(genesis: genesis, validatorsHash: validators.hash)
        let chain = try ChainStore(path: self.layout.chainDatabase.path)
        let custody = try CustodyStore(path: self.layout.custodyDatabase.path)
        let confirmedAt = try custody.mark(Self.confirmedMark).map { Timestamp(milliseconds: Int64(clamping: $0)) }
        return AgentContext(
            layout: self.layout,
            institution: institution,
            genesis: genesis,
            rules: rules,
            epoch: EpochContext(
                chain: genesis.chain,
                epoch: Epoch(0),
                validators: validators,
                boundary: rules.genesisBlock.hash
            ),
            keys: vault.keys,
            vault: vault,
            chain: chain,
            locators: try LocatorStore(path: self.layout.locatorDatabase.path),
            custody: custody,
            codes: try CodeBook(custody: custody, institution: institution),
            offline: try OfflineChain(
                layout: self.layout,
                institution: institution,
                chain: rules.chain,
                vault: vault,
                custody: custody,
                logger: self.logger
            ),
            board: ChainBoard(tip: try ChainLoader(chain: chain, rules: rules).load(genesisBytes)),
            confirmations: TipConfirmations(
                validators: validators,
                local: validators.index(of: institution),
                last: confirmedAt,
                now: Clock.now,
                uptime: Clock.uptime
            ),
            secrets: HomeSecrets(vault: vault),
            logger: self.logger
        )
    }

    private func connect(
        _ context: AgentContext,
        _ core: AgentCore,
        _ votes: RecoveredVotes
    ) throws -> AgentParts {
        let book = try Self.grantBook(context)
        let judge = AccessJudge(context: context, book: book)
        let wrapper = KeyWrapper(context: context, book: book, judge: judge)
        let identity = try TransportIdentitySource(try TransportKeys(context: context).identity())
        let directory = PeerDirectory(PeerRegistry.entries(context.board.tip))
        let bells = Bells()
        let evaluator = PseudonymEvaluator(context: context, served: { bells.served.ring() })
        let server = ObjectServer(context: context, wrapper: wrapper, evaluator: evaluator)
        let link = try self.link(context, identity, directory, server)
        let names = PseudonymDesk(context: context) { holder, request in
            try await EvaluationReply.ask(link, holder, request)
        }
        let replicator = Replicator(context: context, link: link, indexed: { bells.book.ring() })
        let halt = AgentHalt()
        let loop = self.loop(context, votes, self.loopOutlets(link, replicator, halt, bells, context.erasures))
        let desk = TransactionDesk(context: context) { loop.put(.submit($0)) }
        let final = FinalBatches(custody: context.custody, feeds: context.feeds)
        let writer = try self.writer(context, names, desk, bells)
        let facts = FactBook(context: context, bell: bells.book)
        let factDesk = FactDesk(context: context, book: facts, made: { bells.madeFacts.ring() })
        let outlets = self.followerOutlets(context, link, directory, replicator, identity, found: bells.found)
        return AgentParts(
            context: context,
            core: core,
            votes: votes,
            loop: loop,
            link: link,
            identity: identity,
            replicator: replicator,
            follower: ChainFollower(
                context: context,
                book: book,
                wrapper: wrapper,
                final: final,
                outlets: outlets,
                bell: bells.follow
            ),
            outboxes: Self.outboxes(context, desk, bells),
            anchorers: try Self.anchorers(context, desk, bells),
            facts: facts,
            production: ProductionReporter(context: context, desk: factDesk),
            anomalies: AnomalyReporter(context: context, desk: desk, bell: bells.found),
            reconciler: Self.reconciler(context, desk, bells),
            erasures: ErasureKeeper(context: context, desk: desk),
            names: names,
            keeper: PseudonymKeeper(context: context, desk: desk, bell: bells.blocks),
            served: PseudonymReporter(context: context, desk: desk, bell: bells.served),
            final: final,
            writer: writer,
            harness: self.harness(
                (context, names, desk, judge, wrapper),
                ImportSession(context: context, writer: writer, final: final),
                (link, replicator, identity),
                (factDesk, facts),
                bells
            ),
            halt: halt
        )
    }

    private func loop(_ context: AgentContext, _ votes: RecoveredVotes, _ outlets: AgentLoop.Outlets) -> AgentLoop {
        AgentLoop(
            board: context.board,
            chain: context.chain,
            votes: votes.log,
            vault: context.vault,
            confirmations: context.confirmations,
            outlets: outlets,
            logger: self.logger
        )
    }

    private static func outboxes(_ context: AgentContext, _ desk: TransactionDesk, _ bells: Bells) -> [BatchOutbox] {
        [
            BatchOutbox(context: context, desk: desk, kind: .exams, bell: bells.exams),
            BatchOutbox(context: context, desk: desk, kind: .receipts, bell: bells.receipts),
            BatchOutbox(context: context, desk: desk, kind: .facts, bell: bells.facts),
        ]
    }

    private static func reconciler(
        _ context: AgentContext,
        _ desk: TransactionDesk,
        _ bells: Bells
    ) -> OfflineReconciler {
        OfflineReconciler(context: context, desk: desk, bell: bells.offline, found: { bells.found.ring() })
    }

    private static func anchorers(
        _ context: AgentContext,
        _ desk: TransactionDesk,
        _ bells: Bells
    ) throws -> [BatchAnchorer] {
        [
            try BatchAnchorer(
                context: context,
                desk: desk,
                source: ReceiptAnchorSource(context: context, found: { bells.found.ring() }),
                bell: bells.written,
                prepared: { bells.receipts.ring() }
            ),
            try BatchAnchorer(
                context: context,
                desk: desk,
                source: FactAnchorSource(context: context),
                bell: bells.madeFacts,
                prepared: { bells.facts.ring() }
            ),
        ]
    }

    private static func grantBook(_ context: AgentContext) throws -> GrantBook {
        let state = context.board.tip.state
        let book = GrantBook()
        for grant in try context.custody.allGrants() {
            guard let grantState = state.grant(grant.id) else { continue }
            book.add(grant.id, grantState.grant)
        }
        for bytes in try context.custody.accessNotes(.discovery) {
            book.add(try DiscoveryChoice(canonicalBytes: bytes))
        }
        for bytes in try context.custody.accessNotes(.delegation) {
            let delegation = try Delegation(canonicalBytes: bytes)
            book.add(delegation.id, delegation)
        }
        for bytes in try context.custody.accessNotes(.lifeEvent) { book.add(try LifeEvent(canonicalBytes: bytes)) }
        if try !context.custody.accessNotes(.identity).isEmpty { book.noteLinks() }
        return book
    }

    private func link(
        _ context: AgentContext,
        _ identity: TransportIdentitySource,
        _ directory: PeerDirectory,
        _ server: ObjectServer
    ) throws -> PeerLink {
        guard let card = context.board.tip.state.institution(context.institution)?.card,
            let address = PeerAddress(self.listen ?? card.address)
        else {
            throw AgentFailure(
                .badRequest,
                self.listen == nil
                    ? "this institution's address on the chain is not HOST:PORT" : "--listen is not HOST:PORT"
            )
        }
        // One message is at most a range of blocks that were decided together, and the link must take it whole.
        var limits = PeerLinkLimits()
        limits.messageBytesMax = ConsensusMessage.byteCountMax + Self.messageOverheadBytes
        limits.inboundBytesMax = limits.messageBytesMax
        limits.outboundBytesMax = 2 * limits.messageBytesMax
        return PeerLink(
            configuration: PeerLink.Configuration(
                institution: context.institution,
                address: address,
                limits: limits
            ),
            identity: identity,
            directory: directory,
            logger: self.logger
        ) { peer, request, response in try await server.serve(peer, request, response) }
    }

    private func writer(
        _ context: AgentContext,
        _ names: PseudonymDesk,
        _ desk: TransactionDesk,
        _ bells: Bells
    ) throws -> ExamWriter {
        ExamWriter(
            context: context,
            names: names,
            desk: desk,
            sequencer: try BatchSequencer(kind: .exams, context: context),
            prepared: { bells.exams.ring() },
            found: { bells.found.ring() }
        )
    }

    private func harness(
        _ inside: (
            context: AgentContext, names: PseudonymDesk, desk: TransactionDesk, judge: AccessJudge, wrapper: KeyWrapper
        ),
        _ imports: ImportSession,
        _ outside: (link: PeerLink, replicator: Replicator, identity: TransportIdentitySource),
        _ recognition: (desk: FactDesk, book: FactBook),
        _ bells: Bells
    ) -> AgentHarness {
        let (context, names, desk, judge, wrapper) = inside
        let (link, replicator, identity) = outside
        let (facts, book) = recognition
        let (written, offline) = (bells.written, bells.offline)
        let fetcher = Fetcher(
            context: context,
            names: names,
            judge: judge,
            obtain: { record, custodian in await replicator.obtain(record, from: custodian, atMost: .seconds(3)) },
            receiptWritten: {
                written.ring()
                offline.ring()
            },
            facts: facts
        )
        let finder = Finder(context: context, judge: judge, names: names)
        let verdicts = VerdictDesk(context: context, finder: finder, judge: judge)
        let log = AccessLog(context: context, judge: judge, finder: finder, names: names)
        return AgentHarness(
            context: context,
            desk: desk,
            finder: finder,
            verdicts: verdicts,
            policies: PolicyDesk(context: context, desk: desk),
            fetcher: fetcher,
            grants: GrantDesk(context: context, desk: desk, judge: judge, names: names),
            emergencies: EmergencyDesk(
                context: context,
                desk: desk,
                credentials: fetcher.credentials,
                names: names,
                judge: judge,
                declared: { offline.ring() }
            ),
            mandates: MandateDesk(context: context, desk: desk, judge: judge, names: names),
            erasures: ErasureDesk(context: context, desk: desk),
            identities: IdentityDesk(
                context: context,
                desk: desk,
                judge: judge,
                log: log,
                names: names,
                share: { patient in
                    for grant in try await wrapper.wrapAll(of: patient, now: Clock.now) {
                        let bytes = AgentMessage.pagesPublished([grant]).canonicalBytes
                        for reader in wrapper.readers(of: grant) { link.send(bytes, .transactions, to: reader) }
                    }
                }
            ),
            log: log,
            anomalies: AnomalyList(context: context),
            facts: facts,
            matching: MatchDesk(context: context, finder: finder, verdicts: verdicts, facts: facts),
            statistics: StatisticsDesk(context: context, book: book),
            imports: imports,
            reporter: StatusReporter(context: context, link: link, replicator: replicator, names: names),
            transport: TransportKeys(context: context),
            identity: identity,
            passphrase: self.passphrase
        )
    }

    private func loopOutlets(
        _ link: PeerLink,
        _ replicator: Replicator,
        _ halt: AgentHalt,
        _ bells: Bells,
        _ erasures: ErasureInbox
    ) -> AgentLoop.Outlets {
        AgentLoop.Outlets(
            send: { message, peer in link.send(message.canonicalBytes, message.channel.messageClass, to: peer) },
            broadcast: { message in
                let bytes = message.canonicalBytes
                for peer in link.peers { link.send(bytes, message.channel.messageClass, to: peer.institution) }
            },
            committed: { _ in
                bells.follow.ring()
                bells.blocks.ring()
                bells.book.ring()
                bells.offline.ring()
                erasures.bell.ring()
            },
            pagesPublished: { grants, custodian in replicator.hint(grants, by: custodian) },
            halted: { halt.happened($0) }
        )
    }

    /// Shows peers the newest own key that the chain knows, also when its announcement was thought to have failed.
    private func follow(_ context: AgentContext, _ identity: TransportIdentitySource) {
        do {
            let newest = try TransportKeys(context: context).identity()
            if newest.keyDigest != identity.keyDigest { try identity.replace(with: newest) }
        } catch {
            self.logger.error("the transport key cannot be replaced", metadata: ["error": "\(error)"])
        }
    }

    private func followerOutlets(
        _ context: AgentContext,
        _ link: PeerLink,
        _ directory: PeerDirectory,
        _ replicator: Replicator,
        _ identity: TransportIdentitySource,
        found: Bell
    ) -> ChainFollower.Outlets {
        ChainFollower.Outlets(
            want: { address, institution, kind, batch in
                await replicator.want(address, of: institution, kind, batch: batch)
            },
            granted: { id, grant in await replicator.granted(id, grant) },
            revoked: { id in await replicator.revoked(id) },
            pagesPublished: { grant, grantees in
                let bytes = AgentMessage.pagesPublished([grant]).canonicalBytes
                for grantee in grantees { link.send(bytes, .transactions, to: grantee) }
            },
            institutionsChanged: {
                directory.update(PeerRegistry.entries(context.board.tip))
                self.follow(context, identity)
            },
            emergencyOpened: { id in
                if try EmergencyWatch(context: context).look(at: id) { found.ring() }
            }
        )
    }
}

extension AgentMessage.Channel {
    fileprivate var messageClass: MessageClass {
        switch self {
        case .consensus: .consensus
        case .transactions: .transactions
        }
    }
}
