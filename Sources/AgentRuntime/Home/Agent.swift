import AgentCore
import Consensus
import Crypto
import Foundation
import Ledger
import LedgerStore
package import Logging
import PeerLink
import Primitives
import Records
import ServiceLifecycle
import Synchronization
import Vault

/// One running agent: opens the home, puts the services together, and runs them until it is told to stop.
package struct Agent: Sendable {
    /// A transport certificate lasts so long; a new one over the same key is made at every start and every month.
    private static let certificateLifeMilliseconds: Int64 = 90 * 24 * 3600 * 1000
    private static let certificateRenewal: Duration = .seconds(30 * 24 * 3600)
    private static let confirmedMark = "confirmed-at"

    private let layout: HomeLayout
    private let passphrase: [UInt8]?
    private let logger: Logger

    package init(layout: HomeLayout, passphrase: [UInt8]?, logger: Logger) {
        self.layout = layout
        self.passphrase = passphrase
        self.logger = logger
    }

    /// Runs until a graceful shutdown, or until the agent halts.
    ///
    /// - Parameter ready: Called when the agent serves.
    package func run(ready: @escaping @Sendable () -> Void) async throws {
        let vault = try Vault.open(home: self.layout.root.path, passphrase: self.passphrase)
        let parts = try self.assemble(vault)
        do {
            try await self.serve(parts, ready: ready)
        } catch {
            await self.close(parts)
            throw error
        }
        await self.close(parts)
        if let halt = parts.halted.withLock({ $0 }) {
            throw AgentFailure(
                .storeDamaged,
                "the agent stopped itself: \(halt)",
                hint: "See Documentation/Operations/Errors.md."
            )
        }
    }

    // MARK: Assembly

    /// The services and what they share.
    struct Parts: Sendable {
        let context: AgentContext
        let core: AgentCore
        let records: [VoteLogRecord]
        let mayVote: Bool
        let loop: AgentLoop
        let link: PeerLink
        let identity: TransportIdentitySource
        let directory: PeerDirectory
        let replicator: Replicator
        let follower: ChainFollower
        let outboxes: [BatchOutbox]
        let anchorer: ReceiptAnchorer
        let final: FinalBatches
        let harness: AgentHarness
        let halted: SharedHalt
    }

    /// Why the loop halted, once it has.
    final class SharedHalt: Sendable {
        private let text = Mutex<String?>(nil)
        let bell = Bell()

        func withLock<Result: Sendable>(_ body: (inout String?) -> Result) -> Result {
            self.text.withLock { text in body(&text) }
        }
    }

    private func assemble(_ vault: Vault) throws -> Parts {
        guard let genesisBytes = try? Founding.read(self.layout.genesis, bytesMax: Genesis.bytesMax) else {
            throw AgentFailure(.notReady, "this home has joined no chain", hint: "Run entente join GENESIS.")
        }
        let genesis = try Founding.readGenesis(genesisBytes)
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
        guard let validators = ValidatorSet(genesis.validators.map { Validator(id: $0.id, key: $0.signingKey) }) else {
            throw AgentFailure(.badRequest, "the chain has more validators than this release supports")
        }
        let rules = LedgerRules(genesis: genesis, validatorsHash: validators.hash)
        let epoch = EpochContext(
            chain: genesis.chain,
            epoch: Epoch(0),
            validators: validators,
            boundary: rules.genesisBlock.hash
        )
        try self.emptySpool()
        let chain = try ChainStore(path: self.layout.chainDatabase.path)
        let tip = try ChainLoader(chain: chain, rules: rules).load(genesisBytes)
        let (votes, records, mayVote) = try self.openVotes()
        let board = ChainBoard(tip: tip)
        let custody = try CustodyStore(path: self.layout.custodyDatabase.path)
        let confirmedAt = try custody.mark(Self.confirmedMark).map { Timestamp(milliseconds: Int64(clamping: $0)) }
        let confirmations = TipConfirmations(
            validators: validators,
            local: validators.index(of: institution),
            last: confirmedAt,
            now: Clock.now,
            uptime: Clock.uptime
        )
        let context = AgentContext(
            layout: self.layout,
            institution: institution,
            genesis: genesis,
            rules: rules,
            epoch: epoch,
            keys: vault.keys,
            vault: vault,
            chain: chain,
            locators: try LocatorStore(path: self.layout.locatorDatabase.path),
            custody: custody,
            board: board,
            confirmations: confirmations,
            secrets: HomeSecrets(
                consortiumKey: try vault.keys.openConsortiumKey(member.sealedConsortiumKey),
                vault: vault
            ),
            logger: self.logger
        )
        let core = AgentCore(
            institution: institution,
            genesis: genesis,
            rules: rules,
            context: epoch,
            tip: tip.block,
            certificate: tip.certificate,
            parameters: ConsensusParameters(baseDelay: Int64(genesis.parameters.messageDelayMilliseconds)),
            seed: UInt64.random(in: .min ... .max)
        )
        return try self.connect(context, core, votes, records, mayVote, member.card.address)
    }

    private func connect(
        _ context: AgentContext,
        _ core: AgentCore,
        _ votes: VoteLog,
        _ records: [VoteLogRecord],
        _ mayVote: Bool,
        _ address: String
    ) throws -> Parts {
        let book = GrantBook()
        for grant in try context.custody.allGrants() {
            guard let state = context.board.tip.state.grant(grant.id) else { continue }
            book.add(grant.id, state.grant)
        }
        let judge = AccessJudge(context: context, book: book)
        let wrapper = KeyWrapper(context: context, book: book, judge: judge)
        let server = ObjectServer(context: context, wrapper: wrapper)
        let identity = try TransportIdentitySource(try TransportKeys(context: context).identity())
        let directory = PeerDirectory(PeerRegistry.entries(context.board.tip))
        guard
            let listening = PeerAddress(
                context.board.tip.state.institution(context.institution)?.card.address ?? address
            )
        else { throw AgentFailure(.badRequest, "this institution's address on the chain is not HOST:PORT") }
        let link = PeerLink(
            configuration: PeerLink.Configuration(institution: context.institution, address: listening),
            identity: identity,
            directory: directory,
            logger: self.logger
        ) { peer, request, response in try await server.serve(peer, request, response) }
        let replicator = Replicator(context: context, link: link, judge: judge)
        let bells = (follow: Bell(), exams: Bell(), receipts: Bell(), written: Bell())
        let halted = SharedHalt()
        let final = FinalBatches(custody: context.custody)
        let loop = AgentLoop(
            board: context.board,
            chain: context.chain,
            votes: votes,
            vault: context.vault,
            confirmations: context.confirmations,
            outlets: self.loopOutlets(link, replicator, halted, follow: bells.follow),
            logger: self.logger
        )
        let desk = TransactionDesk(context: context) { loop.put(.submit($0)) }
        let examSequencer = try BatchSequencer(kind: .exams, context: context)
        let receiptSequencer = try BatchSequencer(kind: .receipts, context: context)
        let writer = ExamWriter(context: context, desk: desk, sequencer: examSequencer) { bells.exams.ring() }
        let fetcher = Fetcher(
            context: context,
            judge: judge,
            obtain: { record, custodian in await replicator.obtain(record, from: custodian, atMost: .seconds(3)) },
            receiptWritten: { bells.written.ring() }
        )
        return Parts(
            context: context,
            core: core,
            records: records,
            mayVote: mayVote,
            loop: loop,
            link: link,
            identity: identity,
            directory: directory,
            replicator: replicator,
            follower: ChainFollower(
                context: context,
                book: book,
                wrapper: wrapper,
                final: final,
                outlets: self.followerOutlets(context, link, directory, replicator),
                bell: bells.follow
            ),
            outboxes: [
                BatchOutbox(context: context, desk: desk, kind: .exams, bell: bells.exams),
                BatchOutbox(context: context, desk: desk, kind: .receipts, bell: bells.receipts),
            ],
            anchorer: ReceiptAnchorer(
                context: context,
                desk: desk,
                sequencer: receiptSequencer,
                bell: bells.written,
                prepared: { bells.receipts.ring() }
            ),
            final: final,
            harness: AgentHarness(
                context: context,
                desk: desk,
                finder: Finder(context: context, judge: judge),
                fetcher: fetcher,
                grants: GrantDesk(context: context, desk: desk, judge: judge),
                log: AccessLog(context: context),
                imports: ImportSession(context: context, writer: writer, final: final),
                reporter: StatusReporter(context: context, link: link, replicator: replicator),
                transport: TransportKeys(context: context),
                identity: identity,
                passphrase: self.passphrase
            ),
            halted: halted
        )
    }

    private func loopOutlets(
        _ link: PeerLink,
        _ replicator: Replicator,
        _ halted: SharedHalt,
        follow: Bell
    ) -> AgentLoop.Outlets {
        AgentLoop.Outlets(
            send: { message, peer in
                link.send(message.canonicalBytes, message.channel == .consensus ? .consensus : .transactions, to: peer)
            },
            broadcast: { message in
                let bytes = message.canonicalBytes
                for peer in link.peers {
                    link.send(bytes, message.channel == .consensus ? .consensus : .transactions, to: peer.institution)
                }
            },
            committed: { _ in follow.ring() },
            pagesPublished: { grants, custodian in
                Task { await replicator.pagesPublished(grants, by: custodian) }
            },
            halted: { reason in
                halted.withLock { $0 = reason }
                halted.bell.ring()
            }
        )
    }

    private func followerOutlets(
        _ context: AgentContext,
        _ link: PeerLink,
        _ directory: PeerDirectory,
        _ replicator: Replicator
    ) -> ChainFollower.Outlets {
        ChainFollower.Outlets(
            want: { address, institution, kind, batch in
                await replicator.want(.manifest(address, institution, kind, batch: batch))
            },
            granted: { id, grant in await replicator.granted(id, grant) },
            revoked: { id in await replicator.revoked(id) },
            pagesPublished: { grant, grantees in
                let bytes = AgentMessage.pagesPublished([grant]).canonicalBytes
                for grantee in grantees { link.send(bytes, .transactions, to: grantee) }
            },
            institutionsChanged: { directory.update(PeerRegistry.entries(context.board.tip)) }
        )
    }

    /// Votes are cast only by a validator whose log is whole.
    private func openVotes() throws -> (VoteLog, [VoteLogRecord], Bool) {
        do {
            let (log, stored) = try VoteLog.open(path: self.layout.voteLog.path)
            return (log, try stored.map { try VoteLogRecord(canonicalBytes: $0.payload) }, true)
        } catch let error as LedgerStoreError where error.code == .voteLogDamaged {
            self.logger.critical("the vote log is damaged: this agent follows the chain and casts no vote")
            let spare = self.layout.voteLog.appendingPathExtension("observer").path
            return (try VoteLog.open(path: spare).log, [], false)
        }
    }

    private func emptySpool() throws {
        try? FileManager.default.removeItem(at: self.layout.spool)
        try FileManager.default.createDirectory(
            at: self.layout.spool,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    // MARK: Running

    private func serve(_ parts: Parts, ready: @escaping @Sendable () -> Void) async throws {
        let link = parts.link
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await link.run() }
            // Fails when the address is taken, before anything is promised.
            _ = try await link.listeningAddress
            parts.loop.start(parts.core, records: parts.records, mayVote: parts.mayVote)
            group.addTask { await self.pump(parts) }
            group.addTask { await self.watchPeers(parts) }
            group.addTask { await parts.follower.run() }
            for outbox in parts.outboxes { group.addTask { await outbox.run() } }
            group.addTask { await parts.anchorer.run() }
            try await parts.replicator.restore()
            group.addTask { await parts.replicator.run() }
            group.addTask { await self.keepConfirmation(parts) }
            group.addTask { try await self.renewCertificate(parts) }
            group.addTask { try await LocalServer(layout: self.layout, harness: parts.harness).run(ready: ready) }
            group.addTask { try? await gracefulShutdown() }
            group.addTask { await parts.halted.bell.wait() }
            defer { group.cancelAll() }
            // The first to end decides: a shutdown, a halt, or a service that failed.
            try await group.next()
        }
    }

    private func close(_ parts: Parts) async {
        parts.loop.stop()
        parts.final.close()
        self.saveConfirmation(parts)
        await parts.context.vault.close()
        try? parts.context.chain.close()
        try? parts.context.locators.close()
        try? parts.context.custody.close()
    }

    /// Hands peers' messages to the loop, as fast as it takes them.
    private func pump(_ parts: Parts) async {
        for await frame in parts.link.frames { await parts.loop.putWhenRoom(.message(frame.bytes, from: frame.from)) }
    }

    /// Tells the loop and the replicator when a peer comes or goes.
    private func watchPeers(_ parts: Parts) async {
        var connected: Set<InstitutionID> = []
        while !Task.isCancelled {
            let now = Set(parts.link.peers.filter(\.connected).map(\.institution))
            for peer in now.subtracting(connected).sorted() {
                parts.loop.put(.connected(peer))
                await parts.replicator.connected(peer)
            }
            for peer in connected.subtracting(now) { await parts.replicator.disconnected(peer) }
            connected = now
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Remembers the last confirmation for a restart without a network.
    private func keepConfirmation(_ parts: Parts) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(30))
            self.saveConfirmation(parts)
        }
    }

    private func saveConfirmation(_ parts: Parts) {
        let uptime = Clock.uptime
        guard let confirmed = parts.context.confirmations.confirmed(uptime: uptime) else { return }
        let time = Clock.now.milliseconds - (uptime - confirmed)
        guard time > 0 else { return }
        try? parts.context.custody.setMark(Self.confirmedMark, UInt64(time))
    }

    private func renewCertificate(_ parts: Parts) async throws {
        while true {
            try await Task.sleep(for: Self.certificateRenewal)
            try parts.identity.replace(with: TransportKeys(context: parts.context).identity())
        }
    }
}
