import Crypto
import Foundation
import TestSupport
import Testing

@Suite("AES-256-GCM with a 96-bit nonce and a 128-bit tag")
struct AESGCMTests {
    private struct Wycheproof: Decodable {
        let id: Int
        let key, nonce, aad, plaintext, ciphertext, tag: HexBytes
        let valid: Bool
    }

    /// The layout of Wycheproof's own file.
    private struct WycheproofFile: Decodable {
        struct Group: Decodable {
            struct Item: Decodable {
                let tcId: Int
                let key, iv, aad, msg, ct, tag: HexBytes
                let result: String
            }
            let ivSize, keySize, tagSize: Int
            let tests: [Item]
        }
        let testGroups: [Group]
    }

    @Test("Sealing and opening agree with Wycheproof")
    func wycheproof() throws {
        let cases: [Wycheproof] = try VectorFile.json("aes-gcm/wycheproof.json")
        #expect(cases.count == 36)
        for item in cases { try Self.check(item) }
    }

    @Test(
        "They agree with all of its cases of these sizes, where it lies beside the checkout",
        .enabled(if: TestData.shared != nil)
    )
    func wholeWycheproof() throws {
        let path = try #require(TestData.shared).appending(path: "vectors/wycheproof/aes_gcm_test.json")
        let file = try JSONDecoder().decode(WycheproofFile.self, from: Data(contentsOf: path))
        let groups = file.testGroups.filter { ($0.ivSize, $0.keySize, $0.tagSize) == (96, 256, 128) }
        let items = groups.flatMap(\.tests)
        #expect(items.count == 66)
        for item in items {
            try Self.check(
                Wycheproof(
                    id: item.tcId,
                    key: item.key,
                    nonce: item.iv,
                    aad: item.aad,
                    plaintext: item.msg,
                    ciphertext: item.ct,
                    tag: item.tag,
                    valid: item.result == "valid"
                )
            )
        }
    }

    private static func check(_ item: Wycheproof) throws {
        let key = SymmetricKey(data: item.key.bytes)
        let nonce = try AES.GCM.Nonce(data: item.nonce.bytes)
        let sealed = try AES.GCM.seal(item.plaintext.bytes, using: key, nonce: nonce, authenticating: item.aad.bytes)
        #expect(Array(sealed.ciphertext) == item.ciphertext.bytes, "\(item.id)")
        #expect((Array(sealed.tag) == item.tag.bytes) == item.valid, "\(item.id)")
        let given = try AES.GCM.SealedBox(nonce: nonce, ciphertext: item.ciphertext.bytes, tag: item.tag.bytes)
        let opened = try? AES.GCM.open(given, using: key, authenticating: item.aad.bytes)
        #expect(opened.map(Array.init) == (item.valid ? item.plaintext.bytes : nil), "\(item.id)")
    }
}
