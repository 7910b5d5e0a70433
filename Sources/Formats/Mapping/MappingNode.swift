/// A value of the text in which a mapping is written, before anything is known about what it means.
///
/// YAML and JSON are read into it; numbers and truth values are taken as the text they are written as.
package indirect enum MappingNode: Hashable, Sendable {
    case text(String)
    case list([MappingNode])
    case map([Member])

    /// One key of a map with its value, in the order of the text.
    package struct Member: Hashable, Sendable {
        package var key: String
        package var value: MappingNode

        package init(_ key: String, _ value: MappingNode) {
            self.key = key
            self.value = value
        }
    }
}

extension MappingNode {
    /// Mappings are a few levels deep.
    private static let depthMax = 16

    /// Reads a JSON text, which is the canonical form of a mapping.
    ///
    /// - Returns: `nil` if it is none, or holds `null`.
    static func read(json bytes: [UInt8]) -> MappingNode? {
        var limits = JSONLimits()
        limits.bytesMax = CSVMapping.textBytesMax
        limits.depthMax = self.depthMax
        guard let root = try? JSONReader.read(bytes, limits: limits).root else { return nil }
        return self.node(root)
    }

    private static func node(_ value: JSONValue) -> MappingNode? {
        switch value.kind {
        case .string: return value.string.map(MappingNode.text)
        case .number, .true, .false: return .text(String(decoding: value.bytes, as: UTF8.self))
        case .null: return nil
        case .array:
            var list: [MappingNode] = []
            for element in value.elements {
                guard let node = self.node(element) else { return nil }
                list.append(node)
            }
            return .list(list)
        case .object:
            var members: [Member] = []
            for (name, member) in value.members {
                guard let node = self.node(member) else { return nil }
                members.append(Member(name, node))
            }
            return .map(members)
        }
    }

    /// The text as JSON without spaces: one text for each value.
    package var json: String {
        var text = ""
        self.write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .text(let value): text += Self.quoted(value)
        case .list(let list):
            text += "["
            for (index, node) in list.enumerated() {
                if index > 0 { text += "," }
                node.write(to: &text)
            }
            text += "]"
        case .map(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                text += Self.quoted(member.key) + ":"
                member.value.write(to: &text)
            }
            text += "}"
        }
    }

    /// The text in block style as people edit it; every YAML reader makes the same node of it.
    package var yaml: String {
        var text = ""
        self.writeBlock(to: &text, indent: "")
        return text
    }

    private func writeBlock(to text: inout String, indent: String) {
        switch self {
        case .text(let value): text += indent + Self.scalar(value) + "\n"
        case .list(let list):
            if list.isEmpty { text += indent + "[]\n" }
            for node in list {
                let start = text.endIndex
                node.writeBlock(to: &text, indent: indent + "  ")
                // The dash takes the place of the first line's last indent.
                let dash = text.index(start, offsetBy: indent.count)
                text.replaceSubrange(dash..<text.index(dash, offsetBy: 2), with: "- ")
            }
        case .map(let members):
            if members.isEmpty { text += indent + "{}\n" }
            for member in members {
                text += indent + Self.scalar(member.key) + ":"
                switch member.value {
                case .text(let value): text += " " + Self.scalar(value) + "\n"
                case .list(let list) where list.isEmpty: text += " []\n"
                case .map(let inner) where inner.isEmpty: text += " {}\n"
                case .list, .map:
                    text += "\n"
                    member.value.writeBlock(to: &text, indent: indent + "  ")
                }
            }
        }
    }

    /// Words that YAML 1.1 readers take for something else than text.
    private static let reserved: Set<String> = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf",
    ]

    /// A plain scalar where every reader takes it for the text it is, else a quoted one.
    private static func scalar(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, !Self.reserved.contains(text.lowercased()) else { return Self.quoted(text) }
        let isLetter: (Unicode.Scalar) -> Bool = {
            ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("\u{4e00}"..."\u{9fff}").contains($0)
        }
        let isPlain =
            isLetter(first)
            && scalars.allSatisfy {
                isLetter($0) || ("0"..."9").contains($0) || $0 == "_" || $0 == "." || $0 == "-" || $0 == "/"
            }
        return isPlain ? text : Self.quoted(text)
    }

    /// A JSON string, which is a double-quoted scalar of YAML too.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\0"..<" ", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}", "\u{feff}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
