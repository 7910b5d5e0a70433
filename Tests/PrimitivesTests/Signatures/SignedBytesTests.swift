import Crypto
import Primitives
import Testing

@Suite("Signed bytes name chain, use and epoch")
struct SignedBytesTests {
    private static let chain = Primitives.Digest([UInt8](repeating: 0xC1, count: 32)).map { ChainID($0) }

    @Test("The layout is pinned")
    func layout() throws {
        let chain = try #require(Self.chain)
        let body = [5, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0xA1, count: 32)
        let bytes = SignedBytes.make(chain: chain, use: .finalize, epoch: Epoch(258), body: body)
        #expect(try VectorFile.lines("chain/signed-bytes.txt") == [Hex.encode(bytes)])
    }

    @Test("The number of each use is pinned")
    func uses() {
        let pinned: [(SignatureUse, UInt8)] = [
            (.notarize, 1), (.nullify, 2), (.finalize, 3), (.transaction, 16), (.ready, 17), (.checkpoint, 18),
            (.hello, 19), (.keyEnvelope, 32), (.credential, 33), (.fetchRequest, 34), (.fetchReceipt, 35),
            (.segment, 36), (.offlineEmergency, 37), (.offlineEntry, 38), (.account, 39),
        ]
        for (use, number) in pinned { #expect(use.rawValue == number) }
        for number in UInt8.min...UInt8.max where SignatureUse(rawValue: number) != nil {
            #expect(pinned.contains { $0.1 == number }, "\(number) is not pinned")
        }
    }

    @Test("A signature for one use, epoch, chain or body counts for no other")
    func separation() throws {
        let chain = try #require(Self.chain)
        let privateKey = try Curve25519.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: 7, count: 32))
        let key = try #require(VerifyingKey(Array(privateKey.publicKey.rawRepresentation)))
        let made = SignedBytes.make(chain: chain, use: .notarize, epoch: Epoch(1), body: [1])
        let signature = try #require(Signature(Array(try privateKey.signature(for: made))))
        #expect(SignatureChecker.direct.isValid(signature, by: key, over: made))
        let others = [
            SignedBytes.make(chain: chain, use: .finalize, epoch: Epoch(1), body: [1]),
            SignedBytes.make(chain: chain, use: .notarize, epoch: Epoch(2), body: [1]),
            SignedBytes.make(chain: ChainID(.zero), use: .notarize, epoch: Epoch(1), body: [1]),
            SignedBytes.make(chain: chain, use: .notarize, epoch: Epoch(1), body: [1, 0]),
        ]
        for other in others { #expect(!SignatureChecker.direct.isValid(signature, by: key, over: other)) }
        #expect(try Signature(canonicalBytes: signature.canonicalBytes) == signature)
    }
}
