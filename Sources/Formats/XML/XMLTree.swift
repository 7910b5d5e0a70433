/// The elements and texts of one XML document.
///
/// Names, attribute values and texts stay bytes until they are asked for. Comments and processing instructions are left
/// out. Never changes once it is read.
final class XMLTree: Sendable {
    /// Whose vocabulary a name belongs to.
    enum Space: UInt8, Sendable {
        /// `urn:hl7-org:v3`, or no namespace for an attribute.
        case own
        /// `http://www.w3.org/2001/XMLSchema-instance`.
        case schemaInstance
        case other
    }

    /// An element, or a run of text if it has no name.
    struct Node: Sendable {
        var name: UInt16
        var space: Space
        var attributeCount: UInt16 = 0
        var firstAttribute: Int32 = 0
        var firstChild: Int32 = -1
        var nextSibling: Int32 = -1
        /// A text's bytes.
        var bytes: Range<Int32> = 0..<0
        /// Where the element's start tag ends in the UTF-8 text.
        var tagEnd: Int32
    }

    /// An attribute and its value's bytes.
    struct Attribute: Sendable {
        var name: UInt16
        var space: Space
        var bytes: Range<Int32>
    }

    static let textName = UInt16.max

    let names: [String]
    let nodes: [Node]
    let attributes: [Attribute]
    /// Values and texts, one after the other.
    let bytes: [UInt8]

    init(names: [String], nodes: [Node], attributes: [Attribute], bytes: [UInt8]) {
        self.names = names
        self.nodes = nodes
        self.attributes = attributes
        self.bytes = bytes
    }

    func string(_ range: Range<Int32>) -> String {
        String(decoding: self.bytes[Int(range.lowerBound)..<Int(range.upperBound)], as: UTF8.self)
    }
}

/// An element of a document.
struct XMLElement: Sendable {
    let tree: XMLTree
    let index: Int32

    private var node: XMLTree.Node { self.tree.nodes[Int(self.index)] }

    /// The local name.
    var name: String { self.tree.names[Int(self.node.name)] }

    /// Whether it belongs to the namespace of CDA.
    var isOwn: Bool { self.node.space == .own }

    var tagEnd: Int { Int(self.node.tagEnd) }

    // MARK: Attributes

    /// The value of an attribute without a namespace, without white space around it; `nil` if nothing is left.
    func attribute(_ name: String) -> String? { self.value(name, .own) }

    /// The local part of `xsi:type`.
    var schemaType: String? {
        self.value("type", .schemaInstance).map { name in
            name.lastIndex(of: ":").map { String(name[name.index(after: $0)...]) } ?? name
        }
    }

    private func value(_ name: String, _ space: XMLTree.Space) -> String? {
        let start = Int(self.node.firstAttribute)
        for attribute in self.tree.attributes[start..<start + Int(self.node.attributeCount)]
        where attribute.space == space && self.tree.names[Int(attribute.name)] == name {
            let range = self.trimmed(attribute.bytes)
            return range.isEmpty ? nil : self.tree.string(range)
        }
        return nil
    }

    private func trimmed(_ range: Range<Int32>) -> Range<Int32> {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high, XMLText.isSpace(self.tree.bytes[Int(low)]) { low += 1 }
        while low < high, XMLText.isSpace(self.tree.bytes[Int(high - 1)]) { high -= 1 }
        return low..<high
    }

    // MARK: Children

    /// The elements directly inside, of whatever namespace.
    var children: Children { Children(tree: self.tree, index: self.node.firstChild) }

    /// The first element of CDA with this name directly inside.
    func child(_ name: String) -> XMLElement? { self.children.first { $0.isOwn && $0.name == name } }

    /// The elements of CDA with this name directly inside.
    func children(_ name: String) -> [XMLElement] { self.children.filter { $0.isOwn && $0.name == name } }

    /// The element at the end of a path of names, the first of each.
    func descendant(_ path: String...) -> XMLElement? {
        var element: XMLElement? = self
        for name in path { element = element?.child(name) }
        return element
    }

    /// An element, or a text.
    enum Content {
        case element(XMLElement)
        case text(ArraySlice<UInt8>)
    }

    /// Calls `body` for everything directly inside, in order.
    func forEachContent(_ body: (Content) -> Void) {
        var next = self.node.firstChild
        while next >= 0 {
            let node = self.tree.nodes[Int(next)]
            if node.name == XMLTree.textName {
                body(.text(self.tree.bytes[Int(node.bytes.lowerBound)..<Int(node.bytes.upperBound)]))
            } else {
                body(.element(XMLElement(tree: self.tree, index: next)))
            }
            next = node.nextSibling
        }
    }

    /// Elements one after the other.
    struct Children: Sequence, IteratorProtocol {
        fileprivate let tree: XMLTree
        fileprivate var index: Int32

        mutating func next() -> XMLElement? {
            while self.index >= 0 {
                let index = self.index
                let node = self.tree.nodes[Int(index)]
                self.index = node.nextSibling
                if node.name != XMLTree.textName { return XMLElement(tree: self.tree, index: index) }
            }
            return nil
        }
    }
}

/// What XML means by white space.
enum XMLText {
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x09 || byte == 0x0d }
}
