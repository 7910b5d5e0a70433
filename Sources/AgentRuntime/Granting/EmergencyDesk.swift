package import Ledger
import LedgerStore
import Primitives
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
    }

    private let context: AgentContext
    private let desk: TransactionDesk
    private let credentials: CredentialCheck
    private let resolver: PatientResolver
    private let disclosure: Disclosure
    private let prepared = Mutex<[TransactionID]>([])

    package init(
        context: AgentContext,
        desk: TransactionDesk,
        judge: AccessJudge,
        credentials: CredentialCheck,
        names: PseudonymDesk
    ) {
        self.disclosure = Disclosure(context: context, judge: judge)
        self.context = context
        self.desk = desk
        self.credentials = credentials
        self.resolver = PatientResolver(context: context, names: names)
    }

    package func opening(_ wish: Wish) async throws -> GrantDesk.Prepared {
        let now = Clock.now
        let credential = try self.credentials.credential(wish.credential, now: now)
        let approver = try wish.approver.isEmpty ? nil : self.credentials.credential(wish.approver, now: now)
        try Self.check(wish, credential, approver)
        guard let reason = EmergencyReason(name: wish.reason) else {
            throw AgentFailure(
                .badRequest,
                "there is no such reason",
                hint: "Reasons: " + EmergencyReason.allCases.map(\.name).joined(separator: ", ")
            )
        }
        let pseudonym = try await self.resolver.primary(wish.patient)
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
        let opening = BreakGlass(
            grant: grant,
            user: BreakGlass.user(clinician: credential.clinician, at: self.context.institution),
            clinician: credential.key,
            approver: approver?.key,
            reason: reason,
            sealedStatement: try PseudonymSealing.sealStatement(wish.statement, pseudonym: pseudonym, salt: salt),
            widens: wish.widens
        )
        let keys = [credential.key] + (approver.map { [$0.key] } ?? [])
        return self.prepare(.open(opening), keys: keys, subject: grant.id.digest)
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
    package func takePrepared(_ body: TransactionBody) -> Bool {
        self.prepared.withLock { prepared in
            guard let index = prepared.firstIndex(of: body.id) else { return false }
            prepared.remove(at: index)
            return true
        }
    }

    /// Newest first: what concerns a patient, or this institution as reader or as source.
    package func notices(of patient: String) async throws -> [Notice] {
        let pseudonyms = patient.isEmpty ? [] : try await self.resolver.pseudonyms(patient)
        let state = self.context.board.tip.state
        var notices: [Notice] = []
        for bytes in try self.context.custody.accessNotes(.emergency) {
            let opening = try BreakGlass(canonicalBytes: bytes)
            let id = opening.grant.id
            guard let known = state.emergency(id) else { continue }
            let isOwn = opening.grant.grantor == .emergency(self.context.institution)
            let subject =
                try patient.isEmpty
                ? self.patient(of: opening.grant)
                : pseudonyms.first {
                    $0.handle(salt: opening.grant.salt) == opening.grant.handle
                }
            guard subject != nil || (isOwn && patient.isEmpty) else { continue }
            if let subject, try !isOwn && !self.disclosure.isOpen(subject) { continue }
            let statement = subject.flatMap {
                try? PseudonymSealing.openStatement(opening.sealedStatement, pseudonym: $0, salt: opening.grant.salt)
            }
            notices.append(Notice(id: id, state: known, statement: statement, isOwn: isOwn))
        }
        return notices.sorted { ($1.state.createdHeight, $1.id) < ($0.state.createdHeight, $0.id) }
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
        self.prepared.withLock { prepared in
            if prepared.count >= Self.preparedMax { prepared.removeFirst() }
            prepared.append(body.id)
        }
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
