internal import Primitives

/// Certificates move the view and nothing else does: rules V1, V4, V7 and V8.
extension ConsensusMachine {
    /// Takes a certificate unless one of its kind and view is here: nearly all that come are second copies.
    mutating func receivedNew(_ certificate: Certificate) {
        guard certificate.view >= self.final.view,
            self.rounds[certificate.view]?[certificate: certificate.kind] == nil
        else { return }
        self.received(certificate)
    }

    /// Takes a certificate from a peer, for any view above the final one, after checking it in full.
    ///
    /// - Returns: whether it is valid, or known to be.
    @discardableResult
    mutating func received(_ certificate: Certificate) -> Bool {
        guard certificate.body.epoch == self.context.epoch, certificate.view > View(0),
            certificate.view.value <= ConsensusLimits.viewMax
        else { return false }
        if self.rounds[certificate.view]?[certificate: certificate.kind] == certificate
            || self.final.certificate == certificate
        {
            return true
        }
        guard certificate.isValid(in: self.context, checker: self.checker) else { return false }
        self.learn(certificate)
        return true
    }

    /// Takes a valid certificate.
    ///
    /// A certificate of another kind for a view that has ended is kept too (F2): another validator may have left the
    /// view by it, and build on it.
    mutating func learn(_ certificate: Certificate) {
        let view = certificate.view
        guard view > self.final.view else {
            self.checkDecided(certificate)
            return
        }
        guard self.rounds[view]?[certificate: certificate.kind] == nil else { return }
        self.checkSigner(certificate)
        if let hash = certificate.hash, case .refused = self.blocks[hash]?.state {
            self.halt(.stateDivergence(hash))
        }
        guard self.phase != .halted else { return }
        self.parentSearch = nil
        self.hurryFetches()
        var round = self.rounds[view] ?? self.emptyRound
        switch certificate.kind {
        case .notarize:
            round.notarization = certificate
            self.notarizedViews.insertSorted(view)
        case .nullify:
            round.nullification = certificate
        case .finalize:
            round.finalization = certificate
            self.finalizedViews.insertSorted(view)
        }
        self.rounds[view] = round
        if view >= self.view {
            self.enter(view.next, by: certificate)
        } else if certificate.kind == .finalize {
            self.announce(certificate)
        }
    }

    /// V1.
    private mutating func enter(_ view: View, by certificate: Certificate) {
        self.view = view
        self.entry = certificate
        self.fails += 1
        self.disarm()
        self.cancelTimer(.empty)
        self.cancelTimer(.early)
        self.announce(certificate)
        self.checkNullifyVotes()
    }

    /// Broadcasts a certificate once.
    private mutating func announce(_ certificate: Certificate) {
        guard self.phase != .created,
            self.update(certificate.view, { $0.announce(certificate.kind) })
        else { return }
        self.emit(.broadcast(.certificate(certificate)))
    }

    /// P6, for votes inside certificates.
    private mutating func checkSigner(_ certificate: Certificate) {
        guard let local = self.local, self.mayVote, certificate.isSigned(by: local),
            self.rounds[certificate.view]?.own.contains(certificate.body) != true
        else { return }
        self.halt(.unknownOwnVote(certificate.body))
    }

    /// A valid FC at the final view must be of the final block.
    private mutating func checkDecided(_ certificate: Certificate) {
        guard certificate.kind == .finalize, certificate.view == self.final.view, certificate.hash != self.final.hash
        else { return }
        self.halt(.conflictingFinalization(certificate, self.final))
    }

    // MARK: V8

    /// Commits up to the highest decided block whose ancestors are all here and executed.
    mutating func commitDecided() {
        for view in self.finalizedViews.reversed() {
            guard let certificate = self.rounds[view]?.finalization, let chain = self.executedChain(certificate) else {
                continue
            }
            self.commit(chain, certificate)
            return
        }
        if self.finalizedViews.isEmpty { self.isCatchingUp = false }
    }

    /// The blocks from the one after the final one to the certificate's, or `nil` if one is missing.
    private func executedChain(_ certificate: Certificate) -> [Block]? {
        var chain: [Block] = []
        var hash = certificate.hash
        while let current = hash, current != self.final.hash {
            guard let held = self.blocks[current] else { return nil }
            guard case .executed = held.state else { return nil }
            chain.append(held.block)
            hash = held.block.header.parentHash
        }
        return chain.reversed()
    }

    private mutating func commit(_ chain: [Block], _ certificate: Certificate) {
        guard self.phase != .halted, let last = chain.last else { return }
        self.emit(.commit(chain, certificate))
        self.final = FinalPoint(header: last.header, certificate: certificate)
        self.fails = 0
        self.parentSearch = nil
        self.fetchAttempt = 0
        self.unansweredFetches = 0
        let view = self.final.view
        self.rounds = self.rounds.filter { $0.key > view }
        self.notarizedViews.removeAll { $0 <= view }
        self.finalizedViews.removeAll { $0 <= view }
        self.blocks = self.blocks.filter { self.isAbove($0.value.block.header) }
        // A parent that is not here yet may have children that wait for it.
        self.children = self.children.filter { $0.value.contains { self.blocks[$0] != nil } }
        self.postponed.removeAll { self.blocks[$0] == nil }
        if self.finalizedViews.isEmpty { self.isCatchingUp = false }
    }

    /// Whether a block can still come to extend the final one.
    func isAbove(_ header: BlockHeader) -> Bool {
        guard header.view > self.final.view, header.height > self.final.height else { return false }
        if header.parentView == self.final.view { return header.parentHash == self.final.hash }
        return header.parentView > self.final.view
    }
}

extension [View] {
    /// Keeps the array ascending.
    ///
    /// Nearly always the view is the newest.
    mutating func insertSorted(_ view: View) {
        let index = self.lastIndex { $0 < view }.map { $0 + 1 } ?? 0
        guard index == self.count || self[index] != view else { return }
        self.insert(view, at: index)
    }
}
