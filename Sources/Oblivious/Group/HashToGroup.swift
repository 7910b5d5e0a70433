/// Hashing to ristretto255 and to its scalars (RFC 9380 5.3.1 and appendix B; RFC 9497 4.1).
package enum HashToGroup {
    /// What one byte can count.
    package static let tagBytesMax = 255

    /// `hash_to_ristretto255` with `expand_message_xmd` and SHA-512.
    package static func element(_ message: [UInt8], tag: [UInt8]) -> RistrettoElement {
        RistrettoElement(uniform: Self.expand(message, tag: tag, count: RistrettoScalar.uniformByteCount))
    }

    package static func scalar(_ message: [UInt8], tag: [UInt8]) -> RistrettoScalar {
        RistrettoScalar(uniform: Self.expand(message, tag: tag, count: RistrettoScalar.uniformByteCount))
    }

    /// `expand_message_xmd` with SHA-512.
    ///
    /// Tags are constants of this library, and as short as the method asks.
    package static func expand(_ message: [UInt8], tag: [UInt8], count: Int) -> [UInt8] {
        precondition((1...Self.tagBytesMax).contains(tag.count), "a tag has 1 to 255 bytes")
        let blocks = (count + SHA512.byteCount - 1) / SHA512.byteCount
        precondition(count > 0 && blocks <= 255, "a message expands to at most 255 blocks")
        let tagPrime = tag + [UInt8(tag.count)]
        var input = [UInt8](repeating: 0, count: SHA512.blockBytes)
        input += message
        input += [UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count), 0]
        input += tagPrime
        let first = SHA512.hash(input)
        var block = [UInt8](repeating: 0, count: SHA512.byteCount)
        var expanded: [UInt8] = []
        for index in 1...blocks {
            for position in block.indices { block[position] ^= first[position] }
            block = SHA512.hash(block + [UInt8(index)] + tagPrime)
            expanded += block
        }
        return Array(expanded.prefix(count))
    }
}
