import Oblivious
import Primitives
import TestSupport
import Testing

/// A ceremony played out in memory, with whatever the test has a dealer do.
struct Ceremony {
    let context: CeremonyContext
    let names: [InstitutionID]
    let secrets: [RistrettoScalar]
    let keys: [HolderKey]
    let threshold: Int

    init(names: [String], threshold: Int, number: UInt32 = 1) {
        let context = CeremonyContext(chain: ChainID(Digest(hashing: [1])), number: number)
        let names = names.map(institution)
        self.context = context
        self.names = names
        self.threshold = threshold
        self.secrets = names.map { HolderKey.secret(Self.seed("holder", $0, number)) }
        self.keys = names.map { HolderKey(context: context, holder: $0, seed: Self.seed("holder", $0, number)) }
    }

    static func seed(_ use: String, _ name: InstitutionID, _ number: UInt32) -> [UInt8] {
        Digest(hashing: Array("\(use) \(name) \(number)".utf8)).bytes
    }

    func deal(_ dealer: InstitutionID, constant: RistrettoScalar? = nil) -> Dealing {
        let seed = Self.seed("dealing", dealer, self.context.number)
        return Dealing(
            context: self.context,
            dealer: dealer,
            constant: constant ?? RistrettoScalar(seed: seed, label: "constant", index: 0),
            threshold: self.threshold,
            holders: self.keys.map(\.element),
            seed: seed
        )
    }

    func share(_ dealing: Dealing, by dealer: InstitutionID, to position: Int) -> RistrettoScalar? {
        dealing.share(
            context: self.context,
            dealer: dealer,
            index: UInt16(position + 1),
            holderSecret: self.secrets[position]
        )
    }

    func isValid(_ dealing: Dealing, by dealer: InstitutionID) -> Bool {
        dealing.isValid(
            context: self.context,
            dealer: dealer,
            threshold: self.threshold,
            holderCount: self.names.count
        )
    }

    func complaint(of position: Int, about dealing: Dealing, by dealer: InstitutionID) -> Complaint {
        Complaint(
            context: self.context,
            dealer: dealer,
            holder: self.names[position],
            sealingKey: dealing.sealingKey,
            holderSecret: self.secrets[position],
            seed: [UInt8](repeating: 9, count: 32)
        )
    }

    func isJustified(_ complaint: Complaint, of position: Int, about dealing: Dealing, by dealer: InstitutionID) -> Bool
    {
        complaint.isJustified(
            context: self.context,
            dealer: dealer,
            dealing: dealing,
            holder: self.names[position],
            index: UInt16(position + 1),
            holderKey: self.keys[position].element
        )
    }
}

extension Dealing {
    func changed(
        commitments: PublicPolynomial? = nil,
        sealingKey: RistrettoElement? = nil,
        sealedShares: [Digest]? = nil,
        sealingProof: KnowledgeProof? = nil
    ) -> Dealing {
        Dealing(
            commitments: commitments ?? self.commitments,
            sealingKey: sealingKey ?? self.sealingKey,
            sealedShares: sealedShares ?? self.sealedShares,
            constantProof: self.constantProof,
            sealingProof: sealingProof ?? self.sealingProof
        )
    }
}

@Suite("A key is shared without anybody who knows it")
struct CeremonyTests {
    @Test(
        "Honest dealings add up to one key of which any threshold of holders has the value",
        arguments: [(1, 1), (2, 3), (3, 5)]
    )
    func honest(threshold: Int, holders: Int) throws {
        let ceremony = Ceremony(names: (0..<holders).map { "member-\($0)" }, threshold: threshold)
        let dealings = ceremony.names.map { ceremony.deal($0) }
        for (dealer, dealing) in zip(ceremony.names, dealings) {
            #expect(ceremony.isValid(dealing, by: dealer))
            #expect(try Dealing(canonicalBytes: dealing.canonicalBytes) == dealing)
        }
        let polynomial = try #require(KeySharing.new.polynomial(dealings))
        let shares = try ceremony.names.indices.map { position in
            let parts = zip(ceremony.names, dealings).compactMap { ceremony.share($1, by: $0, to: position) }
            return try #require(KeySharing.new.share(parts))
        }
        for (position, share) in shares.enumerated() {
            #expect(polynomial.isShare(share, at: UInt16(position + 1)))
        }
        let all = shares.enumerated().map { (index: UInt16($0 + 1), value: $1) }
        for chosen in choices(all, threshold) {
            let secret = try #require(Interpolation.secret(chosen))
            #expect(RistrettoElement(generatorTimes: secret) == polynomial.constant)
        }
    }

    @Test("A wrong share is seen by its holder, who can prove it; the others see right ones")
    func badShare() throws {
        let ceremony = Ceremony(names: ["a", "b", "c"], threshold: 2)
        let liar = institution("a")
        let honest = ceremony.deal(liar)
        var sealed = honest.sealedShares
        sealed[1] = Digest(hashing: [1])
        let bad = honest.changed(sealedShares: sealed)
        // Nobody but b can see it.
        #expect(ceremony.isValid(bad, by: liar))
        #expect(ceremony.share(bad, by: liar, to: 0) != nil)
        #expect(ceremony.share(bad, by: liar, to: 1) == nil)
        let complaint = ceremony.complaint(of: 1, about: bad, by: liar)
        #expect(ceremony.isJustified(complaint, of: 1, about: bad, by: liar))
        #expect(try Complaint(canonicalBytes: complaint.canonicalBytes) == complaint)
        // It proves nothing about another holder's share or another dealing.
        #expect(!ceremony.isJustified(complaint, of: 2, about: bad, by: liar))
        #expect(!ceremony.isJustified(complaint, of: 1, about: honest, by: liar))
    }

    @Test("A share of another polynomial than the committed one is a wrong share")
    func otherPolynomial() {
        let ceremony = Ceremony(names: ["a", "b", "c"], threshold: 2)
        let liar = institution("a")
        let honest = ceremony.deal(liar)
        var coefficients = honest.commitments.coefficients
        coefficients[1] = coefficients[1] + .generator
        let bad = honest.changed(commitments: PublicPolynomial(coefficients: coefficients))
        #expect(ceremony.isValid(bad, by: liar))
        for position in 0..<3 {
            #expect(ceremony.share(bad, by: liar, to: position) == nil)
            let complaint = ceremony.complaint(of: position, about: bad, by: liar)
            #expect(ceremony.isJustified(complaint, of: position, about: bad, by: liar))
        }
    }

    @Test("A false complaint convinces nobody, honest or forged")
    func falseComplaint() {
        let ceremony = Ceremony(names: ["a", "b", "c"], threshold: 2)
        let dealer = institution("a")
        let dealing = ceremony.deal(dealer)
        let truthful = ceremony.complaint(of: 1, about: dealing, by: dealer)
        #expect(!ceremony.isJustified(truthful, of: 1, about: dealing, by: dealer))
        // A secret that is not the holder's would open the share to nonsense: the proof does not hold for it.
        let forged = Complaint(
            context: ceremony.context,
            dealer: dealer,
            holder: ceremony.names[1],
            sealingKey: dealing.sealingKey,
            holderSecret: RistrettoScalar(5),
            seed: [UInt8](repeating: 9, count: 32)
        )
        #expect(!ceremony.isJustified(forged, of: 1, about: dealing, by: dealer))
    }

    @Test("A dealing with too few shares, too many commitments or another's proofs is refused by everybody")
    func malformed() {
        let ceremony = Ceremony(names: ["a", "b", "c"], threshold: 2)
        let dealer = institution("a")
        let dealing = ceremony.deal(dealer)
        #expect(!ceremony.isValid(dealing.changed(sealedShares: Array(dealing.sealedShares.dropLast())), by: dealer))
        let long = PublicPolynomial(coefficients: dealing.commitments.coefficients + [.generator])
        #expect(!ceremony.isValid(dealing.changed(commitments: long), by: dealer))
        #expect(!ceremony.isValid(dealing, by: institution("b")), "a copied dealing")
        #expect(
            !Ceremony(names: ["a", "b", "c"], threshold: 2, number: 2).isValid(dealing, by: dealer),
            "an old dealing"
        )
    }

    @Test("A dealer cannot build its part from others' commitments, nor copy another's sealing key")
    func rogue() {
        let ceremony = Ceremony(names: ["a", "b", "c"], threshold: 2)
        let honest = ceremony.deal(institution("a"))
        let own = ceremony.deal(institution("b"))
        // The rogue constant would make the sum of both the dealer's own choice.
        var coefficients = own.commitments.coefficients
        coefficients[0] = coefficients[0] - honest.commitments.constant
        let rogue = own.changed(commitments: PublicPolynomial(coefficients: coefficients))
        #expect(!ceremony.isValid(rogue, by: institution("b")))
        let copied = own.changed(sealingKey: honest.sealingKey, sealingProof: honest.sealingProof)
        #expect(!ceremony.isValid(copied, by: institution("b")))
    }

    @Test("Fewer holders than needed know nothing of the key: every key fits what they hold")
    func secrecy() throws {
        // For 2 of 3: whatever the secret were, one polynomial has the share that one holder knows.
        let share = RistrettoScalar(77)
        for guess in 1...20 as ClosedRange<UInt16> {
            let slope = share - RistrettoScalar(guess)
            #expect(RistrettoScalar(guess) + slope == share)
        }
        let ceremony = Ceremony(names: ["a", "b", "c"], threshold: 2)
        let dealing = ceremony.deal(institution("a"))
        let known = try #require(ceremony.share(dealing, by: institution("a"), to: 1))
        #expect(RistrettoElement(generatorTimes: known) != dealing.commitments.constant)
    }

    @Test("A dealing of every wrong length is refused without trapping")
    func hostile() {
        let bytes = Ceremony(names: ["a", "b"], threshold: 2).deal(institution("a")).canonicalBytes
        for count in bytes.indices {
            #expect(throws: CanonicalError.self) { try Dealing(canonicalBytes: Array(bytes.prefix(count))) }
        }
        #expect(throws: CanonicalError.invalid) { try Dealing(canonicalBytes: [0] + bytes) }
        #expect(throws: CanonicalError.overLimit) { try Dealing(canonicalBytes: [33] + bytes) }
    }
}

@Suite("A key moves to new shares")
struct ResharingTests {
    /// Shares of a fresh key under `names`.
    private func founded(
        _ names: [String],
        threshold: Int
    ) throws -> (polynomial: PublicPolynomial, shares: [RistrettoScalar]) {
        let ceremony = Ceremony(names: names, threshold: threshold)
        let dealings = ceremony.names.map { ceremony.deal($0) }
        let shares = try ceremony.names.indices.map { position in
            try #require(
                KeySharing.new.share(
                    zip(ceremony.names, dealings).compactMap { ceremony.share($1, by: $0, to: position) }
                )
            )
        }
        return (try #require(KeySharing.new.polynomial(dealings)), shares)
    }

    @Test(
        "Key and results stay, every share changes, and old and new shares do not mix",
        arguments: [
            (["a", "b", "c"], 2, ["a", "b", "c"], 2, [1, 3]),
            (["a", "b", "c"], 2, ["b", "c", "d", "e", "f"], 3, [3, 1]),
            (["a", "b", "c", "d", "e"], 3, ["a", "b"], 1, [2, 4, 5]), (["a"], 1, ["a", "b", "c"], 2, [1]),
        ] as [([String], Int, [String], Int, [UInt16])]
    )
    func reshare(before: [String], oldThreshold: Int, after: [String], threshold: Int, dealers: [UInt16]) throws {
        let old = try self.founded(before, threshold: oldThreshold)
        let ceremony = Ceremony(names: after, threshold: threshold, number: 2)
        let dealt = dealers.map { index -> (dealer: InstitutionID, dealing: Dealing) in
            let dealer = institution(before[Int(index) - 1])
            return (dealer, ceremony.deal(dealer, constant: old.shares[Int(index) - 1]))
        }
        for (index, part) in zip(dealers, dealt) {
            #expect(ceremony.isValid(part.dealing, by: part.dealer))
            #expect(part.dealing.commitments.constant == old.polynomial.shareKey(index))
        }
        let sharing = KeySharing.reshared(dealers)
        let polynomial = try #require(sharing.polynomial(dealt.map(\.dealing)))
        #expect(polynomial.constant == old.polynomial.constant)
        let shares = try ceremony.names.indices.map { position in
            try #require(
                sharing.share(dealt.compactMap { ceremony.share($0.dealing, by: $0.dealer, to: position) })
            )
        }
        for (position, share) in shares.enumerated() {
            #expect(polynomial.isShare(share, at: UInt16(position + 1)))
            if position < old.shares.count { #expect(share != old.shares[position]) }
        }
        let all = shares.enumerated().map { (index: UInt16($0 + 1), value: $1) }
        let secret = try #require(Interpolation.secret(Array(all.suffix(threshold))))
        #expect(RistrettoElement(generatorTimes: secret) == old.polynomial.constant)
        if oldThreshold > 1, threshold > 1 {
            let mixed = [(index: UInt16(1), value: old.shares[0])] + all.dropFirst().prefix(threshold - 1)
            #expect(Interpolation.secret(mixed) != secret)
        }
    }

    @Test("The same dealer twice, or a wrong number of dealers, shares nothing")
    func indexes() throws {
        let ceremony = Ceremony(names: ["a", "b"], threshold: 2)
        let dealings = ceremony.names.map { ceremony.deal($0) }
        #expect(KeySharing.reshared([1, 1]).polynomial(dealings) == nil)
        #expect(KeySharing.reshared([1]).polynomial(dealings) == nil)
        #expect(KeySharing.reshared([0, 1]).polynomial(dealings) == nil)
        #expect(KeySharing.new.polynomial([]) == nil)
    }
}
