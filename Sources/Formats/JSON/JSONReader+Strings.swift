extension JSONReader {
    /// Reads the string that begins at the position, whose first byte is a quote, and says whether it has escapes.
    mutating func string(_ input: Span<UInt8>) throws(JSONError) -> Bool {
        self.position += 1
        var hasEscapes = false
        while true {
            self.skipPlain(input)
            guard self.position < self.end else { throw self.fault(.truncated) }
            let byte = input[self.position]
            switch byte {
            case UInt8(ascii: "\""):
                self.position += 1
                return hasEscapes
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try self.escape(input)
            case 0..<0x20: throw self.fault(.controlCharacter)
            case 0x80...: try self.multibyte(input)
            default: self.position += 1
            }
        }
    }

    /// Goes on to the next byte that is a quote, a backslash, a control character or not ASCII, eight bytes at a time;
    /// stops at most seven bytes before it.
    @inline(__always)
    private mutating func skipPlain(_ input: Span<UInt8>) {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let high: UInt64 = 0x8080_8080_8080_8080
        while self.position + 8 <= self.end {
            // In bounds: `end` is at most the span's count, which `read` checked.
            let word = unsafe input.bytes.unsafeLoadUnaligned(fromByteOffset: self.position, as: UInt64.self)
            let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            let zeroBytes = ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
            let control = (word &- ones &* 0x20) & ~word
            let found = (zeroBytes | control | word) & high
            guard found == 0 else {
                // Borrows may mark bytes after the first hit, never before it; little-endian order.
                self.position += UInt64(littleEndian: found).trailingZeroBitCount / 8
                return
            }
            self.position += 8
        }
    }

    private mutating func escape(_ input: Span<UInt8>) throws(JSONError) {
        guard self.position + 1 < self.end else { throw self.fault(.truncated) }
        switch input[self.position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            self.position += 2
        case UInt8(ascii: "u"):
            switch try self.codeUnit(input) {
            case 0xd800..<0xdc00:
                guard self.position < self.end else { throw self.fault(.truncated) }
                guard input[self.position] == UInt8(ascii: "\\") else { throw self.fault(.badEscape) }
                guard self.position + 6 <= self.end else { throw self.fault(.truncated) }
                guard input[self.position + 1] == UInt8(ascii: "u"),
                    (0xdc00..<0xe000).contains(try self.codeUnit(input))
                else { throw self.fault(.badEscape) }
            case 0xdc00..<0xe000: throw self.fault(.badEscape)
            default: break
            }
        default: throw self.fault(.badEscape)
        }
    }

    /// Reads `\uXXXX`.
    private mutating func codeUnit(_ input: Span<UInt8>) throws(JSONError) -> UInt16 {
        guard self.position + 6 <= self.end else { throw self.fault(.truncated) }
        var unit: UInt16 = 0
        for index in self.position + 2..<self.position + 6 {
            guard let digit = Self.hexadecimalValue(of: input[index]) else { throw self.fault(.badEscape) }
            unit = unit << 4 | UInt16(digit)
        }
        self.position += 6
        return unit
    }

    static func hexadecimalValue(of byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Passes one character of two to four bytes (Unicode, table 3-7: no surrogates, no overlong forms).
    private mutating func multibyte(_ input: Span<UInt8>) throws(JSONError) {
        let lead = input[self.position]
        let (count, second): (Int, ClosedRange<UInt8>)
        switch lead {
        case 0xc2...0xdf: (count, second) = (2, 0x80...0xbf)
        case 0xe0: (count, second) = (3, 0xa0...0xbf)
        case 0xed: (count, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: (count, second) = (3, 0x80...0xbf)
        case 0xf0: (count, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: (count, second) = (4, 0x80...0xbf)
        case 0xf4: (count, second) = (4, 0x80...0x8f)
        default: throw self.fault(.notUTF8)
        }
        guard self.position + count <= self.end else {
            throw self.fault(.notUTF8)
        }
        guard second.contains(input[self.position + 1]) else { throw self.fault(.notUTF8) }
        for index in 2..<max(count, 2) where input[self.position + index] & 0xc0 != 0x80 {
            throw self.fault(.notUTF8)
        }
        self.position += count
    }
}
