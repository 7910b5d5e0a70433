internal import CXML

/// Reads one XML document with libxml2.
///
/// No entity is resolved but the five of XML itself, nothing outside the given bytes is read, and depth, size and
/// numbers are bounded before memory is spent on them.
@safe final class XMLReader {
    /// Elements inside elements: wide of what narrative tables in nested sections need.
    static let depthMax = 200
    /// Elements and texts; a document of the largest size that is all markup has this many.
    static let nodesMax = 1 << 20
    /// Namespace declarations in force at one place: the parser looks through all of them for each prefix.
    static let spacesMax = 256
    /// Attributes of all elements together.
    static let attributesMax = 2 << 20
    /// Different names of elements and attributes; CDA and its narrative have about 500.
    static let namesMax = 4096

    private var nodes: [XMLTree.Node] = []
    private var attributes: [XMLTree.Attribute] = []
    private var bytes: [UInt8] = []
    private var names: [String] = []
    private var nameIndices: [String: UInt16] = [:]
    /// Names that the parser holds, by address: it keeps one copy of each.
    private var interned: [UInt: UInt16] = [:]
    private var spaces: [UInt: XMLTree.Space] = [:]
    /// The open elements, each with its last child and the number of namespaces that it declares.
    private var open: [(node: Int32, lastChild: Int32, spaceCount: Int)] = []
    private var spaceCount = 0
    private var limit: (code: XMLError.Code, offset: Int)?

    private init() {}

    /// The root element of the document that `text` is, in UTF-8.
    static func root(of text: [UInt8]) throws(XMLError) -> XMLElement {
        guard text.count < Int(Int32.max) else { throw XMLError(code: .tooLarge, offset: 0) }
        try XMLScan.check(text)
        let reader = XMLReader()
        reader.nodes.reserveCapacity(text.count / 24)
        reader.attributes.reserveCapacity(text.count / 32)
        reader.bytes.reserveCapacity(text.count)
        let fault = reader.read(text)
        if let limit = reader.limit { throw XMLError(code: limit.code, offset: limit.offset) }
        if let fault { throw fault }
        guard !reader.nodes.isEmpty else { throw XMLError(code: .syntax, offset: 0) }
        let tree = XMLTree(
            names: reader.names,
            nodes: reader.nodes,
            attributes: reader.attributes,
            bytes: reader.bytes
        )
        return XMLElement(tree: tree, index: 0)
    }

    private func read(_ text: [UInt8]) -> XMLError? {
        var sink = unsafe entente_xml_sink()
        // The reader outlives the call, and the parser keeps no pointer after it.
        unsafe sink.object = Unmanaged.passUnretained(self).toOpaque()
        unsafe sink.start = { object, name, space, offset, spaceCount, count, attributes in
            guard let object = unsafe object, let name = unsafe name else { return 1 }
            let reader = unsafe Unmanaged<XMLReader>.fromOpaque(object).takeUnretainedValue()
            reader.spaceCount += Int(spaceCount)
            guard reader.spaceCount <= XMLReader.spacesMax else { return reader.stop(.tooManyAttributes, Int(offset)) }
            let result = unsafe reader.start(name, space, offset: Int(offset), count: Int(count), attributes)
            if result == 0 { reader.open[reader.open.count - 1].spaceCount = Int(spaceCount) }
            return result
        }
        unsafe sink.end = { object in
            guard let object = unsafe object else { return }
            unsafe Unmanaged<XMLReader>.fromOpaque(object).takeUnretainedValue().end()
        }
        unsafe sink.text = { object, bytes, count in
            guard let object = unsafe object, let bytes = unsafe bytes else { return 1 }
            let reader = unsafe Unmanaged<XMLReader>.fromOpaque(object).takeUnretainedValue()
            return unsafe reader.text(UnsafeBufferPointer(start: bytes, count: Int(count)))
        }
        let result = unsafe text.withUnsafeBytes { buffer in
            let start = unsafe buffer.assumingMemoryBound(to: CChar.self).baseAddress
            return unsafe entente_xml_read(start, Int32(buffer.count), &sink)
        }
        guard result == 0 else { return XMLError(code: .tooLarge, offset: 0) }
        guard unsafe sink.fault.code != 0 else { return nil }
        let offset = unsafe min(max(Int(sink.fault.offset), 0), text.count)
        return unsafe XMLError(code: sink.fault.is_namespace != 0 ? .namespace : .syntax, offset: offset)
    }

    private func stop(_ code: XMLError.Code, _ offset: Int) -> Int32 {
        self.limit = self.limit ?? (code, max(offset, 0))
        return 1
    }

    // MARK: What the parser reports

    @unsafe private func start(
        _ name: UnsafePointer<UInt8>,
        _ space: UnsafePointer<UInt8>?,
        offset: Int,
        count: Int,
        _ values: UnsafeMutablePointer<UnsafePointer<UInt8>?>?
    ) -> Int32 {
        guard self.open.count < Self.depthMax else { return self.stop(.tooDeep, offset) }
        guard self.nodes.count < Self.nodesMax, self.attributes.count + count <= Self.attributesMax,
            let name = unsafe self.index(of: name)
        else { return self.stop(.tooLarge, offset) }
        let space = unsafe space.map { unsafe self.space($0) } ?? .other
        var node = XMLTree.Node(name: name, space: space, tagEnd: Int32(clamping: offset))
        node.firstAttribute = Int32(self.attributes.count)
        node.attributeCount = UInt16(clamping: count)
        for attribute in 0..<count {
            guard let values = unsafe values, let name = unsafe values[attribute * 5],
                let first = unsafe values[attribute * 5 + 3], let end = unsafe values[attribute * 5 + 4],
                let index = unsafe self.index(of: name)
            else { return self.stop(.tooLarge, offset) }
            // An attribute without a prefix belongs to its element, whatever the default namespace.
            let space = unsafe values[attribute * 5 + 2].map { unsafe self.space($0) } ?? .own
            let range = unsafe self.append(UnsafeBufferPointer(start: first, count: end - first))
            self.attributes.append(XMLTree.Attribute(name: index, space: space, bytes: range))
        }
        let index = self.add(node)
        self.open.append((index, -1, 0))
        return 0
    }

    private func end() { self.spaceCount -= self.open.removeLast().spaceCount }

    @unsafe private func text(_ text: UnsafeBufferPointer<UInt8>) -> Int32 {
        // White space around the root element belongs to nothing.
        guard let parent = self.open.last else { return 0 }
        let range = unsafe self.append(text)
        if parent.lastChild >= 0, self.nodes[Int(parent.lastChild)].name == XMLTree.textName,
            self.nodes[Int(parent.lastChild)].bytes.upperBound == range.lowerBound
        {
            // The parser hands a text over in pieces.
            let start = self.nodes[Int(parent.lastChild)].bytes.lowerBound
            self.nodes[Int(parent.lastChild)].bytes = start..<range.upperBound
            return 0
        }
        guard self.nodes.count < Self.nodesMax else { return self.stop(.tooLarge, 0) }
        var node = XMLTree.Node(name: XMLTree.textName, space: .other, tagEnd: 0)
        node.bytes = range
        _ = self.add(node)
        return 0
    }

    /// Adds a child to the innermost open element.
    private func add(_ node: XMLTree.Node) -> Int32 {
        let index = Int32(self.nodes.count)
        self.nodes.append(node)
        if let parent = self.open.last {
            if parent.lastChild < 0 {
                self.nodes[Int(parent.node)].firstChild = index
            } else {
                self.nodes[Int(parent.lastChild)].nextSibling = index
            }
            self.open[self.open.count - 1].lastChild = index
        }
        return index
    }

    @unsafe private func append(_ text: UnsafeBufferPointer<UInt8>) -> Range<Int32> {
        let start = Int32(self.bytes.count)
        unsafe self.bytes.append(contentsOf: text)
        return start..<Int32(self.bytes.count)
    }

    @unsafe private func index(of name: UnsafePointer<UInt8>) -> UInt16? {
        let address = UInt(bitPattern: name)
        if let index = self.interned[address] { return index }
        let string = unsafe String(cString: name)
        var index = self.nameIndices[string]
        if index == nil, self.names.count < Self.namesMax {
            index = UInt16(self.names.count)
            self.names.append(string)
            self.nameIndices[string] = index
        }
        if let index { self.interned[address] = index }
        return index
    }

    @unsafe private func space(_ uri: UnsafePointer<UInt8>) -> XMLTree.Space {
        let address = UInt(bitPattern: uri)
        if let space = self.spaces[address] { return space }
        let space: XMLTree.Space =
            switch unsafe String(cString: uri) {
            case "urn:hl7-org:v3": .own
            case "http://www.w3.org/2001/XMLSchema-instance": .schemaInstance
            default: .other
            }
        self.spaces[address] = space
        return space
    }
}
