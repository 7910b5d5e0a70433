import Primitives
import TestSupport

extension Digest {
    /// A seeded key; most keys agree with others in a long prefix, the hardest case for the tree.
    static func clusteredKey(using generator: inout SeededGenerator) -> Digest {
        var bytes = [UInt8](repeating: 0x5A, count: 32)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0:
            bytes = .random(count: 32, using: &generator)
        case 1:
            bytes[31] ^= UInt8.random(in: 0...7, using: &generator)
        case 2:
            let bit = Int.random(in: 0..<256, using: &generator)
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        default:
            bytes[0] = UInt8.random(in: 0...255, using: &generator)
        }
        return Digest(bytes) ?? .zero
    }
}

extension UInt64 {
    var littleEndianBytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}
