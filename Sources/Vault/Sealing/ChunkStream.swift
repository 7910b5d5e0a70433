package import Crypto
internal import Foundation

/// STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015) as in age: chunks of 64 KiB under AES-256-GCM, the nonce an
/// 11-byte big-endian counter and a byte that is 1 for the last chunk.
///
/// The key must be used for one stream only.
///
/// The last chunk is not empty unless the whole stream is. Cutting, reordering or extending the stream breaks a chunk.
package enum ChunkStream {
    package static let chunkBytes = 64 << 10

    /// Size of the stream of `count` plain bytes.
    package static func sealedBytes(_ count: Int) -> Int {
        count + max(1, (count + Self.chunkBytes - 1) / Self.chunkBytes) * Seal.tagBytes
    }

    package static func seal(_ plain: [UInt8], key: SymmetricKey) -> [UInt8] {
        var sealed: [UInt8] = []
        sealed.reserveCapacity(Self.sealedBytes(plain.count))
        var start = 0
        var counter: UInt64 = 0
        repeat {
            let end = min(start + Self.chunkBytes, plain.count)
            let nonce = Self.nonce(counter, isLast: end == plain.count)
            guard let box = try? AES.GCM.seal(plain[start..<end], using: key, nonce: nonce) else {
                preconditionFailure("AES-256-GCM takes a 256-bit key and a chunk of 64 KiB")
            }
            sealed += box.ciphertext
            sealed += box.tag
            start = end
            counter += 1
        } while start < plain.count
        return sealed
    }

    /// Returns `nil` unless these are all the bytes of a stream under `key`.
    package static func open(_ sealed: [UInt8], key: SymmetricKey) -> [UInt8]? {
        var plain: [UInt8] = []
        plain.reserveCapacity(sealed.count)
        var start = 0
        var counter: UInt64 = 0
        repeat {
            let end = min(start + Self.chunkBytes + Seal.tagBytes, sealed.count)
            let isLast = end == sealed.count
            guard end - start >= Seal.tagBytes, !isLast || start == 0 || end - start > Seal.tagBytes,
                let box = try? AES.GCM.SealedBox(
                    nonce: Self.nonce(counter, isLast: isLast),
                    ciphertext: sealed[start..<end - Seal.tagBytes],
                    tag: sealed[(end - Seal.tagBytes)..<end]
                ),
                let chunk = try? AES.GCM.open(box, using: key)
            else { return nil }
            plain += chunk
            start = end
            counter += 1
        } while start < sealed.count
        return plain
    }

    private static func nonce(_ counter: UInt64, isLast: Bool) -> AES.GCM.Nonce {
        var bytes = [UInt8](repeating: 0, count: 12)
        for index in 0..<8 { bytes[10 - index] = UInt8(truncatingIfNeeded: counter >> UInt64(8 * index)) }
        bytes[11] = isLast ? 1 : 0
        guard let nonce = try? AES.GCM.Nonce(data: bytes) else { preconditionFailure("a nonce is 12 bytes") }
        return nonce
    }
}
