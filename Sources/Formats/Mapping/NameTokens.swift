/// The parts of a name that are compared with those of another: words of letters and digits, and pairs of neighbouring
/// Chinese characters.
struct NameTokens: Hashable {
    /// Names longer than this are compared by their beginning.
    static let scalarsMax = 128

    /// Sorted, with repetitions.
    let tokens: [String]

    init(_ name: String) {
        var tokens: [String] = []
        var word = ""
        var characters: [Character] = []
        func end() {
            if !word.isEmpty { tokens.append(word) }
            word = ""
            if characters.count == 1 { tokens.append(String(characters)) }
            for index in characters.indices.dropFirst() { tokens.append(String(characters[index - 1...index])) }
            characters = []
        }
        for scalar in UnitFolding.fold(name).unicodeScalars.prefix(Self.scalarsMax) {
            switch scalar.value {
            case 0x30...0x39, 0x61...0x7a:
                if !characters.isEmpty { end() }
                word.unicodeScalars.append(scalar)
            case 0x41...0x5a:
                if !characters.isEmpty { end() }
                word.unicodeScalars.append(Unicode.Scalar(UInt8(scalar.value) | 0x20))
            case 0x3400...0x9fff, 0xf900...0xfaff, 0x20000...0x3ffff:
                if !word.isEmpty { end() }
                characters.append(Character(scalar))
            case 0xc0...0x24f, 0x370...0x52f:
                // Greek, Cyrillic and accented letters are letters of words.
                if !characters.isEmpty { end() }
                word.unicodeScalars.append(scalar)
            default: end()
            }
        }
        end()
        self.tokens = tokens.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Dice's coefficient of the two lists, in thousandths.
    func similarity(to other: NameTokens) -> Int {
        let total = self.tokens.count + other.tokens.count
        guard total > 0 else { return 0 }
        var shared = 0
        var (left, right) = (self.tokens[...], other.tokens[...])
        while let first = left.first, let second = right.first {
            if first == second {
                shared += 1
                left.removeFirst()
                right.removeFirst()
            } else if first.utf8.lexicographicallyPrecedes(second.utf8) {
                left.removeFirst()
            } else {
                right.removeFirst()
            }
        }
        return 2000 * shared / total
    }
}
