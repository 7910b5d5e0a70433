/// CRC-32C (RFC 3720 appendix B.4): finds torn and flipped bytes; not a defence against forgery.
struct Checksum {
    private var state: UInt32 = .max

    var value: UInt32 { ~self.state }

    mutating func update(_ bytes: some Sequence<UInt8>) {
        var state = self.state
        for byte in bytes { state = state >> 8 ^ Self.table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] }
        self.state = state
    }

    private static let table: [UInt32] = (0..<256).map { index in
        var value = UInt32(index)
        // The reflected polynomial of Castagnoli.
        for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
        return value
    }
}
