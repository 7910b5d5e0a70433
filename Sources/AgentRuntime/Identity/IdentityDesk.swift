package import Ledger
package import LedgerStore
package import Primitives
package import Records
import Synchronization
import Vault

/// Prepares links of identities and their ends, signs only what it prepared, and lists them with what is to be looked at
/// after a link was ended.
package final class IdentityDesk: Sendable {
    /// Prepared transactions that may wait for their signatures; more make the oldest void.
    private static let preparedMax = 256

    /// Two identities, and what they are to each other.
    package struct Wish: Sendable {
        package var kind: String
        package var first: String
        package var second: String
        package var evidence: Digest
        /// A patient's key that signs as well.
        package var patientKey: VerifyingKey?
        /// Link although what is known of the two contradicts it.
        package var isOverridden: Bool
    }

    /// A link as this institution sees it.
    package struct Listed: Sendable {
        package var id: IdentityLinkID
        package var state: IdentityLinkState
        /// `nil` where this institution knows neither of the two.
        package var statement: IdentityStatement?
    }

    /// Something that came about through a link while it stood.
    package struct Fixup: Sendable {
        /// What came about.
        package enum Kind: String, Sendable {
            case read
            case granted
        }

        package var kind: Kind
        package var institution: InstitutionID
        package var record: ContentAddress?
        package var grant: GrantID
        package var time: Timestamp
    }

    let context: AgentContext
    /// Shares what of a patient is not held back any more.
    let share: @Sendable (Patient) async throws -> Void
    private let desk: TransactionDesk
    private let judge: AccessJudge
    private let log: AccessLog
    private let names: PseudonymDesk
    private let resolver: PatientResolver
    private let prepared = PreparedList<TransactionID>(max: IdentityDesk.preparedMax)

    package init(
        context: AgentContext,
        desk: TransactionDesk,
        judge: AccessJudge,
        log: AccessLog,
        names: PseudonymDesk,
        share: @escaping @Sendable (Patient) async throws -> Void
    ) {
        self.context = context
        self.share = share
        self.desk = desk
        self.judge = judge
        self.log = log
        self.names = names
        self.resolver = PatientResolver(context: context, names: names)
    }

    /// A new identifier for somebody whom nobody knows yet, or who has no number yet.
    package func temporary() -> PatientIdentifier {
        var random = SystemRandomNumberGenerator()
        let digits = (0..<PatientIdentifier.temporaryDigits).map { _ in UInt8.random(in: 0...9, using: &random) }
        return PatientIdentifier(temporary: digits, institution: self.context.institution.text)
    }

    // MARK: Linking

    package func link(_ wish: Wish) async throws -> GrantDesk.Prepared {
        guard let kind = IdentityLinkKind(name: wish.kind) else {
            throw AgentFailure(
                .badRequest,
                "there is no such kind of link",
                hint: "Kinds: " + IdentityLinkKind.allCases.map(\.name).joined(separator: ", ")
            )
        }
        let first = try await self.resolver.listed(wish.first)
        let second = try await self.resolver.listed(wish.second)
        let match = IdentityMatch(try Self.traits(wish.first), try Self.traits(wish.second))
        let contradicts = kind.isOnePerson && (match.disagrees || match.reasons.contains(.otherIdentifier))
        guard !contradicts || wish.isOverridden else {
            throw AgentFailure(
                .identityContradiction,
                "what is known of the two says that they are two persons",
                hint: "Look again; --despite-contradiction links them all the same, and the link says so."
            )
        }
        let salt = GrantDesk.random(count: IdentityLink.saltBytes)
        guard let contestKey = Digest(GrantDesk.random(count: Digest.byteCount)) else {
            preconditionFailure("32 bytes are a digest")
        }
        func side(_ mine: PatientPseudonym, _ other: PatientPseudonym) throws -> IdentityLink.Side {
            let statement = IdentityStatement(
                other: other,
                contestKey: contestKey,
                level: match.level,
                score: Int64(match.score),
                reasons: match.reasons.map(\.rawValue),
                isOverridden: contradicts
            )
            return IdentityLink.Side(
                node: mine.identityNode,
                bucket: mine.bucket,
                sealed: try PseudonymSealing.sealLink(statement, pseudonym: mine, salt: salt)
            )
        }
        let link = IdentityLink(
            kind: kind,
            first: try side(first, second),
            second: try side(second, first),
            salt: salt,
            author: self.context.institution,
            patientKey: wish.patientKey,
            evidence: wish.evidence,
            contest: IdentityLink.contest(of: contestKey),
            notAfter: kind == .newborn
                // A day less than the chain allows: its clock may be behind.
                ? Clock.now.advanced(byMilliseconds: IdentityLink.newbornMillisecondsMax - 86_400_000) : nil
        )
        let keys = wish.patientKey.map { [Signer.key($0)] } ?? []
        return self.prepare(
            .link(link),
            signers: [.institution(self.context.institution)] + keys,
            subject: link.id.digest
        )
    }

    /// `patient`: one of the two, where this institution knows neither; else empty.
    package func unlink(
        _ id: IdentityLinkID,
        reason: String,
        evidence: Digest,
        patient: String,
        key: VerifyingKey?
    ) async throws -> GrantDesk.Prepared {
        guard let reason = UnlinkReason(name: reason) else {
            throw AgentFailure(
                .badRequest,
                "there is no such reason",
                hint: "Reasons: " + UnlinkReason.allCases.map(\.name).joined(separator: ", ")
            )
        }
        guard let state = self.context.board.tip.state.identityLink(id) else { throw Self.unknown }
        let isOwn = key.map { $0 == state.link.patientKey } ?? (state.link.author == self.context.institution)
        var contestKey: Digest?
        if !isOwn {
            let pseudonyms = patient.isEmpty ? [] : try await self.resolver.pseudonyms(patient)
            guard let opened = try self.open(state.link, pseudonyms) else { throw Self.unknown }
            contestKey = opened.statement.contestKey
        }
        let unlink = IdentityUnlink(
            link: id,
            signer: key.map(IdentityUnlink.Signer.patient) ?? .institution(self.context.institution),
            contestKey: contestKey,
            reason: reason,
            evidence: evidence
        )
        let signer: Signer = key.map(Signer.key) ?? .institution(self.context.institution)
        return self.prepare(.unlink(unlink), signers: [signer], subject: id.digest)
    }

    /// Whether this desk prepared the transaction; told once.
    package func takePrepared(_ body: TransactionBody) -> Bool { self.prepared.take(body.id) }

    // MARK: Listing

    /// The links about a patient, or all of which this institution knows a side or is the author; newest first.
    package func links(of patient: String) async throws -> [Listed] {
        let pseudonyms = patient.isEmpty ? [] : try await self.resolver.pseudonyms(patient)
        let state = self.context.board.tip.state
        let nodes = Set(pseudonyms.map(\.identityNode))
        var listed: [Listed] = []
        for bytes in try self.context.custody.accessNotes(.identity) {
            let link = try IdentityLink(canonicalBytes: bytes)
            let id = link.id
            guard let known = state.identityLink(id) else { continue }
            guard patient.isEmpty || nodes.contains(link.first.node) || nodes.contains(link.second.node) else {
                continue
            }
            let opened = try self.open(link, pseudonyms)
            guard opened != nil || link.author == self.context.institution else { continue }
            listed.append(Listed(id: id, state: known, statement: opened?.statement))
        }
        return listed.sorted { ($1.state.createdHeight, $1.id) < ($0.state.createdHeight, $0.id) }
    }

    /// What was read and granted through a link while it stood: to be looked at by people after it was ended.
    package func fixups(_ id: IdentityLinkID, patient: String) async throws -> [Fixup] {
        let state = self.context.board.tip.state
        guard let known = state.identityLink(id) else { throw Self.unknown }
        let pseudonyms = patient.isEmpty ? [] : try await self.resolver.pseudonyms(patient)
        guard let opened = try self.open(known.link, pseudonyms) else { throw Self.unknown }
        let parameters = self.context.genesis.parameters
        let web = IdentityWeb(state: state, now: Clock.now, parameters: parameters, without: id)
        let far = web.person(opened.statement.other).map(\.pseudonym)
        let near = web.person(opened.pseudonym).map(\.pseudonym)
        let isNearFirst = known.link.first.node == opened.pseudonym.identityNode
        var fixups: [Fixup] = []
        for (exams, principals, isChildsExam) in [(near, far, !isNearFirst), (far, near, isNearFirst)] {
            // A newborn's grants reach none of its mother's exams.
            guard known.link.kind.isOnePerson || isChildsExam else { continue }
            let grants = principals.flatMap { self.judge.grants(of: $0) }
            let ids = Set(grants.map(\.id))
            for reading in try self.log.readings(of: exams) {
                guard let grant = reading.receipt.grant, ids.contains(grant), known.held(at: reading.receipt.time)
                else { continue }
                fixups.append(
                    Fixup(
                        kind: .read,
                        institution: reading.receipt.institution,
                        record: reading.receipt.request.record,
                        grant: grant,
                        time: reading.receipt.time
                    )
                )
            }
            for terms in grants where Self.overlaps(terms.state, known) {
                for reader in terms.state.grant.grantees {
                    fixups.append(
                        Fixup(
                            kind: .granted,
                            institution: reader,
                            record: nil,
                            grant: terms.id,
                            time: max(terms.state.createdTime, known.createdTime)
                        )
                    )
                }
            }
        }
        return fixups.sorted {
            ($0.time, $0.kind.rawValue, $0.institution, $0.grant) < (
                $1.time, $1.kind.rawValue, $1.institution, $1.grant
            )
        }
    }

    /// Whether a grant stood while the link did.
    private static func overlaps(_ grant: GrantState, _ link: IdentityLinkState) -> Bool {
        let isBefore = grant.revokedTime.map { $0 <= link.createdTime } ?? false
        let isAfter = link.ending.map { $0.time <= grant.createdTime } ?? false
        return !isBefore && !isAfter && grant.grant.notAfter > link.createdTime
    }

    /// The side of a link that this institution knows: a patient of its own, or one of `pseudonyms`.
    private func open(
        _ link: IdentityLink,
        _ pseudonyms: [PatientPseudonym]
    ) throws -> (pseudonym: PatientPseudonym, statement: IdentityStatement)? {
        var candidates = pseudonyms
        for bucket in Set([link.first.bucket, link.second.bucket]).sorted() {
            let patients = try self.context.custody.patients(bucket: bucket).map(\.sealedPseudonym)
            let linked = try self.context.custody.linkedIdentities(bucket: bucket).map(\.sealedPseudonym)
            candidates += try (patients + linked).map(self.context.secrets.openPseudonym)
        }
        for pseudonym in candidates {
            guard let statement = try? PseudonymSealing.openLink(link, pseudonym: pseudonym) else { continue }
            return (pseudonym, statement)
        }
        return nil
    }

    private func prepare(_ call: IdentitiesCall, signers: [Signer], subject: Digest) -> GrantDesk.Prepared {
        let body = self.desk.body(.identities(call), signers: signers)
        self.prepared.add(body.id)
        return GrantDesk.Prepared(body: body, subject: subject)
    }

    /// What an identifier alone says: sex and birth date of an identity number.
    private static func traits(_ text: String) throws -> PersonTraits {
        let identifier = try PatientResolver.identifier(text)
        return PersonTraits(
            identifiers: [PersonTraits.KnownIdentifier(identifier, isVerified: true)],
            sex: identifier.written?.sex,
            birthDate: identifier.written?.birthDate
        )
    }

    private static let unknown = AgentFailure(
        .identityUnknown,
        "this institution knows no such link",
        hint: "See entente identity list; give one of the two with --patient - where it is another's patient."
    )
}
