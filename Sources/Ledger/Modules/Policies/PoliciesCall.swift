package import Primitives
internal import Records

/// The rules of recognition as the members agree on them: proposed by one, adopted by a quorum, replaced by newer ones.
package enum PoliciesCall: Hashable, Sendable {
    /// Signed by the proposing institution, whose approval it is; replaces its proposal that was not adopted.
    case propose(PolicyProposal)
    /// A piece of the pack, signed by the proposing institution.
    case publishChunk(PolicyProposalID, InstitutionID, index: UInt16, bytes: [UInt8])
    /// Signed by the approving institution; the proposer is named so that the proposal is found.
    case approve(PolicyProposalID, proposer: InstitutionID, by: InstitutionID)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .propose(let proposal): try Self.propose(proposal, in: &context)
        case .publishChunk(let id, let proposer, let index, let bytes):
            try Self.publish(bytes, index: index, of: id, by: proposer, in: &context)
        case .approve(let id, let proposer, let approver):
            try Self.approve(id, of: proposer, by: approver, in: &context)
        }
    }

    /// How many of `count` members must approve: as many as votes make a block final among as many validators.
    package static func quorum(of count: Int) -> Int { count - (count - 1) / 3 }

    private static func require(
        _ institution: InstitutionID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        try context.require(signers: [.institution(institution)], else: .policyWrongSigner)
        guard try context.exists(.institution(institution)) else {
            throw TransactionRefusal(.policyUnknownInstitution)
        }
    }

    private static func propose(
        _ proposal: PolicyProposal,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        try self.require(proposal.institution, in: &context)
        guard proposal.isWellFormed else { throw TransactionRefusal(.policyBadSize) }
        let latest = context.time.advanced(byMilliseconds: PolicyProposal.leadMillisecondsMax)
        guard proposal.effectiveFrom <= latest, proposal.undoMinutes <= PolicyProposal.undoMinutesMax else {
            throw TransactionRefusal(.policyBadTerms)
        }
        let head = try context.value(PolicyHead.self, at: .policyHead) ?? .start
        try self.checkOrder(proposal, head)
        let open: OpenPolicyProposal? = try context.value(at: .openPolicyProposal(proposal.institution))
        guard open?.proposal != proposal else { throw TransactionRefusal(.policyProposalExists) }
        try context.write(OpenPolicyProposal(proposal: proposal), at: .openPolicyProposal(proposal.institution))
        context.emit(.policyProposed(proposal))
    }

    private static func publish(
        _ bytes: [UInt8],
        index: UInt16,
        of id: PolicyProposalID,
        by proposer: InstitutionID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        try self.require(proposer, in: &context)
        var open = try self.open(id, of: proposer, in: &context)
        guard open.proposal.chunks.indices.contains(Int(index)),
            bytes.count == open.proposal.byteCount(ofChunk: Int(index)),
            PolicyProposal.chunkDigest(bytes) == open.proposal.chunks[Int(index)]
        else { throw TransactionRefusal(.policyBadChunk) }
        guard open.chunkHeights[Int(index)] == nil else { throw TransactionRefusal(.policyChunkExists) }
        open.chunkHeights[Int(index)] = context.height
        context.emit(.policyChunkPublished(id, index: index))
        try self.settle(open, in: &context)
    }

    private static func approve(
        _ id: PolicyProposalID,
        of proposer: InstitutionID,
        by approver: InstitutionID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        try self.require(approver, in: &context)
        var open = try self.open(id, of: proposer, in: &context)
        // Nobody can have read what is not there.
        guard open.isComplete else { throw TransactionRefusal(.policyIncomplete) }
        let isApproved = try context.exists(.policyApproval(id, approver))
        guard !isApproved, approver != proposer else { throw TransactionRefusal(.policyAlreadyApproved) }
        try context.write(context.height, at: .policyApproval(id, approver))
        open.approvals += 1
        try self.settle(open, in: &context)
    }

    private static func open(
        _ id: PolicyProposalID,
        of proposer: InstitutionID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) -> OpenPolicyProposal {
        guard let open: OpenPolicyProposal = try context.value(at: .openPolicyProposal(proposer)),
            open.proposal.id == id
        else { throw TransactionRefusal(.policyUnknownProposal) }
        return open
    }

    /// Versions ascend without a fork: whoever proposes has seen the newest pack.
    private static func checkOrder(_ proposal: PolicyProposal, _ head: PolicyHead) throws(TransactionRefusal) {
        guard proposal.version > head.version else {
            throw TransactionRefusal(.policyBadVersion, detail: String(head.version))
        }
        guard proposal.previous == head.previous else { throw TransactionRefusal(.policyWrongPrevious) }
    }

    /// Adopts the proposal if it is complete and enough approve, else keeps it open.
    private static func settle(
        _ open: OpenPolicyProposal,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        let head = try context.value(PolicyHead.self, at: .policyHead) ?? .start
        // Another one may have been adopted meanwhile.
        try self.checkOrder(open.proposal, head)
        let members = try context.value(InstitutionIDs.self, at: .institutionIDs)?.ids.count ?? 0
        guard open.isComplete, Int(open.approvals) >= self.quorum(of: members) else {
            try context.write(open, at: .openPolicyProposal(open.proposal.institution))
            return
        }
        let state = PolicyState(
            index: head.next,
            proposal: open.proposal,
            chunkHeights: open.chunkHeights.compactMap { $0 },
            approvals: open.approvals,
            adoptedHeight: context.height,
            adoptedTime: context.time
        )
        let (next, overflow) = head.next.addingReportingOverflow(1)
        guard !overflow else { throw TransactionRefusal(.policyBadVersion) }
        try context.write(state, at: .policy(head.next))
        let newHead = PolicyHead(next: next, version: open.proposal.version, previous: open.proposal.id.digest)
        try context.write(newHead, at: .policyHead)
        try context.remove(.openPolicyProposal(open.proposal.institution))
        context.emit(.policyAdopted(state))
    }
}

extension PoliciesCall: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .propose(let proposal):
            encoder.encode(variant: 0)
            encoder.encode(proposal)
        case .publishChunk(let id, let proposer, let index, let bytes):
            encoder.encode(variant: 1)
            encoder.encode(id)
            encoder.encode(proposer)
            encoder.encode(index)
            encoder.encode(bytes: bytes)
        case .approve(let id, let proposer, let approver):
            encoder.encode(variant: 2)
            encoder.encode(id)
            encoder.encode(proposer)
            encoder.encode(approver)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 3) {
        case 0: self = .propose(try decoder.decode())
        case 1:
            self = .publishChunk(
                try decoder.decode(),
                try decoder.decode(),
                index: try decoder.decode(),
                bytes: try decoder.decodeBytes(max: PolicyProposal.chunkBytes)
            )
        default:
            self = .approve(try decoder.decode(), proposer: try decoder.decode(), by: try decoder.decode())
        }
    }
}

/// What the next adopted pack must follow.
struct PolicyHead: Hashable, Sendable, CanonicalCodable {
    static let start = PolicyHead(next: 0, version: 0, previous: .zero)

    /// Index of the next adopted pack.
    var next: UInt32
    var version: UInt64
    /// Id of the newest adopted proposal.
    var previous: Digest

    init(next: UInt32, version: UInt64, previous: Digest) {
        self.next = next
        self.version = version
        self.previous = previous
    }

    func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.next)
        encoder.encode(self.version)
        encoder.encode(self.previous)
    }

    init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.next = try decoder.decode()
        self.version = try decoder.decode()
        self.previous = try decoder.decode()
    }
}

extension StateKey {
    fileprivate static let policyHead = StateKey(.policies, tag: 1)

    /// The adopted pack `index`.
    package static func policy(_ index: UInt32) -> StateKey {
        StateKey(.policies, tag: 2) { encoder in encoder.encode(index) }
    }

    /// The height at which an institution other than the proposer approved.
    package static func policyApproval(_ id: PolicyProposalID, _ institution: InstitutionID) -> StateKey {
        StateKey(.policies, tag: 4) { encoder in
            encoder.encode(id)
            encoder.encode(institution)
        }
    }

    /// The one open proposal of an institution.
    package static func openPolicyProposal(_ institution: InstitutionID) -> StateKey {
        StateKey(.policies, tag: 3, institution)
    }
}

extension StateReading {
    /// The adopted packs, in the order of adoption.
    package var policies: PolicyTimeline {
        let head = self.value(PolicyHead.self, at: .policyHead) ?? .start
        return PolicyTimeline((0..<head.next).compactMap { self.value(at: .policy($0)) })
    }

    /// What an institution's next proposal must name as the one before, and exceed.
    package var newestPolicy: (version: UInt64, previous: Digest) {
        let head = self.value(PolicyHead.self, at: .policyHead) ?? .start
        return (head.version, head.previous)
    }

    /// Whether an institution approved a proposal, by its own proposal or by an approval.
    package func isApproved(_ proposal: PolicyProposal, by institution: InstitutionID) -> Bool {
        institution == proposal.institution || self.bytes(at: .policyApproval(proposal.id, institution)) != nil
    }

    package func openPolicyProposal(of institution: InstitutionID) -> OpenPolicyProposal? {
        self.value(at: .openPolicyProposal(institution))
    }
}
