internal import Primitives

/// What a leader would build on.
enum ParentSearch: Sendable {
    case found(view: View, hash: Digest, Justification)
    /// How this view and perhaps some before it ended is not known here.
    case missing(View)
    /// More views failed in a row than a justification can show.
    case tooFar
}

/// Proposals, and the blocks held above the final one: rules V2 and V3.
extension ConsensusMachine {
    // MARK: Proposing

    /// V2.
    mutating func propose() {
        guard self.canVote, self.isLeader, self.isAwake, !self.isSyncing else { return }
        let round = self.rounds[self.view] ?? self.emptyRound
        guard round.own.notarize == nil, !round.own.nullify, case .found(let view, let hash, let just) = self.parent(),
            let parent = self.executedHeader(hash)
        else { return }
        let isCrowded = parent.height.value - self.final.height.value >= ConsensusLimits.undecidedBlocksMax
        var allowEmpty = false
        switch round.build {
        case .requested:
            return
        case .idle where self.isPending && !isCrowded:
            break
        case .idle, .nothingToAdd:
            guard hash != self.final.hash else { return }
            guard round.isEmptyDue else {
                if self.timers[.empty] == nil { self.setTimer(.empty, after: self.delay) }
                return
            }
            allowEmpty = true
        }
        let request = BuildRequest(
            epoch: self.context.epoch,
            view: self.view,
            parent: parent,
            parentHash: hash,
            parentView: view,
            justificationHash: just.hash,
            proposer: self.context.leader(of: self.view),
            time: max(self.now, parent.time.advanced(byMilliseconds: 1)),
            validatorsHash: self.context.validators.hash,
            withTransactions: !isCrowded,
            allowEmpty: allowEmpty
        )
        self.update(self.view) { $0.build = .requested(request, just) }
        self.emit(.build(request))
    }

    /// The last view that was notarized, if every later one is known to be nullified.
    mutating func parent() -> ParentSearch {
        if let known = self.parentSearch { return known }
        let search = self.searchParent()
        self.parentSearch = search
        return search
    }

    private func searchParent() -> ParentSearch {
        var nullifications: [Certificate] = []
        var view = View(self.view.value - 1)
        while view > self.final.view {
            let round = self.rounds[view]
            if let certificate = round?.notarization ?? round?.finalization, let hash = certificate.hash {
                let just = Justification(parent: certificate, nullifications: nullifications.reversed())
                return .found(view: view, hash: hash, just)
            }
            guard let nullification = round?.nullification else { return .missing(view) }
            nullifications.append(nullification)
            guard nullifications.count <= Justification.nullificationsMax else { return .tooFar }
            view = View(view.value - 1)
        }
        let just = Justification(parent: self.final.certificate, nullifications: nullifications.reversed())
        return .found(view: self.final.view, hash: self.final.hash, just)
    }

    mutating func built(_ view: View, _ outcome: BuildOutcome) {
        guard view == self.view, case .requested(let request, let just) = self.rounds[view]?.build else { return }
        switch outcome {
        case .nothingToAdd where !request.allowEmpty:
            self.rounds[view]?.build = .nothingToAdd
        case .failed, .nothingToAdd:
            self.nullify()
        case .block(let header, let body):
            precondition(
                header.view == view && header.parentHash == request.parentHash && header.time == request.time
                    && header.justificationHash == request.justificationHash && body.count <= Block.bodyBytesMax,
                "the application builds what it was asked for"
            )
            let block = Block(header: header, body: body, justification: just)
            guard self.canVote, self.rounds[view]?.own.notarize == nil, self.isAbove(header) else { return }
            self.insert(block, .executed)
            self.rounds[view]?.proposal = block.hash
            self.cast(.notarize(.notarize(block.hash, view: view, epoch: self.context.epoch), block))
        }
    }

    // MARK: Receiving

    /// V3 up to the execution.
    ///
    /// A proposal carries the certificate of the view before its own, so one for a later view brings this agent there;
    /// nothing needs to be held for later.
    mutating func received(_ proposal: Proposal, from peer: InstitutionID) {
        let header = proposal.block.header
        guard self.isAcceptable(header), self.context.validators.index(of: peer) == header.proposer else { return }
        guard header.view > self.final.view else {
            self.answerBehind(peer)
            return
        }
        let hash = proposal.block.hash
        if self.rounds[header.view]?.proposal == hash {
            self.admit(proposal.vote, isVerified: false)
            return
        }
        guard proposal.vote.isValid(in: self.context, checker: self.checker) else { return }
        if header.view > self.view {
            guard self.check(proposal.block) else { return }
            self.admit(proposal.vote, isVerified: true)
        } else {
            self.admit(proposal.vote, isVerified: true)
            guard header.view == self.view else {
                // Too late to vote for, but a quorum did.
                if header.view < self.view { self.answerBehind(peer) }
                self.receivedMissing(proposal.block)
                return
            }
            guard self.rounds[header.view]?.proposal == nil else {
                self.receivedMissing(proposal.block)
                return
            }
            guard self.check(proposal.block) else {
                self.rounds[header.view]?.isProposalRefused = true
                return
            }
        }
        guard header.view == self.view, self.isAbove(header) else { return }
        self.update(header.view) { $0.proposal = hash }
        self.insert(proposal.block, .held)
    }

    /// Header fields that need no other block.
    private func isAcceptable(_ header: BlockHeader) -> Bool {
        header.chain == self.context.chain && header.epoch == self.context.epoch && header.view > View(0)
            && header.view.value <= ConsensusLimits.viewMax && header.parentView < header.view
            && header.proposer == self.context.leader(of: header.view)
            && header.validatorsHash == self.context.validators.hash && header.nextValidatorsHash == .zero
    }

    /// Whether the justification is complete and every certificate in it holds.
    ///
    /// All of them are learned.
    private mutating func check(_ block: Block) -> Bool {
        let header = block.header
        guard header.parentView >= self.final.view, block.justification.fits(header) else { return false }
        if header.parentView == self.final.view, header.parentHash != self.final.hash { return false }
        // The last one first: it is what a forged justification is least likely to have.
        for certificate in block.justification.nullifications.reversed() {
            guard self.received(certificate) else { return false }
        }
        guard let parent = block.justification.parent else { return true }
        return self.received(parent)
    }

    // MARK: Holding and executing

    /// Takes a block that certificates show to be needed, from whoever sends it.
    mutating func receivedMissing(_ block: Block) {
        guard let missing = self.missingBlocks().first(where: { $0.hash == block.hash }),
            block.justification.hash == block.header.justificationHash
        else { return }
        if !self.isAbove(block.header), missing.certificate.kind == .finalize {
            // Decided, and beside the decided chain.
            self.halt(.conflictingFinalization(missing.certificate, self.final))
        }
        self.insert(block, .held)
    }

    mutating func insert(_ block: Block, _ state: HeldBlock.State) {
        guard self.blocks[block.hash] == nil, self.isAbove(block.header) else { return }
        self.blocks[block.hash] = HeldBlock(block: block, state: state)
        self.children[block.header.parentHash, default: []].append(block.hash)
        if case .held = state { self.execute(block.hash) }
    }

    /// Hands a held block to the application if its parent is executed.
    mutating func execute(_ hash: Digest) {
        guard let held = self.blocks[hash], case .held = held.state,
            let parent = self.executedHeader(held.block.header.parentHash)
        else { return }
        let header = held.block.header
        let parentView = header.parentHash == self.final.hash ? self.final.view : parent.view
        let (height, overflow) = parent.height.value.addingReportingOverflow(1)
        guard !overflow, header.height.value == height, header.historySize == height, header.time > parent.time,
            header.parentView == parentView
        else {
            self.refuse(hash)
            return
        }
        self.blocks[hash]?.state = .verifying
        self.emit(.verify(held.block))
    }

    func executedHeader(_ hash: Digest) -> BlockHeader? {
        if hash == self.final.hash { return self.final.header }
        guard let held = self.blocks[hash], case .executed = held.state else { return nil }
        return held.block.header
    }

    mutating func verified(_ hash: Digest, _ outcome: VerifyOutcome) {
        // The block may have been overtaken by a commit.
        guard let held = self.blocks[hash], case .verifying = held.state else { return }
        switch outcome {
        case .valid:
            self.blocks[hash]?.state = .executed
            self.fetchAttempt = 0
            self.unansweredFetches = 0
            for child in self.children[hash] ?? [] { self.execute(child) }
        case .unavailable:
            self.blocks[hash]?.state = .held
            self.postponed.append(hash)
        case .bodyMismatch:
            self.blocks[hash] = nil
            self.children[held.block.header.parentHash]?.removeAll { $0 == hash }
            self.refuseProposal(hash, view: held.block.header.view)
        case .invalid:
            self.refuse(hash)
        }
    }

    private mutating func refuse(_ hash: Digest) {
        guard let view = self.blocks[hash]?.block.header.view else { return }
        self.blocks[hash]?.state = .refused
        let isCertified = self.rounds[view].map { $0.notarization?.hash == hash || $0.finalization?.hash == hash }
        if isCertified == true {
            self.halt(.stateDivergence(hash))
        } else {
            self.refuseProposal(hash, view: view)
        }
    }

    private mutating func refuseProposal(_ hash: Digest, view: View) {
        guard self.rounds[view]?.proposal == hash else { return }
        self.rounds[view]?.isProposalRefused = true
    }
}
