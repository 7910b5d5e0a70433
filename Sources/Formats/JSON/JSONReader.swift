/// Reads one JSON text strictly, in one pass, with its cost bounded by ``JSONLimits``.
///
/// Stricter than RFC 8259 where FHIR R4 is: a name may occur only once in an object. A byte order mark at the start is
/// passed over. Numbers are checked and left as they are written: 1.0 and 1.00 are different values to a laboratory.
package struct JSONReader {
    private enum Expectation {
        case value, firstElement, firstName, name, afterValue
    }

    private var nodes: [JSONNode] = []
    /// Nodes of the containers that are open, outermost first.
    private var open: [Int] = []
    /// Index of the next byte to be read.
    var position: Int
    let end: Int
    private let limits: JSONLimits

    private init(_ range: Range<Int>, _ limits: JSONLimits) {
        self.position = range.lowerBound
        self.end = range.upperBound
        self.limits = limits
        // Clinical resources have a value for every 12 to 20 bytes.
        self.nodes.reserveCapacity(range.count / 12 + 8)
    }

    /// Reads the text in `range` of `bytes`, or in all of them.
    package static func read(
        _ bytes: [UInt8],
        in range: Range<Int>? = nil,
        limits: JSONLimits = .standard
    ) throws(JSONError) -> JSONDocument {
        let range = range ?? 0..<bytes.count
        guard range.count <= limits.bytesMax, range.upperBound <= Int(UInt32.max) else {
            throw JSONError(code: .tooLarge, offset: range.lowerBound)
        }
        var reader = JSONReader(range, limits)
        try reader.run(bytes.span)
        return JSONDocument(bytes: bytes, nodes: reader.nodes)
    }

    private mutating func run(_ input: Span<UInt8>) throws(JSONError) {
        self.skipByteOrderMark(input)
        var expectation = Expectation.value
        while true {
            self.skipWhiteSpace(input)
            guard self.position < self.end else { throw self.fault(.truncated) }
            let byte = input[self.position]
            switch expectation {
            case .value: expectation = try self.value(byte, input)
            case .firstElement: expectation = byte == UInt8(ascii: "]") ? try self.close(input) : .value
            case .firstName where byte == UInt8(ascii: "}"): expectation = try self.close(input)
            case .firstName, .name:
                try self.name(byte, input)
                expectation = .value
            case .afterValue: expectation = try self.separator(byte, input)
            }
            if self.open.isEmpty {
                self.skipWhiteSpace(input)
                guard self.position == self.end else { throw self.fault(.trailingData) }
                return
            }
        }
    }

    private mutating func value(_ byte: UInt8, _ input: Span<UInt8>) throws(JSONError) -> Expectation {
        guard self.nodes.count < self.limits.valuesMax else { throw self.fault(.tooLarge) }
        let start = self.position
        switch byte {
        case UInt8(ascii: "\""):
            let hasEscapes = try self.string(input)
            self.append(.string, from: start, hasEscapes: hasEscapes)
        case UInt8(ascii: "{"):
            try self.open(.object)
            return .firstName
        case UInt8(ascii: "["):
            try self.open(.array)
            return .firstElement
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try self.number(input)
            self.append(.number, from: start)
        case UInt8(ascii: "t"):
            try self.literal("true", input)
            self.append(.true, from: start)
        case UInt8(ascii: "f"):
            try self.literal("false", input)
            self.append(.false, from: start)
        case UInt8(ascii: "n"):
            try self.literal("null", input)
            self.append(.null, from: start)
        default: throw self.fault(.syntax)
        }
        return .afterValue
    }

    private mutating func append(_ kind: JSONKind, from start: Int, hasEscapes: Bool = false, tag: UInt32 = 0) {
        self.nodes.append(
            JSONNode(
                start: UInt32(start),
                end: UInt32(self.position),
                next: UInt32(self.nodes.count + 1),
                tag: tag,
                kind: kind,
                hasEscapes: hasEscapes
            )
        )
    }

    // MARK: Containers

    private mutating func open(_ kind: JSONKind) throws(JSONError) {
        guard self.open.count < self.limits.depthMax else { throw self.fault(.tooDeep) }
        self.open.append(self.nodes.count)
        let start = self.position
        self.position += 1
        self.append(kind, from: start)
    }

    private mutating func name(_ byte: UInt8, _ input: Span<UInt8>) throws(JSONError) {
        guard byte == UInt8(ascii: "\"") else { throw self.fault(.syntax) }
        guard self.nodes.count < self.limits.valuesMax else { throw self.fault(.tooLarge) }
        let start = self.position
        let hasEscapes = try self.string(input)
        var fingerprint = JSONKey.fingerprintStart
        for index in start + 1..<self.position - 1 {
            fingerprint = JSONKey.extend(fingerprint, by: input[index])
        }
        self.append(.string, from: start, hasEscapes: hasEscapes, tag: fingerprint)
        if hasEscapes { self.hasEscapedNames = true }
        self.skipWhiteSpace(input)
        guard self.position < self.end else { throw self.fault(.truncated) }
        guard input[self.position] == UInt8(ascii: ":") else { throw self.fault(.syntax) }
        self.position += 1
    }

    private mutating func separator(_ byte: UInt8, _ input: Span<UInt8>) throws(JSONError) -> Expectation {
        let container = self.nodes[self.open[self.open.count - 1]].kind
        switch byte {
        case UInt8(ascii: ","):
            self.nodes[self.open[self.open.count - 1]].tag += 1
            self.position += 1
            return container == .object ? .name : .value
        case UInt8(ascii: "}") where container == .object, UInt8(ascii: "]") where container == .array:
            self.nodes[self.open[self.open.count - 1]].tag += 1
            return try self.close(input)
        default: throw self.fault(.syntax)
        }
    }

    private mutating func close(_ input: Span<UInt8>) throws(JSONError) -> Expectation {
        self.position += 1
        let index = self.open.removeLast()
        self.nodes[index].end = UInt32(self.position)
        self.nodes[index].next = UInt32(self.nodes.count)
        if self.nodes[index].kind == .object { try self.checkNames(ofObject: index, input) }
        return .afterValue
    }

    // MARK: Names that occur twice

    /// A name with escapes has no comparable fingerprint until they are resolved.
    private var hasEscapedNames = false
    private var names: [Int] = []
    /// Below this many names, comparing each with each is cheaper than sorting.
    private static let pairwiseMax = 24

    private mutating func checkNames(ofObject object: Int, _ input: Span<UInt8>) throws(JSONError) {
        guard self.nodes[object].tag > 1 || self.hasEscapedNames else { return }
        self.names.removeAll(keepingCapacity: true)
        var index = object + 1
        while index < self.nodes.count {
            self.names.append(index)
            index = Int(self.nodes[index + 1].next)
        }
        if self.hasEscapedNames || self.names.count > Self.pairwiseMax {
            try self.checkSortedNames(input)
        } else {
            for later in 1..<self.names.count {
                let tag = self.nodes[self.names[later]].tag
                for earlier in 0..<later where self.nodes[self.names[earlier]].tag == tag {
                    guard !self.areEqual(self.names[earlier], self.names[later], input) else {
                        throw JSONError(code: .duplicateKey, offset: Int(self.nodes[self.names[later]].start))
                    }
                }
            }
        }
    }

    private func areEqual(_ left: Int, _ right: Int, _ input: Span<UInt8>) -> Bool {
        let (left, right) = (self.nodes[left], self.nodes[right])
        let count = left.end - left.start
        guard right.end - right.start == count else { return false }
        for index in 0..<Int(count) where input[Int(left.start) + index] != input[Int(right.start) + index] {
            return false
        }
        return true
    }

    /// Sorts the names by their bytes, so that no choice of names makes the check slow.
    private mutating func checkSortedNames(_ input: Span<UInt8>) throws(JSONError) {
        let texts = self.names.map { index in
            let node = self.nodes[index]
            var raw: [UInt8] = []
            raw.reserveCapacity(Int(node.end - node.start))
            for position in Int(node.start)..<Int(node.end) { raw.append(input[position]) }
            let local = JSONNode(
                start: 0,
                end: UInt32(raw.count),
                next: 0,
                tag: 0,
                kind: .string,
                hasEscapes: node.hasEscapes
            )
            return (index: index, text: Array(JSONText.content(local, in: raw)))
        }
        // A lookup compares fingerprints of the text that a name means.
        for (index, text) in texts where self.nodes[index].hasEscapes {
            self.nodes[index].tag = text.reduce(JSONKey.fingerprintStart) { JSONKey.extend($0, by: $1) }
        }
        let sorted = texts.sorted { left, right in
            left.text == right.text ? left.index < right.index : left.text.lexicographicallyPrecedes(right.text)
        }
        for (earlier, later) in zip(sorted, sorted.dropFirst()) where earlier.text == later.text {
            throw JSONError(code: .duplicateKey, offset: Int(self.nodes[later.index].start))
        }
    }

    // MARK: Scalars

    private mutating func literal(_ text: String, _ input: Span<UInt8>) throws(JSONError) {
        for expected in text.utf8 {
            guard self.position < self.end else { throw self.fault(.truncated) }
            guard input[self.position] == expected else { throw self.fault(.syntax) }
            self.position += 1
        }
    }

    /// Reads `-? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`.
    private mutating func number(_ input: Span<UInt8>) throws(JSONError) {
        if input[self.position] == UInt8(ascii: "-") { self.position += 1 }
        guard self.position < self.end else { throw self.fault(.truncated) }
        if input[self.position] == UInt8(ascii: "0") {
            self.position += 1
        } else {
            try self.digits(input)
        }
        if self.position < self.end, input[self.position] == UInt8(ascii: ".") {
            self.position += 1
            try self.digits(input)
        }
        if self.position < self.end, input[self.position] | 0x20 == UInt8(ascii: "e") {
            self.position += 1
            if self.position < self.end {
                let sign = input[self.position]
                if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { self.position += 1 }
            }
            try self.digits(input)
        }
    }

    private mutating func digits(_ input: Span<UInt8>) throws(JSONError) {
        let start = self.position
        while self.position < self.end, Self.isDigit(input[self.position]) { self.position += 1 }
        guard self.position > start else { throw self.fault(self.position < self.end ? .syntax : .truncated) }
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    // MARK: White space and faults

    private mutating func skipByteOrderMark(_ input: Span<UInt8>) {
        guard self.end - self.position >= 3, input[self.position] == 0xef, input[self.position + 1] == 0xbb,
            input[self.position + 2] == 0xbf
        else { return }
        self.position += 3
    }

    @inline(__always)
    private mutating func skipWhiteSpace(_ input: Span<UInt8>) {
        while self.position < self.end {
            switch input[self.position] {
            case 0x20, 0x0a, 0x0d, 0x09: self.position += 1
            default: return
            }
        }
    }

    func fault(_ code: JSONError.Code) -> JSONError {
        JSONError(code: code, offset: self.position)
    }
}
