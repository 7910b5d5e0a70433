/// Reads the strings of a document whose escapes and UTF-8 have been checked.
enum JSONText {
    static func decode(_ node: JSONNode, in bytes: [UInt8]) -> String {
        let content = bytes[Int(node.start) + 1..<Int(node.end) - 1]
        return String(decoding: node.hasEscapes ? self.unescape(content)[...] : content, as: UTF8.self)
    }

    /// The bytes of the string at `node`, its escapes resolved.
    static func content(_ node: JSONNode, in bytes: [UInt8]) -> ArraySlice<UInt8> {
        let content = bytes[Int(node.start) + 1..<Int(node.end) - 1]
        return node.hasEscapes ? self.unescape(content)[...] : content
    }

    private static func unescape(_ content: ArraySlice<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(content.count)
        var position = content.startIndex
        while position < content.endIndex {
            let byte = content[position]
            position += 1
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            let escape = content[position]
            position += 1
            switch escape {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0c)
            case UInt8(ascii: "n"): text.append(0x0a)
            case UInt8(ascii: "r"): text.append(0x0d)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                var unit = self.hexadecimal(content[position..<position + 4])
                position += 4
                if (0xd800..<0xdc00).contains(unit) {
                    // The reader let only whole pairs through; the second half is `\uXXXX` too.
                    unit =
                        0x10000 + (unit - 0xd800) << 10
                        + (self.hexadecimal(content[position + 2..<position + 6]) - 0xdc00)
                    position += 6
                }
                self.append(scalar: unit, to: &text)
            default: text.append(escape)
            }
        }
        return text
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt32 {
        digits.reduce(0) { $0 << 4 | UInt32(JSONReader.hexadecimalValue(of: $1) ?? 0) }
    }

    private static func append(scalar: UInt32, to text: inout [UInt8]) {
        switch scalar {
        case 0..<0x80: text.append(UInt8(scalar))
        case 0x80..<0x800:
            text.append(0xc0 | UInt8(scalar >> 6))
            text.append(0x80 | UInt8(scalar & 0x3f))
        case 0x800..<0x10000:
            text.append(0xe0 | UInt8(scalar >> 12))
            text.append(0x80 | UInt8(scalar >> 6 & 0x3f))
            text.append(0x80 | UInt8(scalar & 0x3f))
        default:
            text.append(0xf0 | UInt8(scalar >> 18))
            text.append(0x80 | UInt8(scalar >> 12 & 0x3f))
            text.append(0x80 | UInt8(scalar >> 6 & 0x3f))
            text.append(0x80 | UInt8(scalar & 0x3f))
        }
    }
}
