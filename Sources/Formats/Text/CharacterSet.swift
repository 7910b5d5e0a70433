/// A coded character set that sources of exams write in.
///
/// The raw value is the name by which iconv knows it.
package enum CharacterSet: String, Hashable, Sendable, CaseIterable {
    case ascii = "US-ASCII"
    case utf8 = "UTF-8"
    case utf16BigEndian = "UTF-16BE"
    case utf16LittleEndian = "UTF-16LE"
    /// GB 18030, which contains GBK and GB 2312.
    case gb18030 = "GB18030"
    /// GB 2312-80 in its 8-bit form (EUC).
    case gb2312 = "EUC-CN"
    case big5 = "BIG5"
    /// KS X 1001 in its 8-bit form (EUC).
    case koreanEUC = "EUC-KR"
    /// JIS X 0208 and JIS X 0212 in their 8-bit form (EUC).
    case japaneseEUC = "EUC-JP"
    case shiftJIS = "SHIFT_JIS"
    case latin1 = "ISO-8859-1"
    case latin2 = "ISO-8859-2"
    case latin3 = "ISO-8859-3"
    case latin4 = "ISO-8859-4"
    case cyrillic = "ISO-8859-5"
    case arabic = "ISO-8859-6"
    case greek = "ISO-8859-7"
    case hebrew = "ISO-8859-8"
    case latin5 = "ISO-8859-9"
    case latin9 = "ISO-8859-15"
    case thai = "TIS-620"
    case windows1252 = "WINDOWS-1252"

    /// The set of bytes that do not say what they are: by byte order mark, else UTF-8, else GB 18030, of which at least
    /// one may be valid; `nil` if none is.
    ///
    /// A text in an ISO 8859 set cannot be told from GB 18030 by its bytes alone; sources that use one say so.
    package static func detected(in bytes: ArraySlice<UInt8>) -> CharacterSet? {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return .utf8 }
        if bytes.starts(with: [0xff, 0xfe]) { return .utf16LittleEndian }
        if bytes.starts(with: [0xfe, 0xff]) { return .utf16BigEndian }
        if bytes.allSatisfy({ $0 < 0x80 }) { return bytes.contains(0) ? nil : .ascii }
        if CharacterDecoder(.utf8)?.string(bytes) != nil { return .utf8 }
        if CharacterDecoder(.gb18030)?.string(bytes) != nil { return .gb18030 }
        return nil
    }

    /// The number of bytes at the start that mark the byte order or the encoding and are no text.
    package func markLength(of bytes: ArraySlice<UInt8>) -> Int {
        switch self {
        case .utf8: bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        case .utf16LittleEndian: bytes.starts(with: [0xff, 0xfe]) ? 2 : 0
        case .utf16BigEndian: bytes.starts(with: [0xfe, 0xff]) ? 2 : 0
        default: 0
        }
    }
}
