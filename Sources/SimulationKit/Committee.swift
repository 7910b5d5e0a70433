internal import AgentCore
internal import Consensus
internal import Crypto
internal import Ledger
internal import Primitives
internal import Records

/// The members of a simulated chain with their keys, its genesis and its rules.
///
/// The keys are the same in every run: only what happens differs.
struct Committee: Sendable {
    /// Short, so that runs live to see marks of old transactions go.
    static let replayWindow: UInt64 = 16

    let genesis: Genesis
    let context: EpochContext
    let rules: LedgerRules
    let checker: SignatureChecker
    private let keys: [Curve25519.Signing.PrivateKey]

    /// The first `count` of the `agents` vote; the others follow.
    init(validators count: Int, agents: Int) {
        self.checker = SignatureMemory().checker
        self.keys = (0..<agents).map { Self.key($0) }
        let members = self.keys.enumerated().map { index, key in
            Self.member(index, key, role: index < count ? .validator : .verifier)
        }
        self.genesis = Genesis(
            suite: .international,
            parameters: ChainParameters(replayWindowBlocks: UInt32(Self.replayWindow)),
            pseudonymScheme: .thresholdOblivious,
            members: members
        )
        let voters = self.genesis.validators.map { Validator(id: $0.id, key: $0.signingKey) }
        guard self.genesis.isWellFormed, let validators = ValidatorSet(voters) else {
            preconditionFailure("the members are distinct")
        }
        self.rules = LedgerRules(genesis: self.genesis, validatorsHash: validators.hash, checker: self.checker)
        self.context = EpochContext(
            chain: self.genesis.chain,
            epoch: Epoch(0),
            validators: validators,
            boundary: self.rules.genesisBlock.hash
        )
    }

    private static func key(_ agent: Int) -> Curve25519.Signing.PrivateKey {
        let seed = Digest(hashing: Array("simulated agent \(agent)".utf8)).bytes
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
            preconditionFailure("any 32 bytes are a private key")
        }
        return key
    }

    private static func member(
        _ agent: Int,
        _ key: Curve25519.Signing.PrivateKey,
        role: InstitutionRole
    ) -> Genesis.Member {
        guard let verifyingKey = VerifyingKey(Array(key.publicKey.rawRepresentation)) else {
            preconditionFailure("a derived key is not of small order")
        }
        return Genesis.Member(
            card: InstitutionCard(
                id: Self.id(agent),
                name: "Agent \(agent)",
                level: "3A",
                area: "330100",
                role: role,
                address: "127.0.0.1:1",
                signingKey: verifyingKey,
                encryptionKey: [UInt8](repeating: 7, count: InstitutionCard.encryptionKeyBytes),
                transportKeyDigest: Digest(hashing: Array("simulated transport \(agent)".utf8))
            )
        )
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

    /// An agent as a process that has just opened its home.
    func core(_ agent: Int, from tip: SimulatedDisk.Tip, seed: UInt64) -> AgentCore {
        AgentCore(
            institution: Self.id(agent),
            genesis: self.genesis,
            rules: self.rules,
            context: self.context,
            tip: tip.block,
            certificate: tip.certificate,
            parameters: .loopback,
            checker: self.checker,
            seed: seed
        )
    }

    func sign(_ body: VoteBody, by agent: Int) -> Signature {
        self.sign(body.signedBytes(chain: self.context.chain), by: agent)
    }

    func vote(_ body: VoteBody, by agent: Int) -> Vote {
        Vote(body: body, signer: UInt16(agent), signature: self.sign(body, by: agent))
    }

    /// A call in the name of `agent`; `signer` is another agent if the signature is forged.
    func transaction(_ call: LedgerCall, by agent: Int, validUntil: Height, signer: Int? = nil) -> Transaction {
        let body = TransactionBody(
            chain: self.genesis.chain,
            call: call,
            validUntil: validUntil,
            signers: [.institution(Self.id(agent))]
        )
        return Transaction(body: body, signatures: [self.sign(body.signedBytes, by: signer ?? agent)])
    }

    private func sign(_ message: [UInt8], by agent: Int) -> Signature {
        guard let bytes = try? self.keys[agent].signature(for: message), let signature = Signature(Array(bytes)) else {
            preconditionFailure("Ed25519 signs any message")
        }
        return signature
    }
}
