/// Brings the characters in which people write units into ASCII, as far as they have a place there.
enum UnitFolding {
    /// Characters that stand for others; those of East Asian fonts are single characters for whole units.
    private static let replacements: [Unicode.Scalar: String] = [
        "\u{b5}": "u", "\u{3bc}": "u",
        "\u{d7}": "x", "\u{2715}": "x", "\u{2573}": "x", "\u{2716}": "x", "\u{2a2f}": "x",
        "\u{b7}": ".", "\u{2022}": ".", "\u{22c5}": ".", "\u{2219}": ".", "\u{30fb}": ".", "\u{ff65}": ".",
        "\u{2217}": "*", "\u{2044}": "/", "\u{2215}": "/", "\u{2212}": "-", "\u{2013}": "-",
        "\u{ba}": "\u{b0}", "\u{2da}": "\u{b0}", "\u{2103}": "\u{b0}C", "\u{2109}": "\u{b0}F",
        "\u{2113}": "l", "\u{212a}": "K", "\u{2126}": "Ohm", "\u{3a9}": "Ohm",
        "\u{3388}": "cal", "\u{3389}": "kcal", "\u{338d}": "ug", "\u{338e}": "mg", "\u{338f}": "kg",
        "\u{3390}": "Hz", "\u{3395}": "ul", "\u{3396}": "ml", "\u{3397}": "dl", "\u{3398}": "kl",
        "\u{3399}": "fm", "\u{339a}": "nm", "\u{339b}": "um", "\u{339c}": "mm", "\u{339d}": "cm", "\u{339e}": "km",
        "\u{339f}": "mm2", "\u{33a0}": "cm2", "\u{33a1}": "m2", "\u{33a3}": "mm3", "\u{33a4}": "cm3", "\u{33a5}": "m3",
        "\u{33a9}": "Pa", "\u{33aa}": "kPa", "\u{33b1}": "ns", "\u{33b2}": "us", "\u{33b3}": "ms", "\u{33b7}": "mV",
        "\u{33c4}": "cc", "\u{33c8}": "dB", "\u{33d6}": "mol", "\u{33d7}": "pH",
    ]

    private static let superscripts: [Unicode.Scalar: Character] = [
        "\u{2070}": "0", "\u{b9}": "1", "\u{b2}": "2", "\u{b3}": "3", "\u{2074}": "4", "\u{2075}": "5",
        "\u{2076}": "6", "\u{2077}": "7", "\u{2078}": "8", "\u{2079}": "9", "\u{207b}": "-", "\u{207a}": "+",
    ]

    /// Without white space at the ends and around operators.
    static func fold(_ text: String) -> String {
        var folded = ""
        var isRaised = false
        var isSpaced = false
        for scalar in text.unicodeScalars {
            if let digit = self.superscripts[scalar] {
                // `10⁹` needs its exponent marked; `m²` has it by position.
                if !isRaised, let last = folded.utf8.last, JSONReader.isDigit(last) { folded.append("^") }
                folded.append(digit)
                isRaised = true
                continue
            }
            isRaised = false
            switch scalar.value {
            case 0x09...0x0d, 0x20, 0xa0, 0x2000...0x200a, 0x202f, 0x3000:
                isSpaced = !folded.isEmpty
                continue
            case 0x200b...0x200f, 0x2060, 0xfeff: continue
            default: break
            }
            let next = Self.folded(scalar)
            if isSpaced, let last = folded.last, !Self.isOperator(last), let first = next.first, !Self.isOperator(first)
            {
                folded.append(" ")
            }
            isSpaced = false
            folded.append(next)
        }
        return folded
    }

    private static func folded(_ scalar: Unicode.Scalar) -> String {
        if (0xff01...0xff5e).contains(scalar.value), let ascii = Unicode.Scalar(scalar.value - 0xfee0) {
            return String(Character(ascii))
        }
        return self.replacements[scalar] ?? String(Character(scalar))
    }

    private static func isOperator(_ character: Character) -> Bool {
        switch character {
        case "/", ".", "*", "^", "(", ")", "{", "}": true
        default: false
        }
    }
}
