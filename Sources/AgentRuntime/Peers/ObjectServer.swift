import Ledger
import LedgerStore
package import PeerLink
package import Primitives
import Records
import Vault

/// Serves other agents: manifests to every member, keys and ciphertexts to those whom a live grant lets hold them.
///
/// What is refused and what is not here look alike: an asker does not learn that a record exists.
package struct ObjectServer: Sendable {
    /// Bytes of objects in one reply; an asker asks again for the rest.
    private static let replyBytesMax = 32 << 20

    private let context: AgentContext
    private let wrapper: KeyWrapper
    private let evaluator: PseudonymEvaluator

    package init(context: AgentContext, wrapper: KeyWrapper, evaluator: PseudonymEvaluator) {
        self.context = context
        self.wrapper = wrapper
        self.evaluator = evaluator
    }

    package func serve(_ asker: InstitutionID, _ bytes: [UInt8], _ response: FetchResponse) async throws {
        let request: PeerRequest
        do throws(CanonicalError) {
            request = try PeerRequest(canonicalBytes: bytes)
        } catch {
            throw FetchRefusal.malformed
        }
        if case .evaluate(let generation, let blinded) = request {
            let reply = try await self.evaluator.answer(asker, generation: generation, blinded)
            try await response.write(reply.canonicalBytes)
            return
        }
        let start = ContinuousClock.now
        let isWhole = try await self.write(request, asker, response)
        // Also in time, what is refused and what is not here look alike.
        if !isWhole { await AnswerPace.hold(since: start, step: AnswerPace.refusal) }
    }

    /// Returns whether everything that was asked for was written.
    private func write(
        _ request: PeerRequest,
        _ asker: InstitutionID,
        _ response: FetchResponse
    ) async throws -> Bool {
        var budget = Self.replyBytesMax
        var isWhole = true
        let now = Clock.now
        for address in try self.addresses(request, asker, now) {
            // Before the disk is touched: what is refused costs nothing and takes no longer than what is not here.
            if case .objects = request, try self.isRecord(address),
                try !self.wrapper.mayHold(address, asker, now: now)
            {
                isWhole = false
                continue
            }
            guard let object = try? self.context.vault.read(address),
                try self.mayHave(object, asker, request, now)
            else {
                isWhole = false
                continue
            }
            // Pages go out in order: what comes behind one that is about to be replaced waits for it.
            guard !self.holdsErased(object) else { return false }
            budget -= object.body.count
            guard budget >= 0 else { return true }
            try await ObjectWriter.write(object, to: response)
        }
        return isWhole
    }

    /// Whether a page of wrapped keys still has one of an erased record.
    private func holdsErased(_ object: SealedObject) -> Bool {
        guard object.header.kind == .keyEnvelopePage, let page = try? KeyEnvelopePage(canonicalBytes: object.body)
        else { return false }
        let state = self.context.board.tip.state
        return page.entries.contains { state.isErased($0.record, of: self.context.institution) }
    }

    private func isRecord(_ address: ContentAddress) throws -> Bool {
        if try self.context.custody.exam(record: address) != nil { return true }
        return try !self.context.locators.entries(record: address).isEmpty
    }

    private func mayHave(
        _ object: SealedObject,
        _ asker: InstitutionID,
        _ request: PeerRequest,
        _ now: Timestamp
    ) throws -> Bool {
        switch (object.header.kind, request) {
        case (.manifest, .objects), (.receiptManifest, .objects), (.factManifest, .objects): true
        case (.record, .objects): try self.wrapper.mayHold(object.address, asker, now: now)
        case (.keyEnvelopePage, .pages): true
        case (.keyEnvelopePage, .objects), (_, .pages), (_, .evaluate): false
        }
    }

    private func addresses(
        _ request: PeerRequest,
        _ asker: InstitutionID,
        _ now: Timestamp
    ) throws -> [ContentAddress] {
        switch request {
        case .evaluate: return []
        case .objects(let addresses): return Set(addresses).sorted()
        case .pages(let grant, let first):
            let tip = self.context.board.tip
            guard let state = tip.state.grant(grant), state.revokedHeight == nil, now < state.grant.notAfter,
                state.readers(groups: tip.state.groups(of: state.grant), at: tip.height).contains(asker),
                try self.context.custody.grant(grant) != nil
            else { return [] }
            return try self.context.custody.pages(
                grant: grant,
                custodian: self.context.institution,
                from: first,
                limit: PeerRequest.objectsMax
            ).map(\.object)
        }
    }
}
