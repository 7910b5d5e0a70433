/// Text of fields, with the escapes of HL7 version 2 resolved (v2.5.1 section 2.7).
struct HL7v2Text {
    let delimiters: HL7v2Delimiters
    /// What `\X….\` is written in.
    let characterSet: CharacterSet
    let decoders: HL7v2Decoders

    /// The text without spaces around it; `nil` if there is none, or if the field says so by `""`.
    func string(_ bytes: ArraySlice<UInt8>) -> String? {
        var (start, end) = (bytes.startIndex, bytes.endIndex)
        while start < end, Self.isSpace(bytes[end - 1]) { end -= 1 }
        while start < end, Self.isSpace(bytes[start]) { start += 1 }
        guard start < end, end - start != 2 || bytes[start] != 0x22 || bytes[start + 1] != 0x22 else { return nil }
        let trimmed = bytes[start..<end]
        guard trimmed.contains(self.delimiters.escape) else { return String(decoding: trimmed, as: UTF8.self) }
        let text = String(decoding: self.resolved(trimmed), as: UTF8.self)
        return text.isEmpty ? nil : text
    }

    /// A whole field as text for people who know HL7: its pieces with the separators that everyone uses.
    func whole(_ field: HL7v2Field) -> String? {
        let (own, usual) = (self.delimiters, HL7v2Delimiters.standard)
        guard field.bytes.contains(where: { $0 == own.component || $0 == own.subcomponent || $0 == own.repetition })
        else { return self.string(field.bytes) }
        guard !field.isEmpty else { return nil }
        let last = field.bytes.lastIndex { $0 != own.component && $0 != own.subcomponent && $0 != own.repetition }
        var output: [UInt8] = []
        var start = field.bytes.startIndex
        let end = (last ?? start) + 1
        for index in start..<end {
            let separator: UInt8
            switch field.bytes[index] {
            case own.component: separator = usual.component
            case own.subcomponent: separator = usual.subcomponent
            case own.repetition: separator = usual.repetition
            default: continue
            }
            output += self.resolved(field.bytes[start..<index])
            output.append(separator)
            start = index + 1
        }
        output += self.resolved(field.bytes[start..<end])
        return String(decoding: output, as: UTF8.self)
    }

    /// The bytes with each escape replaced; one that is unknown or not closed stays as it is written.
    private func resolved(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var rest = bytes
        while let start = rest.firstIndex(of: self.delimiters.escape) {
            output += rest[..<start]
            let after = rest[(start + 1)...]
            guard let end = after.firstIndex(of: self.delimiters.escape),
                let meaning = self.meaning(of: after[..<end])
            else {
                output.append(self.delimiters.escape)
                rest = after
                continue
            }
            output += meaning
            rest = after[(end + 1)...]
        }
        return output + rest
    }

    private func meaning(of escape: ArraySlice<UInt8>) -> [UInt8]? {
        guard let first = escape.first else { return nil }
        if escape.count == 1 {
            switch first {
            case UInt8(ascii: "F"): return [self.delimiters.field]
            case UInt8(ascii: "S"): return [self.delimiters.component]
            case UInt8(ascii: "T"): return [self.delimiters.subcomponent]
            case UInt8(ascii: "R"): return [self.delimiters.repetition]
            case UInt8(ascii: "E"): return [self.delimiters.escape]
            case UInt8(ascii: "P"): return [self.delimiters.truncation ?? UInt8(ascii: "#")]
            case UInt8(ascii: "H"), UInt8(ascii: "N"): return []  // Emphasis, on and off.
            default: return nil
            }
        }
        if first == UInt8(ascii: ".") { return Self.formatting(escape.dropFirst()) }
        guard first == UInt8(ascii: "X"), let data = Self.hexadecimal(escape.dropFirst()) else { return nil }
        // Anything that is no text, such as a printer's command, stays as it is written.
        guard let text = self.decoders.string(data[...], self.characterSet),
            text.unicodeScalars.allSatisfy({
                $0.value >= 0x20 && $0.value != 0x7f || "\t\r\n".unicodeScalars.contains($0)
            })
        else { return nil }
        return Array(text.utf8)
    }

    /// Section 2.7.6: of the formatting commands only line breaks and spaces have a meaning in plain text.
    private static func formatting(_ command: ArraySlice<UInt8>) -> [UInt8]? {
        let name = command.prefix(2)
        // A page of blank lines says no more than a few.
        let count = Int(String(decoding: command.dropFirst(2).drop { $0 == 0x20 || $0 == 0x2b }, as: UTF8.self)) ?? 1
        let times = max(1, min(count, 80))
        switch String(decoding: name, as: UTF8.self) {
        case "br", "ce": return [0x0a]
        case "sp": return Array(repeating: 0x0a, count: times)
        case "sk": return Array(repeating: 0x20, count: times)
        case "fi", "nf", "in", "ti": return []
        default: return nil
        }
    }

    static func hexadecimal(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        guard !digits.isEmpty, digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        var rest = digits
        while let high = rest.popFirst(), let low = rest.popFirst() {
            guard let high = JSONReader.hexadecimalValue(of: high), let low = JSONReader.hexadecimalValue(of: low)
            else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d }
}
