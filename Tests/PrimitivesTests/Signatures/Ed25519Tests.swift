import Crypto
import Foundation
import Primitives
import TestSupport
import Testing

@Suite("Ed25519 signatures are checked by one strict rule")
struct Ed25519Tests {
    private struct RFC8032: Decodable {
        let name: String
        let seed, key, message, signature: HexBytes
    }

    private struct Wycheproof: Decodable {
        let id: Int
        let flag, comment: String
        let key, message, signature: HexBytes
        let valid: Bool
    }

    /// The layout of Wycheproof's own file.
    private struct WycheproofFile: Decodable {
        struct Group: Decodable {
            struct Key: Decodable { let pk: HexBytes }
            struct Item: Decodable {
                let tcId: Int
                let msg, sig: HexBytes
                let result: String
            }
            let publicKey: Key
            let tests: [Item]
        }
        let testGroups: [Group]
    }

    private struct EdgeCase: Decodable {
        let number: Int
        let key, sig: HexBytes
        let msg: String
        let flags: [String]
    }

    @Test("The signatures of RFC 8032 are valid, and those the library makes from its seeds are the same")
    func rfc8032() throws {
        let cases: [RFC8032] = try VectorFile.json("ed25519/rfc8032.json")
        #expect(cases.count == 4)
        for item in cases {
            #expect(Self.isValid(item.key, item.signature, item.message.bytes), "\(item.name)")
            #expect(!Self.isValid(item.key, item.signature, item.message.bytes + [0]), "\(item.name)")
            let privateKey = try Curve25519.Signing.PrivateKey(rawRepresentation: item.seed.bytes)
            #expect(Array(privateKey.publicKey.rawRepresentation) == item.key.bytes, "\(item.name)")
            #expect(Array(try privateKey.signature(for: item.message.bytes)) == item.signature.bytes, "\(item.name)")
        }
    }

    @Test("Any flipped bit of a signature, key or message makes the signature invalid")
    func flippedBits() throws {
        let cases: [RFC8032] = try VectorFile.json("ed25519/rfc8032.json")
        let item = try #require(cases.last)
        let parts = [item.key.bytes, item.signature.bytes, item.message.bytes]
        for part in parts.indices {
            for bit in 0..<parts[part].count * 8 {
                var changed = parts
                changed[part][bit / 8] ^= 1 << UInt8(bit % 8)
                let key = VerifyingKey(changed[0])
                let signature = try #require(Signature(changed[1]))
                #expect(key?.isValid(signature, over: changed[2]) != true, "part \(part), bit \(bit)")
            }
        }
    }

    @Test("Verdicts agree with Wycheproof")
    func wycheproof() throws {
        let cases: [Wycheproof] = try VectorFile.json("ed25519/wycheproof.json")
        #expect(cases.count == 73)
        for item in cases {
            #expect(
                Self.isValid(item.key, item.signature, item.message.bytes) == item.valid,
                "\(item.id) \(item.comment)"
            )
        }
    }

    @Test(
        "Verdicts agree with the whole of Wycheproof, where it lies beside the checkout",
        .enabled(if: TestData.shared != nil)
    )
    func wholeWycheproof() throws {
        let path = try #require(TestData.shared).appending(path: "vectors/wycheproof/ed25519_test.json")
        let file = try JSONDecoder().decode(WycheproofFile.self, from: Data(contentsOf: path))
        #expect(file.testGroups.map(\.tests.count).reduce(0, +) == 151)
        for group in file.testGroups {
            for item in group.tests {
                let valid = Self.isValid(group.publicKey.pk, item.sig, item.msg.bytes)
                #expect(valid == (item.result == "valid"), "\(item.tcId)")
            }
        }
    }

    /// The vectors have no verdict, because verifiers differ.
    ///
    /// Ours refuses keys of low order or in another than the canonical form, which most verifiers accept: such a key
    /// makes one signature valid for many messages. In R it refuses only what the cofactorless equation refuses (a
    /// residue of low order, another form of the point), and it accepts keys that have a component of low order beside
    /// one of prime order: no blocklist can find those.
    @Test("Edge cases of the curve points get the verdict that our rule gives them")
    func edgeCases() throws {
        let cases: [EdgeCase] = try VectorFile.json("ed25519/cctv.json")
        #expect(cases.count == 13)
        let refusing: Set = ["low_order_A", "non_canonical_A", "non_canonical_R", "low_order_residue"]
        for item in cases {
            let expected = refusing.isDisjoint(with: item.flags)
            #expect(Self.isValid(item.key, item.sig, Array(item.msg.utf8)) == expected, "\(item.number)")
        }
        // What the library alone would accept: the reason for a rule of our own.
        let lowOrder = try #require(cases.first { $0.number == 3 })
        let key = try Curve25519.Signing.PublicKey(rawRepresentation: lowOrder.key.bytes)
        #expect(key.isValidSignature(lowOrder.sig.bytes, for: Array(lowOrder.msg.utf8)))
    }

    private static func isValid(_ key: HexBytes, _ signature: HexBytes, _ message: [UInt8]) -> Bool {
        guard let key = VerifyingKey(key.bytes), let signature = Signature(signature.bytes) else { return false }
        return key.isValid(signature, over: message)
    }
}
