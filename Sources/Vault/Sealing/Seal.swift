internal import Crypto
internal import Foundation

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
        guard let box = try? AES.GCM.seal(plain, using: key, nonce: AES.GCM.Nonce(), authenticating: associated) else {
            preconditionFailure("AES-256-GCM takes a 256-bit key and any message below 64 GiB")
        }
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

/// Bytes from the system's generator.
enum RandomBytes {
    static func make(_ count: Int) -> [UInt8] {
        SymmetricKey(size: SymmetricKeySize(bitCount: count * 8)).withUnsafeBytes { Array($0) }
    }
}

extension SymmetricKey {
    /// HKDF-Expand (RFC 5869 2.3) of a key that is uniformly random, so that there is nothing to extract.
    func expand(_ info: [UInt8]) -> SymmetricKey {
        HKDF<SHA256>.expand(pseudoRandomKey: self, info: info, outputByteCount: 32)
    }

    var bytes: [UInt8] { self.withUnsafeBytes { Array($0) } }
}
