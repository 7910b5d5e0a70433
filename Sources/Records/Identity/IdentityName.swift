/// A person's name in the one form in which names are compared.
///
/// Pinned byte for byte: `Tests/Corpus/identity/names.yaml` holds the form of each case. The text comes in Unicode form C;
/// the edge brings it there, which also puts the unified character in the place of a compatibility ideograph.
package struct IdentityName: Hashable, Sendable {
    /// How two names stand to each other.
    package enum Comparison: Hashable, Sendable {
        case equal
        /// Equal but for characters that one of the systems could not write.
        case partial
        case different
        /// Written in different scripts: nothing can be said.
        case incomparable
    }

    /// Longer names are cut: what comes after tells nobody apart.
    static let scalarsMax = 128

    /// Without characters that carry no meaning, narrow, in small letters.
    ///
    /// A name with Han characters has no separators; of any other the words are sorted and stand apart by one space, since
    /// systems differ in the order of family and given names. ``unwritten`` stands for a character that a system could not
    /// write.
    package let form: String

    private let isHan: Bool

    /// What stands for a character that could not be written.
    private static let unwritten: Unicode.Scalar = "\u{fffd}"

    /// Returns `nil` if nothing of the name is left, as of one that consists of separators.
    package init?(composed text: String) {
        var scalars: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars {
            guard scalars.count < Self.scalarsMax else { break }
            Self.fold(scalar, into: &scalars)
        }
        self.isHan = scalars.contains(where: Self.isHan)
        var words: [[Unicode.Scalar]] = [[]]
        for scalar in scalars {
            if scalar == " " {
                if words.last?.isEmpty == false { words.append([]) }
            } else {
                words[words.count - 1].append(scalar)
            }
        }
        words.removeAll(where: \.isEmpty)
        guard words.contains(where: { $0.contains { $0 != Self.unwritten } }) else { return nil }
        if self.isHan {
            self.form = Self.text(words.flatMap { $0 })
        } else {
            self.form = words.map(Self.text).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                .joined(separator: " ")
        }
    }

    package func compared(with other: IdentityName) -> Comparison {
        if self.form.utf8.elementsEqual(other.form.utf8) {
            return self.form.unicodeScalars.contains(Self.unwritten) ? .partial : .equal
        }
        guard self.isHan == other.isHan else { return .incomparable }
        let (left, right) = (Array(self.form.unicodeScalars), Array(other.form.unicodeScalars))
        guard left.count == right.count,
            zip(left, right).allSatisfy({ $0 == $1 || $0 == Self.unwritten || $1 == Self.unwritten })
        else { return .different }
        return .partial
    }

    private static func text(_ scalars: [Unicode.Scalar]) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }

    private static func fold(_ scalar: Unicode.Scalar, into scalars: inout [Unicode.Scalar]) {
        switch scalar.value {
        // Invisible: soft hyphen, joiners and marks of direction, variation selectors, byte order mark.
        case 0xad, 0x180b...0x180f, 0x200b...0x200f, 0x202a...0x202e, 0x2060...0x2064, 0x2066...0x206f,
            0xfe00...0xfe0f, 0xfeff, 0xe0100...0xe01ef:
            return
        // Separators: spaces, middle dots of every kind, hyphens, apostrophes, the caret of DICOM, punctuation.
        case 0x09...0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
            0xb7, 0x387, 0x16eb, 0x2022, 0x2027, 0x2219, 0x22c5, 0x2e31, 0x2e33, 0x30fb, 0xff65, 0xff0e, 0x2024,
            0x2d, 0x2010...0x2015, 0x2212, 0xfe63, 0xff0d, 0x27, 0x60, 0xb4, 0x2018, 0x2019, 0x2bc, 0xff07,
            0x2c, 0x2e, 0x5e, 0x3d, 0x3001, 0x3002, 0xff0c, 0xff3e, 0xff1d, 0x2f, 0xff0f:
            scalars.append(" ")
        // What systems write for a character that they do not have, and their private ones, which mean nothing elsewhere.
        case 0x2a, 0x3f, 0xff0a, 0xff1f, 0x25a0, 0x25a1, 0x3013, 0xfffd, 0xe000...0xf8ff, 0xf0000...0xffffd,
            0x100000...0x10fffd:
            scalars.append(Self.unwritten)
        // Full width: the character itself.
        case 0xff01...0xff5e:
            if let narrow = Unicode.Scalar(scalar.value - 0xfee0) {
                scalars.append(contentsOf: narrow.properties.lowercaseMapping.unicodeScalars)
            }
        default:
            scalars.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
        }
    }

    private static func isHan(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3007, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xf900...0xfaff, 0x20000...0x3ffff: true
        default: false
        }
    }
}
