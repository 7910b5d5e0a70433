internal import Consensus
internal import Crypto
internal import Primitives
internal import Synchronization

/// Keys and genesis of a simulated chain.
///
/// The keys are the same in every run: only what happens differs.
struct Committee: Sendable {
    let context: EpochContext
    let genesis: FinalPoint
    private let keys: [Curve25519.Signing.PrivateKey]

    init(validators count: Int) {
        var members: [Validator] = []
        var keys: [Curve25519.Signing.PrivateKey] = []
        for index in 0..<count {
            let seed = Digest(hashing: Array("simulated validator \(index)".utf8)).bytes
            guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
                let publicKey = VerifyingKey(Array(key.publicKey.rawRepresentation))
            else { preconditionFailure("any 32 bytes are a private key") }
            keys.append(key)
            members.append(Validator(id: Self.id(index), key: publicKey))
        }
        guard let validators = ValidatorSet(members) else { preconditionFailure("the members are distinct") }
        let chain = ChainID(Digest(hashing: Array("simulated chain".utf8)))
        let header = BlockHeader(
            suite: .international,
            chain: chain,
            epoch: Epoch(0),
            view: View(0),
            height: Height(0),
            time: Timestamp(milliseconds: 0),
            proposer: 0,
            parentView: View(0),
            parentHash: .zero,
            justificationHash: .zero,
            transactionCount: 0,
            transactionRoot: .zero,
            receiptRoot: .zero,
            stateRoot: .zero,
            historySize: 0,
            historyRoot: MerkleTree.emptyRoot,
            validatorsHash: validators.hash,
            parametersHash: .zero
        )
        self.keys = keys
        self.genesis = FinalPoint(header: header, certificate: nil)
        self.context = EpochContext(chain: chain, epoch: Epoch(0), validators: validators, boundary: header.hash)
    }

    /// Agents are numbered in the order of their names, so that a validator's number is its index in the set.
    static func id(_ agent: Int) -> InstitutionID {
        guard let id = InstitutionID("agent-" + String(100 + agent)) else {
            preconditionFailure("the name is well formed")
        }
        return id
    }

    static func agent(_ id: InstitutionID) -> Int {
        guard let number = Int(id.text.suffix(3)) else { preconditionFailure("the name is one that `id` made") }
        return number - 100
    }

    func sign(_ body: VoteBody, by agent: Int) -> Signature {
        guard let bytes = try? self.keys[agent].signature(for: body.signedBytes(chain: self.context.chain)),
            let signature = Signature(Array(bytes))
        else { preconditionFailure("Ed25519 signs any message") }
        return signature
    }

    func vote(_ body: VoteBody, by agent: Int) -> Vote {
        Vote(body: body, signer: UInt16(agent), signature: self.sign(body, by: agent))
    }
}

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
