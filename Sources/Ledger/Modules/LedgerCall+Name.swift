extension LedgerCall {
    /// Module and call, for people: a stable name such as `emergency.open`.
    package var name: String {
        switch self {
        case .institutions(.rotateTransportKey): "institution.rotate-key"
        case .institutions(.changeAddress): "institution.change-address"
        case .commitments(.commitExams): "exams.commit"
        case .receipts(.anchorReceipts): "readings.anchor"
        case .anomalies(.report): "anomalies.report"
        case .recognition(.anchorFacts): "recognition.anchor"
        case .grants(let call): "grant." + call.name
        case .delegations(let call): "mandate." + call.name
        case .emergency(.open): "emergency.open"
        case .emergency(.review): "emergency.review"
        case .emergency(.reconcile): "emergency.reconcile"
        case .erasures(.request): "erasure.request"
        case .erasures(.decide): "erasure.decide"
        case .erasures(.prove): "erasure.prove"
        case .identities(.link): "identity.link"
        case .identities(.unlink): "identity.unlink"
        case .policies(.propose): "policy.propose"
        case .policies(.publishChunk): "policy.publish"
        case .policies(.approve): "policy.approve"
        case .pseudonymKeys(.served): "pseudonyms.served"
        case .pseudonymKeys: "pseudonyms.ceremony"
        }
    }
}

extension GrantsCall {
    fileprivate var name: String {
        switch self {
        case .enrolPatient: "enrol"
        case .createGrant: "create"
        case .revokeGrant: "revoke"
        case .narrowGrant: "narrow"
        case .createGroup, .changeGroup: "group"
        case .openReferral, .closeReferral: "referral"
        case .chooseDiscovery: "discovery"
        }
    }
}

extension DelegationsCall {
    fileprivate var name: String {
        switch self {
        case .create: "create"
        case .end: "end"
        case .declare: "declare"
        case .withdraw: "withdraw"
        case .object: "object"
        case .decide: "decide"
        }
    }
}
