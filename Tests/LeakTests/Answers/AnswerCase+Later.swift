import AgentAPI
import Foundation
import SwiftProtobuf

// Calls about persons and records that came with emergencies, erasure, recognition and identities.
extension AnswerCase {
    static func persons(_ cases: inout [String: AnswerCase]) {
        cases["Mandates"] = .alike { client, subject, _ in
            try await client.mandates(.with { $0.patient = subject.patient }).serializedData()
        }
        cases["IdentityLinks"] = .alike { client, subject, _ in
            try await client.identityLinks(.with { $0.patient = subject.patient }).serializedData()
        }
        cases["PrepareIdentityLink"] = .alike { client, subject, question in
            let reply = try await client.prepareIdentityLink(
                .with {
                    $0.kind = "same"
                    $0.first = subject.patient
                    $0.second = question.patient
                    $0.evidence = Data(repeating: 3, count: 32)
                }
            )
            return Self.shape([reply])
        }
        cases["PrepareOfflineBreakGlass"] = .alike { client, subject, question in
            try await client.prepareOfflineBreakGlass(
                .with {
                    $0.patient = subject.patient
                    $0.reason = "unconscious"
                    $0.text = "found"
                    $0.circumstances = "alone"
                    $0.credential = question.credential
                }
            ).serializedData()
        }
        cases["PrepareObjection"] = .alike { client, subject, question in
            try await client.prepareObjection(
                .with {
                    $0.guardianKey = question.stranger
                    $0.grant = subject.grant
                    $0.delegation = subject.delegation
                }
            ).serializedData()
        }
        cases["DecideObjection"] = .alike { client, subject, _ in
            try await client.decideObjection(
                .with {
                    $0.grant = subject.grant
                    $0.delegation = subject.delegation
                    $0.outcome = "upheld"
                }
            ).serializedData()
        }
        cases["Match"] = .alike { client, subject, question in
            try await client.match(
                .with {
                    $0.patient = subject.patient
                    $0.credential = question.credential
                    $0.items = ["hgb"]
                    $0.orderNumber = "1"
                }
            ).serializedData()
        }
    }

    static func records(_ cases: inout [String: AnswerCase]) {
        cases["Why"] = .alike { client, subject, question in
            try await client.why(
                .with {
                    $0.record = subject.record
                    $0.credential = question.credential
                }
            ).serializedData()
        }
        cases["ListErasures"] = .alike { client, subject, _ in
            try await client.listErasures(.with { $0.record = subject.record }).serializedData()
        }
        cases["PrepareErasure"] = .alike { client, subject, question in
            let asked = await Self.error {
                _ = try await client.prepareErasure(
                    .with {
                        $0.records = [subject.record]
                        $0.patientKey = question.stranger
                    }
                )
            }
            let witnessed = await Self.error {
                _ = try await client.prepareErasure(
                    .with {
                        $0.records = [subject.record]
                        $0.evidence = Data(repeating: 3, count: 32)
                    }
                )
            }
            return Data((asked + witnessed).utf8)
        }
        cases["VoidRecord"] = .alike { client, subject, question in
            try await client.voidRecord(
                .with {
                    $0.record = subject.record
                    $0.reason = "wrong-patient"
                    $0.credential = question.credential
                }
            ).serializedData()
        }
    }

    static let publicAffairs: [String: AnswerCase] = [
        "ProposePolicy": .apart(because: "policies are public to members"),
        "ApprovePolicy": .apart(because: "policies are public to members"),
        "ListPolicies": .apart(because: "policies are public to members"),
        "ShowPolicy": .apart(because: "policies are public to members"),
        "Account": .apart(because: "an institution's account of its own readings, for its own operator"),
        "Statistics": .apart(because: "every member has the facts that are counted"),
        "StatisticsLineage": .apart(because: "every member has the facts that are counted"),
        "DeclareLifeEvent": .apart(because: "takes any person and answers with the name of what it made"),
        "WithdrawLifeEvent": .apart(because: "declarations are public to members, whom they are about is not"),
        "DecideErasure": .apart(because: "erasures are public to members"),
        "ProveErasure": .apart(because: "erasures are public to members"),
        "PrepareIdentityUnlink": .apart(because: "links are public to members, whom they join is sealed"),
        "IdentityFixups": .apart(because: "links are public to members, whom they join is sealed"),
        "OpenOffline": .apart(because: "takes what this agent prepared"),
        "Matches": .apart(because: "own matches"), "Decide": .apart(because: "own matches"),
        "UndoDecision": .apart(because: "own matches"), "Cite": .apart(because: "own matches"),
        "CloseMatch": .apart(because: "own matches"), "Prices": .apart(because: "own prices"),
        "IdentityCases": .apart(because: "own patients"), "DecideIdentity": .apart(because: "own patients"),
        "TemporaryIdentity": .apart(because: "names nothing"),
    ]
}
