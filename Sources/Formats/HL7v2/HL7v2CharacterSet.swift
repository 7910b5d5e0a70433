/// Which character set a message is written in: by its bytes, by MSH-18 (HL7 table 0211), else by evidence.
enum HL7v2CharacterSet {
    /// UTF-16 shows in the first two units of a segment's name, or of the mark before it.
    static func utf16(_ bytes: ArraySlice<UInt8>) -> CharacterSet? {
        guard bytes.count >= 4 else { return nil }
        let first = Array(bytes.prefix(4))
        if first[0] == 0xff, first[1] == 0xfe { return .utf16LittleEndian }
        if first[0] == 0xfe, first[1] == 0xff { return .utf16BigEndian }
        let isText: (UInt8) -> Bool = { HL7v2SegmentID.isCapitalOrDigit($0) || $0 == 0x0d || $0 == 0x0a || $0 == 0x0b }
        if isText(first[0]), isText(first[2]), first[1] == 0, first[3] == 0 { return .utf16LittleEndian }
        if isText(first[1]), isText(first[3]), first[0] == 0, first[2] == 0 { return .utf16BigEndian }
        return nil
    }

    /// The set that a repetition of MSH-18 names; the names of the standard and what senders write instead.
    ///
    /// - Returns: `nil` for a name that is unknown, and for UTF-32 and CNS 11643, which no sender was seen to use.
    static func named(_ name: ArraySlice<UInt8>) -> CharacterSet? {
        var key = ""
        for byte in name.prefix(40) where byte != 0x20 {
            let isLower = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            let upper = isLower ? byte - 32 : byte
            if HL7v2SegmentID.isCapitalOrDigit(upper) { key.unicodeScalars.append(Unicode.Scalar(upper)) }
        }
        return Self.names[key]
    }

    private static let names: [String: CharacterSet] = [
        "ASCII": .ascii, "USASCII": .ascii, "ISOIR6": .ascii,
        "UNICODEUTF8": .utf8, "UTF8": .utf8, "ISOIR192": .utf8,
        "UNICODEUTF16": .utf16LittleEndian, "UTF16": .utf16LittleEndian,
        "GB180302000": .gb18030, "GB18030": .gb18030, "GB180302005": .gb18030, "GB180302022": .gb18030,
        "GBK": .gb18030, "CP936": .gb18030, "GB2312": .gb2312, "GB231280": .gb2312, "EUCCN": .gb2312,
        "BIG5": .big5, "KSX1001": .koreanEUC, "EUCKR": .koreanEUC,
        "ISOIR14": .shiftJIS, "SHIFTJIS": .shiftJIS, "SJIS": .shiftJIS, "EUCJP": .japaneseEUC,
        "ISOIR87": .japaneseEUC, "ISOIR159": .japaneseEUC,
        "88591": .latin1, "ISO88591": .latin1, "ISOIR100": .latin1, "88592": .latin2, "ISO88592": .latin2,
        "88593": .latin3, "ISO88593": .latin3, "88594": .latin4, "ISO88594": .latin4,
        "88595": .cyrillic, "ISO88595": .cyrillic, "88596": .arabic, "ISO88596": .arabic,
        "88597": .greek, "ISO88597": .greek, "88598": .hebrew, "ISO88598": .hebrew,
        "88599": .latin5, "ISO88599": .latin5, "885915": .latin9, "ISO885915": .latin9,
        "TIS620": .thai, "ISOIR166": .thai, "WINDOWS1252": .windows1252, "CP1252": .windows1252,
    ]

    /// The set of a message that names none.
    ///
    /// UTF-8 if the bytes are UTF-8. Else GB 18030 if most of the characters are those that Chinese is written with
    /// (GB 2312): Western text, read as GB 18030, has a letter of ASCII in nearly every pair. Else ISO 8859-1 if the
    /// sender's country (MSH-17) writes in it. Else `nil`: no guess is better than a wrong name.
    static func detected(
        in bytes: ArraySlice<UInt8>,
        country: ArraySlice<UInt8>,
        _ decoders: HL7v2Decoders
    ) -> CharacterSet? {
        if bytes.allSatisfy({ $0 < 0x80 }) { return .ascii }
        if decoders.string(bytes, .utf8) != nil { return .utf8 }
        let isWestern = Self.westernCountries.contains(String(decoding: country.prefix(3), as: UTF8.self))
        if !isWestern, Self.looksChinese(bytes), decoders.string(bytes, .gb18030) != nil { return .gb18030 }
        // Bytes 80 to 9F are control characters in ISO 8859 and occur in other sets.
        return isWestern && !bytes.contains { (0x80...0x9f).contains($0) } ? .latin1 : nil
    }

    private static func looksChinese(_ bytes: ArraySlice<UInt8>) -> Bool {
        var (common, other, index) = (0, 0, bytes.startIndex)
        while index < bytes.endIndex {
            let lead = bytes[index]
            guard lead >= 0x80 else {
                index += 1
                continue
            }
            let trail = index + 1 < bytes.endIndex ? bytes[index + 1] : 0
            if (0xa1...0xf7).contains(lead), trail >= 0xa1 { common += 1 } else { other += 1 }
            index += 2
        }
        return common > other
    }

    /// ISO 3166 codes of countries whose languages ISO 8859-1 was made for.
    private static let westernCountries: Set<String> = [
        "AUT", "AT", "BEL", "BE", "CHE", "CH", "DEU", "DE", "DNK", "DK", "ESP", "ES", "FIN", "FI", "FRA", "FR", "GBR",
        "GB", "IRL", "IE", "ISL", "IS", "ITA", "IT", "LUX", "LU", "NLD", "NL", "NOR", "NO", "PRT", "PT", "SWE", "SE",
        "USA", "US", "CAN", "CA", "MEX", "MX", "BRA", "BR", "ARG", "AR", "CHL", "CL", "AUS", "AU", "NZL", "NZ",
    ]
}

/// Turns the bytes of segments into UTF-8; keeps one decoder for each set.
///
/// Not shared between threads.
final class HL7v2Decoders {
    private var decoders: [CharacterSet: CharacterDecoder] = [:]

    func string(_ bytes: ArraySlice<UInt8>, _ set: CharacterSet) -> String? {
        guard let decoder = self.decoders[set] ?? CharacterDecoder(set) else { return nil }
        self.decoders[set] = decoder
        let text = decoder.string(bytes)
        guard set == .shiftJIS, let text else { return text }
        // 5C and 7E are a yen sign and an overline in JIS X 0201; in HL7 they are delimiters.
        var ascii = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            ascii.append(scalar == "\u{a5}" ? "\\" : scalar == "\u{203e}" ? "~" : scalar)
        }
        return String(ascii)
    }
}
