import Formats
import Foundation
import Yams

/// A YAML file that a person wrote, with the line of each element.
struct YAMLText {
    let node: MappingNode
    /// By keys and positions from the top, such as `items[3].unit`; lines count from 1.
    private var lines: [String: Int] = [:]

    /// Such files are a few levels deep.
    private static let depthMax = 16

    /// `name` is what the file is called in messages and codes, such as `mapping`.
    init(_ path: String, bytesMax: Int, name: String) throws {
        let bytes = try PrivateFile.read(path, bytesMax: bytesMax, what: "the \(name)")
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure.usage(name, "the \(name) is not UTF-8", hint: "Save it as UTF-8.")
        }
        var lines: [String: Int] = [:]
        do {
            guard let root = try Yams.compose(yaml: text) else {
                throw CommandFailure.usage(name, "the \(name) is empty", hint: "")
            }
            self.node = try Self.tree(root, at: "", depth: 0, name: name, lines: &lines)
        } catch let error as YamlError {
            throw CommandFailure.usage(name, "the \(name) is not YAML: \(Self.place(of: error))", hint: "")
        }
        self.lines = lines
    }

    /// The line of the element, or of what it is missing from.
    func line(of path: String) -> Int? {
        var path = Substring(path)
        while true {
            if let line = self.lines[String(path)] { return line }
            guard let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return self.lines[""] }
            path = path[..<end]
        }
    }

    /// `(items[3].unit, line 17)` for messages.
    func place(_ path: String) -> String {
        let line = self.line(of: path).map { ", line \($0)" } ?? ""
        return "(\(path.isEmpty ? "the whole file" : path)\(line))"
    }

    private static func tree(
        _ node: Node,
        at path: String,
        depth: Int,
        name: String,
        lines: inout [String: Int]
    ) throws -> MappingNode {
        guard depth < self.depthMax else {
            throw CommandFailure.usage(name, "the \(name) is nested too deeply (\(path))", hint: "")
        }
        if let mark = node.mark { lines[path] = mark.line }
        switch node {
        // Form C: what is hashed has one form, whoever typed it.
        case .scalar(let scalar): return .text(scalar.string.precomposedStringWithCanonicalMapping)
        case .sequence(let sequence):
            var list: [MappingNode] = []
            for (index, element) in sequence.enumerated() {
                let place = "\(path)[\(index)]"
                list.append(try self.tree(element, at: place, depth: depth + 1, name: name, lines: &lines))
            }
            return .list(list)
        case .mapping(let mapping):
            var members: [MappingNode.Member] = []
            for (key, value) in mapping {
                guard let key = key.string else {
                    throw CommandFailure.usage(name, "a key is not a text (\(path))", hint: "")
                }
                let place = path.isEmpty ? key : path + "." + key
                let tree = try self.tree(value, at: place, depth: depth + 1, name: name, lines: &lines)
                members.append(MappingNode.Member(key, tree))
            }
            return .map(members)
        case .alias:
            throw CommandFailure.usage(name, "aliases are not read (\(path))", hint: "Write the value out.")
        }
    }

    /// Where the parser stopped, without the line's own text.
    private static func place(of error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "line \(mark.line): \(problem)"
        case .duplicatedKeysInMapping: "a key occurs twice in one map"
        default: "it cannot be read"
        }
    }
}
