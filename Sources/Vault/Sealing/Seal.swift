internal import Crypto
internal import Foundation
internal import Glibc
internal import Synchronization

/// AES-256-GCM with a random 96-bit nonce: `nonce12 ‖ ciphertext ‖ tag16`.
enum Seal {
    static let nonceBytes = 12
    static let tagBytes = 16
    static let overheadBytes = nonceBytes + tagBytes

    static func close(
        _ plain: [UInt8],
        key: SymmetricKey,
        associated: [UInt8]
    ) -> [UInt8] {
        guard let nonce = try? AES.GCM.Nonce(data: RandomBytes.make(Self.nonceBytes)),
            let box = try? AES.GCM.seal(plain, using: key, nonce: nonce, authenticating: associated)
        else { preconditionFailure("AES-256-GCM takes a 256-bit key and any message below 64 GiB") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(plain.count + Self.overheadBytes)
        bytes += box.nonce
        bytes += box.ciphertext
        bytes += box.tag
        return bytes
    }

    /// Returns `nil` when anything but the sealed bytes, key and associated data of ``close`` is given.
    static func open(
        _ sealed: some Collection<UInt8>,
        key: SymmetricKey,
        associated: [UInt8]
    ) -> [UInt8]? {
        let sealed = Array(sealed)
        guard sealed.count >= Self.overheadBytes,
            let box = try? AES.GCM.SealedBox(combined: sealed),
            let plain = try? AES.GCM.open(box, using: key, authenticating: associated)
        else { return nil }
        return Array(plain)
    }
}

/// Nonces and salts from the system's generator.
///
/// Bytes are taken from the system a page at a time: a record needs a dozen small pieces, and each would be a call. Keys
/// do not come from here: they would lie in a page that is not wiped.
enum RandomBytes {
    private struct Page {
        var bytes: [UInt8] = []
        var used = 0
    }

    private static let pageBytes = 4096
    private static let page = Mutex(Page())

    static func make(_ count: Int) -> [UInt8] {
        precondition(count <= self.pageBytes, "nonces and salts are short")
        return self.page.withLock { page in
            if page.used + count > page.bytes.count {
                page.bytes = Self.system(self.pageBytes)
                page.used = 0
            }
            defer { page.used += count }
            return Array(page.bytes[page.used..<page.used + count])
        }
    }

    static func system(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            Self.fill(buffer)
            filled = count
        }
    }

    /// In as few calls as can be: the library asks for eight bytes at a time.
    fileprivate static func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
        guard let start = buffer.baseAddress else { return }
        for offset in stride(from: 0, to: buffer.count, by: self.entropyBytesMax) {
            let count = min(self.entropyBytesMax, buffer.count - offset)
            precondition(getentropy(start + offset, count) == 0, "the kernel gives random bytes")
        }
    }

    /// Of one call of `getentropy`.
    private static let entropyBytesMax = 256
}

extension SymmetricKey {
    /// A new key of 256 bits; its bytes lie nowhere but in the key.
    static func make() -> SymmetricKey {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { buffer in
            defer { if let start = buffer.baseAddress { explicit_bzero(start, buffer.count) } }
            RandomBytes.fill(buffer)
            return SymmetricKey(data: buffer)
        }
    }

    /// HKDF-Expand (RFC 5869 2.3) of a key that is uniformly random, so that there is nothing to extract.
    func expand(_ info: [UInt8]) -> SymmetricKey {
        HKDF<SHA256>.expand(pseudoRandomKey: self, info: info, outputByteCount: 32)
    }

    var bytes: [UInt8] { self.withUnsafeBytes { Array($0) } }
}
