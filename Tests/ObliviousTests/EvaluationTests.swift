import Oblivious
import Primitives
import TestSupport
import Testing

@Suite("Partial evaluations are checked one by one")
struct EvaluationTests {
    let key = SharedKey(secret: RistrettoScalar(4711), threshold: 2, holders: 3, seed: 3)

    func blinded(_ count: Int, seed: UInt64 = 5) -> [RistrettoElement] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).compactMap { number in
            ObliviousFunction.verifiable.blind([UInt8(number % 251)], with: .random(using: &generator))
        }
    }

    @Test("An honest answer holds for its batch, its holder and nobody else", arguments: [1, 2, 17])
    func honest(count: Int) {
        let blinded = self.blinded(count)
        let answer = self.key.evaluate(blinded, at: 2)
        #expect(answer.isValid(blinded, shareKey: self.key.polynomial.shareKey(2)))
        #expect(!answer.isValid(blinded, shareKey: self.key.polynomial.shareKey(1)))
        #expect(!answer.isValid(blinded, shareKey: self.key.polynomial.constant))
        #expect(!answer.isValid(self.blinded(count, seed: 6), shareKey: self.key.polynomial.shareKey(2)))
        #expect(!answer.isValid(Array(blinded.dropLast()), shareKey: self.key.polynomial.shareKey(2)))
    }

    @Test("One wrong element of a batch is found wherever it stands", arguments: 0..<5)
    func wrongElement(position: Int) {
        let blinded = self.blinded(5)
        var answer = self.key.evaluate(blinded, at: 1)
        answer.elements[position] = answer.elements[position] + .generator
        #expect(!answer.isValid(blinded, shareKey: self.key.polynomial.shareKey(1)))
    }

    @Test("Two elements in each other's place, or two errors that cancel out, are found")
    func cancelling() {
        let blinded = self.blinded(4)
        let honest = self.key.evaluate(blinded, at: 1)
        var swapped = honest
        swapped.elements.swapAt(0, 1)
        #expect(!swapped.isValid(blinded, shareKey: self.key.polynomial.shareKey(1)))
        var shifted = honest
        shifted.elements[2] = shifted.elements[2] + .generator
        shifted.elements[3] = shifted.elements[3] - .generator
        #expect(!shifted.isValid(blinded, shareKey: self.key.polynomial.shareKey(1)))
    }

    @Test("A holder that sends on another's answer as its own is found")
    func replay() {
        let blinded = self.blinded(3)
        let others = self.key.evaluate(blinded, at: 1)
        #expect(others.isValid(blinded, shareKey: self.key.polynomial.shareKey(1)))
        #expect(!others.isValid(blinded, shareKey: self.key.polynomial.shareKey(3)))
    }

    @Test("A holder that uses another key, with a proof of its own, is found")
    func wrongKey() {
        let blinded = self.blinded(3)
        let other = RistrettoScalar(99)
        let answer = ObliviousFunction.verifiable.evaluate(
            blinded,
            secret: other,
            publicKey: self.key.polynomial.shareKey(1),
            nonce: RistrettoScalar(7)
        )
        #expect(!answer.isValid(blinded, shareKey: self.key.polynomial.shareKey(1)))
        #expect(answer.proof.response != self.key.evaluate(blinded, at: 1).proof.response)
    }

    @Test("A proof with any bit changed is refused, or is no proof at all", arguments: 0..<64)
    func changedProof(position: Int) throws {
        let blinded = self.blinded(2)
        let answer = self.key.evaluate(blinded, at: 1)
        var bytes = answer.canonicalBytes
        bytes[bytes.count - 64 + position] ^= 1
        guard let changed = try? PartialEvaluation(canonicalBytes: bytes) else { return }
        #expect(!changed.isValid(blinded, shareKey: self.key.polynomial.shareKey(1)))
    }

    @Test("An answer reads back, and no cut or longer form of it is accepted")
    func bytes() throws {
        let answer = self.key.evaluate(self.blinded(3), at: 1)
        let bytes = answer.canonicalBytes
        #expect(try PartialEvaluation(canonicalBytes: bytes) == answer)
        for count in bytes.indices {
            #expect(throws: CanonicalError.self) { try PartialEvaluation(canonicalBytes: Array(bytes.prefix(count))) }
        }
        #expect(throws: CanonicalError.trailing) { try PartialEvaluation(canonicalBytes: bytes + [0]) }
        var many = CanonicalEncoder()
        many.encode(length: PartialEvaluation.elementsMax + 1)
        #expect(throws: CanonicalError.overLimit) { try PartialEvaluation(canonicalBytes: many.bytes) }
    }

    @Test("Answers are combined only from different holders and equal batches")
    func combine() {
        let blinded = self.blinded(2)
        let one = self.key.evaluate(blinded, at: 1).elements
        let two = self.key.evaluate(blinded, at: 2).elements
        #expect(PartialEvaluation.combine([(1, one), (2, two)]) == blinded.map { self.key.secret * $0 })
        #expect(PartialEvaluation.combine([(1, one), (1, two)]) == nil)
        #expect(PartialEvaluation.combine([(0, one), (2, two)]) == nil)
        #expect(PartialEvaluation.combine([(1, one), (2, Array(two.dropLast()))]) == nil)
        #expect(PartialEvaluation.combine([]) == nil)
    }

    @Test("A blinded element says nothing of its input: every input fits every element")
    func blinding() throws {
        let seen = try #require(self.blinded(1).first)
        for input in 0..<8 as Range<UInt8> {
            // The scalar that would have led there is known to nobody, but it exists: the group has prime order.
            let base = try #require(ObliviousFunction.verifiable.blind([input], with: .one))
            #expect(!base.isIdentity && base != seen)
        }
        var generator = SeededGenerator(seed: 1)
        let blind = RistrettoScalar.random(using: &generator)
        let again = RistrettoScalar.random(using: &generator)
        #expect(
            ObliviousFunction.verifiable.blind([1], with: blind) != ObliviousFunction.verifiable.blind([1], with: again)
        )
        #expect(ObliviousFunction.verifiable.blind([1], with: .zero) == nil)
    }
}

@Suite("Shamir's sharing over the scalars")
struct SharingTests {
    @Test("As many shares as needed give the secret, fewer give another value", arguments: 0..<12 as Range<UInt64>)
    func sharing(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let holders = Int.random(in: 1...7, using: &generator)
        let threshold = Int.random(in: 1...holders, using: &generator)
        let secret = RistrettoScalar.random(using: &generator)
        let key = SharedKey(secret: secret, threshold: threshold, holders: holders, seed: seed)
        let all = key.shares.enumerated().map { (index: UInt16($0 + 1), value: $1) }
        for chosen in choices(all, threshold) { #expect(Interpolation.secret(chosen) == secret) }
        if threshold > 1 {
            for chosen in choices(all, threshold - 1) { #expect(Interpolation.secret(chosen) != secret) }
        }
        for (index, share) in all {
            #expect(key.polynomial.isShare(share, at: index))
            #expect(!key.polynomial.isShare(share + .one, at: index))
        }
        #expect(key.polynomial.constant == RistrettoElement(generatorTimes: secret))
    }
}
