import Primitives
import Records
import Testing

@Suite("A genesis")
struct GenesisTests {
    private func member(_ name: String, seed: UInt8, role: InstitutionRole = .validator) throws -> Genesis.Member {
        // Any point will do; these are multiples of no small-order point.
        let key = try #require(
            VerifyingKey(Digest(hex: Self.keys[Int(seed)]).map(\.bytes) ?? [])
        )
        return Genesis.Member(
            card: InstitutionCard(
                id: try #require(InstitutionID(name)),
                name: name,
                level: "3A",
                area: "330100",
                role: role,
                address: "10.0.0.1:9400",
                signingKey: key,
                encryptionKey: [UInt8](repeating: seed, count: InstitutionCard.encryptionKeyBytes),
                transportKeyDigest: Digest(hashing: [seed])
            )
        )
    }

    /// Public keys of RFC 8032, 7.1, tests 1 to 3.
    private static let keys = [
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    ]

    private func genesis(_ members: [Genesis.Member], _ parameters: ChainParameters = ChainParameters()) -> Genesis {
        Genesis(suite: .international, parameters: parameters, pseudonymScheme: .thresholdOblivious, members: members)
    }

    @Test("The order of the cards does not matter, and it reads back")
    func order() throws {
        let members = [try self.member("a", seed: 0), try self.member("b", seed: 1), try self.member("c", seed: 2)]
        let genesis = self.genesis(members)
        #expect(genesis == self.genesis(members.reversed()))
        #expect(genesis.isWellFormed)
        #expect(try Genesis(canonicalBytes: genesis.canonicalBytes) == genesis)
    }

    @Test("An id or key that appears twice, or a chain without a validator, is refused")
    func malformed() throws {
        let first = try self.member("a", seed: 0)
        #expect(!self.genesis([first, first]).isWellFormed)
        #expect(!self.genesis([first, try self.member("b", seed: 0)]).isWellFormed)
        let verifier = self.genesis([try self.member("a", seed: 0, role: .verifier)])
        #expect(!verifier.isWellFormed)
        #expect(throws: CanonicalError.invalid) { try Genesis(canonicalBytes: verifier.canonicalBytes) }
    }

    @Test("Every change of a byte makes another chain or no chain")
    func bytes() throws {
        let genesis = self.genesis([try self.member("a", seed: 0)])
        let bytes = genesis.canonicalBytes
        for index in stride(from: 0, to: bytes.count, by: 37) {
            var changed = bytes
            changed[index] ^= 1
            let read = try? Genesis(canonicalBytes: changed)
            #expect(read?.chain != genesis.chain)
        }
    }

    @Test("Parameters outside their bounds are refused")
    func parameters() throws {
        for parameters in [
            ChainParameters(messageDelayMilliseconds: 1), ChainParameters(blockBytesMax: 1),
            ChainParameters(transactionBytesMax: 1), ChainParameters(replayWindowBlocks: 1),
            ChainParameters(pseudonymThreshold: 33), ChainParameters(pseudonymWindowMilliseconds: 1),
            ChainParameters(pseudonymDailyQuota: 0),
        ] {
            let genesis = self.genesis([try self.member("a", seed: 0)], parameters)
            #expect(throws: CanonicalError.invalid) { try Genesis(canonicalBytes: genesis.canonicalBytes) }
        }
    }

    @Test("More than half of the holders must answer, unless the chain names another number")
    func threshold() {
        let majority = ChainParameters()
        #expect([1, 2, 3, 4, 5, 32].map { majority.pseudonymThreshold(holders: $0) } == [1, 2, 2, 3, 3, 17])
        let three = ChainParameters(pseudonymThreshold: 3)
        #expect([1, 3, 5].map { three.pseudonymThreshold(holders: $0) } == [1, 3, 3])
    }
}
