import Crypto
import Foundation
import TestSupport
import Testing
import Vault

/// Turns the data keys of a home into what an earlier release wrote, by the page on files alone
/// (`Documentation/Protocol/VaultFiles.md`): pages under one key that is derived from the home's local secret.
enum LegacyPages {
    private static let slotBytes = 2560

    static func rewrite(_ disk: SimulatedDisk) throws {
        let root = try self.root(disk)
        let vault = Fixtures.home + "/vault/"
        let fileKey = try self.fileKey(disk.bytes(vault + "roots"), root)
        let path = try #require(disk.paths.first { $0.hasPrefix(vault + "keys/") })
        var bytes = disk.bytes(path)
        for start in stride(from: 0, to: bytes.count, by: self.slotBytes) {
            let slot = Array(bytes[start..<start + self.slotBytes])
            guard slot.contains(where: { $0 != 0 }) else { continue }
            let associated = Array("entente/key-page/1".utf8) + slot[..<24]
            let pageKey = try AES.GCM.open(.init(combined: slot[24..<84]), using: fileKey, authenticating: associated)
            let wrapped = try AES.GCM.seal(pageKey, using: root, authenticating: associated)
            var changed = slot
            changed.replaceSubrange(24..<84, with: try #require(wrapped.combined))
            let checksum = self.crc32(changed.dropLast(4))
            for index in 0..<4 {
                changed[self.slotBytes - 4 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * index))
            }
            bytes.replaceSubrange(start..<start + self.slotBytes, with: changed)
        }
        try disk.remove(path)
        try disk.remove(vault + "roots")
        let legacy = vault + "keys/00000000.keys"
        _ = try disk.open(legacy, creating: true)
        disk.set(legacy, bytes)
        try disk.syncFolder(vault)
    }

    /// `HKDF-Expand(local secret, "entente/local/data-keys/1")`.
    private static func root(_ disk: SimulatedDisk) throws -> SymmetricKey {
        let file = disk.bytes(Fixtures.home + "/keys")
        let master = SymmetricKey(data: disk.bytes(Fixtures.home + "/master.key"))
        let plain = try AES.GCM.open(.init(combined: file[9...]), using: master, authenticating: file[..<9])
        return HKDF<SHA256>.expand(
            pseudoRandomKey: SymmetricKey(data: plain.suffix(32)),
            info: Array("entente/local/data-keys/1".utf8),
            outputByteCount: 32
        )
    }

    private static func fileKey(_ table: [UInt8], _ root: SymmetricKey) throws -> SymmetricKey {
        let associated = Array("entente/file-keys/1".utf8) + table[..<24]
        let plain = try AES.GCM.open(
            .init(combined: table[24..<24 + 44 + 28]),
            using: root,
            authenticating: associated
        )
        return SymmetricKey(data: plain.suffix(32))
    }

    private static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var crc = ~UInt32(0)
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 {
                let shifted = crc >> 1
                crc = crc & 1 == 1 ? shifted ^ 0xEDB8_8320 : shifted
            }
        }
        return ~crc
    }
}
