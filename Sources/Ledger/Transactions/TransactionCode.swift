package import Primitives

/// Why a transaction was refused, or that it was not.
///
/// Numbers and names are part of the protocol and never reused.
package enum TransactionCode: UInt16, CaseIterable, Sendable, CanonicalCodable {
    case ok = 0

    // 1 to 19: the transaction may not stand in a block at all.
    case malformed = 1
    case tooLarge = 2
    case wrongVersion = 3
    case wrongChain = 4
    case unknownModule = 5
    case badPayload = 6
    case expired = 7
    case validTooLong = 8
    case replayed = 9
    case unknownSigner = 10
    case badSignature = 11

    // 20 to 29: this agent does not take it now.
    case alreadyPending = 20
    case poolFull = 21
    case signerShareFull = 22

    // From 30 on: receipts of transactions that stand in a block and changed nothing.
    case overMeter = 30

    case institutionWrongSigner = 100
    case institutionUnknown = 101
    case institutionBadAddress = 102
    case institutionTransportKeyInUse = 103
    case institutionTooManyTransportKeys = 104
    case institutionBadOverlap = 105

    case commitWrongSigner = 200
    case commitUnknownInstitution = 201
    case commitWrongNumber = 202
    case commitWrongPrevious = 203
    case commitBadCount = 204

    case enrolmentWrongSigner = 300
    case enrolmentUnknownInstitution = 301
    case enrolmentExists = 302

    case grantWrongSigner = 320
    case grantNotPatientKey = 321
    case grantWrongPatient = 322
    case grantUnknownWitness = 323
    case grantSelfWitness = 324
    case grantNoGrantee = 325
    case grantUnknownGrantee = 326
    case grantUnknownCustodian = 327
    case grantBadPeriod = 328
    case grantOver = 329
    case grantBadScope = 330
    case grantExists = 331
    case grantUnknown = 332
    case grantAlreadyRevoked = 333
    case grantNotDelegate = 334
    case grantDelegationOver = 335
    case grantOutsideDelegation = 336
    case grantUnknownGroup = 337
    case grantTooManyNarrowings = 338

    case groupWrongSigner = 340
    case groupUnknown = 341
    case groupExists = 342
    case groupUnknownMember = 343
    case groupTooManyMembers = 344
    case groupNoChange = 345

    case referralWrongSigner = 346
    case referralUnknownInstitution = 347
    case referralExists = 348
    case referralUnknown = 349
    case referralAlreadyClosed = 350

    case discoveryWrongSigner = 351
    case discoveryWrongPatient = 352

    case receiptsWrongSigner = 400
    case receiptsUnknownInstitution = 401
    case receiptsWrongNumber = 402
    case receiptsWrongPrevious = 403
    case receiptsBadCount = 404

    case anomaliesWrongSigner = 500
    case anomaliesUnknownInstitution = 501
    case anomaliesWrongNumber = 502
    case anomaliesWrongPrevious = 503
    case anomaliesBadCount = 504
    case anomaliesMalformed = 505

    case policyWrongSigner = 600
    case policyUnknownInstitution = 601
    case policyBadVersion = 602
    case policyWrongPrevious = 603
    case policyBadSize = 604
    case policyBadTerms = 605
    case policyUnknownProposal = 606
    case policyBadChunk = 607
    case policyChunkExists = 608
    case policyIncomplete = 609
    case policyAlreadyApproved = 610
    case policyProposalExists = 611

    // 630 to 659 are those of single facts: ``RecognitionCode``.
    case factsWrongSigner = 620
    case factsUnknownInstitution = 621
    case factsWrongNumber = 622
    case factsWrongPrevious = 623
    case factsBadCount = 624

    case pseudonymsWrongSigner = 700
    case pseudonymsNotCandidate = 701
    case pseudonymsWrongNumber = 702
    case pseudonymsWrongPhase = 703
    case pseudonymsRepeated = 704
    case pseudonymsBadKey = 705
    case pseudonymsNotDealer = 706
    case pseudonymsBadDealing = 707
    case pseudonymsWrongConstant = 708
    case pseudonymsNotHolder = 709
    case pseudonymsUnknownDealing = 710
    case pseudonymsFalseComplaint = 711
    case pseudonymsNothingDue = 712
    case pseudonymsNoKey = 713
    case pseudonymsTooSoon = 714
    case pseudonymsBadReport = 715
    case pseudonymsWrongDay = 716
    case pseudonymsNotMore = 717

    case identityWrongSigner = 760
    case identityUnknownAuthor = 761
    case identityNotEnrolled = 762
    case identitySelfLink = 763
    case identityBadStatement = 764
    case identityBadPeriod = 765
    case identityExists = 766
    case identityLoop = 767
    case identityMerged = 768
    case identityTooMany = 769
    case identityBadRole = 770
    case identityUnknown = 771
    case identityAlreadyUnlinked = 772
    case identityBadContest = 773

    case emergencyOfflineBadSignature = 780
    case emergencyOfflineKnown = 781
    case emergencyOfflineFuture = 782
    case emergencyOfflineBadUse = 783

    case lifeEventWrongSigner = 785
    case lifeEventExists = 786
    case lifeEventUnknown = 787
    case lifeEventWithdrawn = 788
    case objectionWrongSigner = 789
    case objectionNotGuardian = 790
    case objectionNotGuardiansGrant = 791
    case objectionExists = 792
    case objectionUnknown = 793
    case objectionDecided = 794

    case delegationWrongSigner = 800
    case delegationNotPatientKey = 801
    case delegationWrongPatient = 802
    case delegationUnknownWitness = 803
    case delegationUnknownDelegate = 804
    case delegationToSelf = 805
    case delegationBadPeriod = 806
    case delegationBadScope = 807
    case delegationExists = 808
    case delegationUnknown = 809
    case delegationAlreadyEnded = 810

    case emergencyWrongSigner = 840
    case emergencyBadGrant = 841
    case emergencyBadPeriod = 842
    case emergencyBadScope = 843
    case emergencySelfApproved = 844
    case emergencyNothingToWiden = 845
    case emergencyReviewOverdue = 846
    case emergencyTooManyOpen = 847
    case emergencyExists = 848
    case emergencyOwnReview = 849
    case emergencyUnknown = 850
    case emergencyReviewed = 851

    case erasureWrongSigner = 880
    case erasureUnknownInstitution = 881
    case erasureNotPatientKey = 882
    case erasureNoRecords = 883
    case erasureExists = 884
    case erasureUnknown = 885
    case erasureAlreadyDecided = 886
    case erasureAlreadyErased = 887
    case erasureUnknownHolder = 888
    case erasureBadPeriod = 889
    case erasureNotAccepted = 890
    case erasureNotHolder = 891
    case erasureAlreadyProved = 892
    case erasureWrongList = 893

    /// The stable name that answers, logs and scripts use.
    package var name: String {
        switch self {
        case .ok: "ok"
        case .malformed: "tx.malformed"
        case .tooLarge: "tx.too-large"
        case .wrongVersion: "tx.wrong-version"
        case .wrongChain: "tx.wrong-chain"
        case .unknownModule: "tx.unknown-module"
        case .badPayload: "tx.bad-payload"
        case .expired: "tx.expired"
        case .validTooLong: "tx.valid-too-long"
        case .replayed: "tx.replayed"
        case .unknownSigner: "tx.unknown-signer"
        case .badSignature: "tx.bad-signature"
        case .alreadyPending: "tx.already-pending"
        case .poolFull: "pool.full"
        case .signerShareFull: "pool.signer-share-full"
        case .overMeter: "tx.over-meter"
        case .institutionWrongSigner: "institution.wrong-signer"
        case .institutionUnknown: "institution.unknown"
        case .institutionBadAddress: "institution.bad-address"
        case .institutionTransportKeyInUse: "institution.transport-key-in-use"
        case .institutionTooManyTransportKeys: "institution.too-many-transport-keys"
        case .institutionBadOverlap: "institution.bad-overlap"
        case .commitWrongSigner: "commit.wrong-signer"
        case .commitUnknownInstitution: "commit.unknown-institution"
        case .commitWrongNumber: "commit.wrong-number"
        case .commitWrongPrevious: "commit.wrong-previous"
        case .commitBadCount: "commit.bad-count"
        case .enrolmentWrongSigner: "enrolment.wrong-signer"
        case .enrolmentUnknownInstitution: "enrolment.unknown-institution"
        case .enrolmentExists: "enrolment.exists"
        case .grantWrongSigner: "grant.wrong-signer"
        case .grantNotPatientKey: "grant.not-patient-key"
        case .grantWrongPatient: "grant.wrong-patient"
        case .grantUnknownWitness: "grant.unknown-witness"
        case .grantSelfWitness: "grant.self-witness"
        case .grantNoGrantee: "grant.no-grantee"
        case .grantUnknownGrantee: "grant.unknown-grantee"
        case .grantUnknownCustodian: "grant.unknown-custodian"
        case .grantBadPeriod: "grant.bad-period"
        case .grantOver: "grant.over"
        case .grantBadScope: "grant.bad-scope"
        case .grantExists: "grant.exists"
        case .grantUnknown: "grant.unknown"
        case .grantAlreadyRevoked: "grant.already-revoked"
        case .grantNotDelegate: "grant.not-delegate"
        case .grantDelegationOver: "grant.delegation-over"
        case .grantOutsideDelegation: "grant.outside-delegation"
        case .grantUnknownGroup: "grant.unknown-group"
        case .grantTooManyNarrowings: "grant.too-many-narrowings"
        case .groupWrongSigner: "group.wrong-signer"
        case .groupUnknown: "group.unknown"
        case .groupExists: "group.exists"
        case .groupUnknownMember: "group.unknown-member"
        case .groupTooManyMembers: "group.too-many-members"
        case .groupNoChange: "group.no-change"
        case .referralWrongSigner: "referral.wrong-signer"
        case .referralUnknownInstitution: "referral.unknown-institution"
        case .referralExists: "referral.exists"
        case .referralUnknown: "referral.unknown"
        case .referralAlreadyClosed: "referral.already-closed"
        case .discoveryWrongSigner: "discovery.wrong-signer"
        case .discoveryWrongPatient: "discovery.wrong-patient"
        case .receiptsWrongSigner: "receipts.wrong-signer"
        case .receiptsUnknownInstitution: "receipts.unknown-institution"
        case .receiptsWrongNumber: "receipts.wrong-number"
        case .receiptsWrongPrevious: "receipts.wrong-previous"
        case .receiptsBadCount: "receipts.bad-count"
        case .anomaliesWrongSigner: "anomalies.wrong-signer"
        case .anomaliesUnknownInstitution: "anomalies.unknown-institution"
        case .anomaliesWrongNumber: "anomalies.wrong-number"
        case .anomaliesWrongPrevious: "anomalies.wrong-previous"
        case .anomaliesBadCount: "anomalies.bad-count"
        case .anomaliesMalformed: "anomalies.malformed"
        case .policyWrongSigner: "policy.wrong-signer"
        case .policyUnknownInstitution: "policy.unknown-institution"
        case .policyBadVersion: "policy.bad-version"
        case .policyWrongPrevious: "policy.wrong-previous"
        case .policyBadSize: "policy.bad-size"
        case .policyBadTerms: "policy.bad-terms"
        case .policyUnknownProposal: "policy.unknown-proposal"
        case .policyBadChunk: "policy.bad-chunk"
        case .policyChunkExists: "policy.chunk-exists"
        case .policyIncomplete: "policy.incomplete"
        case .policyAlreadyApproved: "policy.already-approved"
        case .policyProposalExists: "policy.proposal-exists"
        case .factsWrongSigner: "facts.wrong-signer"
        case .factsUnknownInstitution: "facts.unknown-institution"
        case .factsWrongNumber: "facts.wrong-number"
        case .factsWrongPrevious: "facts.wrong-previous"
        case .factsBadCount: "facts.bad-count"
        case .pseudonymsWrongSigner: "pseudonyms.wrong-signer"
        case .pseudonymsNotCandidate: "pseudonyms.not-candidate"
        case .pseudonymsWrongNumber: "pseudonyms.wrong-number"
        case .pseudonymsWrongPhase: "pseudonyms.wrong-phase"
        case .pseudonymsRepeated: "pseudonyms.repeated"
        case .pseudonymsBadKey: "pseudonyms.bad-key"
        case .pseudonymsNotDealer: "pseudonyms.not-dealer"
        case .pseudonymsBadDealing: "pseudonyms.bad-dealing"
        case .pseudonymsWrongConstant: "pseudonyms.wrong-constant"
        case .pseudonymsNotHolder: "pseudonyms.not-holder"
        case .pseudonymsUnknownDealing: "pseudonyms.unknown-dealing"
        case .pseudonymsFalseComplaint: "pseudonyms.false-complaint"
        case .pseudonymsNothingDue: "pseudonyms.nothing-due"
        case .pseudonymsNoKey: "pseudonyms.no-key"
        case .pseudonymsTooSoon: "pseudonyms.too-soon"
        case .pseudonymsBadReport: "pseudonyms.bad-report"
        case .pseudonymsWrongDay: "pseudonyms.wrong-day"
        case .pseudonymsNotMore: "pseudonyms.not-more"
        case .identityWrongSigner: "identity.wrong-signer"
        case .identityUnknownAuthor: "identity.unknown-author"
        case .identityNotEnrolled: "identity.not-enrolled"
        case .identitySelfLink: "identity.self-link"
        case .identityBadStatement: "identity.bad-statement"
        case .identityBadPeriod: "identity.bad-period"
        case .identityExists: "identity.exists"
        case .identityLoop: "identity.loop"
        case .identityMerged: "identity.merged"
        case .identityTooMany: "identity.too-many"
        case .identityBadRole: "identity.bad-role"
        case .identityUnknown: "identity.unknown"
        case .identityAlreadyUnlinked: "identity.already-unlinked"
        case .identityBadContest: "identity.bad-contest"
        case .emergencyOfflineBadSignature: "emergency.offline-bad-signature"
        case .emergencyOfflineKnown: "emergency.offline-known"
        case .emergencyOfflineFuture: "emergency.offline-future"
        case .emergencyOfflineBadUse: "emergency.offline-bad-use"
        case .lifeEventWrongSigner: "life-event.wrong-signer"
        case .lifeEventExists: "life-event.exists"
        case .lifeEventUnknown: "life-event.unknown"
        case .lifeEventWithdrawn: "life-event.already-withdrawn"
        case .objectionWrongSigner: "objection.wrong-signer"
        case .objectionNotGuardian: "objection.not-guardian"
        case .objectionNotGuardiansGrant: "objection.not-guardians-grant"
        case .objectionExists: "objection.exists"
        case .objectionUnknown: "objection.unknown"
        case .objectionDecided: "objection.already-decided"
        case .delegationWrongSigner: "delegation.wrong-signer"
        case .delegationNotPatientKey: "delegation.not-patient-key"
        case .delegationWrongPatient: "delegation.wrong-patient"
        case .delegationUnknownWitness: "delegation.unknown-witness"
        case .delegationUnknownDelegate: "delegation.unknown-delegate"
        case .delegationToSelf: "delegation.to-self"
        case .delegationBadPeriod: "delegation.bad-period"
        case .delegationBadScope: "delegation.bad-scope"
        case .delegationExists: "delegation.exists"
        case .delegationUnknown: "delegation.unknown"
        case .delegationAlreadyEnded: "delegation.already-ended"
        case .emergencyWrongSigner: "emergency.wrong-signer"
        case .emergencyBadGrant: "emergency.bad-grant"
        case .emergencyBadPeriod: "emergency.bad-period"
        case .emergencyBadScope: "emergency.bad-scope"
        case .emergencySelfApproved: "emergency.self-approved"
        case .emergencyNothingToWiden: "emergency.nothing-to-widen"
        case .emergencyReviewOverdue: "emergency.review-overdue"
        case .emergencyTooManyOpen: "emergency.too-many-open"
        case .emergencyExists: "emergency.exists"
        case .emergencyOwnReview: "emergency.own-review"
        case .emergencyUnknown: "emergency.unknown"
        case .emergencyReviewed: "emergency.already-reviewed"
        case .erasureWrongSigner: "erasure.wrong-signer"
        case .erasureUnknownInstitution: "erasure.unknown-institution"
        case .erasureNotPatientKey: "erasure.not-patient-key"
        case .erasureNoRecords: "erasure.no-records"
        case .erasureExists: "erasure.exists"
        case .erasureUnknown: "erasure.unknown"
        case .erasureAlreadyDecided: "erasure.already-decided"
        case .erasureAlreadyErased: "erasure.already-erased"
        case .erasureUnknownHolder: "erasure.unknown-holder"
        case .erasureBadPeriod: "erasure.bad-period"
        case .erasureNotAccepted: "erasure.not-accepted"
        case .erasureNotHolder: "erasure.not-holder"
        case .erasureAlreadyProved: "erasure.already-proved"
        case .erasureWrongList: "erasure.wrong-list"
        }
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let code = TransactionCode(rawValue: try decoder.decode()) else { throw .invalid }
        self = code
    }
}

/// The refusal of a transaction, with what a client needs to do better.
package struct TransactionRefusal: Error, Hashable, Sendable {
    package var code: TransactionCode
    /// Such as the batch number that would have been right; empty where the code says all.
    package var detail: String

    package init(_ code: TransactionCode, detail: String = "") {
        precondition(code != .ok && detail.utf8.count <= TransactionReceipt.detailBytesMax, "a refusal is short")
        self.code = code
        self.detail = detail
    }
}

/// What the chain says about one transaction of a block.
package struct TransactionReceipt: Hashable, Sendable, CanonicalCodable {
    package static let detailBytesMax = 64

    package var transaction: TransactionID
    package var code: TransactionCode
    /// Empty unless the transaction was refused.
    package var detail: String

    package init(transaction: TransactionID, refusal: TransactionRefusal? = nil) {
        self.transaction = transaction
        self.code = refusal?.code ?? .ok
        self.detail = refusal?.detail ?? ""
    }

    /// The leaf of the block's receipt tree.
    package var leafHash: Digest { MerkleTree.leafHash(use: "rcpt/1", self.canonicalBytes) }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.transaction)
        encoder.encode(self.code)
        encoder.encode(self.detail)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.transaction = try decoder.decode()
        self.code = try decoder.decode()
        self.detail = try decoder.decodeString(max: Self.detailBytesMax)
    }
}
