import Ledger
import LedgerStore
import Logging
package import PeerLink
package import Primitives
package import Records
import Vault

/// Fetches what this agent should hold: every institution's manifests, and keys and ciphertexts of what it was granted.
/// What is missing follows from the chain and the stores alone, so a kill at any point costs a fetch at most.
package actor Replicator {
    private let context: AgentContext
    private let link: PeerLink
    private let judge: AccessJudge
    private let bell = Bell()
    /// Bounded: a hint that is dropped costs a wait until the custodian connects again.
    private let hints = AsyncStream<([GrantID], InstitutionID)>.makeStream(bufferingPolicy: .bufferingNewest(1024))
    private var wants = WantList()
    private var peers: Set<InstitutionID> = []
    private var waiters: [ContentAddress: [CheckedContinuation<Void, Never>]] = [:]

    package init(context: AgentContext, link: PeerLink, judge: AccessJudge) {
        self.context = context
        self.link = link
        self.judge = judge
    }

    package var lackingCount: Int { self.wants.count }

    // MARK: What is wanted

    package func want(_ want: Want) {
        self.wants.add(want, now: Clock.uptime)
        self.bell.ring()
    }

    /// A grant lets this institution read: its pages are at every custodian it names.
    package func granted(_ id: GrantID, _ grant: AccessGrant) {
        let custodians = grant.custodians.isEmpty ? self.context.board.tip.state.institutionIDs : grant.custodians
        for custodian in custodians where custodian != self.context.institution {
            self.wants.add(.pages(id, custodian), now: Clock.uptime)
        }
        self.bell.ring()
    }

    package func revoked(_ id: GrantID) {
        self.wants.remove { want in
            if case .pages(id, _) = want { true } else { false }
        }
    }

    /// Takes a custodian's hint without waiting.
    ///
    /// Hints of one custodian arrive in order.
    package nonisolated func hint(_ grants: [GrantID], by custodian: InstitutionID) {
        self.hints.continuation.yield((grants, custodian))
    }

    private func pagesPublished(_ grants: [GrantID], by custodian: InstitutionID) {
        let state = self.context.board.tip.state
        for id in grants {
            guard let grant = state.grant(id), grant.grant.grantees.contains(self.context.institution),
                grant.covers(custodian: custodian)
            else { continue }
            self.wants.add(.pages(id, custodian), now: Clock.uptime)
        }
        self.bell.ring()
    }

    package func connected(_ peer: InstitutionID) {
        self.peers.insert(peer)
        self.wants.connected(peer, now: Clock.uptime)
        // A hint may have been lost while the peer was away.
        let state = self.context.board.tip.state
        let now = Clock.now
        for grant in (try? self.context.custody.activeGrants(now: now)) ?? [] where grant.isGrantee {
            guard state.grant(grant.id)?.covers(custodian: peer) == true else { continue }
            self.wants.add(.pages(grant.id, peer), now: Clock.uptime)
        }
        self.bell.ring()
    }

    package func disconnected(_ peer: InstitutionID) { self.peers.remove(peer) }

    /// Adds everything that the stores lack by what the chain says.
    package func restore() throws {
        let tip = self.context.board.tip
        let now = Clock.uptime
        for institution in tip.state.institutionIDs where institution != self.context.institution {
            for kind in [ManifestKind.exams, .receipts] {
                let head = kind == .exams ? tip.state.commitmentHead(institution) : tip.state.receiptHead(institution)
                guard head.next > 0 else { continue }
                let gaps = try self.context.locators.gaps(kind, institution: institution, in: 0...head.next - 1)
                for number in gaps.flatMap({ Array($0) }) {
                    let batch =
                        kind == .exams
                        ? tip.state.commitmentBatch(institution, number) : tip.state.receiptBatch(institution, number)
                    guard let batch else { continue }
                    self.wants.add(.manifest(batch.anchor.manifest, institution, kind, batch: number), now: now)
                }
            }
        }
        try self.context.custody.forEachGrantedRecord { record, custodian, _ in
            guard try !self.context.vault.contains(record) else { return }
            self.wants.add(.record(record, custodian), now: now)
        }
        for grant in try self.context.custody.activeGrants(now: Clock.now) where grant.isGrantee {
            guard let state = tip.state.grant(grant.id) else { continue }
            self.granted(grant.id, state.grant)
        }
        self.bell.ring()
    }

    /// Returns when the record is here, or when waiting any longer would keep a person waiting in vain.
    package func obtain(_ record: ContentAddress, from custodian: InstitutionID, atMost wait: Duration) async {
        guard (try? self.context.vault.contains(record)) != true else { return }
        self.wants.add(.record(record, custodian), now: Clock.uptime)
        self.bell.ring()
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

    // MARK: Fetching

    /// Runs until cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await (grants, custodian) in self.hints.stream { await self.pagesPublished(grants, by: custodian) }
            }
            while !Task.isCancelled {
                while let (peer, wants) = self.wants.next(
                    peers: self.peers,
                    objectsMax: PeerRequest.objectsMax,
                    now: Clock.uptime
                ) {
                    group.addTask { await self.fetch(wants, from: peer) }
                }
                let wait = self.wants.nextDue.map { max(10, $0 - Clock.uptime) } ?? 60_000
                await self.bell.wait(atMost: .milliseconds(wait))
            }
            group.cancelAll()
        }
    }

    private func fetch(_ wants: [Want], from peer: InstitutionID) async {
        var satisfied: Set<Want> = []
        do {
            if case .pages(let grant, let custodian)? = wants.first {
                if try await self.fetchPages(grant, from: custodian) { satisfied.formUnion(wants) }
            } else {
                satisfied = try await self.fetchObjects(wants, from: peer)
            }
        } catch let failure as VaultError where failure.code == .diskFull {
            self.context.logger.error("replication waits for disk space")
        } catch {
            self.context.logger.debug("a fetch failed", metadata: ["peer": "\(peer)", "error": "\(error)"])
        }
        self.wants.finished(peer, wants, satisfied: satisfied, now: Clock.uptime)
        self.bell.ring()
    }

    private func fetchObjects(_ wants: [Want], from peer: InstitutionID) async throws -> Set<Want> {
        var open: [ContentAddress: Want] = [:]
        var satisfied: Set<Want> = []
        for want in wants {
            guard let address = want.address else { continue }
            // Stored by an earlier run that was killed before it indexed it.
            if let object = try? self.context.vault.read(address) {
                try self.index(want, object)
                satisfied.insert(want)
            } else {
                open[address] = want
            }
        }
        guard !open.isEmpty else { return satisfied }
        let request = PeerRequest.objects(open.keys.sorted()).canonicalBytes
        let objects = try await self.link.fetch(request, from: peer) { frames in
            try await ObjectReader.read(frames, countMax: PeerRequest.objectsMax)
        }
        // Only what was asked for counts, by the digest of what came.
        let wanted = objects.filter { open[$0.address] != nil }
        try await self.context.vault.append(wanted, .bulk)
        for object in wanted {
            guard let want = open[object.address] else { continue }
            try self.index(want, object)
            satisfied.insert(want)
            self.resume(object.address)
        }
        return satisfied
    }

    private func index(_ want: Want, _ object: SealedObject) throws {
        guard case .manifest(let address, let institution, let kind, let batch) = want else { return }
        switch kind {
        case .exams:
            let manifest = try Manifest(canonicalBytes: object.body)
            guard manifest.institution == institution, manifest.batch == batch,
                manifest.root == self.context.board.tip.state.commitmentBatch(institution, batch)?.anchor.root
            else { throw Self.liar(institution) }
            _ = try self.context.locators.add(manifest, address: address)
        case .receipts:
            let manifest = try ReceiptManifest(canonicalBytes: object.body)
            guard manifest.institution == institution, manifest.batch == batch,
                manifest.root == self.context.board.tip.state.receiptBatch(institution, batch)?.anchor.root
            else { throw Self.liar(institution) }
            _ = try self.context.locators.add(manifest, address: address)
        }
    }

    /// Fetches the pages of a grant that are missing here.
    ///
    /// `true` when the custodian has shown all it has.
    private func fetchPages(_ grant: GrantID, from custodian: InstitutionID) async throws -> Bool {
        guard let state = self.context.board.tip.state.grant(grant), state.revokedHeight == nil,
            let key = self.context.board.tip.state.institution(custodian)?.card.signingKey
        else { return true }
        let first = try self.context.custody.nextMissingPage(grant: grant, custodian: custodian)
        let request = PeerRequest.pages(grant, from: first).canonicalBytes
        let objects = try await self.link.fetch(request, from: custodian) { frames in
            try await ObjectReader.read(frames, countMax: PeerRequest.objectsMax)
        }
        for (offset, object) in objects.enumerated() {
            let page = try KeyEnvelopePage(canonicalBytes: object.body)
            guard object.header.kind == .keyEnvelopePage, page.grant == grant, page.custodian == custodian,
                page.page == first + UInt32(offset), page.isSigned(by: key, chain: self.context.rules.chain),
                page.recipients.contains(where: { $0.institution == self.context.institution })
            else { throw Self.liar(custodian) }
            try await self.context.vault.append([object])
            try self.context.custody.savePage(
                grant: grant,
                custodian: custodian,
                page: page.page,
                object: object.address,
                records: page.entries.map(\.record)
            )
            for entry in page.entries where try !self.context.vault.contains(entry.record) {
                self.wants.add(.record(entry.record, custodian), now: Clock.uptime)
            }
        }
        return objects.count < PeerRequest.objectsMax
    }

    private static func liar(_ institution: InstitutionID) -> AgentFailure {
        AgentFailure(.proofIncomplete, "\(institution) published an object that is not what it committed to")
    }
}
