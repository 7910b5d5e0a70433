package import Ledger
package import Primitives
package import Records

/// Brings policy packs before the members: proposes, approves and lists them.
///
/// The ledger does not read packs, so that every agent does before its institution's name goes under one.
package struct PolicyDesk: Sendable {
    /// A proposal that is not adopted yet, as this institution sees it.
    package struct Open: Sendable {
        package var state: OpenPolicyProposal
        package var isApprovedHere: Bool
    }

    private let context: AgentContext
    private let desk: TransactionDesk
    private let shelf: PolicyShelf

    package init(context: AgentContext, desk: TransactionDesk) {
        self.context = context
        self.desk = desk
        self.shelf = PolicyShelf(context: context)
    }

    /// How many members must approve.
    package var quorum: Int { PoliciesCall.quorum(of: self.context.board.tip.state.institutionIDs.count) }

    /// The adopted packs, in the order of adoption.
    package var adopted: [PolicyState] { self.context.board.tip.state.policies.packs }

    /// The proposals that wait for approval, by institution.
    package var open: [Open] {
        let state = self.context.board.tip.state
        return state.institutionIDs.compactMap { institution in
            state.openPolicyProposal(of: institution).map {
                Open(state: $0, isApprovedHere: state.isApproved($0.proposal, by: self.context.institution))
            }
        }
    }

    /// Puts a pack on the chain as this institution's proposal, which is its approval.
    ///
    /// What an interrupted call has put there already is not put there again.
    ///
    /// - Returns: The proposal and the height of its last transaction.
    /// - Throws: ``AgentFailure`` `policyUnsound`, `transactionRefused`.
    package func propose(_ bytes: [UInt8]) async throws -> (PolicyProposal, Height) {
        let pack = try Self.sound(bytes)
        let state = self.context.board.tip.state
        let proposal = PolicyProposal(
            institution: self.context.institution,
            version: UInt64(pack.version),
            previous: state.newestPolicy.previous,
            pack: pack.hash,
            bytes: bytes,
            effectiveFrom: pack.effectiveTime,
            undoMinutes: UInt16(clamping: pack.undoMinutes)
        )
        if let done = state.policies.packs.last, done.proposal.pack == proposal.pack {
            return (done.proposal, done.adoptedHeight)
        }
        var height = self.context.board.tip.height
        if state.openPolicyProposal(of: self.context.institution)?.proposal != proposal {
            height = try await self.submit(.propose(proposal))
        }
        for (index, chunk) in PolicyProposal.chunks(of: bytes).enumerated() {
            let open = self.context.board.tip.state.openPolicyProposal(of: self.context.institution)
            // Where one member is a quorum, the last chunk adopts the pack.
            guard let open, open.proposal == proposal else { break }
            guard open.chunkHeights[index] == nil else { continue }
            height = try await self.submit(
                .publishChunk(proposal.id, self.context.institution, index: UInt16(index), bytes: chunk)
            )
        }
        return (proposal, height)
    }

    /// Approves a proposal, after reading it.
    ///
    /// - Throws: ``AgentFailure`` `policyUnknown`, `policyUnsound`, `policyDiffers`, `policyDamaged`, `transactionRefused`.
    package func approve(_ id: PolicyProposalID) async throws -> (PolicyProposal, Height) {
        let (open, _) = try self.proposal(id)
        let height = try await self.submit(
            .approve(id, proposer: open.state.proposal.institution, by: self.context.institution)
        )
        return (open.state.proposal, height)
    }

    /// An open proposal with its pack, read and found sound.
    package func proposal(_ id: PolicyProposalID) throws -> (Open, PolicyPack) {
        guard let open = self.open.first(where: { $0.state.proposal.id == id }) else {
            throw AgentFailure(
                .policyUnknown,
                "no such proposal waits for approval",
                hint: "Copy it from entente policy list; it may have been adopted or replaced."
            )
        }
        let proposal = open.state.proposal
        guard open.state.isComplete else {
            throw AgentFailure(
                .policyUnknown,
                "the proposal's pack is not on the chain yet",
                hint: "Its institution has to run entente policy publish to its end."
            )
        }
        let pack = try self.shelf.pack(proposal, chunkHeights: open.state.chunkHeights.compactMap { $0 })
        try Self.check(pack)
        guard UInt64(pack.version) == proposal.version, pack.effectiveTime == proposal.effectiveFrom,
            UInt16(clamping: pack.undoMinutes) == proposal.undoMinutes
        else {
            throw AgentFailure(
                .policyDiffers,
                "the proposal states another version, time or term than its pack",
                hint: "Do not approve it; tell the institution that proposed it."
            )
        }
        return (open, pack)
    }

    /// An adopted pack by its digest; `nil` asks for the one in force at a time.
    ///
    /// - Throws: ``AgentFailure`` `policyNone`, `policyUnknown`.
    package func adopted(_ pack: Digest?, asOf time: Timestamp) throws -> PolicyShelf.Volume {
        if let pack {
            guard let volume = try self.shelf.volume(pack: pack) else {
                throw AgentFailure(
                    .policyUnknown,
                    "the chain has adopted no such policy pack",
                    hint: "See entente policy list."
                )
            }
            return volume
        }
        guard let volume = try self.shelf.volume(asOf: time) else { throw Self.none }
        return volume
    }

    static let none = AgentFailure(
        .policyNone,
        "no policy pack is in force at that time",
        hint: "See entente policy list; a pack takes effect when enough members have approved it."
    )

    private func submit(_ call: PoliciesCall) async throws -> Height {
        try await self.desk.submit(self.desk.signed(.policies(call)))
    }

    private static func sound(_ bytes: [UInt8]) throws -> PolicyPack {
        guard let pack = try? PolicyPack(canonicalBytes: bytes) else {
            throw AgentFailure(
                .policyUnsound,
                "these are not the canonical bytes of a policy pack",
                hint: "Make them with entente policy sign."
            )
        }
        try self.check(pack)
        guard bytes.count <= PolicyProposal.chunksMax * PolicyProposal.chunkBytes,
            pack.undoMinutes <= UInt32(PolicyProposal.undoMinutesMax)
        else {
            throw AgentFailure(
                .policyUnsound,
                "the pack is larger than 3 MiB, or lets decisions be undone for longer than a day",
                hint: "Shorten it."
            )
        }
        return pack
    }

    private static func check(_ pack: PolicyPack) throws {
        let errors = pack.findings.filter { !$0.code.isWarning }
        guard let first = errors.first else { return }
        throw AgentFailure(
            .policyUnsound,
            "the pack has \(errors.count) errors, the first \(first.code.rawValue)",
            hint: "See entente policy lint."
        )
    }
}

extension PolicyPack {
    /// ``effectiveFrom`` as the ledger counts, as far as it can.
    fileprivate var effectiveTime: Timestamp {
        let (milliseconds, overflow) = self.effectiveFrom.multipliedReportingOverflow(by: 1000)
        return Timestamp(milliseconds: overflow ? (self.effectiveFrom < 0 ? .min : .max) : milliseconds)
    }
}
