internal import Primitives

/// Messages from peers, heartbeats, and help for those who are behind (M1, Q4).
extension ConsensusMachine {
    mutating func received(_ message: ConsensusMessage, from peer: InstitutionID) {
        let index = self.context.validators.index(of: peer)
        if let index { self.lastHeard[Int(index)] = self.now }
        switch message {
        case .proposal(let proposal):
            self.received(proposal, from: peer)
        case .vote(let vote):
            self.received(vote, from: peer)
        case .certificate(let certificate):
            self.receivedNew(certificate)
        case .certificates(let certificates):
            for certificate in certificates { self.receivedNew(certificate) }
        case .block(let block):
            self.receivedMissing(block)
        case .range(let range):
            self.received(range)
        case .status(let status):
            self.received(status, from: peer)
        case .getBlock(let hash):
            if let held = self.blocks[hash] {
                self.emit(.send(.block(held.block), to: peer))
            } else {
                self.emit(.serveBlock(hash, to: peer))
            }
        case .getCertificates(let epoch, let from, let through):
            guard epoch == self.context.epoch else { return }
            self.serveCertificates(from: from, through: through, to: peer)
        case .getRange(let from, let bytesMax):
            guard from <= self.final.height, from > Height(0) else { return }
            let bytes = min(Int(bytesMax), ConsensusMessage.rangeBytesMax)
            self.emit(.serveRange(from: from, bytesMax: bytes, to: peer))
        }
    }

    var status: Status {
        Status(
            epoch: self.context.epoch,
            view: self.view,
            finalView: self.final.view,
            finalHeight: self.final.height,
            finalHash: self.final.hash,
            isListening: self.phase == .listening
        )
    }

    private mutating func received(_ status: Status, from peer: InstitutionID) {
        guard status.epoch == self.context.epoch else { return }
        if status.isListening { self.showVotes(of: peer, above: status.finalView) }
        if status.finalView < self.final.view || status.view < self.view {
            self.answerBehind(peer)
        } else if status.finalView > self.final.view, self.mayAnswer(peer) {
            // A peer that is ahead answers a status that is behind with proof.
            self.emit(.send(.status(self.status), to: peer))
        }
    }

    /// Sends what brings a peer here: the final block's FC, and the certificate by which this view was entered.
    ///
    /// Not more often than the delay, so that nobody can use an agent to flood another.
    mutating func answerBehind(_ peer: InstitutionID) {
        guard peer != self.institution, self.final.certificate != nil || self.entry != nil, self.mayAnswer(peer) else {
            return
        }
        if let certificate = self.final.certificate { self.emit(.send(.certificate(certificate), to: peer)) }
        if let entry = self.entry, entry != self.final.certificate {
            self.emit(.send(.certificate(entry), to: peer))
        }
    }

    private mutating func mayAnswer(_ peer: InstitutionID) -> Bool {
        if let last = self.lastAnswered[peer], last <= self.now,
            self.now < last.advanced(byMilliseconds: self.parameters.baseDelay / 2)
        {
            return false
        }
        if self.lastAnswered.count >= ConsensusLimits.answeredPeersMax { self.lastAnswered = [:] }
        self.lastAnswered[peer] = self.now
        return true
    }

    /// P6, the other side: a validator that has just started is shown its newest votes that are known here.
    private mutating func showVotes(of peer: InstitutionID, above finalView: View) {
        guard let index = self.context.validators.index(of: peer) else { return }
        let views = self.rounds.keys.filter { $0 > finalView }.sorted().suffix(ConsensusLimits.resentViewsMax)
        for view in views {
            for kind in VoteKind.allCases {
                guard let vote = self.rounds[view]?[tally: kind].votes[Int(index)] else { continue }
                self.emit(.send(.vote(vote), to: peer))
            }
        }
    }

    /// The newest certificates first, because the asker walks down from its view.
    private mutating func serveCertificates(from: View, through: View, to peer: InstitutionID) {
        var certificates: [Certificate] = []
        if from <= self.final.view, let certificate = self.final.certificate { certificates.append(certificate) }
        for view in self.rounds.keys.filter({ $0 >= from && $0 <= through }).sorted().reversed() {
            for kind in VoteKind.allCases {
                guard let certificate = self.rounds[view]?[certificate: kind] else { continue }
                guard certificates.count < ConsensusMessage.certificatesMax else { break }
                certificates.append(certificate)
            }
        }
        guard !certificates.isEmpty else { return }
        self.emit(.send(.certificates(certificates), to: peer))
    }
}
