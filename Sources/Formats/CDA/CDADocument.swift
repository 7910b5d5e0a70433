/// A document's elements, and the places in its narrative that entries refer to.
struct CDADocument {
    let root: XMLElement
    private let meter = Meter()
    /// Elements by their `ID`; `nil` where an `ID` occurs several times.
    private let identified: [String: XMLElement?]

    init(_ root: XMLElement) {
        self.root = root
        var identified: [String: XMLElement?] = [:]
        if let name = root.tree.names.firstIndex(of: "ID") {
            for (index, node) in root.tree.nodes.enumerated() where node.attributeCount > 0 {
                let start = Int(node.firstAttribute)
                let attributes = root.tree.attributes[start..<start + Int(node.attributeCount)]
                guard attributes.contains(where: { $0.name == name && $0.space == .own }) else { continue }
                let element = XMLElement(tree: root.tree, index: Int32(index))
                guard let id = element.attribute("ID") else { continue }
                identified[id] = .some(identified[id] == nil ? element : nil)
            }
        }
        self.identified = identified
    }

    /// Counts what references draw in: a small document may refer to a long text very often.
    private final class Meter {
        var bytesLeft = CDADocument.referencedBytesMax
    }

    /// Texts that references draw in, together: a large document once over.
    private static let referencedBytesMax = 32 << 20

    /// Whether texts are missing because references draw in too much; then there is no exam.
    var isExceeded: Bool { self.meter.bytesLeft < 0 }

    /// The text of a place in the narrative that an entry refers to.
    func referenced(_ target: XMLElement) -> String? {
        guard !self.isExceeded else { return nil }
        let text = Self.narrative(target)
        self.meter.bytesLeft -= (text?.utf8.count ?? 0) + 64
        return text
    }

    /// What a `#id` leads to.
    enum Target {
        case found(XMLElement)
        case absent
        case ambiguous
    }

    func target(of id: some StringProtocol) -> Target {
        switch self.identified[String(id)] {
        case .some(.some(let element)): .found(element)
        case .some(.none): .ambiguous
        case .none: .absent
        }
    }

    /// The sections of the structured body, outermost first in their order.
    var sections: [XMLElement] {
        self.root.children("component").flatMap { component in
            // WS/T 500 writers leave the body element out and put sections directly into the document.
            component.children("section") + (component.child("structuredBody").map(Self.sections) ?? [])
        }
    }

    static func sections(in parent: XMLElement) -> [XMLElement] {
        parent.children("component").compactMap { $0.child("section") }
    }
}

// MARK: - Texts

extension CDADocument {
    /// Longest text of a narrative or a name that goes into an exam: a long report is a tenth of it.
    static let textBytesMax = 256 << 10

    /// A text as people read it (CDA R2 section 4.3.5); `nil` if nothing is left.
    ///
    /// Blocks stand on lines of their own, cells of a row apart, white space is collapsed, deleted text is left out.
    static func narrative(_ element: XMLElement) -> String? {
        var writer = NarrativeWriter()
        writer.write(element)
        return writer.finished
    }

    /// Titles and texts of sections, each followed by those of the sections inside it.
    static func narratives(_ sections: [XMLElement]) -> [String] {
        var texts: [String] = []
        for section in sections {
            texts += ["title", "text"].compactMap { section.child($0) }.compactMap(Self.narrative)
            texts += Self.narratives(Self.sections(in: section))
        }
        return texts
    }

    /// A text without layout, such as a name, with white space collapsed; `nil` if nothing is left.
    static func plain(_ element: XMLElement) -> String? {
        var writer = NarrativeWriter(keepsLines: false)
        writer.write(element)
        return writer.finished
    }

    /// A text as it is written, without white space around it (data type ST); `nil` if nothing is left.
    static func string(_ element: XMLElement) -> String? {
        var bytes: [UInt8] = []
        Self.collect(element, into: &bytes)
        guard let start = bytes.firstIndex(where: { !XMLText.isSpace($0) }),
            let end = bytes.lastIndex(where: { !XMLText.isSpace($0) })
        else { return nil }
        return Self.cut(bytes[start...end])
    }

    /// The characters inside an element, in order.
    static func collect(_ element: XMLElement, into bytes: inout [UInt8]) {
        element.forEachContent { content in
            switch content {
            case .text(let text): bytes += text
            case .element(let inner): Self.collect(inner, into: &bytes)
            }
        }
    }

    /// The text, cut before the character that would exceed the limit; a mark shows that something was left out.
    static func cut(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.count > Self.textBytesMax else { return String(decoding: bytes, as: UTF8.self) }
        var end = bytes.startIndex + Self.textBytesMax
        while bytes[end] & 0xc0 == 0x80 { end -= 1 }
        return String(decoding: bytes[..<end], as: UTF8.self) + " […]"
    }

    /// What an element of data type ED says: the text that its reference leads to, else its own.
    ///
    /// `nil` if it refers to nothing that can be found; then only what is no result may go on.
    func text(_ element: XMLElement) -> String? {
        if let reference = element.child("reference")?.attribute("value") {
            guard reference.hasPrefix("#"), case .found(let target) = self.target(of: reference.dropFirst()) else {
                return nil
            }
            return self.referenced(target)
        }
        return element.attribute("representation") == "B64" ? nil : Self.plain(element)
    }
}

/// Writes a narrative as plain text.
private struct NarrativeWriter {
    private var bytes: [UInt8] = []
    private var keepsLines: Bool
    /// White space that is written only if a character follows.
    private var pending: UInt8?

    init(keepsLines: Bool = true) { self.keepsLines = keepsLines }

    var finished: String? { self.bytes.isEmpty ? nil : CDADocument.cut(self.bytes[...]) }

    private static let blocks: Set<String> = [
        "paragraph", "list", "item", "table", "thead", "tbody", "tfoot", "tr", "caption", "br", "title", "text",
        "section", "component",
    ]

    mutating func write(_ element: XMLElement) {
        // One more character than fits shows that the text is cut.
        guard self.bytes.count <= CDADocument.textBytesMax else { return }
        if element.attribute("revised") == "delete" { return }
        let name = element.name
        let isBlock = Self.blocks.contains(name)
        if isBlock { self.space(0x0a) }
        if name == "td" || name == "th" { self.space(0x09) }
        var contents: [XMLElement.Content] = []
        element.forEachContent { contents.append($0) }
        for content in contents {
            switch content {
            case .element(let inner): self.write(inner)
            case .text(let text): self.write(text)
            }
        }
        if isBlock { self.space(0x0a) }
    }

    private mutating func write(_ text: ArraySlice<UInt8>) {
        for byte in text {
            if XMLText.isSpace(byte) {
                self.space(0x20)
                continue
            }
            if let space = self.pending {
                self.bytes.append(self.keepsLines ? space : 0x20)
                self.pending = nil
            }
            self.bytes.append(byte)
        }
    }

    /// A line end outweighs a cell's end, which outweighs a space.
    private mutating func space(_ byte: UInt8) {
        guard !self.bytes.isEmpty else { return }
        switch (self.pending, byte) {
        case (0x0a, _), (0x09, 0x20): break
        default: self.pending = byte
        }
    }
}
