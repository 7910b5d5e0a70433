/// The three characters that say what a segment is.
struct HL7v2SegmentID: Hashable, Sendable, ExpressibleByStringLiteral {
    private let packed: UInt32

    init(stringLiteral value: StaticString) {
        precondition(value.utf8CodeUnitCount == 3 && value.hasPointerRepresentation, "a name has three characters")
        // Three bytes of a literal, so that a comparison with one is a comparison of numbers.
        let start = unsafe value.utf8Start
        self.packed = unsafe UInt32(start[0]) << 16 | UInt32(start[1]) << 8 | UInt32(start[2])
    }

    /// Returns `nil` unless `bytes` starts with a capital letter and two capital letters or digits.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= 3 else { return nil }
        let (first, second, third) = (
            bytes[bytes.startIndex], bytes[bytes.startIndex + 1], bytes[bytes.startIndex + 2]
        )
        guard first >= UInt8(ascii: "A"), Self.isCapitalOrDigit(first), Self.isCapitalOrDigit(second),
            Self.isCapitalOrDigit(third)
        else { return nil }
        self.packed = UInt32(first) << 16 | UInt32(second) << 8 | UInt32(third)
    }

    var name: String {
        String(
            decoding: [
                UInt8(truncatingIfNeeded: self.packed >> 16), UInt8(truncatingIfNeeded: self.packed >> 8),
                UInt8(truncatingIfNeeded: self.packed),
            ],
            as: UTF8.self
        )
    }

    static func isCapitalOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

/// One segment: where it stands in its message, and its fields as UTF-8.
struct HL7v2Segment: Sendable {
    let id: HL7v2SegmentID
    /// In the message's bytes: from its first byte to the next segment's, ADD segments and empty lines included.
    var range: Range<Int>
    /// Its text as UTF-8, escapes not resolved, without a terminator.
    private(set) var text: ArraySlice<UInt8>
    private let delimiters: HL7v2Delimiters
    /// Where each field ends in `text`; the first is the segment's name.
    private var ends: [Int]

    init(_ id: HL7v2SegmentID, range: Range<Int>, text: ArraySlice<UInt8>, delimiters: HL7v2Delimiters) {
        self.id = id
        self.range = range
        self.text = text
        self.delimiters = delimiters
        self.ends = Self.ends(of: text, delimiters.field)
    }

    private static func ends(of text: ArraySlice<UInt8>, _ separator: UInt8) -> [Int] {
        var ends: [Int] = []
        ends.reserveCapacity(24)
        for index in text.indices where text[index] == separator {
            ends.append(index)
            if ends.count == HL7v2Limits.fieldsMax { return ends }
        }
        ends.append(text.endIndex)
        return ends
    }

    /// Takes the text that ADD segments complete.
    mutating func complete(_ text: [UInt8]) {
        self.text = text[...]
        self.ends = Self.ends(of: self.text, self.delimiters.field)
    }

    /// The field of that number in the standard; empty where the segment is shorter.
    ///
    /// A header's first field is the separator itself, so that its others are counted one less.
    func field(_ number: Int) -> HL7v2Field {
        let isHeader = self.id == "MSH" || self.id == "BHS" || self.id == "FHS"
        let index = isHeader ? number - 1 : number
        // Most fields of most segments are empty: they cost no reference to the text.
        guard index >= 1, index < self.ends.count, self.ends[index - 1] + 1 < self.ends[index] else {
            return HL7v2Field([], self.delimiters)
        }
        return HL7v2Field(self.text[(self.ends[index - 1] + 1)..<self.ends[index]], self.delimiters)
    }
}

/// A field, or one repetition of it, as UTF-8 with its escapes.
struct HL7v2Field: Sendable {
    let bytes: ArraySlice<UInt8>
    private let delimiters: HL7v2Delimiters

    init(_ bytes: ArraySlice<UInt8>, _ delimiters: HL7v2Delimiters) {
        self.bytes = bytes
        self.delimiters = delimiters
    }

    /// Whether it has no value: it is empty, has separators alone, or says that there is none (`""`).
    var isEmpty: Bool {
        if self.bytes.isEmpty || self.isNull { return true }
        return self.bytes.allSatisfy {
            $0 == self.delimiters.component || $0 == self.delimiters.subcomponent || $0 == self.delimiters.repetition
                || $0 == 0x20
        }
    }

    private var isNull: Bool { self.bytes.elementsEqual([0x22, 0x22]) }

    /// Each repetition, empty ones too, up to one more than are allowed.
    var repetitions: [HL7v2Field] {
        guard self.bytes.contains(self.delimiters.repetition) else { return self.bytes.isEmpty ? [] : [self] }
        return self.bytes.split(
            separator: self.delimiters.repetition,
            maxSplits: HL7v2Limits.repetitionsMax,
            omittingEmptySubsequences: false
        ).map { HL7v2Field($0, self.delimiters) }
    }

    var firstRepetition: HL7v2Field {
        guard self.bytes.contains(self.delimiters.repetition) else { return self }
        return HL7v2Field(self.piece(self.bytes, 1, self.delimiters.repetition), self.delimiters)
    }

    /// A component of a field that does not repeat, from 1; empty where there is none.
    func component(_ number: Int) -> ArraySlice<UInt8> { self.piece(self.bytes, number, self.delimiters.component) }

    func subcomponent(_ component: Int, _ number: Int) -> ArraySlice<UInt8> {
        self.piece(self.component(component), number, self.delimiters.subcomponent)
    }

    /// A component as a field of its own whose components are the subcomponents, as in fields of type EIP and PRL.
    func nested(_ component: Int) -> HL7v2Field {
        var inner = self.delimiters
        inner.component = self.delimiters.subcomponent
        inner.subcomponent = 0
        return HL7v2Field(self.component(component), inner)
    }

    var hasComponents: Bool { self.bytes.contains(self.delimiters.component) }

    /// Each component of a field that does not repeat, up to `count`; none is empty but between others.
    func components(max count: Int) -> [ArraySlice<UInt8>] {
        self.bytes.split(separator: self.delimiters.component, maxSplits: count, omittingEmptySubsequences: false)
    }

    private func piece(_ bytes: ArraySlice<UInt8>, _ number: Int, _ separator: UInt8) -> ArraySlice<UInt8> {
        if bytes.isEmpty { return [] }
        var (start, left) = (bytes.startIndex, number)
        for index in bytes.indices where bytes[index] == separator {
            left -= 1
            if left == 0 { return bytes[start..<index] }
            start = index + 1
        }
        return left == 1 ? bytes[start...] : []
    }
}
