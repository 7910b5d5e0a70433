import AgentAPI
import AgentTestSupport
import Foundation
import Ledger
import Primitives
import Records
import SwiftProtobuf

/// What a stranger asks with one call, and whether the answer may depend on what exists.
enum AnswerCase: Sendable {
    typealias Ask = @Sendable (AgentClient, Strangers.Subject, Question) async throws -> Data

    /// What is the same in both questions.
    struct Question: Sendable {
        var credential: Data
        var stranger: Data
        var chain: Data
        /// A patient whom nothing is about.
        var patient: String
    }

    /// The answers about what exists and what does not are to be the same bytes.
    case alike(Ask)
    /// Says what is public on the chain, or speaks of this institution's own affairs to its own operator.
    case apart(because: String)

    /// By the name of the call; a call that is not here fails the test.
    static var all: [String: AnswerCase] {
        var cases = self.open
        self.reading(&cases)
        self.looking(&cases)
        self.granting(&cases)
        self.ending(&cases)
        self.others(&cases)
        self.persons(&cases)
        self.records(&cases)
        return cases
    }

    private static func reading(_ cases: inout [String: AnswerCase]) {
        cases["Find"] = .alike { client, subject, question in
            var reply = try await client.find(
                .with {
                    $0.patient = subject.patient
                    $0.credential = question.credential
                }
            )
            reply.elapsedMicroseconds = 0
            return try reply.serializedData()
        }
        cases["PrepareFetch"] = .alike { client, subject, question in
            try await client.prepareFetch(
                .with {
                    $0.record = subject.record
                    $0.purpose = "TREAT"
                    $0.credential = question.credential
                }
            ).serializedData()
        }
        cases["Explain"] = .alike { client, subject, question in
            try await client.explain(
                .with {
                    $0.record = subject.record
                    $0.purpose = "TREAT"
                    $0.credential = question.credential
                }
            ).serializedData()
        }
        cases["Fetch"] = .alike { client, subject, question in
            guard let record = Digest(Array(subject.record)),
                let credential = try? ClinicianCredential(canonicalBytes: Array(question.credential))
            else { return Data() }
            let request = FetchRequest(
                record: ContentAddress(record),
                purpose: .treatment,
                nonce: [UInt8](repeating: 7, count: FetchRequest.nonceBytes),
                credential: credential.id
            )
            return try await client.fetch(
                .with {
                    $0.request = Data(request.canonicalBytes)
                    $0.signature = Data(repeating: 1, count: 64)
                    $0.credential = question.credential
                }
            ).serializedData()
        }
    }

    private static func looking(_ cases: inout [String: AnswerCase]) {
        cases["ListGrants"] = .alike { client, subject, _ in
            try await client.listGrants(.with { $0.patient = subject.patient }).serializedData()
        }
        cases["AccessLog"] = .alike { client, subject, _ in
            try await client.accessLog(.with { $0.patient = subject.patient }).serializedData()
        }
        cases["Notices"] = .alike { client, subject, _ in
            try await client.notices(.with { $0.patient = subject.patient }).serializedData()
        }
        cases["PrepareEnrolment"] = .alike { client, subject, question in
            // Random where it must be; whether the handle is the same each time must not tell either.
            let request = Entente_Api_V1_PrepareEnrolmentRequest.with {
                $0.patient = subject.patient
                $0.patientKey = question.stranger
            }
            let replies = [try await client.prepareEnrolment(request), try await client.prepareEnrolment(request)]
            return Self.shape(replies) + Data([replies[0].subject == replies[1].subject ? 1 : 0])
        }
        cases["PrepareDiscovery"] = .alike { client, subject, _ in
            let replies = [
                try await client.prepareDiscovery(
                    .with {
                        $0.patient = subject.patient
                        $0.witness = true
                    }
                )
            ]
            return Self.shape(replies)
        }
        cases["CloseReferral"] = .alike { client, subject, _ in
            try await client.closeReferral(.with { $0.referral = subject.referral }).serializedData()
        }
    }

    private static func granting(_ cases: inout [String: AnswerCase]) {
        cases["PrepareGrant"] = .alike { client, subject, question in
            let witnessed = try await client.prepareGrant(
                .with {
                    $0.patient = subject.patient
                    $0.grantees = ["b"]
                    $0.purpose = "TREAT"
                    $0.witnessEvidence = Data(repeating: 3, count: 32)
                }
            )
            let error = await Self.error {
                _ = try await client.prepareGrant(
                    .with {
                        $0.patient = question.patient
                        $0.grantees = ["b"]
                        $0.purpose = "TREAT"
                        $0.patientKey = subject.patientKey
                    }
                )
            }
            let delegated = await Self.error {
                _ = try await client.prepareGrant(
                    .with {
                        $0.patient = question.patient
                        $0.grantees = ["b"]
                        $0.purpose = "TREAT"
                        $0.delegateKey = question.stranger
                        $0.delegation = subject.delegation
                    }
                )
            }
            return Self.shape([witnessed]) + Data((error + delegated).utf8)
        }
    }

    private static func ending(_ cases: inout [String: AnswerCase]) {
        cases["PrepareRevocation"] = .alike { client, subject, question in
            try await client.prepareRevocation(
                .with {
                    $0.grant = subject.grant
                    $0.patientKey = question.stranger
                }
            ).serializedData()
        }
        cases["PrepareNarrowing"] = .alike { client, subject, question in
            try await client.prepareNarrowing(
                .with {
                    $0.grant = subject.grant
                    $0.patient = question.patient
                    $0.patientKey = question.stranger
                }
            ).serializedData()
        }
        cases["PrepareDelegation"] = .alike { client, subject, question in
            try await client.prepareDelegation(
                .with {
                    $0.patient = question.patient
                    $0.patientKey = subject.patientKey
                    $0.delegateKey = question.stranger
                    $0.capacity = "proxy"
                    $0.purpose = "TREAT"
                    $0.evidence = Data(repeating: 3, count: 32)
                }
            ).serializedData()
        }
        cases["PrepareDelegationEnd"] = .alike { client, subject, question in
            try await client.prepareDelegationEnd(
                .with {
                    $0.delegation = subject.delegation
                    $0.patientKey = question.stranger
                }
            ).serializedData()
        }
    }

    private static func others(_ cases: inout [String: AnswerCase]) {
        cases["SubmitTransaction"] = .alike { client, subject, question in
            guard let chain = Digest(Array(question.chain)), let grant = Digest(Array(subject.grant)),
                let key = VerifyingKey(Array(question.stranger))
            else { return Data() }
            let body = TransactionBody(
                chain: ChainID(chain),
                call: .grants(.revokeGrant(GrantID(grant))),
                validUntil: Height(200),
                signers: [.key(key)]
            )
            return try await client.submitTransaction(
                .with {
                    $0.transaction = Data(body.canonicalBytes)
                    $0.patientKey = question.stranger
                    $0.patientSignature = Data(repeating: 1, count: 64)
                }
            ).serializedData()
        }
        cases["PrepareBreakGlass"] = .alike { client, subject, question in
            try await client.prepareBreakGlass(
                .with {
                    $0.patient = subject.patient
                    $0.reason = "unconscious"
                    $0.text = "found"
                    $0.circumstances = "alone"
                    $0.credential = question.credential
                    $0.widens = subject.emergency
                }
            ).serializedData()
        }
        cases["PrepareReview"] = .alike { client, subject, question in
            try await client.prepareReview(
                .with {
                    $0.emergency = subject.emergency
                    $0.outcome = "justified"
                    $0.credential = question.credential
                }
            ).serializedData()
        }
    }

    private static var open: [String: AnswerCase] { self.ownAffairs.merging(self.publicAffairs) { own, _ in own } }

    private static let ownAffairs: [String: AnswerCase] = [
        "ShowGroup": .apart(because: "groups and their members are public to members"),
        "ChangeGroup": .apart(because: "groups are public to members"),
        "OpenReferral": .apart(because: "names an institution"),
        "Anomalies": .apart(because: "reports are public to members"),
        "Status": .apart(because: "own figures"), "Doctor": .apart(because: "own figures"),
        "ImportFiles": .apart(because: "own exams"), "ImportUpload": .apart(because: "own exams"),
        "QuarantineList": .apart(because: "own inputs"), "QuarantineShow": .apart(because: "own inputs"),
        "QuarantineRetry": .apart(because: "own inputs"), "MappingList": .apart(because: "own codes"),
        "MappingSuggest": .apart(because: "own codes"), "MappingSet": .apart(because: "own codes"),
        "MappingLoad": .apart(because: "own codes"), "AddClinician": .apart(because: "own clinicians"),
        "ResharePseudonyms": .apart(because: "names nothing"), "RotateCertificate": .apart(because: "names nothing"),
    ]

    /// The sizes of what is random.
    static func shape(_ replies: [Entente_Api_V1_PreparedTransaction]) -> Data {
        Data(
            replies.map { "\($0.transaction.count) \($0.toSign.count) \($0.subject.count) \($0.doneHeight)" }
                .joined(separator: "\n").utf8
        )
    }

    /// Everything that a refusal says.
    static func error(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "no error"
        } catch let error as AgentAPIError {
            return "\(error.code) \(error.message) \(error.hint) \(error.exitStatus)"
        } catch {
            return "\(error)"
        }
    }
}
