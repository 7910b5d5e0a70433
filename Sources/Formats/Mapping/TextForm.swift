/// What can be said about a text's Unicode form below the I/O line.
///
/// Swift compares texts by canonical equivalence, so that looking up a decomposed name finds the composed one. Bytes that
/// are hashed need one form: the edge brings texts into form C, and this check refuses what may not be in it.
enum TextForm {
    /// Starters that join the character before them (Unicode NFC_Quick_Check Maybe with combining class 0).
    private static let joiningStarters: [ClosedRange<UInt32>] = [
        0x9be...0x9be, 0x9d7...0x9d7, 0xb3e...0xb3e, 0xb56...0xb57, 0xbbe...0xbbe, 0xbd7...0xbd7, 0xcc2...0xcc2,
        0xcd5...0xcd6, 0xd3e...0xd3e, 0xd57...0xd57, 0xdcf...0xdcf, 0xddf...0xddf, 0x102e...0x102e, 0x1161...0x1175,
        0x11a8...0x11c2, 0x1b35...0x1b35, 0x11127...0x11127, 0x1133e...0x1133e, 0x11357...0x11357,
        0x113b8...0x113c9, 0x114b0...0x114b0, 0x114ba...0x114bd, 0x115af...0x115af, 0x11930...0x11930,
        0x1611e...0x16129, 0x16d63...0x16d6a,
    ]

    /// Whether every character is in form C whatever stands beside it; some texts in form C are none of these.
    static func isComposed(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            guard scalar.value >= 0x300 else { return true }
            let properties = scalar.properties
            return properties.canonicalCombiningClass == .notReordered && !properties.isFullCompositionExclusion
                && !self.joiningStarters.contains { $0.contains(scalar.value) }
        }
    }

    /// Not empty, within `bytesMax`, without control characters and without spaces at the ends.
    static func isPlain(_ text: String, bytesMax: Int) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, let last = bytes.last, bytes.count <= bytesMax, first != 0x20, last != 0x20
        else {
            return false
        }
        return text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
    }
}
