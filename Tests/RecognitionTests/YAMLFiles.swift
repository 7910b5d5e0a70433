import Formats
import Foundation
import TestSupport
import Testing
import Yams

/// The files of the corpus as trees of text.
enum YAMLFiles {
    static func read(_ path: String) throws -> MappingNode {
        let text = try String(contentsOf: TestData.repositoryFile(path), encoding: .utf8)
        return try self.parse(text)
    }

    static func parse(_ text: String) throws -> MappingNode {
        try self.tree(try #require(try Yams.compose(yaml: text)))
    }

    private static func tree(_ node: Node) throws -> MappingNode {
        switch node {
        case .scalar(let scalar): return .text(scalar.string)
        case .sequence(let sequence): return .list(try sequence.map(self.tree))
        case .mapping(let mapping):
            return .map(
                try mapping.map { MappingNode.Member(try #require($0.string), try self.tree($1)) }
            )
        case .alias: throw CocoaError(.fileReadCorruptFile)
        }
    }
}

extension MappingNode {
    var members: [Member] {
        if case .map(let members) = self { members } else { [] }
    }

    var list: [MappingNode] {
        if case .list(let list) = self { list } else { [] }
    }

    /// The text; `nil` for `~`, which takes a value away.
    var text: String? {
        if case .text(let text) = self, text != "~" { text } else { nil }
    }

    var texts: [String] { self.list.compactMap(\.text) }

    subscript(key: String) -> MappingNode? { self.members.first { $0.key == key }?.value }

    /// This map with the members of `changes` in place of its own.
    func merged(_ changes: MappingNode?) -> MappingNode {
        var members = self.members
        for member in changes?.members ?? [] {
            members.removeAll { $0.key == member.key }
            members.append(member)
        }
        return .map(members)
    }
}
