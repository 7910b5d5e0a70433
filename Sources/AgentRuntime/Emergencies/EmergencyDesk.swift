package import Ledger
import LedgerStore
package import Primitives
package import Records
import Synchronization
import Vault

/// Prepares emergency accesses and their reviews, signs only what it prepared, and lists what concerns whom.
package final class EmergencyDesk: Sendable {
    /// How far back the usual extent of an emergency access reaches: a year.
    private static let extentMilliseconds: Int64 = 365 * 24 * 3600 * 1000
    /// Prepared transactions that may wait for their signatures; more make the oldest void.
    private static let preparedMax = 256

    /// What a clinician wants, and why.
    package struct Wish: Sendable {
        package var patient: String
        package var reason: String
        package var statement: EmergencyStatement
        package var credential: [UInt8]
        /// The second person's; empty if there is none.
        package var approver: [UInt8]
        package var widens: GrantID?
    }

    /// An emergency access, as those see it whom it concerns.
    package struct Notice: Sendable {
        package var id: GrantID
        package var state: EmergencyState
        /// `nil` where this agent does not know the patient.
        package var statement: EmergencyStatement?
        package var isOwn: Bool
        /// Not on the ledger yet.
        package var isWaiting = false
    }

    /// What a clinician signs to open without contact.
    package struct PreparedOffline: Sendable {
        package var opening: BreakGlass
        package var toSign: [UInt8]
    }

    /// A quorum that was heard so lately is contact: then the ledger orders an emergency before anything is opened.
    static let contactMilliseconds: Int64 = 15_000

    private let context: AgentContext
    private let desk: TransactionDesk
    private let credentials: CredentialCheck
    private let resolver: PatientResolver
    private let judge: AccessJudge
    private let declared: @Sendable () -> Void
    private let disclosure: Disclosure
    private let prepared = PreparedList<TransactionID>(max: EmergencyDesk.preparedMax)
    private let preparedOffline = PreparedList<BreakGlass>(max: EmergencyDesk.preparedMax)

    /// `declared`: called when the local chain has a new entry.
    package init(
        context: AgentContext,
        desk: TransactionDesk,
        credentials: CredentialCheck,
        names: PseudonymDesk,
        judge: AccessJudge,
        declared: @escaping @Sendable () -> Void
    ) {
        self.disclosure = Disclosure(context: context, judge: judge)
        self.context = context
        self.judge = judge
        self.declared = declared
        self.desk = desk
        self.credentials = credentials
        self.resolver = PatientResolver(context: context, names: names)
    }

    package func opening(_ wish: Wish) async throws -> GrantDesk.Prepared {
        let (credential, approver) = try self.people(wish)
        let pseudonym = try await self.resolver.primary(wish.patient)
        let opening = try self.declaration(wish, credential, approver, pseudonym)
        let keys = [credential.key] + (approver.map { [$0.key] } ?? [])
        return self.prepare(.open(opening), keys: keys, subject: opening.grant.id.digest)
    }

    /// Who wants to open, and who approves; checked.
    private func people(_ wish: Wish) throws -> (ClinicianCredential, ClinicianCredential?) {
        let now = Clock.now
        let credential = try self.credentials.credential(wish.credential, now: now)
        let approver = try wish.approver.isEmpty ? nil : self.credentials.credential(wish.approver, now: now)
        try Self.check(wish, credential, approver)
        return (credential, approver)
    }

    private func declaration(
        _ wish: Wish,
        _ credential: ClinicianCredential,
        _ approver: ClinicianCredential?,
        _ pseudonym: PatientPseudonym
    ) throws -> BreakGlass {
        guard let reason = EmergencyReason(name: wish.reason) else {
            throw AgentFailure(
                .badRequest,
                "there is no such reason",
                hint: "Reasons: " + EmergencyReason.allCases.map(\.name).joined(separator: ", ")
            )
        }
        let now = Clock.now
        let salt =
            try wish.widens.map { try self.salt(of: $0, pseudonym) }
            ?? GrantDesk.random(count: AccessGrant.saltBytes)
        let reader = ReaderHandle(clinician: credential.clinician, at: self.context.institution, salt: salt)
        let scope = Self.scope(isWide: wish.widens != nil, now: now, reader: reader)
        let grant = AccessGrant(
            handle: pseudonym.handle(salt: salt),
            salt: salt,
            nonce: GrantDesk.random(count: 8).reduce(0) { $0 << 8 | UInt64($1) },
            bucket: pseudonym.bucket,
            custodians: [],
            grantees: [self.context.institution],
            scopeCommitment: scope.commitment(salt: salt),
            sealedScope: try PseudonymSealing.sealScope(scope, pseudonym: pseudonym, salt: salt),
            notBefore: now,
            notAfter: now.advanced(byMilliseconds: BreakGlass.periodMillisecondsMax),
            grantor: .emergency(self.context.institution)
        )
        return BreakGlass(
            grant: grant,
            user: BreakGlass.user(clinician: credential.clinician, at: self.context.institution),
            clinician: credential.key,
            approver: approver?.key,
            reason: reason,
            sealedStatement: try PseudonymSealing.sealStatement(wish.statement, pseudonym: pseudonym, salt: salt),
            widens: wish.widens
        )
    }

    // MARK: Without contact

    /// - Throws: ``AgentFailure`` `emergencyInContact` while the ledger can be asked, `emergencyNotPrepared` where the
    ///   patient has nothing here for emergencies, `emergencyLockedOut` for whoever has reviews to wait for.
    package func offlineOpening(_ wish: Wish) async throws -> PreparedOffline {
        let (credential, approver) = try self.people(wish)
        guard wish.widens == nil else {
            throw AgentFailure(.badRequest, "an emergency is widened only with contact to the chain")
        }
        try self.checkNoContact()
        let pseudonym = try await self.resolver.primary(wish.patient)
        let opening = try self.declaration(wish, credential, approver, pseudonym)
        try self.checkFree(opening.user)
        guard self.isPrepared(pseudonym) else {
            throw AgentFailure(
                .emergencyNotPrepared,
                "nothing of this patient is here for an emergency without contact",
                hint: "The patient agrees to it beforehand: entente grant --purpose BTG."
            )
        }
        self.preparedOffline.add(opening)
        return PreparedOffline(
            opening: opening,
            toSign: opening.offlineSignedBytes(chain: self.context.rules.chain)
        )
    }

    /// Writes a prepared declaration into the local chain; it stands from then on.
    package func declare(
        _ bytes: [UInt8],
        clinician: Signature,
        approver: Signature?
    ) throws -> (entry: OfflineEntry, until: Timestamp) {
        let opening = try BreakGlass(canonicalBytes: bytes)
        let message = opening.offlineSignedBytes(chain: self.context.rules.chain)
        guard opening.clinician.isValid(clinician, over: message), (opening.approver == nil) == (approver == nil),
            approver.map({ opening.approver?.isValid($0, over: message) ?? false }) ?? true
        else { throw AgentFailure(.badRequest, "a signature of the declaration is missing or wrong") }
        guard self.preparedOffline.take(opening) else {
            throw AgentFailure(.badRequest, "the declaration was not prepared here, or long ago")
        }
        try self.checkNoContact()
        try self.checkFree(opening.user)
        // A kill from here on must not make the leases look over.
        try self.context.keepConfirmation()
        let entry = try self.context.offline.declare(opening, clinician: clinician, approver: approver)
        self.declared()
        return (entry, opening.grant.notAfter)
    }

    private func checkNoContact() throws(AgentFailure) {
        let uptime = Clock.uptime
        let silence = self.context.confirmations.confirmed(uptime: uptime).map { uptime - $0 }
        guard silence.map({ $0 > Self.contactMilliseconds }) ?? true else {
            throw AgentFailure(
                .emergencyInContact,
                "the chain is in contact, so an emergency is ordered there first",
                hint: "Declare it without --offline."
            )
        }
    }

    /// What the ledger would refuse, as far as it is known here.
    private func checkFree(_ user: Digest) throws {
        let now = Clock.now
        let known = self.context.board.tip.state.emergencyCases(self.context.institution, user)
        let waiting = try self.context.offline.waiting().count { entry in
            if case .opening(let opening, _, _) = entry.content { opening.user == user } else { false }
        }
        guard known.allSatisfy({ now < $0.deadline }), known.count + waiting < EmergencyCall.openCasesMax else {
            throw AgentFailure(
                .emergencyLockedOut,
                "earlier emergency accesses of this clinician wait for their review",
                hint: "See entente notices. Another clinician may open."
            )
        }
    }

    /// Whether some grant for emergencies lets this institution read of the person.
    private func isPrepared(_ pseudonym: PatientPseudonym) -> Bool {
        let tip = self.context.board.tip
        let now = Clock.now
        return self.judge.grants(of: pseudonym, in: tip.state).contains { terms in
            terms.scope.purpose == .emergency && !terms.isEmergency
                && terms.state.names(self.context.institution, groups: terms.groups, at: tip.height)
                && terms.state.holds(at: tip.height, time: now)
        }
    }

    package func review(
        _ id: GrantID,
        outcome: String,
        credential bytes: [UInt8]
    ) throws -> GrantDesk.Prepared {
        let credential = try self.credentials.credential(bytes, now: Clock.now)
        guard credential.rights.contains(.review) else {
            throw AgentFailure(
                .emergencyNoRight,
                "the credential does not let its holder review",
                hint: "The institution issues it: clinician add --review."
            )
        }
        guard let outcome = EmergencyOutcome(name: outcome) else {
            throw AgentFailure(.badRequest, "an outcome is justified or unjustified")
        }
        guard let state = self.context.board.tip.state.emergency(id),
            state.opening.grant.grantor == .emergency(self.context.institution)
        else {
            throw AgentFailure(
                .emergencyUnknown,
                "this institution has no such emergency access",
                hint: "See entente notices."
            )
        }
        // By the person, not only by the key: somebody may hold two credentials.
        guard state.opening.user != BreakGlass.user(clinician: credential.clinician, at: self.context.institution)
        else { throw AgentFailure(.emergencyNoRight, "nobody reviews an own emergency access") }
        return self.prepare(.review(id, outcome, reviewer: credential.key), keys: [credential.key], subject: id.digest)
    }

    /// Whether this desk prepared the transaction; told once.
    package func takePrepared(_ body: TransactionBody) -> Bool { self.prepared.take(body.id) }

    /// Newest first: what concerns a patient, or this institution as reader or as source.
    package func notices(of patient: String) async throws -> [Notice] {
        let pseudonyms = patient.isEmpty ? [] : try await self.resolver.pseudonyms(patient)
        let state = self.context.board.tip.state
        var notices: [Notice] = []
        for bytes in try self.context.custody.accessNotes(.emergency) {
            let opening = try BreakGlass(canonicalBytes: bytes)
            guard let known = state.emergency(opening.grant.id),
                let notice = try self.notice(known, patient.isEmpty ? nil : pseudonyms)
            else { continue }
            notices.append(notice)
        }
        return try self.waiting(patient.isEmpty ? nil : pseudonyms, state)
            + notices.sorted { ($1.state.createdHeight, $1.id) < ($0.state.createdHeight, $0.id) }
    }

    /// What this institution declared without contact and the ledger does not know; the newest first.
    private func waiting(_ pseudonyms: [PatientPseudonym]?, _ state: LedgerState) throws -> [Notice] {
        let entries = try self.context.offline.waiting()
        return try entries.reversed().compactMap { entry in
            guard case .opening(let opening, _, _) = entry.content, state.emergency(opening.grant.id) == nil else {
                return nil
            }
            let uses = entries.count { other in
                if case .use(opening.grant.id, _) = other.content { true } else { false }
            }
            let known = EmergencyState(
                opening: opening,
                createdHeight: Height(0),
                createdTime: entry.time,
                offline: EmergencyState.Offline(
                    number: entry.number,
                    time: entry.time,
                    uses: UInt32(clamping: uses)
                )
            )
            var notice = try self.notice(known, pseudonyms)
            notice?.isWaiting = true
            return notice
        }
    }

    /// `pseudonyms`: of the one patient it is asked about; `nil` asks for what concerns this institution.
    private func notice(_ known: EmergencyState, _ pseudonyms: [PatientPseudonym]?) throws -> Notice? {
        let opening = known.opening
        let isOwn = opening.grant.grantor == .emergency(self.context.institution)
        let subject =
            if let pseudonyms {
                pseudonyms.first { $0.handle(salt: opening.grant.salt) == opening.grant.handle }
            } else {
                try self.patient(of: opening.grant)
            }
        guard subject != nil || (isOwn && pseudonyms == nil) else { return nil }
        if let subject, try !isOwn && !self.disclosure.isOpen(subject) { return nil }
        let statement = subject.flatMap {
            try? PseudonymSealing.openStatement(opening.sealedStatement, pseudonym: $0, salt: opening.grant.salt)
        }
        return Notice(id: opening.grant.id, state: known, statement: statement, isOwn: isOwn)
    }

    /// The patient of this institution whom an access is about.
    private func patient(of grant: AccessGrant) throws -> PatientPseudonym? {
        for patient in try self.context.custody.patients(bucket: grant.bucket) {
            let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
            if pseudonym.handle(salt: grant.salt) == grant.handle { return pseudonym }
        }
        return nil
    }

    private func prepare(_ call: EmergencyCall, keys: [VerifyingKey], subject: Digest) -> GrantDesk.Prepared {
        let signers: [Signer] = [.institution(self.context.institution)] + keys.map(Signer.key)
        let body = self.desk.body(.emergency(call), signers: signers)
        self.prepared.add(body.id)
        return GrantDesk.Prepared(body: body, subject: subject)
    }

    private static func check(
        _ wish: Wish,
        _ credential: ClinicianCredential,
        _ approver: ClinicianCredential?
    ) throws {
        guard credential.rights.contains(.breakGlass) else {
            throw AgentFailure(
                .emergencyNoRight,
                "the credential does not let its holder open in an emergency",
                hint: "The institution issues it: clinician add --break-glass."
            )
        }
        if let approver, approver.clinician == credential.clinician || approver.key == credential.key {
            throw AgentFailure(.badRequest, "a second person approves, not the same one")
        }
        guard (1...EmergencyStatement.textBytesMax).contains(wish.statement.text.utf8.count),
            (1...EmergencyStatement.contextBytesMax).contains(wish.statement.context.utf8.count)
        else {
            throw AgentFailure(
                .badRequest,
                "a reason in words and the patient's circumstances are needed, of at most 280 and 100 bytes"
            )
        }
    }

    private func salt(of id: GrantID, _ pseudonym: PatientPseudonym) throws -> [UInt8] {
        guard let first = self.context.board.tip.state.emergency(id)?.opening.grant,
            first.grantor == .emergency(self.context.institution),
            pseudonym.handle(salt: first.salt) == first.handle
        else {
            throw AgentFailure(
                .emergencyUnknown,
                "there is no emergency access about this patient to widen",
                hint: "Open the usual extent first: entente break-glass."
            )
        }
        return first.salt
    }

    /// The usual extent: reports, images and measurements of the last year, nothing sensitive.
    ///
    /// Widened: everything.
    private static func scope(isWide: Bool, now: Timestamp, reader: ReaderHandle) -> GrantScope {
        let lease = UInt32(BreakGlass.periodMillisecondsMax / 1000)
        guard !isWide else {
            return GrantScope(
                purpose: .emergency,
                leaseSeconds: lease,
                sensitive: SensitiveClass.allCases,
                readers: [reader]
            )
        }
        return GrantScope(
            kinds: [.laboratory, .imaging, .function, .vitalSigns],
            examsFrom: now.advanced(byMilliseconds: -Self.extentMilliseconds),
            purpose: .emergency,
            leaseSeconds: lease,
            readers: [reader]
        )
    }
}
