import Ledger
package import LedgerStore
import Logging
package import PeerLink
package import Primitives
package import Records
import Replication
import Vault

/// Fetches what this agent should hold: every institution's manifests, and keys and ciphertexts of what it was granted.
///
/// `ReplicationMachine` decides what to ask whom for; this actor asks, checks, stores and indexes. What is missing follows
/// from the chain and the stores alone, so a kill at any point costs a fetch at most.
package actor Replicator {
    private static let listedAtOnce = 4096
    /// 4,096 entries with as many aliases take 3 MiB.
    private static let manifestBytesMax = 4 << 20
    /// A peer that gives nothing for so long is taken to have failed.
    private static let fetchTimeout: Duration = .seconds(60)

    /// A manifest that the chain names, and whose it is.
    private struct ManifestPlace: Hashable {
        var institution: InstitutionID
        var kind: ManifestKind
        var batch: UInt64
    }

    private let context: AgentContext
    private let link: PeerLink
    /// Called when a manifest is here that was not.
    private let indexed: @Sendable () -> Void
    private let bell = Bell()
    /// Bounded: a hint that is dropped costs a wait until the machine asks again by itself.
    private let hints = AsyncStream<([GrantID], InstitutionID)>.makeStream(bufferingPolicy: .bufferingNewest(1024))
    private var machine: ReplicationMachine
    private var effects: [ReplicationEffect] = []
    private var timer: Timestamp?
    /// An address may stand in several batches: an institution can name another's manifest, and only lies about itself.
    private var manifests: [ContentAddress: [ManifestPlace]] = [:]
    private var waiters: [ContentAddress: [CheckedContinuation<Void, Never>]] = [:]

    /// `indexed`: called when a manifest is here that was not.
    package init(context: AgentContext, link: PeerLink, indexed: @escaping @Sendable () -> Void) {
        self.context = context
        self.link = link
        self.indexed = indexed
        var limits = ReplicationLimits()
        // Objects asked of one peer in the same step travel in one request.
        limits.perPeer = 64
        limits.inFlight = 256
        self.machine = ReplicationMachine(seed: UInt64.random(in: .min ... .max), limits: limits)
    }

    package var lackingCount: Int { self.machine.lackingObjects }

    private var now: Timestamp { Timestamp(milliseconds: Clock.uptime) }

    // MARK: What is wanted

    /// A manifest of another institution is on the chain.
    package func want(_ address: ContentAddress, of institution: InstitutionID, _ kind: ManifestKind, batch: UInt64) {
        let place = ManifestPlace(institution: institution, kind: kind, batch: batch)
        if self.manifests[address]?.contains(place) != true { self.manifests[address, default: []].append(place) }
        let others = self.context.board.tip.state.institutionIDs.filter {
            $0 != institution && $0 != self.context.institution
        }
        self.take(.wanted([Want(address: address, priority: .manifest, sources: [institution] + others)]))
        self.take(.batchCommitted(institution))
    }

    /// A grant lets this institution read: its pages are at every custodian it names.
    package func granted(_ id: GrantID, _ grant: AccessGrant) {
        let custodians = grant.custodians.isEmpty ? self.context.board.tip.state.institutionIDs : grant.custodians
        for custodian in custodians where custodian != self.context.institution {
            self.follow(id, custodian)
        }
    }

    package func revoked(_ id: GrantID) { self.take(.grantEnded(id)) }

    /// Takes a custodian's hint without waiting.
    ///
    /// Hints of one custodian arrive in order.
    package nonisolated func hint(_ grants: [GrantID], by custodian: InstitutionID) {
        self.hints.continuation.yield((grants, custodian))
    }

    private func hinted(_ grants: [GrantID], by custodian: InstitutionID) {
        let state = self.context.board.tip.state
        for id in grants {
            guard let grant = state.grant(id), grant.covers(custodian: custodian),
                grant.names(
                    self.context.institution,
                    groups: state.groups(of: grant.grant),
                    at: self.context.board.tip.height
                )
            else { continue }
            self.follow(id, custodian)
        }
    }

    private func follow(_ id: GrantID, _ custodian: InstitutionID) {
        do {
            let page = try self.context.custody.nextMissingPage(grant: id, custodian: custodian)
            self.take(.grantBegan(id, custodian: custodian, page: page))
        } catch {
            self.context.logger.error("a grant's pages cannot be followed", metadata: ["error": "\(error)"])
        }
    }

    package func connected(_ peer: InstitutionID) {
        self.take(.peerUp(peer))
        // A hint may have been lost while the peer was away.
        let state = self.context.board.tip.state
        do {
            for grant in try self.context.custody.activeGrants(now: Clock.now) where grant.isGrantee {
                guard state.grant(grant.id)?.covers(custodian: peer) == true else { continue }
                self.follow(grant.id, peer)
            }
        } catch {
            self.context.logger.error("grants cannot be listed", metadata: ["error": "\(error)"])
        }
    }

    package func disconnected(_ peer: InstitutionID) { self.take(.peerDown(peer)) }

    /// Adds everything that the stores lack by what the chain says.
    package func restore() throws {
        let state = self.context.board.tip.state
        for institution in state.institutionIDs where institution != self.context.institution {
            try self.restoreManifests(of: institution, .exams, next: state.commitmentHead(institution).next)
            try self.restoreManifests(of: institution, .receipts, next: state.receiptHead(institution).next)
            try self.restoreManifests(of: institution, .facts, next: state.factHead(institution).next)
        }
        try self.restoreRecords()
        for grant in try self.context.custody.activeGrants(now: Clock.now) where grant.isGrantee {
            guard let known = state.grant(grant.id) else { continue }
            self.granted(grant.id, known.grant)
        }
    }

    private func restoreManifests(of institution: InstitutionID, _ kind: ManifestKind, next: UInt64) throws {
        guard next > 0 else { return }
        let state = self.context.board.tip.state
        for number in try self.context.locators.gaps(kind, institution: institution, in: 0...next - 1).joined() {
            guard let anchor = Self.anchor(institution, kind, number, state) else { continue }
            self.want(anchor.manifest, of: institution, kind, batch: number)
        }
    }

    private static func anchor(
        _ institution: InstitutionID,
        _ kind: ManifestKind,
        _ number: UInt64,
        _ state: LedgerState
    ) -> BatchAnchor? {
        switch kind {
        case .exams: state.commitmentBatch(institution, number)?.anchor
        case .receipts: state.receiptBatch(institution, number)?.anchor
        case .facts: state.factBatch(institution, number)?.anchor
        }
    }

    private func restoreRecords() throws {
        var after: Int64 = 0
        while true {
            let granted = try self.context.custody.grantedRecords(
                after: after,
                now: Clock.now,
                limit: Self.listedAtOnce
            )
            let lacking = try granted.filter { try !self.context.vault.contains($0.record) }
            self.take(
                .wanted(lacking.map { Want(address: $0.record, priority: .record, sources: [$0.custodian]) })
            )
            guard let last = granted.last else { return }
            after = last.number
        }
    }

    /// Returns when the record is here, or when waiting any longer would keep a person waiting in vain.
    package func obtain(_ record: ContentAddress, from custodian: InstitutionID, atMost wait: Duration) async {
        guard (try? self.context.vault.contains(record)) != true else { return }
        self.take(.wanted([Want(address: record, priority: .interactive, sources: [custodian])]))
        let timeout = Task {
            try? await Task.sleep(for: wait)
            self.resume(record)
        }
        await withCheckedContinuation { self.waiters[record, default: []].append($0) }
        timeout.cancel()
    }

    private func resume(_ record: ContentAddress) {
        for waiter in self.waiters.removeValue(forKey: record) ?? [] { waiter.resume() }
    }

    // MARK: Running

    private func take(_ input: ReplicationInput) {
        self.effects += self.machine.step(input, now: self.now)
        self.bell.ring()
    }

    /// Runs until cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await (grants, custodian) in self.hints.stream { await self.hinted(grants, by: custodian) }
            }
            while !Task.isCancelled {
                for job in self.dueJobs() { group.addTask { await self.perform(job) } }
                await self.bell.wait(atMost: .milliseconds(self.waitMilliseconds))
                if let timer = self.timer, timer <= self.now {
                    self.timer = nil
                    self.take(.timer)
                }
            }
            group.cancelAll()
        }
    }

    private var waitMilliseconds: Int64 {
        guard self.effects.isEmpty else { return 0 }
        return self.timer.map { max(1, $0.milliseconds - self.now.milliseconds) } ?? 60_000
    }

    /// One request to one peer.
    private enum Job: Sendable {
        case objects([ContentAddress], InstitutionID)
        case pages(GrantID, InstitutionID, first: UInt32)
    }

    /// Performs what takes no time and returns the fetches, those of one peer together.
    private func dueJobs() -> [Job] {
        var jobs: [Job] = []
        var objects: [InstitutionID: [ContentAddress]] = [:]
        let effects = self.effects
        self.effects = []
        for effect in effects {
            switch effect {
            case .fetch(let address, let peer): objects[peer, default: []].append(address)
            case .fetchPages(let grant, let peer, let page): jobs.append(.pages(grant, peer, first: page))
            case .satisfied(let address), .unavailable(let address): self.resume(address)
            case .setTimer(let time): self.timer = time
            case .listAgain:
                do {
                    try self.restore()
                } catch {
                    self.context.logger.error("what is lacking cannot be listed", metadata: ["error": "\(error)"])
                }
            }
        }
        for (peer, addresses) in objects.sorted(by: { $0.key < $1.key }) {
            for start in stride(from: 0, to: addresses.count, by: PeerRequest.objectsMax) {
                jobs.append(
                    .objects(Array(addresses[start..<min(start + PeerRequest.objectsMax, addresses.count)]), peer)
                )
            }
        }
        return jobs
    }

    private func perform(_ job: Job) async {
        switch job {
        case .objects(let addresses, let peer): await self.fetchObjects(addresses, from: peer)
        case .pages(let grant, let custodian, let first): await self.fetchPages(grant, from: custodian, first)
        }
    }

    private func failure(_ error: any Error, _ peer: InstitutionID) -> FetchFailure {
        self.context.logger.debug("a fetch failed", metadata: ["peer": "\(peer)", "error": "\(error)"])
        switch error {
        case is FetchRefusal: return .refused
        case is CanonicalError: return .wrong
        case let failure as AgentFailure where failure.code == .proofIncomplete: return .wrong
        default: return .failed
        }
    }

    private func ask(_ request: PeerRequest, _ peer: InstitutionID) async throws -> [SealedObject] {
        try await withThrowingTaskGroup(of: [SealedObject].self) { group in
            group.addTask {
                try await self.link.fetch(request.canonicalBytes, from: peer) { frames in
                    try await ObjectReader.read(frames, countMax: PeerRequest.objectsMax)
                }
            }
            group.addTask {
                try await Task.sleep(for: Self.fetchTimeout)
                throw CancellationError()
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
    }

    // MARK: Objects

    private func fetchObjects(_ addresses: [ContentAddress], from peer: InstitutionID) async {
        var open = Set(addresses)
        var failure = FetchFailure.refused
        do {
            // Stored by an earlier run that was killed before it indexed it.
            for address in addresses {
                guard let object = try? self.context.vault.read(address) else { continue }
                try self.settle(object, from: peer)
                open.remove(address)
            }
            if !open.isEmpty {
                // Only what was asked for counts, by the digest of what came.
                let objects = try await self.ask(.objects(open.sorted()), peer).filter {
                    try open.contains($0.address) && self.isAcceptable($0)
                }
                try await self.context.vault.append(objects)
                for object in objects {
                    try self.settle(object, from: peer)
                    open.remove(object.address)
                }
            }
        } catch {
            failure = self.failure(error, peer)
        }
        for address in open.sorted() { self.take(.notFetched(address, from: peer, failure)) }
    }

    private func settle(_ object: SealedObject, from peer: InstitutionID) throws {
        let places = self.manifests.removeValue(forKey: object.address) ?? []
        defer { if !places.isEmpty { self.indexed() } }
        for place in places {
            do {
                try self.index(object, place)
            } catch let failure as AgentFailure where failure.code == .proofIncomplete {
                // Whoever committed to it lied, not whoever handed it over; nobody has a better one.
                self.context.logger.error(
                    "a manifest is not what its institution committed to",
                    metadata: ["institution": "\(place.institution)", "batch": "\(place.batch)"]
                )
            }
        }
        self.take(.stored(object.address, from: peer))
    }

    /// Whether an object that was asked for is of the kind and size that it was asked for as.
    ///
    /// Checked before it takes room on the disk.
    private func isAcceptable(_ object: SealedObject) throws -> Bool {
        // One that says it is this institution's own was invented, and the vault would refuse all that came with it.
        guard object.header.origin != self.context.institution else { return false }
        if self.manifests[object.address] != nil {
            return [.manifest, .receiptManifest, .factManifest].contains(object.header.kind)
                && object.body.count <= Self.manifestBytesMax
        }
        // A page or a plan of before the erasure may still ask for it.
        guard !self.context.board.tip.state.isErased(object.address, of: object.header.origin) else { return false }
        return try object.header.kind == .record
            && self.context.locators.entries(record: object.address).contains {
                $0.institution == object.header.origin && Int($0.leaf.sealedBytes) == object.body.count
            }
    }

    private func index(_ object: SealedObject, _ place: ManifestPlace) throws {
        let state = self.context.board.tip.state
        guard let anchor = Self.anchor(place.institution, place.kind, place.batch, state) else {
            throw Self.liar(place.institution)
        }
        switch place.kind {
        case .exams:
            guard let manifest = try? Manifest(canonicalBytes: object.body),
                manifest.institution == place.institution, manifest.batch == place.batch,
                manifest.root == anchor.root, manifest.entries.count == Int(anchor.count)
            else { throw Self.liar(place.institution) }
            _ = try self.context.locators.add(manifest, address: object.address)
        case .receipts:
            guard let manifest = try? ReceiptManifest(canonicalBytes: object.body),
                manifest.institution == place.institution, manifest.batch == place.batch,
                manifest.root == anchor.root, manifest.entries.count == Int(anchor.count)
            else { throw Self.liar(place.institution) }
            _ = try self.context.locators.add(manifest, address: object.address)
        case .facts:
            guard object.header.kind == .factManifest,
                let manifest = try? FactManifest(canonicalBytes: object.body), manifest.isBound(by: anchor)
            else { throw Self.liar(place.institution) }
            _ = try self.context.locators.add(manifest, address: object.address)
        }
    }

    // MARK: Pages

    private func fetchPages(_ grant: GrantID, from custodian: InstitutionID, _ first: UInt32) async {
        do {
            let objects = try await self.ask(.pages(grant, from: first), custodian)
            for (offset, object) in objects.enumerated() {
                try await self.store(object, of: grant, custodian, page: first + UInt32(offset))
            }
            self.take(
                .pagesStored(
                    grant,
                    from: custodian,
                    next: first + UInt32(objects.count),
                    isLast: objects.count < PeerRequest.objectsMax
                )
            )
        } catch {
            self.take(.pagesNotFetched(grant, from: custodian, self.failure(error, custodian)))
        }
    }

    private func store(
        _ object: SealedObject,
        of grant: GrantID,
        _ custodian: InstitutionID,
        page number: UInt32
    ) async throws {
        let page = try KeyEnvelopePage(canonicalBytes: object.body)
        // One made before this institution joined a group does not name it, and is kept so that no number is missing.
        guard object.header.kind == .keyEnvelopePage, page.grant == grant, page.custodian == custodian,
            page.page == number,
            let key = self.context.board.tip.state.institution(custodian)?.card.signingKey,
            page.isSigned(by: key, chain: self.context.rules.chain)
        else { throw Self.liar(custodian) }
        // Of an erased record not even the wrapped key is written to the disk.
        let erased = self.erased(page)
        let kept = erased.isEmpty ? object : try Destroyer(context: self.context).trimmed(page, without: erased)
        let entries = page.entries.filter { !erased.contains($0.record) }
        try await self.context.vault.append([kept])
        try self.context.custody.savePage(
            grant: grant,
            custodian: custodian,
            page: number,
            object: kept.address,
            records: entries.map(\.record)
        )
        // An erasure that was accepted meanwhile was carried out without this page.
        let state = self.context.board.tip.state
        for record in self.erased(page).subtracting(erased) {
            if let id = state.erasure(of: record, by: custodian) { self.context.erasures.add(id) }
        }
        let lacking = try entries.filter { try !self.context.vault.contains($0.record) }
        self.take(.wanted(lacking.map { Want(address: $0.record, priority: .record, sources: [custodian]) }))
    }

    private func erased(_ page: KeyEnvelopePage) -> Set<ContentAddress> {
        let state = self.context.board.tip.state
        return Set(page.entries.map(\.record).filter { state.isErased($0, of: page.custodian) })
    }

    private static func liar(_ institution: InstitutionID) -> AgentFailure {
        AgentFailure(.proofIncomplete, "\(institution) published an object that is not what it committed to")
    }
}
