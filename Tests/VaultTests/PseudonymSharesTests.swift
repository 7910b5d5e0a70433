import Foundation
import Oblivious
import Primitives
import Records
import TestSupport
import Testing
import Vault

@Suite("A home's share of the pseudonym key stays in its vault")
struct PseudonymSharesTests {
    private let folder: TemporaryFolder
    private let context = CeremonyContext(chain: ChainID(Digest(hashing: [1])), number: 1)

    init() throws { self.folder = try TemporaryFolder() }

    private func home(_ name: String) -> String { self.folder.file(name).path }

    private func open(_ name: String) throws -> Vault {
        if try HomeKeys.needsPassphrase(home: self.home(name)) == nil {
            _ = try HomeKeys.create(
                home: self.home(name),
                institution: try #require(InstitutionID(name)),
                passphrase: nil,
                cost: 10
            )
        }
        return try Vault.open(
            home: self.home(name),
            passphrase: nil,
            limits: .init(segmentBytesMax: 1 << 20, reserveBytes: 0)
        )
    }

    /// Homes that share a key, any `threshold` of them.
    private func share(
        _ vaults: [Vault],
        threshold: Int,
        _ context: CeremonyContext,
        generation: UInt32,
        dealers: [(index: UInt16, vault: Vault)]? = nil
    ) throws -> PublicPolynomial {
        let keys = try vaults.map { try $0.pseudonyms.join(context) }
        for (vault, key) in zip(vaults, keys) { #expect(key.isValid(context: context, holder: vault.institution)) }
        let dealing = try (dealers?.map(\.vault) ?? vaults).map { vault in
            let dealing = try vault.pseudonyms.deal(
                context,
                sharing: dealers == nil ? nil : generation - 1,
                threshold: threshold,
                holders: keys.map(\.element)
            )
            return (dealer: vault.institution, dealing: try #require(dealing))
        }
        let sharing: KeySharing = dealers.map { .reshared($0.map(\.index)) } ?? .new
        let polynomial = try #require(sharing.polynomial(dealing.map(\.dealing)))
        for (position, vault) in vaults.enumerated() {
            let index = UInt16(position + 1)
            for (dealer, dealt) in dealing {
                #expect(try vault.pseudonyms.complaint(context, about: dealt, by: dealer, index: index) == nil)
            }
            let isAdopted = try vault.pseudonyms.adopt(
                context,
                generation: generation,
                dealings: dealing,
                sharing: sharing,
                index: index,
                shareKey: polynomial.shareKey(index)
            )
            #expect(isAdopted)
        }
        return polynomial
    }

    private func evaluate(
        _ vaults: [(UInt16, Vault)],
        _ polynomial: PublicPolynomial,
        generation: UInt32
    ) throws -> [UInt8] {
        let source = BlindSource()
        let input = Array("somebody".utf8)
        let blinded = try #require(ObliviousFunction.verifiable.blind(input, with: source.blind(0)))
        let parts = try vaults.map { index, vault in
            let shareKey = polynomial.shareKey(index)
            let answer = try #require(
                vault.pseudonyms.evaluate([blinded], generation: generation, shareKey: shareKey)
            )
            #expect(answer.isValid([blinded], shareKey: shareKey))
            #expect(vault.pseudonyms.evaluateOwn([blinded], generation: generation) == answer.elements)
            return (index: index, elements: answer.elements)
        }
        let combined = try #require(PartialEvaluation.combine(parts)?.first)
        return try #require(ObliviousFunction.verifiable.finalize(input, blind: source.blind(0), evaluated: combined))
    }

    @Test("Homes share a key, and move it to others: the function stays, the old share is gone")
    func ceremonies() throws {
        let vaults = try ["a", "b", "c"].map(self.open)
        let first = try self.share(vaults, threshold: 2, self.context, generation: 1)
        let output = try self.evaluate([(1, vaults[0]), (3, vaults[2])], first, generation: 1)
        #expect(try self.evaluate([(2, vaults[1]), (3, vaults[2])], first, generation: 1) == output)
        let later = CeremonyContext(chain: self.context.chain, number: 2)
        let others = [vaults[1], vaults[2], try self.open("d")]
        let second = try self.share(
            others,
            threshold: 3,
            later,
            generation: 2,
            dealers: [(1, vaults[0]), (3, vaults[2])]
        )
        #expect(second.constant == first.constant)
        #expect(
            try self.evaluate([(1, others[0]), (2, others[1]), (3, others[2])], second, generation: 2) == output
        )
        #expect(others[0].pseudonyms.generation == 2)
        #expect(others[0].pseudonyms.evaluateOwn([.generator], generation: 1) == nil)
        try vaults[0].pseudonyms.leave()
        #expect(vaults[0].pseudonyms.generation == nil)
    }

    @Test("A restart in the middle of a ceremony deals and opens the same; after it what was drawn is gone")
    func restart() async throws {
        var vault: Vault? = try self.open("a")
        let key = try vault?.pseudonyms.join(self.context)
        await vault?.close()
        vault = nil
        var again: Vault? = try self.open("a")
        #expect(again?.pseudonyms.takesPart(in: 1) == true)
        #expect(try again?.pseudonyms.join(self.context) == key)
        let holders = [try #require(key).element]
        let dealing = try again?.pseudonyms.deal(self.context, sharing: nil, threshold: 1, holders: holders)
        #expect(try again?.pseudonyms.deal(self.context, sharing: nil, threshold: 1, holders: holders) == dealing)
        let dealt = try #require(dealing ?? nil)
        let isAdopted = try again?.pseudonyms.adopt(
            self.context,
            generation: 1,
            dealings: [(try #require(InstitutionID("a")), dealt)],
            sharing: .new,
            index: 1,
            shareKey: dealt.commitments.constant
        )
        #expect(isAdopted == true)
        #expect(again?.pseudonyms.takesPart(in: 1) == false)
        await again?.close()
        again = nil
        let last = try self.open("a")
        #expect(last.pseudonyms.generation == 1)
        #expect(throws: VaultError.self) {
            try last.pseudonyms.complaint(
                self.context,
                about: dealt,
                by: try #require(InstitutionID("a")),
                index: 1
            )
        }
    }

    @Test("A wrong share is complained about and not taken over")
    func wrongShare() throws {
        let vaults = try ["a", "b"].map(self.open)
        let keys = try vaults.map { try $0.pseudonyms.join(self.context) }
        let dealer = vaults[0].institution
        let honest = try #require(
            try vaults[0].pseudonyms.deal(self.context, sharing: nil, threshold: 2, holders: keys.map(\.element))
        )
        let bad = Dealing(
            commitments: honest.commitments,
            sealingKey: honest.sealingKey,
            sealedShares: [honest.sealedShares[0], Digest(hashing: [9])],
            constantProof: honest.constantProof,
            sealingProof: honest.sealingProof
        )
        let complaint = try vaults[1].pseudonyms.complaint(self.context, about: bad, by: dealer, index: 2)
        #expect(
            complaint?.isJustified(
                context: self.context,
                dealer: dealer,
                dealing: bad,
                holder: vaults[1].institution,
                index: 2,
                holderKey: keys[1].element
            ) == true
        )
        let isAdopted = try vaults[1].pseudonyms.adopt(
            self.context,
            generation: 1,
            dealings: [(dealer, bad)],
            sharing: .new,
            index: 2,
            shareKey: bad.commitments.shareKey(2)
        )
        #expect(!isAdopted && vaults[1].pseudonyms.generation == nil)
    }

    @Test("Without a share of the old generation nothing is dealt on")
    func noShare() throws {
        let vault = try self.open("a")
        let key = try vault.pseudonyms.join(self.context)
        #expect(
            try vault.pseudonyms.deal(self.context, sharing: 1, threshold: 1, holders: [key.element]) == nil
        )
    }

    @Test("The file is sealed: a changed byte anywhere is found, and no share stands in it")
    func sealed() async throws {
        var vault: Vault? = try self.open("a")
        let polynomial = try self.share([try #require(vault)], threshold: 1, self.context, generation: 1)
        #expect(!polynomial.constant.isIdentity)
        await vault?.close()
        vault = nil
        let path = self.home("a") + "/vault/pseudonyms"
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        for position in stride(from: 0, to: bytes.count, by: 7) {
            var changed = bytes
            changed[position] ^= 1
            try changed.write(to: URL(fileURLWithPath: path))
            #expect(throws: VaultError.self) { try self.open("a") }
        }
    }
}
