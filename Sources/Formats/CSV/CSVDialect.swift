/// How a table is written down as bytes.
package struct CSVDialect: Hashable, Sendable {
    /// What separates the cells of a row.
    package enum Delimiter: String, Hashable, Sendable, CaseIterable {
        case comma, semicolon, tab, pipe

        var byte: UInt8 {
            switch self {
            case .comma: UInt8(ascii: ",")
            case .semicolon: UInt8(ascii: ";")
            case .tab: UInt8(ascii: "\t")
            case .pipe: UInt8(ascii: "|")
            }
        }
    }

    /// Whether cells may be enclosed in quotes.
    package enum Quoting: String, Hashable, Sendable, CaseIterable {
        /// RFC 4180: `"` around a cell, doubled inside.
        case double
        /// A quote is a character like any other, and a cell never holds a line end.
        case none
    }

    package var characterSet: CharacterSet
    package var delimiter: Delimiter
    package var quoting: Quoting

    package init(characterSet: CharacterSet, delimiter: Delimiter, quoting: Quoting = .double) {
        self.characterSet = characterSet
        self.delimiter = delimiter
        self.quoting = quoting
    }

    /// Bytes of one code unit: delimiters and quotes are looked for unit by unit.
    var unitBytes: Int {
        switch self.characterSet {
        case .utf16BigEndian, .utf16LittleEndian: 2
        default: 1
        }
    }

    /// Whether a byte below 0x80 may be the second half of a character, as `|` may be in GB 18030.
    var hasLowTrailBytes: Bool {
        switch self.characterSet {
        case .gb18030, .big5, .shiftJIS: true
        default: false
        }
    }

    /// Whether bytes below 0x80, where they stand alone, are the characters of ASCII.
    var containsASCII: Bool {
        switch self.characterSet {
        case .utf16BigEndian, .utf16LittleEndian, .shiftJIS: false
        default: true
        }
    }

    /// Whether `byte` is the first of two.
    func isLead(_ byte: UInt8) -> Bool {
        switch self.characterSet {
        case .gb18030, .big5: byte >= 0x81 && byte != 0xff
        case .shiftJIS: (0x81...0x9f).contains(byte) || (0xe0...0xfc).contains(byte)
        default: false
        }
    }
}
