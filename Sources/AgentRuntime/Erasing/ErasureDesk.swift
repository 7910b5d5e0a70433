import AgentCore
import Consensus
package import Ledger
import LedgerStore
package import Primitives
package import Records
import Vault

/// Prepares wishes to erase, carries out what a records officer decides, and hands out proofs.
package struct ErasureDesk: Sendable {
    private let context: AgentContext
    private let desk: TransactionDesk
    private let index: RecordIndex
    private let judge: ErasureJudge

    package init(context: AgentContext, desk: TransactionDesk) {
        self.context = context
        self.desk = desk
        self.index = RecordIndex(context: context)
        self.judge = ErasureJudge(context: context)
    }

    /// `patient`: the patient's key; `nil` where this institution, the source, holds a request on paper.
    package func request(
        _ records: [ContentAddress],
        patient: VerifyingKey?,
        evidence: Digest
    ) throws -> GrantDesk.Prepared {
        guard (1...Erasure.recordsMax).contains(Set(records).count) else {
            throw AgentFailure(.badRequest, "one erasure is about 1 to \(Erasure.recordsMax) records")
        }
        let state = self.context.board.tip.state
        let enrolment = try patient.map { key in
            guard let enrolment = state.enrolment(key) else {
                throw AgentFailure(
                    .enrolmentUnknown,
                    "the key is not enrolled on this chain",
                    hint: "Enrol it first: entente patient enroll."
                )
            }
            return enrolment
        }
        var sources: Set<InstitutionID> = []
        for record in records {
            let location = try self.index.location(of: record)
            let isOwn = location.row.institution == self.context.institution
            // To whom it is none of their business a record is as one that is not there.
            let mayAsk = enrolment.map { location.pseudonym.handle(salt: $0.salt) == $0.handle } ?? isOwn
            guard mayAsk else { throw RecordIndex.unknown }
            sources.insert(location.row.institution)
            guard !state.isErased(record, of: location.row.institution) else { throw Self.erased }
        }
        guard sources.count == 1, let source = sources.first else {
            throw AgentFailure(
                .badRequest,
                "the records are of several institutions",
                hint: "Ask each institution for its own records."
            )
        }
        let requester: Erasure.Requester = patient.map { .patient($0) } ?? .source(evidence: evidence)
        let nonce = GrantDesk.random(count: 8).reduce(0) { $0 << 8 | UInt64($1) }
        let erasure = Erasure(source: source, records: records, requester: requester, nonce: nonce)
        // A wish that the law refuses for years is told so at once, and does not reach the chain.
        if source == self.context.institution { try self.check(erasure, .outpatient) }
        let signer: Signer = patient.map { .key($0) } ?? .institution(source)
        return GrantDesk.Prepared(
            body: self.desk.body(.erasures(.request(erasure)), signers: [signer]),
            subject: erasure.id.digest
        )
    }

    /// Accepts an erasure; everybody destroys from its block on.
    package func confirm(_ id: ErasureID, _ recordClass: RecordClass) async throws -> Height {
        let state = try self.own(id)
        try self.check(state.erasure, recordClass)
        let outcome = ErasureState.Outcome.accepted(recordClass, holders: try self.holders(of: state.erasure))
        return try await self.submit(.decide(id, by: self.context.institution, outcome))
    }

    package func refuse(_ id: ErasureID, _ reason: ErasureRefusal, until: Timestamp?) async throws -> Height {
        _ = try self.own(id)
        let outcome = ErasureState.Outcome.refused(reason, until: until)
        return try await self.submit(.decide(id, by: self.context.institution, outcome))
    }

    /// Newest first; those of one record, or all that the chain knows.
    package func erasures(of record: ContentAddress?) throws -> [(id: ErasureID, state: ErasureState)] {
        let chain = self.context.board.tip.state
        return try self.context.custody.accessNotes(.erasure).compactMap { bytes in
            let erasure = try Erasure(canonicalBytes: bytes)
            guard record.map(erasure.records.contains) ?? true else { return nil }
            return chain.erasure(erasure.id).map { (erasure.id, $0) }
        }.sorted { ($1.state.requestedHeight, $1.id) < ($0.state.requestedHeight, $0.id) }
    }

    /// The state of an erasure under the newest final block, for somebody who has the genesis file alone.
    package func proof(_ id: ErasureID) throws -> DestructionProof {
        let tip = self.context.board.tip
        guard let bytes = tip.state.bytes(at: .erasure(id)) else { throw Self.unknown }
        guard let certificate = tip.certificate else {
            throw AgentFailure(.proofIncomplete, "the chain has no final block yet", hint: "Run entente doctor.")
        }
        return DestructionProof(
            chain: self.context.rules.chain,
            state: bytes,
            proof: tip.state.proof(for: .erasure(id)),
            header: tip.block.header,
            finalization: certificate.canonicalBytes
        )
    }

    private func own(_ id: ErasureID) throws -> ErasureState {
        guard let state = self.context.board.tip.state.erasure(id) else { throw Self.unknown }
        guard state.erasure.source == self.context.institution else {
            throw AgentFailure(
                .badRequest,
                "another institution made these records",
                hint: "It decides: ask its records office."
            )
        }
        return state
    }

    private func check(_ erasure: Erasure, _ recordClass: RecordClass) throws {
        guard let refusal = try self.judge.refusal(of: erasure, as: recordClass) else { return }
        switch refusal.reason {
        case .retention:
            let until = refusal.until.map { Self.day($0) } ?? ""
            throw AgentFailure(
                .erasureRetained,
                "the law has \(recordClass.name) records of this age kept: they may be erased from \(until) on",
                hint: recordClass == .inpatient
                    ? "If they are outpatient records: erase confirm --class outpatient." : "Ask again after that day."
            )
        case .notThePatient, .legalHold:
            throw AgentFailure(.transactionRefused, "whoever asks is not the patient of these records")
        case .unknownRecord: throw RecordIndex.unknown
        }
    }

    /// The day in China, as `YYYY-MM-DD`.
    private static func day(_ time: Timestamp) -> String {
        let days = (time.milliseconds / 1000 + 8 * 3600) / 86_400
        return RetentionPolicy.text(day: Int(days))
    }

    /// The institutions that this one has wrapped keys of the records for.
    private func holders(of erasure: Erasure) throws -> [InstitutionID] {
        var holders: Set<InstitutionID> = []
        for record in erasure.records {
            for place in try self.context.custody.pagesHolding(record, custodian: self.context.institution) {
                let page = try KeyEnvelopePage(canonicalBytes: self.context.vault.read(place.object).body)
                guard page.entries.contains(where: { $0.record == record }) else { continue }
                holders.formUnion(page.recipients.map(\.institution))
            }
        }
        holders.remove(self.context.institution)
        guard holders.count <= ErasuresCall.holdersMax else {
            throw AgentFailure(
                .badRequest,
                "more than \(ErasuresCall.holdersMax) institutions hold keys of these records",
                hint: "Ask for fewer records at a time."
            )
        }
        return holders.sorted()
    }

    private func submit(_ call: ErasuresCall) async throws -> Height {
        try await self.desk.submit(self.desk.signed(.erasures(call)))
    }

    static let erased = AgentFailure(
        .recordErased,
        "the record is erased: its key is destroyed",
        hint: "The proof: entente erase proof."
    )

    private static let unknown = AgentFailure(
        .erasureUnknown,
        "the chain knows no such erasure",
        hint: "List them: entente erase status."
    )
}
