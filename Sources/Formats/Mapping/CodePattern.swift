/// The forms of codes that can be checked without their code systems.
package enum CodePattern {
    /// Up to seven digits, a hyphen and a check digit (LOINC Users' Guide, appendix C: mod 10).
    package static func isLOINC(_ code: String) -> Bool {
        let bytes = Array(code.utf8)
        guard (3...9).contains(bytes.count), bytes[bytes.count - 2] == UInt8(ascii: "-"),
            JSONReader.isDigit(bytes[bytes.count - 1]), bytes.dropLast(2).allSatisfy(JSONReader.isDigit),
            bytes[0] != UInt8(ascii: "0")
        else { return false }
        var sum = 0
        for (position, byte) in bytes.dropLast(2).reversed().enumerated() {
            let digit = Int(byte - UInt8(ascii: "0"))
            sum += position.isMultiple(of: 2) ? digit * 2 / 10 + digit * 2 % 10 : digit
        }
        return (10 - sum % 10) % 10 == Int(bytes[bytes.count - 1] - UInt8(ascii: "0"))
    }
}

/// A code of ICD-10 or of a Chinese extension of it, taken apart.
///
/// WHO's codes have three or four characters (`I10`, `E11.9`), the national standard GB/T 14396-2016 and the version for
/// insurance claims six (`I10.x00`), the clinical version nine (`I10.x00x002`). `x` fills a place that WHO does not use.
/// A morphology code (`M80000/3`) is none of these.
package struct ICD10Code: Hashable, Sendable {
    /// Which of the forms the code has; the six-character versions cannot be told apart by form.
    package enum Form: Hashable, Sendable {
        case who, sixCharacters, clinical
    }

    package let form: Form
    /// The code that WHO's ICD-10 has for it: `E11.9` of `E11.900x001`, `I10` of `I10.x00`.
    package let who: String

    /// Returns `nil` if the text has none of the forms; small letters and the dagger or asterisk at the end are accepted.
    package init?(_ text: String) {
        var bytes = text.utf8.map { (0x61...0x7a).contains($0) ? $0 - 0x20 : $0 }
        if let last = bytes.last, last == UInt8(ascii: "+") || last == UInt8(ascii: "*") { bytes.removeLast() }
        guard bytes.count >= 3, (0x41...0x5a).contains(bytes[0]), JSONReader.isDigit(bytes[1]),
            JSONReader.isDigit(bytes[2])
        else { return nil }
        let category = String(decoding: bytes[..<3], as: UTF8.self)
        var rest = bytes[3...]
        guard let point = rest.first else {
            self.form = .who
            self.who = category
            return
        }
        guard point == UInt8(ascii: ".") else { return nil }
        rest.removeFirst()
        let filler = UInt8(ascii: "X")
        guard let fourth = rest.first, JSONReader.isDigit(fourth) || fourth == filler else { return nil }
        self.who = fourth == filler ? category : category + "." + String(decoding: [fourth], as: UTF8.self)
        switch rest.count {
        case 1 where fourth != filler, 2 where fourth != filler && rest.dropFirst().allSatisfy(JSONReader.isDigit):
            // Some chapters of WHO's have a fifth character, which says the place.
            self.form = .who
        case 3 where rest.dropFirst().allSatisfy(JSONReader.isDigit):
            self.form = .sixCharacters
        case 7
        where rest.dropFirst().prefix(2).allSatisfy(JSONReader.isDigit) && rest.dropFirst(3).first == filler
            && rest.suffix(3).allSatisfy(JSONReader.isDigit):
            self.form = .clinical
        default: return nil
        }
    }
}
