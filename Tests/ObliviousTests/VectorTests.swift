import Foundation
import Oblivious
import Primitives
import TestSupport
import Testing

/// RFC 9497, appendix A.1, modes OPRF and VOPRF.
struct OPRFVectors: Decodable {
    struct Mode: Decodable {
        var mode: UInt8
        var skSm: String
        var pkSm: String?
        var vectors: [Vector]
    }

    struct Vector: Decodable, Sendable {
        var input: [String]
        var blind: [String]
        var blindedElement: [String]
        var evaluationElement: [String]
        var proof: String?
        var proofRandomScalar: String?
        var output: [String]
    }

    var seed: String
    var keyInfo: String
    var modes: [Mode]

    static func load() throws -> OPRFVectors {
        try JSONDecoder().decode(
            OPRFVectors.self,
            from: TestData.vector("oprf/rfc9497-ristretto255-sha512.json")
        )
    }
}

@Suite("The vectors of RFC 9497 for ristretto255 and SHA-512")
struct VectorTests {
    @Test("Keys, blinded and evaluated elements, proofs and outputs are those of the RFC", arguments: [0, 1])
    func vectors(number: Int) throws {
        let vectors = try OPRFVectors.load()
        let mode = try #require(vectors.modes.first { $0.mode == number })
        let function = ObliviousFunction(mode: try #require(ObliviousFunction.Mode(rawValue: mode.mode)))
        let secret = try #require(function.deriveKey(seed: bytes(vectors.seed), info: bytes(vectors.keyInfo)))
        #expect(Hex.encode(secret.bytes) == mode.skSm)
        let publicKey = RistrettoElement(generatorTimes: secret)
        if let expected = mode.pkSm { #expect(Hex.encode(publicKey.bytes) == expected) }
        #expect(mode.vectors.count == (number == 0 ? 2 : 3))
        for vector in mode.vectors {
            let inputs = try vector.input.map(bytes)
            let blinds = try vector.blind.map(scalar)
            let blinded = try zip(inputs, blinds).map { try #require(function.blind($0, with: $1)) }
            #expect(blinded.map { Hex.encode($0.bytes) } == vector.blindedElement)
            let evaluation = function.evaluate(
                blinded,
                secret: secret,
                publicKey: publicKey,
                nonce: try scalar(vector.proofRandomScalar ?? vector.blind[0])
            )
            #expect(evaluation.elements.map { Hex.encode($0.bytes) } == vector.evaluationElement)
            if let proof = vector.proof {
                #expect(Hex.encode(evaluation.proof.canonicalBytes) == proof)
                #expect(evaluation.isValid(blinded, shareKey: publicKey))
            }
            let outputs = try zip(zip(inputs, blinds), evaluation.elements).map {
                try #require(function.finalize($0.0, blind: $0.1, evaluated: $1))
            }
            #expect(outputs.map { Hex.encode($0) } == vector.output)
            let direct = try inputs.map { try #require(function.evaluate($0, secret: secret)) }
            #expect(direct.map { Hex.encode($0) } == vector.output)
        }
    }

    @Test("Three of five holders of the RFC's key give the RFC's output, whoever they are")
    func threshold() throws {
        let mode = try #require(try OPRFVectors.load().modes.last)
        let vector = try #require(mode.vectors.last)
        let key = SharedKey(secret: try scalar(mode.skSm), threshold: 3, holders: 5, seed: 1)
        #expect(Hex.encode(key.polynomial.constant.bytes) == mode.pkSm)
        let inputs = try vector.input.map(bytes)
        let blinds = try vector.blind.map(scalar)
        let blinded = try zip(inputs, blinds).map {
            try #require(ObliviousFunction.verifiable.blind($0, with: $1))
        }
        for holders in choices(Array(1...5 as ClosedRange<UInt16>), 3) {
            let parts = holders.map { (index: $0, part: key.evaluate(blinded, at: $0)) }
            #expect(parts.allSatisfy { $0.part.isValid(blinded, shareKey: key.polynomial.shareKey($0.index)) })
            let combined = try #require(PartialEvaluation.combine(parts.map { ($0.index, $0.part.elements) }))
            #expect(combined.map { Hex.encode($0.bytes) } == vector.evaluationElement)
            let outputs = try zip(zip(inputs, blinds), combined).map {
                try #require(ObliviousFunction.verifiable.finalize($0.0, blind: $0.1, evaluated: $1))
            }
            #expect(outputs.map { Hex.encode($0) } == vector.output)
        }
        for holders in choices(Array(1...5 as ClosedRange<UInt16>), 2) {
            let parts = holders.map { ($0, key.evaluate(blinded, at: $0).elements) }
            #expect(PartialEvaluation.combine(parts)?.map { Hex.encode($0.bytes) } != vector.evaluationElement)
        }
    }
}
