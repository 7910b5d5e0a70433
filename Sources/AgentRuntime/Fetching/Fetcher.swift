import AgentCore
import Consensus
package import Formats
package import Ledger
import LedgerStore
package import Primitives
package import Records
import Vault

/// Opens records: judges access, checks every link from the plaintext to the final block, and records the reading
/// before it hands anything out.
package struct Fetcher: Sendable {
    /// An opened record with everything that was checked on the way.
    package struct Opened: Sendable {
        package var location: RecordLocation
        package var content: RecordContent
        package var exam: ParsedExam
        package var batch: BatchState
        package var access: AccessAnswer
        /// The grant with all that bears on it; `nil` for an own record.
        package var terms: AccessTerms?
        /// Item codes of the exam whose results are not shown.
        package var hidden: Set<String>
        package var tip: ChainBoard.Tip
        package var receipt: FetchReceipt
        package var evidence: [UInt8]?
        /// The version of this agent's code map, where it added what the record's own note does not say.
        package var readerCodes = ""
    }

    private let context: AgentContext
    private let index: RecordIndex
    private let names: PseudonymDesk
    private let access: OpeningJudge
    package let credentials: CredentialCheck
    private let evidence: EvidenceBuilder
    private let opener: RecordOpener
    private let obtain: @Sendable (ContentAddress, InstitutionID) async -> Void
    private let receiptWritten: @Sendable () -> Void
    private let facts: FactDesk

    /// `obtain`: tries for a moment to get a record that is not here yet from its custodian.
    ///
    /// `receiptWritten`: called when a receipt waits to be anchored.
    package init(
        context: AgentContext,
        names: PseudonymDesk,
        judge: AccessJudge,
        obtain: @escaping @Sendable (ContentAddress, InstitutionID) async -> Void,
        receiptWritten: @escaping @Sendable () -> Void,
        facts: FactDesk
    ) {
        self.context = context
        self.index = RecordIndex(context: context)
        self.names = names
        self.access = OpeningJudge(context: context, judge: judge)
        self.credentials = CredentialCheck(context: context)
        self.evidence = EvidenceBuilder(context: context)
        self.opener = RecordOpener(context: context)
        self.obtain = obtain
        self.receiptWritten = receiptWritten
        self.facts = facts
    }

    /// Judges a wish before anything is signed, so that a refusal comes at once.
    package func prepare(
        record: ContentAddress,
        purpose: PurposeOfUse,
        credential bytes: [UInt8]
    ) throws -> FetchRequest {
        let credential = try self.credentials.credential(bytes, now: Clock.now)
        let location = try self.index.location(of: record)
        _ = try self.access.judged(location, credential, purpose, self.context.board.tip)
        return self.credentials.request(record: record, purpose: purpose, credential: credential)
    }

    /// What would be said to a wish to open a record; nothing is opened or written down.
    package func explain(
        record: ContentAddress,
        purpose: PurposeOfUse,
        credential bytes: [UInt8]
    ) throws -> (OpeningJudge.Judged, Height) {
        let credential = try self.credentials.credential(bytes, now: Clock.now)
        let tip = self.context.board.tip
        return (try self.access.answer(try self.index.location(of: record), credential, purpose, tip), tip.height)
    }

    /// `wantsWhole`: the source's own bytes or evidence, which cannot be had with something left out.
    package func open(
        _ request: FetchRequest,
        signature: Signature,
        credential bytes: [UInt8],
        wantsWhole: Bool,
        wantsEvidence: Bool
    ) async throws -> Opened {
        let credential = try self.credentials.credential(bytes, now: Clock.now)
        try self.credentials.close(request, signature: signature, credential: credential)
        let location = try self.index.location(of: request.record)
        // Fails before the network is asked for what may not be opened anyway.
        _ = try self.access.judged(location, credential, request.purpose, self.context.board.tip)
        try await self.obtainIfMissing(location)
        let link = try self.batchLink(location.row)
        // The tip and the access are taken together, last: what counts is the ledger at the moment of opening.
        let tip = self.context.board.tip
        let judged = try self.access.judged(location, credential, request.purpose, tip)
        if wantsWhole || wantsEvidence { try Self.checkExport(judged.terms) }
        let views = try await self.facts.views(of: request.record, by: credential)
        let write = { (emergency: OfflineChain.Case?) in
            try self.access.counted(judged, location) {
                try self.record(
                    request,
                    signature: signature,
                    credential: credential,
                    location: location,
                    access: judged.answer,
                    tip: tip,
                    emergency: emergency?.id,
                    views: views
                )
            }
        }
        // Without contact nobody else knows of the emergency: what it opens is written down before the key is used.
        let emergency = self.access.emergency(judged, location, credential)
        let early = try emergency.map { try write($0) }
        let opened = try self.unsealed(location, judged.answer)
        let exam = try RecordOpener.parse(opened.content)
        try await self.compare(exam, with: location)
        let hidden = FieldMask(judged.answer).applied(to: exam)
        if wantsWhole || wantsEvidence { try Self.checkMask(hidden) }
        let receipt = try early ?? write(nil)
        if !views.isEmpty { self.facts.stored() }
        var result = Opened(
            location: location,
            content: opened.content,
            exam: exam,
            batch: link.batch,
            access: judged.answer,
            terms: judged.terms,
            hidden: hidden,
            tip: tip,
            receipt: receipt
        )
        if wantsEvidence {
            result.evidence = try self.evidence.build(result, salt: opened.salt, manifest: link.manifest)
        }
        if self.context.codes.help(&result.exam, source: location.row.institution) {
            result.readerCodes = self.context.codes.view.version
        }
        // A revocation that became final while this was being written down counts.
        _ = try self.access.judged(location, credential, request.purpose, self.context.board.tip, uses: judged.uses)
        return result
    }

    private func unsealed(_ location: RecordLocation, _ access: AccessAnswer) throws -> OpenedRecord {
        let opened = try self.opener.unseal(location.row, access)
        guard opened.commitment == location.row.leaf.commitment else {
            throw AgentFailure(
                .recordDamaged,
                "the record's content is not the one that its institution committed to",
                hint: "Report it to the institution that made the record."
            )
        }
        return opened
    }

    /// Whether the exam may leave the agent as a file, and not only be shown.
    private static func checkExport(_ terms: AccessTerms?) throws(AgentFailure) {
        guard let terms, terms.isEmergency || terms.scope.purpose == .emergency else { return }
        throw AgentFailure(
            .emergencyNoExport,
            "what is opened in an emergency is shown, and not handed out as original or evidence",
            hint: "Ask the patient for a grant when that is possible."
        )
    }

    private static func checkMask(_ hidden: Set<String>) throws(AgentFailure) {
        guard hidden.isEmpty else {
            throw AgentFailure(
                .masked,
                "the grant hides a part of the exam, so neither original nor evidence can be handed out",
                hint: "Fetch without --original and --evidence, or ask the patient for a grant without a mask."
            )
        }
    }

    /// Whether the record is what its institution listed, and what access was judged on: about this person, of this kind,
    /// item and time.
    private func compare(_ parsed: ParsedExam, with location: RecordLocation) async throws {
        let listed = location.summary
        let read = LocatorSummary(
            of: parsed.exam,
            record: listed.record,
            recordBytes: Int(listed.recordBytes),
            supersedes: location.row.leaf.supersedes
        )
        guard case .patient(let patient) = parsed.subject,
            try await self.names.isNamed(
                location.pseudonym,
                by: PatientNames.identifiers(of: patient, institution: location.row.institution)
            ),
            // Listed under its own code, or under the catalogue's code that stands in the record too.
            read.kind == listed.kind,
            read.itemCode == listed.itemCode
                || parsed.exam.code.codings.contains(where: {
                    $0.code.map(LocatorSummary.listed(code:)) == listed.itemCode
                }), read.examTime == listed.examTime,
            read.supersedes == listed.supersedes
        else {
            throw AgentFailure(
                .recordDamaged,
                "the record is not what its institution listed it as",
                hint: "Report it to the institution that made the record."
            )
        }
    }

    // MARK: Bytes and proof

    private func obtainIfMissing(_ location: RecordLocation) async throws {
        let record = location.row.leaf.record
        if try self.context.vault.contains(record) { return }
        // Nobody else has to hold an own record, so there is nobody to wait for.
        guard location.row.institution != self.context.institution else {
            throw AgentFailure(
                .recordDamaged,
                "this institution's own copy of the record is damaged",
                hint: "Run entente doctor --full, and restore the vault from a backup."
            )
        }
        await self.obtain(record, location.row.institution)
        guard try self.context.vault.contains(record) else {
            throw AgentFailure(
                .recordNotHere,
                "the record has not reached this agent yet",
                hint: "Its institution may be offline: see entente status, and try again."
            )
        }
    }

    private func batchLink(_ row: LocatorRow) throws -> (batch: BatchState, manifest: Manifest) {
        guard let batch = self.context.board.tip.state.commitmentBatch(row.institution, row.batch) else {
            throw AgentFailure(.proofIncomplete, "the record's batch is not on the chain", hint: "Run entente doctor.")
        }
        let manifest = try Manifest(canonicalBytes: self.manifestBytes(batch.anchor))
        guard manifest.institution == row.institution, manifest.batch == row.batch,
            manifest.entries.count == Int(batch.anchor.count),
            manifest.entries.indices.contains(Int(row.index)), manifest.entries[Int(row.index)].leaf == row.leaf,
            manifest.root == batch.anchor.root
        else {
            throw AgentFailure(
                .proofIncomplete,
                "the record's batch does not lead to what the chain committed to",
                hint: "Run entente doctor."
            )
        }
        return (batch, manifest)
    }

    private func manifestBytes(_ anchor: BatchAnchor) throws -> [UInt8] {
        do throws(VaultError) {
            return try self.context.vault.read(anchor.manifest).body
        } catch {
            guard error.code == .notFound || error.code == .damaged else { throw error }
            throw AgentFailure(
                .proofIncomplete,
                "the manifest of the record's batch is damaged here",
                hint: "Run entente doctor --full; another institution's is fetched again.",
                cause: error
            )
        }
    }

    // MARK: Receipt

    /// `emergency`: one that was declared here without contact, in whose chain the opening is written as well.
    private func record(
        _ request: FetchRequest,
        signature: Signature,
        credential: ClinicianCredential,
        location: RecordLocation,
        access: AccessAnswer,
        tip: ChainBoard.Tip,
        emergency: GrantID?,
        views: [NewFact]
    ) throws -> FetchReceipt {
        var grant: GrantID?
        if case .allowed(let permission) = access { grant = permission.grant }
        var receipt = FetchReceipt(
            institution: self.context.institution,
            request: request,
            requestSignature: signature,
            credential: credential,
            custodian: location.row.institution,
            grant: grant,
            height: tip.height,
            time: Clock.now,
            signature: signature
        )
        receipt.signature = self.context.keys.sign(receipt.signedBytes(chain: self.context.rules.chain))
        let tag = self.context.secrets.tag(of: location.pseudonym)
        let known = try self.context.custody.patients(tags: [tag])[0]
        let new = NewReceipt(
            sealed: self.context.secrets.seal(receipt),
            leafHash: receipt.leafHash,
            patient: self.context.patientChange(location.pseudonym, known: known),
            facts: views
        )
        if let emergency {
            try self.context.offline.use(emergency, new)
        } else {
            try self.context.custody.append(
                receipt: new.sealed,
                leafHash: new.leafHash,
                patient: new.patient,
                facts: new.facts
            )
        }
        self.receiptWritten()
        return receipt
    }
}
