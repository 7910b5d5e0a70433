package import Primitives

/// What the rules say about one order and the exams that could answer it: the same bytes on every machine.
package struct Verdict: Hashable, Sendable {
    package static let schema: UInt8 = 1
    package static let candidatesMax = 256
    package static let reasonsMax = 32
    package static let textBytesMax = 512

    /// Why, by which rule of the pack, and what was found against what was needed.
    package struct Reason: Hashable, Sendable {
        /// `N01` to `N23`, or for a suggestion `D01` to `D99`.
        package enum Code: Hashable, Sendable {
            case ineligible(IneligibilityCode)
            case suggested(RefusalReason)

            package var name: String {
                switch self {
                case .ineligible(let code): code.name
                case .suggested(let reason): reason.name
                }
            }
        }

        package var code: Code
        package var step: RecognitionStep
        /// The pack's name of the rule; empty where the contract itself is the rule.
        package var rule: String
        package var clause: String
        package var observed: String
        package var required: String

        package init(
            _ code: Code,
            step: RecognitionStep,
            rule: String = "",
            clause: String = "",
            observed: String = "",
            required: String = ""
        ) {
            self.code = code
            self.step = step
            self.rule = rule
            self.clause = clause
            self.observed = observed
            self.required = required
        }
    }

    /// An exam that was not chosen, and the first rule that it failed.
    package struct Rejection: Hashable, Sendable {
        package var candidate: CandidateKey
        package var reason: Reason

        package init(candidate: CandidateKey, reason: Reason) {
            self.candidate = candidate
            self.reason = reason
        }
    }

    /// What each of the steps 1 to 12 found about one exam, also after the first failure.
    package struct Trace: Hashable, Sendable {
        package static let steps = 12
        /// A step that was passed.
        package static let passed: UInt8 = 0
        /// A step that says nothing, because the order's or exam's item is not in the catalogue.
        package static let open: UInt8 = 255

        package var candidate: CandidateKey
        /// ``passed``, ``open``, or the number of the code.
        package var findings: [UInt8]

        package init(candidate: CandidateKey, findings: [UInt8]) {
            self.candidate = candidate
            self.findings = findings
        }
    }

    package var outcome: VerdictOutcome
    package var chosen: CandidateKey?
    /// The result of the chosen exam in the item's unit, where it is a quantity.
    package var comparable: String?
    /// Why the outcome is not the strongest: the scope, and clinical circumstances.
    package var reasons: [Reason]
    /// In the order of candidates: newest report first.
    package var rejected: [Rejection]
    package var trace: [Trace]
    package var inputHash: Digest
    package var policyHash: Digest
    package var engineVersion: UInt32

    package init(
        outcome: VerdictOutcome,
        chosen: CandidateKey?,
        comparable: String?,
        reasons: [Reason],
        rejected: [Rejection],
        trace: [Trace],
        inputHash: Digest,
        policyHash: Digest,
        engineVersion: UInt32
    ) {
        self.outcome = outcome
        self.chosen = chosen
        self.comparable = comparable
        self.reasons = reasons
        self.rejected = rejected
        self.trace = trace
        self.inputHash = inputHash
        self.policyHash = policyHash
        self.engineVersion = engineVersion
    }

    /// The reasons for a refusal that are put before the doctor, each once.
    package var suggestions: [RefusalReason] {
        var found: [RefusalReason] = []
        for case .suggested(let reason) in self.reasons.map(\.code) where !found.contains(reason) {
            found.append(reason)
        }
        return found
    }

    /// `H("entente/verdict/1\0" ‖ canonical bytes)`.
    package var digest: Digest { Digest(hashing: Array("entente/verdict/1\0".utf8) + self.canonicalBytes) }
}

extension Verdict: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(Self.schema)
        encoder.encode(self.engineVersion)
        encoder.encode(self.policyHash)
        encoder.encode(self.inputHash)
        encoder.encode(self.outcome)
        encoder.encode(self.chosen)
        encoder.encode(self.comparable)
        encoder.encode(self.reasons)
        encoder.encode(self.rejected)
        encoder.encode(self.trace)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(UInt8.self) == Self.schema else { throw .invalid }
        self.engineVersion = try decoder.decode()
        self.policyHash = try decoder.decode()
        self.inputHash = try decoder.decode()
        self.outcome = try decoder.decode()
        self.chosen = try decoder.decodeOptional()
        self.comparable = try decoder.decodeOptionalString(max: Candidate.valueBytesMax)
        self.reasons = try decoder.decodeArray(max: Self.reasonsMax)
        self.rejected = try decoder.decodeArray(max: Self.candidatesMax)
        self.trace = try decoder.decodeArray(max: Self.candidatesMax)
    }
}

extension Verdict.Reason: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self.code {
        case .ineligible(let code):
            encoder.encode(variant: 0)
            encoder.encode(code)
        case .suggested(let reason):
            encoder.encode(variant: 1)
            encoder.encode(reason)
        }
        encoder.encode(self.step)
        encoder.encode(self.rule)
        encoder.encode(self.clause)
        encoder.encode(self.observed)
        encoder.encode(self.required)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.code =
            try decoder.decodeVariant(count: 2) == 0
            ? .ineligible(try decoder.decode()) : .suggested(try decoder.decode())
        self.step = try decoder.decode()
        self.rule = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.clause = try decoder.decodeString(max: PolicyPack.textBytesMax)
        self.observed = try decoder.decodeString(max: Verdict.textBytesMax)
        self.required = try decoder.decodeString(max: Verdict.textBytesMax)
    }
}

extension Verdict.Rejection: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.candidate)
        encoder.encode(self.reason)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.candidate = try decoder.decode()
        self.reason = try decoder.decode()
    }
}

extension Verdict.Trace: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.candidate)
        encoder.encode(fixed: self.findings)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.candidate = try decoder.decode()
        self.findings = try decoder.decode(fixed: Self.steps)
    }
}
