import AgentAPI
import AgentRuntime
import Crypto
import Foundation
import Ledger
import Primitives
import Records
import SwiftProtobuf
import Testing

@Suite("A key signs what its holder ordered and nothing else")
struct SigningCheckTests {
    private static let now = Timestamp(milliseconds: 1_790_000_000_000)
    private static let key = try? Self.key(1)

    private static func key(_ seed: UInt8) throws -> VerifyingKey {
        let secret = try Curve25519.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: seed, count: 32))
        return try #require(VerifyingKey(Array(secret.publicKey.rawRepresentation)))
    }

    private static let wish = Entente_Api_V1_PrepareGrantRequest.with {
        $0.grantees = ["b", "a"]
        $0.kinds = ["lab"]
        $0.items = ["2345-7"]
        $0.purpose = "TREAT"
        $0.leaseSeconds = 3600
        $0.patientKey = Data(Self.key?.bytes ?? [])
        $0.notAfter = Self.now.milliseconds + 1_000_000
    }

    private static func grant(_ change: (inout AccessGrant) -> Void = { _ in }) throws -> AccessGrant {
        let salt = [UInt8](repeating: 7, count: AccessGrant.saltBytes)
        let scope = GrantScope(kinds: [.laboratory], items: ["2345-7"], leaseSeconds: 3600)
        var grant = AccessGrant(
            handle: PatientHandle(Digest(hashing: [1])),
            salt: salt,
            nonce: 1,
            bucket: 0,
            custodians: [],
            grantees: try ["a", "b"].map { try #require(InstitutionID($0)) },
            scopeCommitment: scope.commitment(salt: salt),
            sealedScope: [UInt8](repeating: 0, count: AccessGrant.sealedScopeBytes),
            notBefore: Self.now,
            notAfter: Self.now.advanced(byMilliseconds: 1_000_000),
            grantor: .patient(try #require(Self.key))
        )
        change(&grant)
        return grant
    }

    private static func check(
        _ grant: AccessGrant,
        _ wish: Entente_Api_V1_PrepareGrantRequest = Self.wish
    ) throws {
        let key = try #require(Self.key)
        try SigningCheck.grant(.grants(.createGrant(grant)), key: Data(key.bytes), wish, now: Self.now)
    }

    @Test("The grant that was ordered passes")
    func asOrdered() throws {
        try Self.check(Self.grant())
        var wish = Self.wish
        wish.notAfter = 0
        try Self.check(Self.grant { $0.notAfter = Self.now.advanced(byMilliseconds: 180 * 86_400_000) }, wish)
    }

    @Test("A grant to others, for longer, of more, for another purpose or by another key does not")
    func altered() throws {
        let salt = [UInt8](repeating: 7, count: AccessGrant.saltBytes)
        let stranger = try Self.key(2)
        let z = try #require(InstitutionID("z"))
        let changes: [(inout AccessGrant) -> Void] = [
            { $0.grantees.append(z) },
            { $0.grantees.removeLast() },
            { $0.custodians = [z] },
            { $0.notAfter = $0.notAfter.advanced(byMilliseconds: 1) },
            { $0.notBefore = $0.notBefore.advanced(byMilliseconds: -2 * 86_400_000) },
            { $0.notBefore = Timestamp(milliseconds: .min) },
            { $0.notBefore = Timestamp(milliseconds: .max) },
            { $0.scopeCommitment = GrantScope(items: ["2345-7"], leaseSeconds: 3600).commitment(salt: salt) },
            { $0.grantor = .patient(stranger) },
            { $0.grantor = .witness(z, evidence: Digest(hashing: [])) },
        ]
        for (index, change) in changes.enumerated() {
            let error = #expect(throws: AgentFailure.self, "change \(index)") { try Self.check(Self.grant(change)) }
            #expect(error?.code == .signatureMismatch)
        }
        let key = Data(try #require(Self.key).bytes)
        let id = GrantID(Digest(hashing: [3]))
        #expect(throws: AgentFailure.self) {
            try SigningCheck.grant(.grants(.revokeGrant(id)), key: key, Self.wish, now: Self.now)
        }
        #expect(throws: AgentFailure.self) { try SigningCheck.revocation(.grants(.revokeGrant(id)), Data(count: 32)) }
        try SigningCheck.revocation(.grants(.revokeGrant(id)), Data(id.digest.bytes))
        #expect(throws: AgentFailure.self) { try SigningCheck.enrolment(.grants(.createGrant(Self.grant())), key: key) }
    }

    @Test("What is signed is the transaction that is shown, and a transaction about grants")
    func transaction() throws {
        let key = try #require(Self.key)
        let chain = ChainID(Digest(hashing: [9]))
        func prepared(_ call: LedgerCall, toSign: [UInt8]? = nil) -> Entente_Api_V1_PreparedTransaction {
            let body = TransactionBody(chain: chain, call: call, validUntil: Height(9), signers: [.key(key)])
            return .with {
                $0.transaction = Data(body.canonicalBytes)
                $0.toSign = Data(toSign ?? body.signedBytes)
            }
        }
        let grant = LedgerCall.grants(.createGrant(try Self.grant()))
        #expect(try SigningCheck.call(of: prepared(grant)) == .grants(.createGrant(Self.grant())))
        let other = TransactionBody(
            chain: chain,
            call: .grants(.revokeGrant(GrantID(Digest(hashing: [])))),
            validUntil: Height(9),
            signers: [.key(key)]
        )
        #expect(throws: AgentFailure.self) { try SigningCheck.call(of: prepared(grant, toSign: other.signedBytes)) }
        #expect(throws: AgentFailure.self) { try SigningCheck.call(of: prepared(grant, toSign: [])) }
        #expect(throws: AgentFailure.self) { try SigningCheck.call(of: .init()) }
    }

    @Test("A reading is of the record, for the purpose and by the credential that were named")
    func reading() throws {
        let key = try #require(Self.key)
        let signature = try #require(Signature([UInt8](repeating: 0, count: 64)))
        let credential = ClinicianCredential(
            institution: try #require(InstitutionID("a")),
            clinician: "lin",
            name: "Lin",
            department: "D",
            key: key,
            issuedAt: Self.now,
            expiresAt: Self.now.advanced(byMilliseconds: 1000),
            signature: signature
        )
        let asked = Entente_Api_V1_PrepareFetchRequest.with {
            $0.record = Data(Digest(hashing: [1]).bytes)
            $0.purpose = "TREAT"
            $0.credential = Data(credential.canonicalBytes)
        }
        func prepared(
            _ record: UInt8,
            _ purpose: PurposeOfUse,
            signed: UInt8? = nil
        ) -> Entente_Api_V1_PrepareFetchReply {
            func request(_ record: UInt8) -> FetchRequest {
                FetchRequest(
                    record: ContentAddress(Digest(hashing: [record])),
                    purpose: purpose,
                    nonce: [UInt8](repeating: 1, count: FetchRequest.nonceBytes),
                    credential: credential.id
                )
            }
            let chain = ChainID(Digest(hashing: [9]))
            return .with {
                $0.request = Data(request(record).canonicalBytes)
                $0.toSign = Data(request(signed ?? record).signedBytes(chain: chain))
            }
        }
        try SigningCheck.reading(prepared(1, .treatment), asked)
        for reply in [prepared(2, .treatment), prepared(1, .payment), prepared(1, .treatment, signed: 2)] {
            #expect(throws: AgentFailure.self) { try SigningCheck.reading(reply, asked) }
        }
    }
}
