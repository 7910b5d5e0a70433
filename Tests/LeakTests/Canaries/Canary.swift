import Foundation

/// A text that a story plants and that must not come up anywhere but where it is meant to be.
struct Canary {
    /// Shorter byte strings come up by chance in ciphertext.
    private static let bytesMin = 6

    /// What it is, for the report of a failure: the text itself must not be what a log of the test shows first.
    var name: String
    var text: String

    init(_ name: String, _ text: String) {
        self.name = name
        self.text = text
    }

    /// One form in which the text may stand in a file.
    struct Form: Hashable {
        var encoding: String
        var bytes: [UInt8]
    }

    /// Every form that is looked for.
    var forms: [Form] {
        var forms = [
            Form(encoding: "UTF-8", bytes: Array(self.text.utf8)),
            Form(encoding: "UTF-16LE", bytes: self.text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }),
            Form(encoding: "UTF-16BE", bytes: self.text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }),
            Form(encoding: "JSON escapes", bytes: Array(self.escaped.utf8)),
            Form(encoding: "percent", bytes: Array(self.percent.utf8)),
        ]
        if let bytes = self.text.data(using: Self.gb18030) {
            forms.append(Form(encoding: "GB18030", bytes: Array(bytes)))
        }
        let plain = forms.filter { ["UTF-8", "UTF-16LE", "GB18030"].contains($0.encoding) }
        for form in plain {
            for (number, part) in Self.base64(form.bytes).enumerated() {
                forms.append(Form(encoding: "base64 of \(form.encoding), \(number)", bytes: part))
            }
            let hex = form.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            forms.append(Form(encoding: "hex of \(form.encoding)", bytes: Array(hex.utf8)))
            forms.append(Form(encoding: "HEX of \(form.encoding)", bytes: Array(hex.uppercased().utf8)))
        }
        forms.append(Form(encoding: "reversed", bytes: Array(String(self.text.reversed()).utf8)))
        if self.text.allSatisfy({ $0.isASCII && $0.isNumber }), self.text.count % 2 == 0 {
            let digits = self.text.compactMap(\.wholeNumberValue).map(UInt8.init)
            let pairs = stride(from: 0, to: digits.count, by: 2)
            forms.append(Form(encoding: "BCD", bytes: pairs.map { digits[$0] << 4 | digits[$0 + 1] }))
            forms.append(Form(encoding: "swapped BCD", bytes: pairs.map { digits[$0 + 1] << 4 | digits[$0] }))
        }
        var seen: Set<[UInt8]> = []
        return forms.filter { $0.bytes.count >= Self.bytesMin && seen.insert($0.bytes).inserted }
    }

    /// NSStringEncoding of GB 18030-2000.
    private static let gb18030 = String.Encoding(rawValue: 0x8000_0632)

    private var escaped: String {
        self.text.utf16.map { unit in
            guard unit > 0x7e else { return String(UnicodeScalar(UInt8(unit))) }
            let hex = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        }.joined()
    }

    private var percent: String {
        self.text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? self.text
    }

    /// What of the base64 of a longer text does not depend on its neighbours, for each of the three places in a group of
    /// three bytes where it may begin, in both alphabets.
    private static func base64(_ bytes: [UInt8]) -> [[UInt8]] {
        (0..<3).flatMap { offset in
            let padded = Data([UInt8](repeating: 0, count: offset) + bytes).base64EncodedString()
            let first = (offset * 8 + 5) / 6
            let last = (offset + bytes.count) * 8 / 6
            let part = Array(padded.utf8)[first..<last]
            let web = part.map {
                $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0
            }
            return [Array(part), web]
        }
    }
}
