/// Small questions about the texts of cells.
enum CSVText {
    /// Without spaces and tabs around it, the ideographic and the no-break space among them.
    static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, let last = scalars.last, Self.isSpace(first) || Self.isSpace(last) else {
            return text
        }
        guard let start = scalars.firstIndex(where: { !Self.isSpace($0) }),
            let end = scalars.lastIndex(where: { !Self.isSpace($0) })
        else { return "" }
        return String(scalars[start...end])
    }

    static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return bytes
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", "\t", "\n", "\r", "\u{a0}", "\u{3000}", "\u{feff}": true
        default: false
        }
    }

    /// Line ends and tabs are part of a comment; all others are damage.
    static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 && byte != 0x09 && byte != 0x0a && byte != 0x0d || byte == 0x7f
    }

    /// Numbers are never converted, but a longer one is no measurement.
    private static let numberBytesMax = 128

    /// Whether a text is a decimal number as JSON and FHIR write it: no plus sign, no leading zero, no bare point.
    static func isNumber(_ text: some Collection<UInt8>) -> Bool {
        guard text.count <= Self.numberBytesMax else { return false }
        var rest = text[...]
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let whole = rest.prefix { (0x30...0x39).contains($0) }
        guard let first = whole.first, first != 0x30 || whole.count == 1 else { return false }
        rest = rest.dropFirst(whole.count)
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            let fraction = rest.prefix { (0x30...0x39).contains($0) }
            guard !fraction.isEmpty else { return false }
            rest = rest.dropFirst(fraction.count)
        }
        if let exponent = rest.first, exponent | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
            let power = rest.prefix { (0x30...0x39).contains($0) }
            guard !power.isEmpty else { return false }
            rest = rest.dropFirst(power.count)
        }
        return rest.isEmpty
    }

    /// Whether a number was rounded and written with an exponent, as spreadsheets do with long digit strings.
    static func isRounded(_ text: String) -> Bool {
        guard let exponent = text.utf8.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) else { return false }
        let power = text.utf8[text.utf8.index(after: exponent)...]
        return power.first == UInt8(ascii: "+") && Self.isNumber(text.utf8)
    }
}
