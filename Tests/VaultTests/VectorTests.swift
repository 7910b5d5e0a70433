import Crypto
import Foundation
import Primitives
import Records
import TestSupport
import Testing
import Vault

@Suite("Bytes made by others are read as they meant them")
struct VectorTests {
    private struct Records: Decodable {
        struct Valid: Decodable {
            var name: String
            var dataKey: String
            var salt: String
            var header: String
            var body: Data
            var content: String?
            var commitment: String
            var address: String
        }

        struct Invalid: Decodable {
            var name: String
            var dataKey: String
            var header: String
            var body: Data
        }

        var valid: [Valid]
        var invalid: [Invalid]
    }

    private struct AgeStanza: Decodable {
        var name: String
        var opens: Bool
        var seed: String
        var enc: String
        var ciphertext: String
        var plaintext: String?
    }

    private func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(hex)) }

    private func records() throws -> Records {
        try JSONDecoder().decode(Records.self, from: TestData.vector("sealed-record/records.json"))
    }

    private func object(_ header: String, _ body: Data) throws -> SealedObject {
        SealedObject(header: try ObjectHeader(canonicalBytes: self.bytes(header)), body: Array(body))
    }

    @Test("Records sealed by another program open, with the same address and commitment")
    func validRecords() throws {
        let cipher = RecordCipher()
        for record in try self.records().valid {
            let object = try self.object(record.header, record.body)
            #expect(object.address.digest.hex == record.address)
            let opened = try cipher.open(object, dataKey: SymmetricKey(data: self.bytes(record.dataKey)))
            #expect(opened.salt == (try self.bytes(record.salt)))
            #expect(opened.commitment.hex == record.commitment)
            if let content = record.content { #expect(Hex.encode(opened.content.canonicalBytes) == content) }
        }
    }

    @Test("Records that are well encrypted but break a rule of the payload are refused")
    func invalidRecords() throws {
        let cipher = RecordCipher()
        for record in try self.records().invalid {
            let object = try self.object(record.header, record.body)
            let key = SymmetricKey(data: try self.bytes(record.dataKey))
            let error = #expect(throws: VaultError.self, "\(record.name)") { try cipher.open(object, dataKey: key) }
            #expect(error?.code == .sealBroken, "\(record.name)")
        }
    }

    @Test("The preset dictionary is the published one")
    func dictionary() throws {
        #expect(CompressionDictionary.fhirJSON == Array(try TestData.vector("sealed-record/fhir-dictionary.txt")))
    }

    @Test("HPKE with X-Wing opens what age sealed, and nothing that was changed")
    func xwing() throws {
        let stanzas = try JSONDecoder().decode([AgeStanza].self, from: TestData.vector("hpke-xwing/age.json"))
        let suite = HPKE.Ciphersuite(kem: .XWingMLKEM768X25519, kdf: .HKDF_SHA256, aead: .chaChaPoly)
        for stanza in stanzas {
            let key = try XWingMLKEM768X25519.PrivateKey(
                seedRepresentation: self.bytes(stanza.seed),
                publicKey: nil
            )
            var recipient = try? HPKE.Recipient(
                privateKey: key,
                ciphersuite: suite,
                info: Data("age-encryption.org/mlkem768x25519".utf8),
                encapsulatedKey: Data(self.bytes(stanza.enc))
            )
            let plain = try? recipient?.open(Data(self.bytes(stanza.ciphertext)))
            #expect(plain.map { Hex.encode($0) } == stanza.plaintext, "\(stanza.name)")
            #expect((plain != nil) == stanza.opens, "\(stanza.name)")
        }
    }
}
