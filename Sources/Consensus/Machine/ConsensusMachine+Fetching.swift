internal import Primitives

/// A block that certificates show to exist and that is not here.
struct MissingBlock {
    let hash: Digest
    /// The block's own certificate, or a descendant's.
    ///
    /// At least f + 1 honest validators among its signers have the block.
    let certificate: Certificate
}

/// Fetching what certificates prove to exist (F1 to F3).
///
/// A claim alone is never a reason to fetch.
extension ConsensusMachine {
    private enum Want {
        case block(MissingBlock)
        case certificates(through: View)
        case range(Certificate)
    }

    /// Keeps the fetch timer running exactly while something is missing.
    mutating func updateFetches() {
        guard self.phase != .halted else { return }
        let isMissing = !self.wants().isEmpty || !self.postponed.isEmpty
        if isMissing, self.timers[.fetch] == nil {
            // A proposal on its way arrives before this.
            self.setTimer(.fetch, after: self.isCatchingUp ? 0 : self.parameters.baseDelay / 4)
        }
        if !isMissing { self.cancelTimer(.fetch) }
    }

    mutating func fetch() {
        let postponed = self.postponed
        self.postponed = []
        for hash in postponed { self.execute(hash) }
        let wants = self.wants()
        guard !wants.isEmpty else { return }
        for want in wants {
            switch want {
            case .block(let missing):
                self.ask(.getBlock(missing.hash), self.others(missing.certificate.signerIndices))
            case .certificates(let view):
                let from = self.final.view.next
                self.ask(.getCertificates(epoch: self.context.epoch, from: from, through: view), self.others([]))
            case .range(let certificate):
                let bytes = UInt32(ConsensusMessage.rangeBytesMax)
                let candidates = self.others(certificate.signerIndices)
                self.ask(.getRange(from: self.final.height.next, bytesMax: bytes), candidates)
            }
        }
        self.fetchAttempt += 1
        self.unansweredFetches += 1
        // Nobody answers: everybody who could is away. Slow down to the pace of heartbeats.
        let rounds = min(self.unansweredFetches / max(self.context.validators.count, 4), 6)
        let wait = min(self.parameters.baseDelay << Int64(rounds), self.parameters.statusInterval)
        self.setTimer(.fetch, after: wait)
    }

    /// Somebody is there again: asks at the full pace.
    mutating func hurryFetches() {
        guard self.unansweredFetches > 0 else { return }
        self.unansweredFetches = 0
        self.cancelTimer(.fetch)
    }

    private mutating func ask(_ message: ConsensusMessage, _ candidates: [UInt16]) {
        guard !candidates.isEmpty else { return }
        let index = Int(candidates[self.fetchAttempt % candidates.count])
        self.emit(.send(message, to: self.context.validators.members[index].id))
    }

    /// The given validators first, then the rest, without this one; each agent starts elsewhere, to spread the load.
    private func others(_ first: [UInt16]) -> [UInt16] {
        let count = self.context.validators.count
        let shift = Int(self.local ?? 0) + 1
        let rotated = (0..<count).map { UInt16(($0 + shift) % count) }
        let preferred = rotated.filter { first.contains($0) }
        return (preferred + rotated.filter { !first.contains($0) }).filter { $0 != self.local }
    }

    private mutating func wants() -> [Want] {
        if let certificate = self.rangeTarget() { return [.range(certificate)] }
        var wants = self.missingBlocks().map { Want.block($0) }
        if case .missing(let view) = self.parent(), self.local != nil { wants.append(.certificates(through: view)) }
        return wants
    }

    /// Blocks with a certificate, or with a descendant that has one, that are not here.
    func missingBlocks() -> [MissingBlock] {
        var missing: [MissingBlock] = []
        let decided = self.finalizedViews.reversed().compactMap { self.rounds[$0]?.finalization }
        let notarized = self.notarizedViews.reversed().compactMap { self.rounds[$0]?.notarization }
        for certificate in decided + notarized {
            guard missing.count < ConsensusLimits.fetchesMax else { break }
            guard let (hash, _) = self.missingAncestor(of: certificate), !missing.contains(where: { $0.hash == hash })
            else { continue }
            missing.append(MissingBlock(hash: hash, certificate: certificate))
        }
        return missing
    }

    /// The first block below a certificate's that is not here, and the height of the one above it, if that is known.
    private func missingAncestor(of certificate: Certificate) -> (hash: Digest, child: Height?)? {
        guard var hash = certificate.hash else { return nil }
        var child: Height?
        while hash != self.final.hash {
            guard let held = self.blocks[hash] else { return (hash, child) }
            // Executed blocks connect.
            if case .executed = held.state { return nil }
            child = held.block.header.height
            hash = held.block.header.parentHash
        }
        return nil
    }

    /// F3: the certificate that proves this agent to be so far behind that it asks for ranges; none while the blocks of
    /// the last range are executed.
    private func rangeTarget() -> Certificate? {
        var target: Certificate?
        for certificate in self.finalizedViews.compactMap({ self.rounds[$0]?.finalization }) {
            guard let (_, child) = self.missingAncestor(of: certificate) else {
                return nil
            }
            if let child, child.value - self.final.height.value > ConsensusLimits.heightGapForRange {
                target = certificate
            }
        }
        return target
    }

    /// Takes decided blocks: one certificate and the hash links below it vouch for all of them.
    mutating func received(_ range: BlockRange) {
        guard self.isSyncing, range.certificate.kind == .finalize, let last = range.blocks.last,
            range.certificate.hash == last.hash
        else { return }
        var parent = (hash: self.final.hash, height: self.final.height.value)
        for block in range.blocks {
            guard block.header.parentHash == parent.hash, parent.height < block.header.height.value,
                block.header.height.value - parent.height == 1,
                block.justification.hash == block.header.justificationHash
            else { return }
            parent = (block.hash, block.header.height.value)
        }
        guard self.received(range.certificate) else { return }
        self.isCatchingUp = true
        for block in range.blocks { self.insert(block, .held) }
    }
}
