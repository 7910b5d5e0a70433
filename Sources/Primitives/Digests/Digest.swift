internal import Crypto

/// 32 bytes of SHA-256 output, ordered as the bytes are.
package struct Digest: Hashable, Comparable, Sendable {
    package static let byteCount = 32
    /// Stands for "none" where a fixed field must hold something; no input is known to hash to it.
    package static let zero = Digest(a: 0, b: 0, c: 0, d: 0)

    // Four big-endian words: comparing words compares bytes, and the value needs no heap.
    private let a, b, c, d: UInt64

    private init(a: UInt64, b: UInt64, c: UInt64, d: UInt64) {
        (self.a, self.b, self.c, self.d) = (a, b, c, d)
    }

    /// Returns `nil` unless there are exactly 32 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for (index, byte) in bytes.enumerated() {
            switch index >> 3 {
            case 0: words.0 = words.0 << 8 | UInt64(byte)
            case 1: words.1 = words.1 << 8 | UInt64(byte)
            case 2: words.2 = words.2 << 8 | UInt64(byte)
            default: words.3 = words.3 << 8 | UInt64(byte)
            }
        }
        self.init(a: words.0, b: words.1, c: words.2, d: words.3)
    }

    /// Returns `nil` unless there are exactly 32 bytes.
    ///
    /// Beside the generic form because that one is not specialised in other modules, and stores read millions of these.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        func word(_ start: Int) -> UInt64 {
            var word: UInt64 = 0
            for index in start..<start + 8 { word = word << 8 | UInt64(bytes[index]) }
            return word
        }
        self.init(a: word(0), b: word(8), c: word(16), d: word(24))
    }

    /// Reads 64 hexadecimal digits.
    package init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    /// The digest of `bytes`.
    package init(hashing bytes: some Sequence<UInt8>) {
        var hasher = DigestHasher()
        hasher.update(bytes)
        self = hasher.finalize()
    }

    /// The digest of `bytes`, without the cost of the generic form.
    package init(hashing bytes: [UInt8]) {
        var hasher = DigestHasher()
        hasher.update(bytes)
        self = hasher.finalize()
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        self.append(to: &bytes)
        return bytes
    }

    package var hex: String { Hex.encode(self.bytes) }

    /// The first eight bytes as a big-endian number.
    package var prefix64: UInt64 { self.a }

    /// Bit `index`, counted from the most significant bit of the first byte.
    package func bit(_ index: Int) -> Bool {
        let word =
            switch index >> 6 {
            case 0: self.a
            case 1: self.b
            case 2: self.c
            default: self.d
            }
        return word >> UInt64(63 - (index & 63)) & 1 == 1
    }

    package static func < (left: Digest, right: Digest) -> Bool {
        if left.a != right.a { return left.a < right.a }
        if left.b != right.b { return left.b < right.b }
        if left.c != right.c { return left.c < right.c }
        return left.d < right.d
    }

    fileprivate func append(to bytes: inout [UInt8]) {
        for word in [self.a, self.b, self.c, self.d] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
    }
}

extension Digest: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(fixed: self.bytes) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let digest = Digest(try decoder.decode(fixed: Self.byteCount)) else { throw .truncated }
        self = digest
    }
}

extension Digest: CustomStringConvertible {
    /// The first eight hexadecimal digits: enough to tell digests apart in a log.
    package var description: String { String(self.hex.prefix(8)) }
}

/// SHA-256 over parts.
package struct DigestHasher {
    private var function = SHA256()

    package init() {}

    package mutating func update(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        self.function.update(data: bytes)
    }

    package mutating func update(_ bytes: [UInt8]) {
        self.function.update(data: bytes)
    }

    package mutating func update(_ byte: UInt8) {
        self.function.update(data: [byte])
    }

    package mutating func update(_ digest: Digest) {
        self.function.update(data: digest.bytes)
    }

    package consuming func finalize() -> Digest {
        guard let digest = Digest(Array(self.function.finalize())) else {
            preconditionFailure("SHA-256 gives 32 bytes")
        }
        return digest
    }
}

/// HMAC-SHA-256 (RFC 2104), for pseudonyms, tags and handles.
package enum MessageAuthentication {
    /// Of SHA-256.
    private static let blockBytes = 64

    // The library's own form, which keeps keys in memory of its own, spends more on the key than on a short message.
    package static func code(key: [UInt8], message: [UInt8]) -> Digest {
        let key = key.count > Self.blockBytes ? Digest(hashing: key).bytes : key
        var pad = [UInt8](repeating: 0x36, count: Self.blockBytes)
        for (index, byte) in key.enumerated() { pad[index] ^= byte }
        var inner = DigestHasher()
        inner.update(pad)
        inner.update(message)
        for index in pad.indices { pad[index] ^= 0x36 ^ 0x5c }
        var outer = DigestHasher()
        outer.update(pad)
        outer.update(inner.finalize())
        return outer.finalize()
    }
}

/// The name of sealed bytes: the digest that whoever holds the bytes can check.
package struct ContentAddress: Hashable, Comparable, Sendable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package static func < (left: ContentAddress, right: ContentAddress) -> Bool { left.digest < right.digest }
}

extension ContentAddress: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}

extension ContentAddress: CustomStringConvertible {
    package var description: String { self.digest.description }
}
