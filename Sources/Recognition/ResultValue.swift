internal import Records

/// A result as its source writes it, read as far as its kind allows.
enum ResultValue: Hashable {
    /// With what stands before the number: empty, `<`, `>`, `<=` or `>=`.
    case quantity(comparator: String, ExactDecimal)
    case titre(comparator: String, UInt32, UInt32)
    case text(String)

    /// Full-width letters, digits and signs as ASCII, spaces at the ends removed.
    static func folded(_ text: String) -> String {
        var text = text
        let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        if !isASCII {
            var folded = String.UnicodeScalarView()
            for scalar in text.unicodeScalars {
                switch scalar.value {
                case 0xff01...0xff5e: folded.append(Unicode.Scalar(UInt8(scalar.value - 0xfee0)))
                case 0x3000, 0xa0: folded.append(" ")
                case 0x2236: folded.append(":")
                case 0x2264: folded.append(contentsOf: "<=".unicodeScalars)
                case 0x2265: folded.append(contentsOf: ">=".unicodeScalars)
                case 0x2212: folded.append("-")
                default: folded.append(scalar)
                }
            }
            text = String(folded)
        }
        guard text.utf8.first == 0x20 || text.utf8.last == 0x20 else { return text }
        var rest = Substring(text)
        while rest.utf8.first == 0x20 { rest = rest.dropFirst() }
        while rest.utf8.last == 0x20 { rest = rest.dropLast() }
        return String(rest)
    }

    init(_ text: String) {
        let folded = Self.folded(text)
        let (comparator, rest) = Self.comparator(folded)
        if let number = ExactDecimal(rest) {
            self = .quantity(comparator: comparator, number)
        } else if let (one, other) = Self.titre(rest) {
            self = .titre(comparator: comparator, one, other)
        } else {
            self = .text(folded)
        }
    }

    private static func comparator(_ text: String) -> (String, Substring) {
        for sign in ["<=", ">=", "<", ">"] where text.utf8.starts(with: sign.utf8) {
            var rest = text.dropFirst(sign.utf8.count)
            while rest.utf8.first == 0x20 { rest = rest.dropFirst() }
            return (sign, rest)
        }
        return ("", Substring(text))
    }

    private static func titre(_ text: Substring) -> (UInt32, UInt32)? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let one = UInt32(parts[0]), let other = UInt32(parts[1]), one > 0, other > 0
        else { return nil }
        return (one, other)
    }
}
