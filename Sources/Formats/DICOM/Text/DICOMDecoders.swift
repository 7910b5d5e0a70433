/// Decodes the texts of data sets; keeps the converters that it has made.
///
/// Not shared between threads.
package final class DICOMDecoders {
    private var made: [CharacterSet: CharacterDecoder] = [:]

    package init() {}

    /// The text, or `nil` if its bytes do not belong to the character sets.
    ///
    /// In a person's name `^` and `=` end what escape sequences designated (PS3.5 section 6.1.2.5.3).
    func text(_ bytes: ArraySlice<UInt8>, _ sets: DICOMCharacterSets, isName: Bool) -> String? {
        if let whole = sets.whole { return self.decode(bytes, whole) }
        let isPlain = bytes.allSatisfy { $0 < 0x80 && $0 != 0x1b }
        if isPlain { return String(decoding: bytes, as: UTF8.self) }
        guard sets.hasExtensions || !bytes.contains(0x1b) else { return nil }
        return self.extended(bytes, sets, isName: isName)
    }

    /// Reads runs of bytes that one designation holds for.
    private func extended(_ bytes: ArraySlice<UInt8>, _ sets: DICOMCharacterSets, isName: Bool) -> String? {
        var (low, high) = (sets.low, sets.high)
        var text = ""
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == 0x1b {
                guard let escape = DICOMCharacterSets.escape(bytes, at: index) else { return nil }
                low = escape.low ?? low
                high = escape.high ?? high
                index += escape.length
                continue
            }
            let isHigh = byte >= 0x80
            let end = bytes[index...].firstIndex { $0 == 0x1b || ($0 >= 0x80) != isHigh } ?? bytes.endIndex
            let run = bytes[index..<end]
            index = end
            if isHigh {
                guard let part = self.highRun(run, high) else { return nil }
                text += part
            } else if low == .ascii || low == .romaji {
                text += String(decoding: run, as: UTF8.self)
                if run.contains(where: { Self.isReset($0, isName: isName) }) {
                    // What stands after the last delimiter of the run is in the first set again.
                    (low, high) = (sets.low, sets.high)
                }
            } else {
                // A control character, which no character of these sets contains, ends the designation.
                let stop = run.firstIndex { $0 < 0x20 } ?? end
                guard let part = self.pairs(run[..<stop], low) else { return nil }
                if stop < end { (low, high) = (sets.low, sets.high) }
                index = stop
                text += part
            }
        }
        return text
    }

    /// Text in two-byte characters of the lower half.
    private func pairs(_ characters: ArraySlice<UInt8>, _ half: DICOMCharacterSets.LowHalf) -> String? {
        guard characters.count.isMultiple(of: 2) else { return nil }
        var euc: [UInt8] = []
        for (position, byte) in characters.enumerated() {
            // JIS X 0212 is the third set of EUC-JP, which 0x8f announces for each character.
            if half == .jisX0212, position.isMultiple(of: 2) { euc.append(0x8f) }
            euc.append(byte | 0x80)
        }
        return self.decode(euc[...], .japaneseEUC)
    }

    private func highRun(_ run: ArraySlice<UInt8>, _ high: DICOMCharacterSets.HighHalf) -> String? {
        switch high {
        case .none: nil
        case .single(let set):
            // Controls of the upper half are never text (PS3.5 section 6.1.3); bytes that mean something else are.
            run.allSatisfy { $0 >= 0xa0 } ? self.decode(run, set) : nil
        case .katakana: run.allSatisfy { (0xa1...0xdf).contains($0) } ? self.decode(run, .shiftJIS) : nil
        case .korean: self.decode(run, .koreanEUC)
        case .chinese: self.decode(run, .gb2312)
        }
    }

    private static func isReset(_ byte: UInt8, isName: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "\\"), 0x09, 0x0a, 0x0c, 0x0d: true
        case UInt8(ascii: "^"), UInt8(ascii: "="): isName
        default: false
        }
    }

    private func decode(_ bytes: ArraySlice<UInt8>, _ set: CharacterSet) -> String? {
        if let decoder = self.made[set] { return decoder.string(bytes) }
        guard let decoder = CharacterDecoder(set) else { return nil }
        self.made[set] = decoder
        return decoder.string(bytes)
    }
}
