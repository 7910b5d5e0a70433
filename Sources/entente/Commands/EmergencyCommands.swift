import AgentAPI
import AgentRuntime
import ArgumentParser
import Foundation

struct BreakGlassCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "break-glass",
        abstract: "Open a patient's exams in an emergency, without a grant, for four hours and under review.",
        discussion: """
            Waits until the chain has ordered it; then fetch --purpose BTG. The source, and the patient, see it with notices.
            Without contact to the chain, --offline opens what the patient allowed for emergencies beforehand and is here.
            """
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var patient: PatientOptions

    @Option(name: .long, help: "unconscious, life-threatening, nobody-can-decide, disaster or other.")
    var reason: String

    @Option(name: .long, help: "The reason in words, or @FILE: what stands here is in the process list.")
    var text: String

    @Option(name: .long, help: "Where and in what state the patient is, or @FILE.")
    var circumstances: String

    @Option(name: .long, help: "An earlier emergency access to widen to everything, sensitive exams included.")
    var widen: String?

    @Option(name: .customLong("as"), help: "The clinician's credential file.")
    var credential: String

    @Option(name: .long, help: "The credential file of a second person who approves.")
    var approver: String?

    @Flag(name: .long, help: "Declare it in this institution's local chain, while the consortium's cannot be reached.")
    var offline = false

    func execute() async throws {
        let credential = try CredentialFile(path: self.credential)
        let approver = try self.approver.map { path throws(CommandFailure) in try CredentialFile(path: path) }
        var request = Entente_Api_V1_PrepareBreakGlassRequest()
        request.patient = try self.patient.read()
        request.reason = self.reason
        request.text = try ArgumentText.read(self.text, what: "the reason")
        request.circumstances = try ArgumentText.read(self.circumstances, what: "the circumstances")
        request.credential = credential.credentialBytes
        request.approver = approver?.credentialBytes ?? Data()
        if let widen = self.widen {
            request.widens = try Lists.digest(widen, "emergency", "Copy it from break-glass or notices.")
        }
        guard !self.offline else { return try await self.openOffline(request, credential, approver) }
        let reply = try await self.options.call { [request] client in
            let prepared = try await client.prepareBreakGlass(request)
            try SigningCheck.breakGlass(SigningCheck.call(of: prepared), request)
            return try await EmergencySigning.submit(prepared, [credential] + (approver.map { [$0] } ?? []), client)
        }
        Answer(
            ["emergency": reply.subject.hex, "height": reply.height],
            text: """
                Emergency access \(reply.subject.hex)
                final in block \(reply.height). Open records with fetch --purpose BTG.
                """
        ).print(asJSON: self.options.json)
    }
}

extension BreakGlassCommand {
    private func openOffline(
        _ request: Entente_Api_V1_PrepareBreakGlassRequest,
        _ credential: CredentialFile,
        _ approver: CredentialFile?
    ) async throws {
        let reply = try await self.options.call { client in
            let prepared = try await client.prepareOfflineBreakGlass(request)
            try SigningCheck.offlineBreakGlass(prepared, request)
            var opening = Entente_Api_V1_OpenOfflineRequest()
            opening.opening = prepared.opening
            opening.signature = credential.sign(prepared.toSign)
            opening.approverSignature = approver?.sign(prepared.toSign) ?? Data()
            return try await client.openOffline(opening)
        }
        Answer(
            [
                "emergency": reply.emergency.hex, "entry": reply.entry.hex, "number": reply.number,
                "until": Times.format(reply.until),
            ],
            text: """
                Emergency access \(reply.emergency.hex)
                until \(Times.format(reply.until)). Open records that are here with fetch --purpose BTG.
                Entry \(reply.number) of the local chain, \(reply.entry.hex): note it.
                """
        ).print(asJSON: self.options.json)
    }
}

struct ReviewCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "review",
        abstract: "Say whether an emergency access of this institution was justified."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The emergency access, as notices prints it.")
    var emergency: String

    @Option(name: .long, help: "justified or unjustified.")
    var outcome: String

    @Option(name: .customLong("as"), help: "The reviewer's credential file.")
    var credential: String

    func execute() async throws {
        let credential = try CredentialFile(path: self.credential)
        var request = Entente_Api_V1_PrepareReviewRequest()
        request.emergency = try Lists.digest(self.emergency, "emergency", "Copy it from notices.")
        request.outcome = self.outcome
        request.credential = credential.credentialBytes
        let reply = try await self.options.call { [request] client in
            let prepared = try await client.prepareReview(request)
            try SigningCheck.review(SigningCheck.call(of: prepared), request)
            return try await EmergencySigning.submit(prepared, [credential], client)
        }
        Answer(
            ["emergency": self.emergency, "outcome": self.outcome, "height": reply.height],
            text: "Reviewed in block \(reply.height): \(self.outcome)"
        ).print(asJSON: self.options.json)
    }
}

struct NoticesCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "notices",
        abstract: "List emergency accesses: of a patient, or of this institution as source and as reader."
    )

    @OptionGroup var options: GlobalOptions

    @Option(name: .long, help: "Use - to read SYSTEM:VALUE from standard input. Default: those of this institution.")
    var patient: String?

    func execute() async throws {
        var request = Entente_Api_V1_NoticesRequest()
        request.patient =
            try self.patient.map { text throws(CommandFailure) in
                try PatientInput.read(text, allowsLiteral: false)
            } ?? ""
        let reply = try await self.options.call { [request] in try await $0.notices(request) }
        Answer(
            [
                "notices": reply.notices.map(self.json), "opened": reply.opened, "justified": reply.justified,
                "unjustified": reply.unjustified, "figures": Self.json(reply.figures),
            ],
            text: self.text(reply.notices)
        ).print(asJSON: self.options.json)
    }

    private func json(_ notice: Entente_Api_V1_Notice) -> [String: Any] {
        var object: [String: Any] = [
            "emergency": notice.emergency.hex, "institution": notice.institution, "reason": notice.reason,
            "text": notice.text, "circumstances": notice.circumstances, "time": Times.format(notice.time),
            "height": notice.height, "until": Times.format(notice.until), "wide": notice.wide,
            "approved": notice.approved, "review": notice.review, "own": notice.own,
            "reviewUntil": Times.format(notice.reviewUntil), "offline": notice.offline, "waiting": notice.waiting,
            "alarms": notice.alarms,
        ]
        if notice.offline {
            object["uses"] = Int(notice.uses)
            object["broken"] = notice.broken
        }
        if !notice.widens.isEmpty { object["widens"] = notice.widens.hex }
        return object
    }

    static func json(_ figures: Entente_Api_V1_EmergencyFigures) -> [String: Any] {
        [
            "opened": figures.opened, "offline": figures.offline, "alarming": figures.alarming,
            "waiting": figures.waiting, "breaks": Int(figures.breaks),
        ]
    }

    /// What is unusual about an access.
    private static func remarks(_ notice: Entente_Api_V1_Notice) -> String {
        var remarks: [String] = []
        if notice.waiting { remarks.append("waits") }
        if notice.offline { remarks.append("without contact, \(notice.uses) read") }
        if !notice.broken.isEmpty { remarks.append("chain: \(notice.broken)") }
        remarks += notice.alarms.map { "many by the \($0)" }
        return remarks.joined(separator: ", ")
    }

    private func text(_ notices: [Entente_Api_V1_Notice]) -> String {
        guard !notices.isEmpty else { return "No emergency accesses." }
        var table = TextTable([
            "Time", "Institution", "Reason", "In words", "Extent", "Review", "Remarks", "Emergency access",
        ])
        for notice in notices {
            table.add([
                Times.format(notice.time), notice.institution, notice.reason, Terminal.harmless(notice.text),
                notice.wide ? "everything" : "usual", notice.review, Self.remarks(notice), notice.emergency.hex,
            ])
        }
        return table.text
    }
}

/// Signs a prepared transaction with one or two credentials' keys and submits it.
enum EmergencySigning {
    static func submit(
        _ prepared: Entente_Api_V1_PreparedTransaction,
        _ credentials: [CredentialFile],
        _ client: AgentClient
    ) async throws -> Submitted {
        var request = Entente_Api_V1_SubmitTransactionRequest()
        request.transaction = prepared.transaction
        if let first = credentials.first {
            request.patientKey = first.publicKey
            request.patientSignature = first.sign(prepared.toSign)
        }
        if credentials.count > 1 {
            request.secondKey = credentials[1].publicKey
            request.secondSignature = credentials[1].sign(prepared.toSign)
        }
        let reply = try await client.submitTransaction(request)
        return Submitted(subject: prepared.subject, height: reply.height)
    }
}
