import AgentCore
import Foundation
import LedgerStore
package import Logging
import PeerLink
import Primitives
import Vault

/// One running agent: opens the home, puts the services together, and runs them until it is told to stop.
package struct Agent: Sendable {
    /// A certificate lasts 90 days; a new one over the same key is made at every start and every month.
    private static let certificateRenewal: Duration = .seconds(30 * 24 * 3600)
    /// How often it is looked whether a peer came or went.
    private static let peerWatch: Duration = .milliseconds(200)
    /// How often the last confirmation is remembered for a restart without a network.
    private static let confirmationKeeping: Duration = .seconds(30)

    private let layout: HomeLayout
    private let passphrase: [UInt8]?
    private let feeds: FeedConfiguration
    private let listen: String?
    private let logger: Logger

    /// `listen`: `HOST:PORT`, where that is not the address at which the chain says that others reach this agent.
    package init(
        layout: HomeLayout,
        passphrase: [UInt8]?,
        feeds: FeedConfiguration = FeedConfiguration(),
        listen: String? = nil,
        logger: Logger
    ) {
        self.layout = layout
        self.passphrase = passphrase
        self.feeds = feeds
        self.listen = listen
        self.logger = logger
    }

    /// Runs until a graceful shutdown, or until the agent halts.
    ///
    /// Calls `ready` when it serves.
    package func run(ready: @escaping @Sendable () -> Void) async throws {
        let parts = try AgentAssembly(
            layout: self.layout,
            passphrase: self.passphrase,
            listen: self.listen,
            logger: self.logger
        ).parts()
        try self.emptySpool()
        do {
            try await self.serve(parts, ready: ready)
        } catch {
            await self.close(parts)
            throw error
        }
        await self.close(parts)
        if let reason = parts.halt.reason {
            throw AgentFailure(
                .storeDamaged,
                "the agent stopped itself: \(reason)",
                hint: "See Documentation/Operations/Errors.md before starting it again."
            )
        }
    }

    private func serve(_ parts: AgentParts, ready: @escaping @Sendable () -> Void) async throws {
        let link = parts.link
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await link.run() }
            defer { group.cancelAll() }
            // Fails when the address is taken, before anything is promised.
            _ = try await link.listeningAddress
            parts.loop.start(parts.core, records: parts.votes.records, mayVote: parts.votes.mayVote)
            try await parts.replicator.restore()
            let feeds = try await Feeds.open(self.feeds, parts, self.logger)
            group.addTask { await self.pump(parts) }
            group.addTask { await self.watchPeers(parts) }
            group.addTask { await parts.follower.run() }
            for outbox in parts.outboxes { group.addTask { await outbox.run() } }
            for anchorer in parts.anchorers { group.addTask { await anchorer.run() } }
            group.addTask { await parts.facts.run() }
            group.addTask { await parts.production.run() }
            group.addTask { await parts.anomalies.run() }
            group.addTask { await parts.reconciler.run() }
            group.addTask { await parts.erasures.run() }
            group.addTask { await parts.keeper.run() }
            group.addTask { await parts.served.run() }
            group.addTask { await parts.replicator.run() }
            group.addTask { await self.keepConfirmation(parts) }
            group.addTask { try await self.renewCertificate(parts) }
            group.addTask { try await LocalServer(layout: self.layout, harness: parts.harness).run(ready: ready) }
            // Ends at a shutdown, when the messages in work are answered.
            group.addTask { try await feeds.run() }
            group.addTask { await parts.halt.wait() }
            // The first to end decides: a shutdown, a halt, or a service that failed.
            try await group.next()
            // Ends what calls wait for, so that the local server can end them.
            parts.final.close()
            parts.names.close()
            parts.context.board.close()
        }
    }

    private func close(_ parts: AgentParts) async {
        parts.loop.stop()
        parts.final.close()
        self.saveConfirmation(parts)
        await parts.context.vault.close()
        for (name, close) in [
            ("chain", { try parts.context.chain.close() }),
            ("locators", { try parts.context.locators.close() }),
            ("custody", { try parts.context.custody.close() }),
        ] as [(String, () throws -> Void)] {
            do {
                try close()
            } catch {
                // What is durable stays durable; the next start reads the write-ahead log.
                self.logger.warning("a store did not close cleanly", metadata: ["store": "\(name)"])
            }
        }
    }

    /// Removes what an import that was killed left of its spool.
    private func emptySpool() throws {
        if FileManager.default.fileExists(atPath: self.layout.spool.path) {
            try FileManager.default.removeItem(at: self.layout.spool)
        }
        try FileManager.default.createDirectory(
            at: self.layout.spool,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    /// Hands peers' messages to the loop, as fast as it takes them.
    private func pump(_ parts: AgentParts) async {
        for await frame in parts.link.frames {
            await parts.loop.putWhenRoom(frame.bytes, from: frame.from, isUrgent: frame.messageClass == .consensus)
        }
    }

    /// Tells the loop and the replicator when a peer comes or goes.
    private func watchPeers(_ parts: AgentParts) async {
        var connected: Set<InstitutionID> = []
        while !Task.isCancelled {
            let now = Set(parts.link.peers.filter(\.connected).map(\.institution))
            parts.context.contacts.saw(now, now: Clock.now)
            for peer in now.subtracting(connected).sorted() {
                parts.loop.put(.connected(peer))
                await parts.replicator.connected(peer)
            }
            for peer in connected.subtracting(now) { await parts.replicator.disconnected(peer) }
            connected = now
            try? await Task.sleep(for: Self.peerWatch)
        }
    }

    private func keepConfirmation(_ parts: AgentParts) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.confirmationKeeping)
            self.saveConfirmation(parts)
        }
    }

    private func saveConfirmation(_ parts: AgentParts) {
        do {
            try parts.context.keepConfirmation()
        } catch {
            // Without it a restart that is cut off honours no grant, which is the safe side.
            self.logger.warning("the last confirmation was not stored", metadata: ["error": "\(error)"])
        }
    }

    private func renewCertificate(_ parts: AgentParts) async throws {
        while true {
            try await Task.sleep(for: Self.certificateRenewal)
            try parts.identity.replace(with: TransportKeys(context: parts.context).identity())
        }
    }
}
