import Formats
import Foundation
import Yams

/// A mapping in the YAML file in which people keep it.
enum MappingFile {
    static func read(_ path: String) throws -> CSVMapping {
        let bytes = try PrivateFile.read(path, bytesMax: CSVMapping.textBytesMax, what: "the mapping")
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure.usage("mapping", "the mapping is not UTF-8", hint: "Save it as UTF-8.")
        }
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw CommandFailure.usage("mapping", "the mapping is empty", hint: "See entente mapping columns.")
            }
            return try CSVMapping(try self.tree(node, path: "", depth: 0))
        } catch let fault as CSVMappingFault {
            throw CommandFailure.usage(
                "mapping",
                "\(fault.refusal.message) (\(fault.path.isEmpty ? "the whole mapping" : fault.path))",
                hint: "Documentation/Protocol/CSV-Import.md says what a mapping holds."
            )
        } catch let error as YamlError {
            throw CommandFailure.usage("mapping", "the mapping is not YAML: \(Self.place(of: error))", hint: "")
        }
    }

    /// Mappings are a few levels deep.
    private static let depthMax = 16

    private static func tree(_ node: Node, path: String, depth: Int) throws -> MappingNode {
        guard depth < self.depthMax else {
            throw CommandFailure.usage("mapping", "the mapping is nested too deeply (\(path))", hint: "")
        }
        switch node {
        case .scalar(let scalar): return .text(scalar.string)
        case .sequence(let sequence):
            return .list(try sequence.map { try self.tree($0, path: path + "[]", depth: depth + 1) })
        case .mapping(let mapping):
            return .map(
                try mapping.map { key, value in
                    guard let name = key.string else {
                        throw CommandFailure.usage("mapping", "a key is not a text (\(path))", hint: "")
                    }
                    return MappingNode.Member(name, try self.tree(value, path: "\(path).\(name)", depth: depth + 1))
                }
            )
        case .alias:
            throw CommandFailure.usage("mapping", "aliases are not read (\(path))", hint: "Write the value out.")
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
