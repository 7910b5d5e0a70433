package import Ledger
package import Primitives
package import Records

/// What a proof of destruction shows, step by step.
package struct DestructionReport: Sendable {
    /// What does not hold; the raw value is the stable name.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        case ok = "ok"
        case malformed = "destruction.malformed"
        case wrongChain = "destruction.wrong-chain"
        case otherEpoch = "destruction.other-epoch"
        case notFinal = "destruction.not-final"
        case notInState = "destruction.not-in-state"
        case notAccepted = "destruction.not-accepted"
        case outstanding = "destruction.outstanding"
    }

    /// What one step of the check found.
    package struct Finding: Hashable, Sendable {
        package var code: Code
        /// One sentence for a person.
        package var text: String
        package var time: Timestamp?

        package var isOK: Bool { self.code == .ok }
    }

    package var findings: [Finding]
    /// The erasure, if it could be read.
    package var state: ErasureState?

    /// Whether everybody who held keys has signed, under a final block, that they are destroyed.
    package var isValid: Bool { self.state != nil && self.findings.allSatisfy(\.isOK) }

    /// Checks a proof against a genesis file alone, without a network, a clock or a store.
    package static func verify(_ bytes: [UInt8], genesis: Genesis) -> DestructionReport {
        guard let file = try? DestructionProof(canonicalBytes: bytes),
            let state = try? ErasureState(canonicalBytes: file.state)
        else {
            let text = "The bytes are not a proof of destruction."
            return DestructionReport(findings: [Finding(code: .malformed, text: text)])
        }
        var findings = [Finding(code: .ok, text: "The file is well formed.")]
        let isRight = file.chain == genesis.chain && file.header.chain == genesis.chain
        findings.append(
            isRight
                ? Finding(code: .ok, text: "The file speaks of the chain of this genesis file.")
                : Finding(code: .wrongChain, text: "The file speaks of another chain.")
        )
        let final = EvidenceVerifier(genesis: genesis).checkFinality(file.header, file.finalization)
        let code: Code = final.isOK ? .ok : final.code == .otherEpoch ? .otherEpoch : .notFinal
        findings.append(Finding(code: code, text: final.text, time: final.time))
        let key = StateKey.erasure(state.erasure.id).digest
        let isHeld = file.proof.verify(key: key, value: file.state, root: file.header.stateRoot)
        findings.append(
            isHeld
                ? Finding(code: .ok, text: "The certified state holds the erasure in this form.")
                : Finding(code: .notInState, text: "The certified state does not hold the erasure in this form.")
        )
        return DestructionReport(findings: findings + Self.destruction(state), state: state)
    }

    private static func destruction(_ state: ErasureState) -> [Finding] {
        let source = state.erasure.source
        guard state.isAccepted, let decision = state.decision else {
            return [Finding(code: .notAccepted, text: "Institution \(source) has not accepted the erasure.")]
        }
        let count = state.erasure.records.count
        let accepted =
            "Institution \(source) accepted the erasure of \(count) of its records in block \(decision.height)."
        return [Finding(code: .ok, text: accepted, time: decision.time)]
            + state.proofs.map { proof in
                let destroyed = proof.destruction
                let text =
                    "Institution \(destroyed.institution) signed that it destroyed \(destroyed.dataKeys) data keys and "
                    + "\(destroyed.copies) copies, as of generation \(destroyed.generation) of its table of keys."
                return Finding(code: .ok, text: text, time: proof.time)
            }
            + state.outstanding.map {
                Finding(code: .outstanding, text: "Institution \($0) has not signed that it destroyed what it held.")
            }
    }
}
