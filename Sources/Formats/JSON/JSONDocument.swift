/// The values of one JSON text in the order in which they stand, without a heap object for each.
///
/// Offsets count from the start of `bytes`, which may hold more than this text.
package final class JSONDocument: Sendable {
    package let bytes: [UInt8]
    let nodes: [JSONNode]

    init(bytes: [UInt8], nodes: [JSONNode]) {
        self.bytes = bytes
        self.nodes = nodes
    }

    package var root: JSONValue { JSONValue(document: self, index: 0) }
}

/// What sort of value a value is.
package enum JSONKind: UInt8, Hashable, Sendable {
    case object, array, string, number, `true`, `false`, null
}

struct JSONNode: Sendable {
    /// First byte of the value; of a string, its opening quote.
    var start: UInt32
    /// One past its last byte.
    var end: UInt32
    /// Index of the node after this value and everything in it.
    var next: UInt32
    /// A name's fingerprint, or the number of elements or members of a container.
    var tag: UInt32
    var kind: JSONKind
    var hasEscapes: Bool
}

/// A name that is looked up in objects.
package struct JSONKey: Sendable {
    /// Static, so that a key is a plain value: keys are passed around for every element that is read.
    private let text: StaticString
    let fingerprint: UInt32

    package init(_ text: StaticString) {
        self.text = text
        self.fingerprint = text.description.utf8.reduce(Self.fingerprintStart) { Self.extend($0, by: $1) }
    }

    package var name: String { self.text.description }

    var count: Int { self.text.utf8CodeUnitCount }

    /// Byte `index` of the name, which is less than ``count``.
    @inline(__always)
    subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < self.text.utf8CodeUnitCount)
        return unsafe self.text.utf8Start[index]
    }

    static let fingerprintStart: UInt32 = 2_166_136_261

    /// FNV-1a: tells most different names apart without reading them again; equal fingerprints prove nothing.
    @inline(__always)
    static func extend(_ fingerprint: UInt32, by byte: UInt8) -> UInt32 {
        (fingerprint ^ UInt32(byte)) &* 16_777_619
    }
}

/// One value of a document.
package struct JSONValue: Sendable {
    package let document: JSONDocument
    let index: Int

    var node: JSONNode { self.document.nodes[self.index] }

    package var kind: JSONKind { self.node.kind }

    /// Where the value's first byte stands.
    package var offset: Int { Int(self.node.start) }

    /// The bytes of the value, without white space around it.
    package var range: Range<Int> {
        let node = self.node
        return Int(node.start)..<Int(node.end)
    }

    /// The value as it stands in the text.
    package var bytes: ArraySlice<UInt8> { self.document.bytes[self.range] }

    /// Number of elements or members; 0 for everything but a container.
    package var count: Int {
        switch self.kind {
        case .object, .array: Int(self.node.tag)
        default: 0
        }
    }

    /// The member named `key`, also if it is `null`.
    package subscript(key: JSONKey) -> JSONValue? {
        let array = self.document.nodes
        let nodes = array.span
        guard nodes[self.index].kind == .object else { return nil }
        let end = Int(nodes[self.index].next)
        var index = self.index + 1
        while index < end {
            if nodes[index].tag == key.fingerprint, self.isName(nodes[index], key) {
                return JSONValue(document: self.document, index: index + 1)
            }
            index = Int(nodes[index + 1].next)
        }
        return nil
    }

    private func isName(_ node: JSONNode, _ key: JSONKey) -> Bool {
        if node.hasEscapes { return JSONText.decode(node, in: self.document.bytes) == key.name }
        return node.end - node.start == key.count + 2 && self.starts(node, with: key)
    }

    /// Says whether the name at `node`, which has no escapes, begins with `key` and is long enough to.
    private func starts(_ node: JSONNode, with key: JSONKey) -> Bool {
        let array = self.document.bytes
        let bytes = array.span
        for index in 0..<key.count where bytes[Int(node.start) + 1 + index] != key[index] { return false }
        return true
    }

    /// The text of a string with its escapes resolved; `nil` for everything else.
    package var string: String? {
        let node = self.node
        guard node.kind == .string else { return nil }
        return JSONText.decode(node, in: self.document.bytes)
    }

    /// The elements of an array, none for everything else.
    package var elements: JSONElements {
        let node = self.node
        guard node.kind == .array else { return JSONElements(document: self.document, index: 0, end: 0) }
        return JSONElements(document: self.document, index: self.index + 1, end: Int(node.next))
    }

    /// The first member whose name is `prefix`, a capital letter and what follows it, and the second, if there is one.
    ///
    /// FHIR names the type of an element that way; such names need no escapes, and one with escapes is not found.
    package func members(prefix: JSONKey) -> (suffix: String, first: JSONValue, second: JSONValue?)? {
        let array = self.document.nodes
        let nodes = array.span
        guard nodes[self.index].kind == .object else { return nil }
        let end = Int(nodes[self.index].next)
        var first: Int?
        var index = self.index + 1
        var second: Int?
        while index < end {
            let node = nodes[index]
            // A quote before the name and one after it.
            if !node.hasEscapes, node.end - node.start > prefix.count + 2, self.starts(node, with: prefix),
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(
                    self.document.bytes[Int(node.start) + 1 + prefix.count]
                )
            {
                if first == nil { first = index } else { second = second ?? index }
            }
            index = Int(nodes[index + 1].next)
        }
        guard let first else { return nil }
        let suffix = Int(nodes[first].start) + 1 + prefix.count..<Int(nodes[first].end) - 1
        return (
            String(decoding: self.document.bytes[suffix], as: UTF8.self),
            JSONValue(document: self.document, index: first + 1),
            second.map { JSONValue(document: self.document, index: $0 + 1) }
        )
    }
}

/// The elements of an array in their order.
package struct JSONElements: Sequence, IteratorProtocol {
    let document: JSONDocument
    var index: Int
    let end: Int

    package mutating func next() -> JSONValue? {
        guard self.index < self.end else { return nil }
        defer { self.index = Int(self.document.nodes[self.index].next) }
        return JSONValue(document: self.document, index: self.index)
    }
}

/// The members of an object in their order, each with its name.
package struct JSONMembers: Sequence, IteratorProtocol {
    let document: JSONDocument
    var index: Int
    let end: Int

    package mutating func next() -> (name: String, value: JSONValue)? {
        guard self.index < self.end else { return nil }
        let name = self.document.nodes[self.index]
        let value = JSONValue(document: self.document, index: self.index + 1)
        self.index = Int(value.node.next)
        return (JSONText.decode(name, in: self.document.bytes), value)
    }
}

extension JSONValue {
    /// The members of an object, none for everything else.
    package var members: JSONMembers {
        let node = self.node
        guard node.kind == .object else { return JSONMembers(document: self.document, index: 0, end: 0) }
        return JSONMembers(document: self.document, index: self.index + 1, end: Int(node.next))
    }
}
