import Foundation
import Oblivious
import Primitives
import TestSupport
import Testing

func institution(_ name: String) -> InstitutionID {
    guard let id = InstitutionID(name) else { preconditionFailure("\(name) is a name") }
    return id
}

func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(hex)) }

func scalar(_ hex: String) throws -> RistrettoScalar { try #require(RistrettoScalar(bytes(hex))) }

func element(_ hex: String) throws -> RistrettoElement { try #require(RistrettoElement(bytes(hex))) }

extension RistrettoScalar {
    static func random(using generator: inout SeededGenerator) -> RistrettoScalar {
        RistrettoScalar(uniform: .random(count: 64, using: &generator))
    }
}

/// A key that somebody shared, with all its shares.
struct SharedKey {
    let secret: RistrettoScalar
    let threshold: Int
    let shares: [RistrettoScalar]
    let polynomial: PublicPolynomial

    init(secret: RistrettoScalar, threshold: Int, holders: Int, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let polynomial = SecretPolynomial(
            constant: secret,
            threshold: threshold,
            seed: .random(count: 32, using: &generator)
        )
        self.secret = secret
        self.threshold = threshold
        self.shares = (1...UInt16(holders)).map { polynomial.share($0) }
        self.polynomial = polynomial.commitments
    }

    func evaluate(_ blinded: [RistrettoElement], at index: UInt16, nonce: UInt64 = 1) -> PartialEvaluation {
        var generator = SeededGenerator(seed: nonce &* 1000 + UInt64(index))
        return ObliviousFunction.verifiable.evaluate(
            blinded,
            secret: self.shares[Int(index) - 1],
            publicKey: self.polynomial.shareKey(index),
            nonce: .random(using: &generator)
        )
    }
}

/// Every way to choose `count` of `items`.
func choices<Item>(_ items: [Item], _ count: Int) -> [[Item]] {
    guard count > 0 else { return [[]] }
    guard let first = items.first else { return [] }
    let rest = Array(items.dropFirst())
    return choices(rest, count - 1).map { [first] + $0 } + choices(rest, count)
}
