internal import AgentCore
internal import Consensus
internal import Ledger
internal import Primitives

/// One line for each thing that happens, for whoever reads a failing run.
enum Trace {
    static func line(_ input: AgentInput) -> String {
        switch input {
        case .start(let records, _): return "start with \(records.count) records"
        case .message(let bytes, let peer):
            guard let message = try? AgentMessage(canonicalBytes: bytes) else { return "\(peer): no message" }
            return "\(peer): \(self.line(message))"
        case .connected(let peer): return "connected to \(peer)"
        case .submit(let transaction): return "transaction \(transaction.id.digest) of a user"
        case .timer(let timer, _): return "timer \(timer)"
        case .durable: return "durable"
        }
    }

    static func line(_ effect: AgentEffect) -> String {
        switch effect {
        case .persist(_, let drafts): "persist " + drafts.map { self.line($0.body) }.joined(separator: ", ")
        case .broadcast(let message): "all: \(self.line(message))"
        case .send(let message, let peer): "\(peer): \(self.line(message))"
        case .setTimer(let timer, _, let after): "timer \(timer) after \(after)"
        case .cancelTimer(let timer): "no timer \(timer)"
        case .commit(let range):
            "commit " + range.blocks.map { "\($0.block.header.height)" }.joined(separator: ", ")
        case .serveBlock(let hash, let peer): "serve block \(hash) to \(peer)"
        case .serveRange(let from, _, let peer): "serve range from \(from) to \(peer)"
        case .admitted(let id): "admitted \(id.digest)"
        case .refused(let id, let refusal): "refused \(id.digest): \(refusal.code.name)"
        case .expired(let id): "expired \(id.digest)"
        case .confirmed(let index): "confirmed by \(index)"
        case .peerStatus(let peer, let height): "\(peer) is at \(height)"
        case .pagesPublished(let grants, let peer): "\(peer) published \(grants.count) pages"
        case .malformed(let peer): "malformed from \(peer)"
        case .conflict(let conflict): "conflict of \(conflict.first.signer)"
        case .halt(let reason): "halt \(reason)"
        }
    }

    private static func line(_ message: AgentMessage) -> String {
        switch message {
        case .transactions(let transactions):
            "transactions " + transactions.map { "\($0.id.digest)" }.joined(separator: ", ")
        case .pagesPublished(let grants): "pages for \(grants.count) grants"
        case .consensus(let message): self.line(message)
        }
    }

    private static func line(_ message: ConsensusMessage) -> String {
        switch message {
        case .proposal(let proposal): "proposal \(proposal.block.header.view) \(proposal.block.hash)"
        case .vote(let vote): "vote \(self.line(vote.body))"
        case .certificate(let certificate): "certificate \(self.line(certificate.body))"
        case .getBlock(let hash): "get block \(hash)"
        case .block(let block): "block \(block.hash)"
        case .getCertificates(_, let from, let through): "get certificates \(from)-\(through)"
        case .certificates(let all): "certificates " + all.map { self.line($0.body) }.joined(separator: ", ")
        case .getRange(let from, _): "get range \(from)"
        case .range(let range): "range of \(range.blocks.count)"
        case .status(let status): "status \(status.view) \(status.finalView)"
        }
    }

    private static func line(_ body: VoteBody) -> String {
        "\(body.kind) \(body.view)" + (body.hash.map { " \($0)" } ?? "")
    }
}
