/// Finds out how an XML text is encoded, and turns it into UTF-8 (XML 1.0 section 4.3.3 and appendix F).
struct XMLEncoding {
    /// The text in UTF-8, without a byte order mark.
    let text: [UInt8]
    private let characterSet: CharacterSet
    private let source: ArraySlice<UInt8>
    private let markLength: Int

    /// - Throws: `badEncoding`, `unknownEncoding` or `encodingConflict`, with an offset from the start of `bytes`.
    init(_ bytes: ArraySlice<UInt8>) throws(XMLError) {
        self.source = bytes
        let family = Self.family(of: bytes)
        let declared = Self.declaredName(in: Self.asciiStart(of: bytes, family: family))
        let characterSet = try Self.characterSet(family: family, declared: declared)
        self.characterSet = characterSet
        self.markLength = characterSet.markLength(of: bytes)
        let content = bytes.dropFirst(self.markLength)
        guard characterSet != .utf8, characterSet != .ascii else {
            self.text = try Self.checked(content, from: self.markLength, isASCII: characterSet == .ascii)
            return
        }
        // A text that UTF-8 explains completely was written in it: read as declared it would be other characters.
        if family == .ascii, content.contains(where: { $0 >= 0x80 }), String(validating: content, as: UTF8.self) != nil
        {
            throw XMLError(code: .encodingConflict, offset: 0)
        }
        guard let decoder = CharacterDecoder(characterSet) else { throw XMLError(code: .unknownEncoding, offset: 0) }
        guard let text = decoder.string(content) else {
            let start = family == .ascii ? Self.firstUnreadableLine(of: content, decoder) : 0
            throw XMLError(code: .badEncoding, offset: start)
        }
        self.text = Array(text.utf8)
    }

    /// What the first bytes say before the declaration can be read.
    private enum Family {
        case marked, utf16BigEndian, utf16LittleEndian, utf32, ascii
    }

    private static func family(of bytes: ArraySlice<UInt8>) -> Family {
        if bytes.starts(with: [0xff, 0xfe, 0, 0]) || bytes.starts(with: [0, 0, 0xfe, 0xff]) { return .utf32 }
        if bytes.starts(with: [0xfe, 0xff]) || bytes.starts(with: [0, 0x3c]) { return .utf16BigEndian }
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0x3c, 0]) { return .utf16LittleEndian }
        return bytes.starts(with: [0xef, 0xbb, 0xbf]) ? .marked : .ascii
    }

    /// The start of the text with one byte a character, as far as a declaration may reach.
    private static func asciiStart(of bytes: ArraySlice<UInt8>, family: Family) -> [UInt8] {
        let start = bytes.prefix(512)
        switch family {
        case .ascii: return Array(start)
        case .marked: return Array(start.dropFirst(3))
        case .utf16BigEndian, .utf16LittleEndian, .utf32: return start.filter { $0 != 0 && $0 < 0x80 }
        }
    }

    /// The name in `<?xml … encoding="…"?>`, in lower case.
    private static func declaredName(in start: [UInt8]) -> String? {
        guard start.starts(with: Array("<?xml".utf8)), let end = start.firstIndex(of: UInt8(ascii: ">")) else {
            return nil
        }
        let declaration = String(decoding: start[..<end], as: UTF8.self)
        guard let key = declaration.firstRange(of: "encoding") else { return nil }
        let rest = declaration[key.upperBound...].drop { $0 == " " || $0 == "=" || $0.isNewline || $0 == "\t" }
        guard let quote = rest.first, quote == "\"" || quote == "'" else { return nil }
        return rest.dropFirst().prefix { $0 != quote }.lowercased()
    }

    private static func characterSet(family: Family, declared: String?) throws(XMLError) -> CharacterSet {
        let conflict = XMLError(code: .encodingConflict, offset: 0)
        switch family {
        case .utf32: throw XMLError(code: .unknownEncoding, offset: 0)
        case .marked:
            guard declared == nil || Self.named[declared ?? ""] == .utf8 else { throw conflict }
            return .utf8
        case .utf16BigEndian:
            guard ["utf-16", "utf-16be", nil].contains(declared) else { throw conflict }
            return .utf16BigEndian
        case .utf16LittleEndian:
            guard ["utf-16", "utf-16le", nil].contains(declared) else { throw conflict }
            return .utf16LittleEndian
        case .ascii:
            guard let declared else { return .utf8 }
            if declared.hasPrefix("utf-16") { throw conflict }
            guard let set = Self.named[declared] else { throw XMLError(code: .unknownEncoding, offset: 0) }
            return set
        }
    }

    /// The sets by their IANA names.
    ///
    /// What is declared as GB 2312 is read as GB 18030, which contains it: writers of rare names use the old label for
    /// the larger set.
    private static let named: [String: CharacterSet] = [
        "utf-8": .utf8, "utf8": .utf8, "us-ascii": .ascii, "ascii": .ascii,
        "gb18030": .gb18030, "gbk": .gb18030, "cp936": .gb18030, "gb2312": .gb18030, "gb_2312-80": .gb18030,
        "big5": .big5, "euc-kr": .koreanEUC, "euc-jp": .japaneseEUC, "shift_jis": .shiftJIS,
        "iso-8859-1": .latin1, "latin1": .latin1, "iso-8859-2": .latin2, "iso-8859-3": .latin3, "iso-8859-4": .latin4,
        "iso-8859-5": .cyrillic, "iso-8859-6": .arabic, "iso-8859-7": .greek, "iso-8859-8": .hebrew,
        "iso-8859-9": .latin5, "iso-8859-15": .latin9, "windows-1252": .windows1252, "tis-620": .thai,
    ]

    private static func checked(
        _ content: ArraySlice<UInt8>,
        from start: Int,
        isASCII: Bool
    ) throws(XMLError) -> [UInt8] {
        if isASCII {
            guard let bad = content.firstIndex(where: { $0 >= 0x80 }) else { return Array(content) }
            throw XMLError(code: .badEncoding, offset: start + bad - content.startIndex)
        }
        guard String(validating: content, as: UTF8.self) == nil else { return Array(content) }
        throw XMLError(code: .badEncoding, offset: start + Self.firstInvalid(content))
    }

    /// Where the first line starts that is not in the encoding; a line end is no part of another character in any of them.
    private static func firstUnreadableLine(of content: ArraySlice<UInt8>, _ decoder: CharacterDecoder) -> Int {
        var start = content.startIndex
        while let end = content[start...].firstIndex(of: 0x0a), decoder.string(content[start...end]) != nil {
            start = end + 1
        }
        return start - content.startIndex
    }

    /// Number of bytes before the first that UTF-8 does not allow.
    private static func firstInvalid(_ content: ArraySlice<UInt8>) -> Int {
        var decoder = UTF8()
        var bytes = content.makeIterator()
        var count = 0
        while case .scalarValue(let scalar) = decoder.decode(&bytes) { count += UTF8.width(scalar) }
        return count
    }
}

// MARK: - Places

extension XMLEncoding {
    /// The index in the original bytes, counted from their start, of what stands at `offset` in the text.
    func sourceOffset(_ offset: Int) -> Int {
        switch self.characterSet {
        case .utf8, .ascii: return self.markLength + offset
        case .utf16BigEndian, .utf16LittleEndian:
            let units = self.text.prefix(offset).reduce(0) { units, byte in
                // A lead byte begins one unit, that of a supplementary character two.
                byte & 0xc0 == 0x80 ? units : units + (byte >= 0xf0 ? 2 : 1)
            }
            return self.markLength + units * 2
        default:
            var scalars = self.text.prefix(offset).reduce(0) { $1 & 0xc0 == 0x80 ? $0 : $0 + 1 }
            var index = self.source.startIndex
            while scalars > 0, index < self.source.endIndex {
                index += self.width(at: index)
                scalars -= 1
            }
            return min(index, self.source.endIndex) - self.source.startIndex
        }
    }

    /// Bytes of the character that begins at `index` in an encoding that contains ASCII.
    private func width(at index: Int) -> Int {
        let lead = self.source[index]
        guard lead >= 0x80 else { return 1 }
        switch self.characterSet {
        case .gb18030:
            let second = index + 1 < self.source.endIndex ? self.source[index + 1] : 0
            return (0x30...0x39).contains(second) ? 4 : 2
        case .big5, .koreanEUC, .gb2312: return 2
        case .japaneseEUC: return lead == 0x8f ? 3 : 2
        case .shiftJIS: return (0xa1...0xdf).contains(lead) ? 1 : 2
        default: return 1
        }
    }
}
