package import Ledger
import LedgerStore
package import Primitives
import Records
import Vault

/// Signs this institution's transactions, hands transactions to the loop, and waits for what the chain says.
package struct TransactionDesk: Sendable {
    /// A transaction waits at most so long for a quorum before its caller is told.
    package static let timeoutDefault: Duration = .seconds(60)
    /// How far ahead of the tip a transaction stays valid, as a part of the replay window.
    ///
    /// A whole window could be refused by a validator that is one block behind.
    private static let validityDivisor: UInt64 = 2

    private let context: AgentContext
    private let put: @Sendable (Transaction) -> Void

    package init(context: AgentContext, put: @escaping @Sendable (Transaction) -> Void) {
        self.context = context
        self.put = put
    }

    /// The body of a transaction by these signers, valid from now on for a part of the replay window.
    package func body(_ call: LedgerCall, signers: [Signer]) -> TransactionBody {
        let window = UInt64(self.context.genesis.parameters.replayWindowBlocks)
        let validUntil = Height(self.context.board.tip.height.value + window / Self.validityDivisor)
        return TransactionBody(chain: self.context.rules.chain, call: call, validUntil: validUntil, signers: signers)
    }

    /// A transaction signed by this institution alone.
    package func signed(_ call: LedgerCall) -> Transaction {
        let body = self.body(call, signers: [.institution(self.context.institution)])
        return Transaction(body: body, signatures: [self.context.keys.sign(body.signedBytes)])
    }

    /// Adds the signatures that `body` asks for: this institution's own, and those handed in by key.
    package func complete(_ body: TransactionBody, with signatures: [VerifyingKey: Signature]) throws -> Transaction {
        let all = try body.signers.map { signer in
            switch signer {
            case .institution(let id):
                guard id == self.context.institution else {
                    throw AgentFailure(.badRequest, "another institution's signature is missing")
                }
                return self.context.keys.sign(body.signedBytes)
            case .key(let key):
                guard let signature = signatures[key] else {
                    throw AgentFailure(.badRequest, "the patient's signature is missing")
                }
                return signature
            }
        }
        return Transaction(body: body, signatures: all)
    }

    /// Submits a transaction and returns the height of the block that carried it out.
    ///
    /// - Throws: ``AgentFailure`` `transactionRefused` with the chain's code, or `transactionTimeout`: then it may still
    ///   become final.
    package func submit(_ transaction: Transaction, timeout: Duration = timeoutDefault) async throws -> Height {
        switch try await self.decision(of: transaction, timeout: timeout) {
        case .inBlock(let height, let receipt):
            guard receipt.code == .ok else { throw Self.refusal(receipt.code, receipt.detail) }
            return height
        case .refused(let refusal): throw Self.refusal(refusal.code, refusal.detail)
        }
    }

    /// Hands a transaction to the loop.
    ///
    /// Transactions of one caller arrive in the order of these calls.
    package func send(_ transaction: Transaction) -> PendingDecision {
        let pending = self.context.board.expect(transaction.id)
        self.put(transaction)
        return pending
    }

    package func decision(of transaction: Transaction, timeout: Duration) async throws -> ChainBoard.Decision {
        try await self.decision(self.send(transaction), of: transaction.id, timeout: timeout)
    }

    /// What became of a transaction.
    ///
    /// - Throws: ``AgentFailure`` of code `transactionTimeout`.
    package func decision(
        _ pending: PendingDecision,
        of id: TransactionID,
        timeout: Duration
    ) async throws -> ChainBoard.Decision {
        let outcome = await withTaskGroup(of: ChainBoard.Decision?.self) { group in
            group.addTask { await pending.value }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        switch outcome {
        case nil:
            self.context.board.forget(id, pending)
            throw AgentFailure(
                .transactionTimeout,
                "no quorum of institutions has ordered this yet",
                hint:
                    "See entente status: more than a third of the institutions may be unreachable. It may still become final."
            )
        case .refused(let refusal)? where refusal.code == .replayed: return try self.past(id) ?? .refused(refusal)
        case .some(let decision): return decision
        }
    }

    /// The decision on a transaction that is in a block already.
    private func past(_ id: TransactionID) throws -> ChainBoard.Decision? {
        guard let place = try self.context.chain.transaction(id: id.digest),
            let block = try self.context.chain.block(at: place.height),
            block.receipts.indices.contains(Int(place.index))
        else { return nil }
        return .inBlock(place.height, try TransactionReceipt(canonicalBytes: block.receipts[Int(place.index)]))
    }

    private static func refusal(_ code: TransactionCode, _ detail: String) -> AgentFailure {
        let suffix = detail.isEmpty ? "" : " (\(detail))"
        return AgentFailure(.transactionRefused, "the chain refused: \(code.name)\(suffix)", hint: Self.hint(code))
    }

    private static func hint(_ code: TransactionCode) -> String {
        switch code {
        case .grantNotPatientKey: "Enrol the key first: entente patient enroll."
        case .grantWrongPatient: "The key was enrolled for another patient."
        case .grantAlreadyRevoked: "Nothing is left to do."
        case .grantWrongSigner: "Only whoever made the grant can end it."
        case .enrolmentExists: "The key is enrolled already: use it, or make another."
        case .grantSelfWitness: "This chain does not let an institution witness a grant to itself."
        case .grantUnknownGrantee, .grantUnknownCustodian: "See entente status for the members of the chain."
        default: "Documentation/Operations/Errors.md explains the code."
        }
    }
}
