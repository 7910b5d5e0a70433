import Formats
import Foundation
import Yams

/// YAML as people keep mappings and catalogues in it.
enum MappingTree {
    /// Mappings are a few levels deep.
    private static let depthMax = 16

    /// Reads one document.
    ///
    /// - Returns: `nil` if it is empty.
    static func read(_ bytes: Data, usage: String) throws -> MappingNode? {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure.usage(usage, "the file is not UTF-8", hint: "Save it as UTF-8.")
        }
        do {
            guard let node = try Yams.compose(yaml: text) else { return nil }
            return try self.tree(node, path: "", depth: 0, usage)
        } catch let error as YamlError {
            throw CommandFailure.usage(usage, "the file is not YAML: \(self.place(of: error))", hint: "")
        }
    }

    private static func tree(_ node: Node, path: String, depth: Int, _ usage: String) throws -> MappingNode {
        guard depth < self.depthMax else {
            throw CommandFailure.usage(usage, "the file is nested too deeply (\(path))", hint: "")
        }
        switch node {
        // Form C: what is hashed has one form, whoever typed it.
        case .scalar(let scalar): return .text(scalar.string.precomposedStringWithCanonicalMapping)
        case .sequence(let sequence):
            return .list(try sequence.map { try self.tree($0, path: path + "[]", depth: depth + 1, usage) })
        case .mapping(let mapping):
            return .map(
                try mapping.map { key, value in
                    guard let name = key.string else {
                        throw CommandFailure.usage(usage, "a key is not a text (\(path))", hint: "")
                    }
                    let inner = try self.tree(value, path: "\(path).\(name)", depth: depth + 1, usage)
                    return MappingNode.Member(name, inner)
                }
            )
        case .alias:
            throw CommandFailure.usage(usage, "aliases are not read (\(path))", hint: "Write the value out.")
        }
    }

    /// Where the parser stopped, without the line's own text.
    private static func place(of error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "line \(mark.line): \(problem)"
        default: "it cannot be read"
        }
    }
}
