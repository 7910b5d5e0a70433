internal import Primitives
internal import Synchronization

/// Real signature checks, each made once: all agents of a run live in one process and would repeat them.
final class SignatureMemory: Sendable {
    private struct Query: Hashable {
        let key: VerifyingKey
        let signature: Signature
        let message: [UInt8]
    }

    private let known = Mutex<[Query: Bool]>([:])

    var checker: SignatureChecker {
        SignatureChecker { key, signature, message in
            let query = Query(key: key, signature: signature, message: message)
            return self.known.withLock { known in
                if let isValid = known[query] { return isValid }
                let isValid = SignatureChecker.direct.isValid(signature, by: key, over: message)
                known[query] = isValid
                return isValid
            }
        }
    }
}
