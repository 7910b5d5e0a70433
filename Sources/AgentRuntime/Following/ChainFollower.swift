import Ledger
package import LedgerStore
import Logging
package import Primitives
package import Records
import Vault

/// Reads every final block once, in order, and does what it means for this institution: indexes manifests, wraps keys
/// for grants, asks for what others published.
///
/// It keeps its place in the custody store, so that nothing is missed or done for good twice, whenever the agent is
/// stopped.
package struct ChainFollower: Sendable {
    /// What the follower asks of the rest of the agent.
    package struct Outlets: Sendable {
        /// A manifest of another institution is on the chain.
        package var want: @Sendable (ContentAddress, InstitutionID, ManifestKind, UInt64) async -> Void
        /// A grant lets this institution read.
        package var granted: @Sendable (GrantID, AccessGrant) async -> Void
        package var revoked: @Sendable (GrantID) async -> Void
        /// Pages for a grant wait here for its grantees.
        package var pagesPublished: @Sendable (GrantID, [InstitutionID]) -> Void
        package var institutionsChanged: @Sendable () -> Void
        /// An emergency access of this institution is on the chain.
        package var emergencyOpened: @Sendable (GrantID) throws -> Void

        package init(
            want: @escaping @Sendable (ContentAddress, InstitutionID, ManifestKind, UInt64) async -> Void,
            granted: @escaping @Sendable (GrantID, AccessGrant) async -> Void,
            revoked: @escaping @Sendable (GrantID) async -> Void,
            pagesPublished: @escaping @Sendable (GrantID, [InstitutionID]) -> Void,
            institutionsChanged: @escaping @Sendable () -> Void,
            emergencyOpened: @escaping @Sendable (GrantID) throws -> Void
        ) {
            self.want = want
            self.granted = granted
            self.revoked = revoked
            self.pagesPublished = pagesPublished
            self.institutionsChanged = institutionsChanged
            self.emergencyOpened = emergencyOpened
        }
    }

    private static let mark = "follower"
    private static let blocksPerRead = 4 << 20
    /// Blocks after which the registry of peers is read again.
    private static let registryInterval: UInt64 = 64

    private let context: AgentContext
    private let book: GrantBook
    private let wrapper: KeyWrapper
    private let final: FinalBatches
    private let outlets: Outlets
    private let bell: Bell

    /// `bell`: rung after every commit.
    package init(
        context: AgentContext,
        book: GrantBook,
        wrapper: KeyWrapper,
        final: FinalBatches,
        outlets: Outlets,
        bell: Bell
    ) {
        self.context = context
        self.book = book
        self.wrapper = wrapper
        self.final = final
        self.outlets = outlets
        self.bell = bell
    }

    /// Runs until cancelled.
    package func run() async {
        while !Task.isCancelled {
            do {
                if try await self.follow() { continue }
                await self.bell.wait()
            } catch {
                // A full disk, mostly. Nothing is skipped: the same block is read again.
                self.context.logger.error("following the chain is held up", metadata: ["error": "\(error)"])
                await self.bell.wait(atMost: .seconds(5))
            }
        }
    }

    /// Reads the blocks after the last one read.
    ///
    /// Whether there were any.
    private func follow() async throws -> Bool {
        let last = try self.context.custody.mark(Self.mark) ?? 0
        let blocks = try self.context.chain.blocks(from: Height(last + 1), maxBytes: Self.blocksPerRead)
        for block in blocks {
            try await self.read(block)
            try self.context.custody.setMark(Self.mark, block.header.height.value)
            // Replaced transport keys run out at a height, without a transaction.
            if block.header.height.value % Self.registryInterval == 0 { self.outlets.institutionsChanged() }
        }
        return !blocks.isEmpty
    }

    private func read(_ block: StoredBlock) async throws {
        let transactions = try BlockBody(canonicalBytes: block.body).transactions
        for (transaction, bytes) in zip(transactions, block.receipts) {
            let receipt = try TransactionReceipt(canonicalBytes: bytes)
            guard receipt.code == .ok, let call = try? LedgerCall(of: transaction.body) else { continue }
            try await self.act(on: call, in: block.header)
        }
    }

    private func act(on call: LedgerCall, in header: BlockHeader) async throws {
        switch call {
        case .commitments(.commitExams(let anchor)):
            if anchor.institution == self.context.institution {
                try await self.ownBatch(anchor, header)
            } else {
                await self.outlets.want(anchor.manifest, anchor.institution, .exams, anchor.number)
            }
        case .receipts(.anchorReceipts(let anchor)):
            if anchor.institution == self.context.institution {
                try self.ownReceipts(anchor, header)
            } else {
                await self.outlets.want(anchor.manifest, anchor.institution, .receipts, anchor.number)
            }
        case .recognition(.anchorFacts(let anchor)):
            if anchor.institution == self.context.institution {
                try self.ownFacts(anchor, header)
            } else {
                await self.outlets.want(anchor.manifest, anchor.institution, .facts, anchor.number)
            }
        case .grants(.createGrant(let grant)): try await self.granted(grant)
        case .grants(.revokeGrant(let id)):
            if try self.context.custody.grant(id) != nil { try self.context.custody.markRevoked(id) }
            await self.outlets.revoked(id)
        case .grants(.createGroup(let group, _)): try await self.groupChanged(group, header)
        case .grants(.changeGroup(let change)): try await self.groupChanged(change.group, header)
        case .grants(.chooseDiscovery(let choice)):
            self.book.add(choice)
            let key = StateKey.discovery(choice).digest
            try self.context.custody.note(.discovery, key: key, value: choice.canonicalBytes)
        case .delegations(.create(let delegation)):
            self.book.add(delegation.id, delegation)
            let key = StateKey.delegation(delegation.id).digest
            try self.context.custody.note(.delegation, key: key, value: delegation.canonicalBytes)
        case .delegations(.declare(let event)):
            self.book.add(event)
            try self.context.custody.note(.lifeEvent, key: event.id.digest, value: event.canonicalBytes)
            try await self.mandatesChanged(event.handle, event.salt, event.bucket)
        case .delegations(.withdraw(let id)):
            guard let event = self.context.board.tip.state.lifeEvent(id)?.event else { return }
            try await self.mandatesChanged(event.handle, event.salt, event.bucket)
        case .delegations(.end(let id)):
            guard let ended = self.context.board.tip.state.delegation(id)?.delegation else { return }
            try await self.mandatesChanged(ended.handle, ended.salt, ended.bucket)
        case .delegations(.decide(let id, _, _, _)):
            guard let grant = self.context.board.tip.state.grant(id)?.grant else { return }
            try await self.mandatesChanged(grant.handle, grant.salt, grant.bucket)
        case .emergency(.open(let opening)): try await self.opened(opening)
        case .emergency(.reconcile(let entry)):
            if case .opening(let opening, _, _) = entry.content { try await self.opened(opening) }
        case .erasures(.request(let erasure)):
            try self.context.custody.note(.erasure, key: erasure.id.digest, value: erasure.canonicalBytes)
            self.context.erasures.add(erasure.id)
        case .erasures(.decide(let id, _, _)): self.context.erasures.add(id)
        case .identities(.link(let link)):
            try self.context.custody.note(.identity, key: link.id.digest, value: link.canonicalBytes)
            self.book.noteLinks()
            for grant in try await self.wrapper.linkBecameFinal(link, now: Clock.now) { self.announce(grant) }
        case .identities(.unlink(let unlink)):
            if let link = self.context.board.tip.state.identityLink(unlink.link)?.link {
                try await self.wrapper.linkEnded(link)
            }
        // What they mean is read from the state whenever access is judged.
        case .grants(.narrowGrant), .grants(.openReferral), .grants(.closeReferral), .delegations(.object),
            .emergency(.review), .grants(.enrolPatient), .anomalies, .policies, .pseudonymKeys, .erasures(.prove):
            break
        case .institutions: self.outlets.institutionsChanged()
        }
    }

    private func ownBatch(_ anchor: BatchAnchor, _ header: BlockHeader) async throws {
        if let object = try self.ownManifest(anchor) {
            _ = try self.context.locators.add(Manifest(canonicalBytes: object.body), address: anchor.manifest)
        }
        guard try self.isOwn(anchor, .exams) else { return }
        for grant in try await self.wrapper.batchBecameFinal(anchor.number, now: Clock.now) { self.announce(grant) }
        try self.markFinal(.exams, anchor, header)
        self.final.resolve(anchor.number, .exams, header.height)
    }

    /// Whether the store knows the batch that this institution committed.
    ///
    /// A home that was restored from an older backup does not, and must follow the chain all the same.
    private func isOwn(_ anchor: BatchAnchor, _ kind: ManifestKind) throws -> Bool {
        if let batch = try self.context.custody.batch(kind, number: anchor.number), batch.root == anchor.root {
            return true
        }
        self.context.logger.critical(
            "a batch of this institution is not in its store, which may come from an older backup: import it again",
            metadata: ["batch": "\(anchor.number)", "kind": "\(kind)"]
        )
        return false
    }

    /// An own manifest; `nil` if the disk has damaged it, which must not hold up the rest of the chain.
    private func ownManifest(_ anchor: BatchAnchor) throws -> SealedObject? {
        do throws(VaultError) {
            return try self.context.vault.read(anchor.manifest)
        } catch {
            guard error.code == .damaged || error.code == .notFound else { throw error }
            self.context.logger.critical(
                "an own manifest is damaged: what it lists is missing here",
                metadata: ["batch": "\(anchor.number)"]
            )
            return nil
        }
    }

    private func ownReceipts(_ anchor: BatchAnchor, _ header: BlockHeader) throws {
        if let object = try self.ownManifest(anchor) {
            _ = try self.context.locators.add(ReceiptManifest(canonicalBytes: object.body), address: anchor.manifest)
        }
        guard try self.isOwn(anchor, .receipts) else { return }
        try self.markFinal(.receipts, anchor, header)
        self.final.resolve(anchor.number, .receipts, header.height)
    }

    private func mandatesChanged(_ handle: PatientHandle, _ salt: [UInt8], _ bucket: UInt8) async throws {
        for grant in try await self.wrapper.mandatesChanged(handle, salt: salt, bucket: bucket, now: Clock.now) {
            self.announce(grant)
        }
    }

    private func opened(_ opening: BreakGlass) async throws {
        let id = opening.grant.id
        try self.context.custody.note(.emergency, key: id.digest, value: opening.canonicalBytes)
        try await self.granted(opening.grant)
        if opening.grant.grantor == .emergency(self.context.institution) { try self.outlets.emergencyOpened(id) }
    }

    private func ownFacts(_ anchor: BatchAnchor, _ header: BlockHeader) throws {
        if let object = try self.ownManifest(anchor) {
            _ = try self.context.locators.add(FactManifest(canonicalBytes: object.body), address: anchor.manifest)
        }
        guard try self.isOwn(anchor, .facts) else { return }
        try self.markFinal(.facts, anchor, header)
        self.final.resolve(anchor.number, .facts, header.height)
    }

    private func markFinal(_ kind: ManifestKind, _ anchor: BatchAnchor, _ header: BlockHeader) throws {
        try self.context.custody.markFinal(kind, number: anchor.number, height: header.height, time: header.time)
    }

    private func granted(_ grant: AccessGrant) async throws {
        let id = grant.id
        let isGrantee = self.mayRead(grant)
        self.book.add(id, grant)
        try self.context.custody.save(
            KnownGrant(
                id: id,
                isCustodian: grant.custodians.isEmpty || grant.custodians.contains(self.context.institution),
                isGrantee: isGrantee,
                notBefore: grant.notBefore,
                notAfter: grant.notAfter
            )
        )
        if try await self.wrapper.grantBecameFinal(id, grant, now: Clock.now) { self.announce(id) }
        if isGrantee { await self.outlets.granted(id, grant) }
    }

    private func mayRead(_ grant: AccessGrant) -> Bool {
        let tip = self.context.board.tip
        return grant.grantees.contains(self.context.institution)
            || tip.state.groups(of: grant).contains { $0.isMember(self.context.institution, at: tip.height) }
    }

    private func groupChanged(_ group: GroupID, _ header: BlockHeader) async throws {
        for grant in try await self.wrapper.groupChanged(group, in: header.height, now: Clock.now) {
            self.announce(grant)
        }
        // This institution may have become a reader of older grants.
        for id in self.book.grants(to: group) {
            guard let state = self.context.board.tip.state.grant(id), state.revokedHeight == nil,
                self.mayRead(state.grant)
            else { continue }
            try self.context.custody.markGrantee(id)
            await self.outlets.granted(id, state.grant)
        }
    }

    private func announce(_ grant: GrantID) {
        self.outlets.pagesPublished(grant, self.wrapper.readers(of: grant))
    }
}
