/// What a data set says of its character sets: the one that texts begin in, and whether escape sequences may change it
/// (PS3.3 section C.12.1.1.2).
struct DICOMCharacterSets: Hashable, Sendable {
    /// What bytes below 0x80 mean.
    enum LowHalf: Hashable, Sendable {
        case ascii
        /// JIS X 0201 romaji; differs from ASCII in the signs for yen and overline only, and is read as ASCII: the
        /// byte of the yen sign is also the one that separates values.
        case romaji
        /// Two bytes a character.
        case jisX0208
        case jisX0212
    }

    /// What bytes from 0x80 mean.
    enum HighHalf: Hashable, Sendable {
        case none
        /// One byte a character.
        case single(CharacterSet)
        /// JIS X 0201 katakana.
        case katakana
        /// Two bytes a character.
        case korean, chinese
    }

    /// A set without code extensions that takes texts as a whole.
    let whole: CharacterSet?
    let low: LowHalf
    let high: HighHalf
    /// Whether escape sequences (ISO 2022) may occur.
    let hasExtensions: Bool

    /// Whether the data set names sets that DICOM defines; if not, only ASCII, which all of them contain, is read.
    let isKnown: Bool

    static let ascii = DICOMCharacterSets(whole: nil, low: .ascii, high: .none, hasExtensions: false)
    static let unknown = DICOMCharacterSets(
        whole: nil,
        low: .ascii,
        high: .none,
        hasExtensions: false,
        isKnown: false
    )

    private init(whole: CharacterSet?, low: LowHalf, high: HighHalf, hasExtensions: Bool, isKnown: Bool = true) {
        self.isKnown = isKnown
        self.whole = whole
        self.low = low
        self.high = high
        self.hasExtensions = hasExtensions
    }

    /// Takes the values of Specific Character Set (0008,0005), of which the first may be empty; `nil` if one is not a
    /// defined term.
    init?(_ values: [Substring]) {
        let terms = values.map { value in
            var term = value.drop { $0 == " " }
            while term.last == " " { term.removeLast() }
            return String(term)
        }
        let first = terms.first ?? ""
        if let whole = Self.wholes[first] {
            // PS3.3 C.12.1.1.2: these cannot be combined with others.
            guard terms.dropFirst().allSatisfy({ $0.isEmpty || $0 == first }) else { return nil }
            self.init(whole: whole, low: .ascii, high: .none, hasExtensions: false)
            return
        }
        guard let start = Self.half(first), terms.dropFirst().allSatisfy({ Self.half($0) != nil }) else { return nil }
        // PS3.3 C.12.1.1.2: code extensions are used if there is more than one value, and their names say so too.
        self.init(
            whole: nil,
            low: start.low,
            high: start.high,
            hasExtensions: terms.count > 1 || first.hasPrefix("ISO 2022")
        )
    }

    private static let wholes: [String: CharacterSet] = [
        "ISO_IR 192": .utf8, "GB18030": .gb18030,
        // GB 18030 contains GBK.
        "GBK": .gb18030,
    ]

    /// PS3.3 tables C.12-2 to C.12-4; a set that only escape sequences reach begins as ASCII.
    private static func half(_ term: String) -> (low: LowHalf, high: HighHalf)? {
        let number: Substring
        if term.isEmpty {
            return (.ascii, .none)
        } else if term.hasPrefix("ISO_IR ") {
            number = term.dropFirst(7)
        } else if term.hasPrefix("ISO 2022 IR ") {
            number = term.dropFirst(12)
            switch number {
            case "87", "159": return (.ascii, .none)
            case "149": return (.ascii, .korean)
            case "58": return (.ascii, .chinese)
            default: break
            }
        } else {
            return nil
        }
        switch number {
        case "6": return (.ascii, .none)
        case "13": return (.romaji, .katakana)
        case "100": return (.ascii, .single(.latin1))
        case "101": return (.ascii, .single(.latin2))
        case "109": return (.ascii, .single(.latin3))
        case "110": return (.ascii, .single(.latin4))
        case "144": return (.ascii, .single(.cyrillic))
        case "127": return (.ascii, .single(.arabic))
        case "126": return (.ascii, .single(.greek))
        case "138": return (.ascii, .single(.hebrew))
        case "148": return (.ascii, .single(.latin5))
        case "166": return (.ascii, .single(.thai))
        case "203": return (.ascii, .single(.latin9))
        default: return nil
        }
    }

    /// What an escape sequence that begins at `index` designates (PS3.3 tables C.12-3 and C.12-4), and its length.
    static func escape(_ bytes: ArraySlice<UInt8>, at index: Int) -> (low: LowHalf?, high: HighHalf?, length: Int)? {
        let rest = bytes[index...].dropFirst().prefix(3)
        let text = rest.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        if rest.count == 3 {
            switch text {
            case 0x242844: return (.jisX0212, nil, 4)  // $ ( D
            case 0x242943: return (nil, .korean, 4)  // $ ) C
            case 0x242941: return (nil, .chinese, 4)  // $ ) A
            default: break
            }
        }
        guard rest.count >= 2 else { return nil }
        switch rest.count == 3 ? text >> 8 : text {
        case 0x2842: return (.ascii, nil, 3)  // ( B
        case 0x284a: return (.romaji, nil, 3)  // ( J
        case 0x2949: return (nil, .katakana, 3)  // ) I
        case 0x2442: return (.jisX0208, nil, 3)  // $ B
        case 0x2d41: return (nil, .single(.latin1), 3)  // - A
        case 0x2d42: return (nil, .single(.latin2), 3)  // - B
        case 0x2d43: return (nil, .single(.latin3), 3)  // - C
        case 0x2d44: return (nil, .single(.latin4), 3)  // - D
        case 0x2d4c: return (nil, .single(.cyrillic), 3)  // - L
        case 0x2d47: return (nil, .single(.arabic), 3)  // - G
        case 0x2d46: return (nil, .single(.greek), 3)  // - F
        case 0x2d48: return (nil, .single(.hebrew), 3)  // - H
        case 0x2d4d: return (nil, .single(.latin5), 3)  // - M
        case 0x2d54: return (nil, .single(.thai), 3)  // - T
        case 0x2d62: return (nil, .single(.latin9), 3)  // - b
        default: return nil
        }
    }
}
