/// The elements of one data set or of one item of a sequence, with accessors that check what they give.
///
/// A value that is absent or empty is `nil`. Values are padded with a space or a zero byte to an even length (PS3.5
/// section 6.2); padding is no part of what is given.
package struct DICOMDataSet {
    /// PS3.5 table 6.2-1: the longest text that is not free text.
    private static let stringCharactersMax = 1024

    let bytes: [UInt8]
    let elements: [DICOMElement]
    let characterSets: DICOMCharacterSets
    let decoders: DICOMDecoders
    /// Number of sequences around it.
    let depth: Int

    /// The character sets around it, `parent`, hold unless the data set names its own.
    init(
        bytes: [UInt8],
        elements: [DICOMElement],
        parent: DICOMCharacterSets,
        decoders: DICOMDecoders,
        depth: Int
    ) {
        self.bytes = bytes
        self.elements = elements
        self.decoders = decoders
        self.depth = depth
        if let element = elements.first(where: { $0.tag == .specificCharacterSet }) {
            let terms = Self.asciiText(bytes[element.value])?
                .split(separator: "\\", omittingEmptySubsequences: false)
            self.characterSets = terms.flatMap { DICOMCharacterSets($0) } ?? .unknown
        } else {
            self.characterSets = parent
        }
    }

    /// Where the data set begins, for faults about what is not in it.
    var offset: Int { self.elements.first?.range.lowerBound ?? 0 }

    package func element(_ tag: DICOMTag) -> DICOMElement? {
        // Elements are nearly always in order; a data set in which they are not is searched from end to end.
        var (low, high) = (0, self.elements.count)
        while low < high {
            let middle = (low + high) / 2
            let found = self.elements[middle].tag
            if found == tag { return self.elements[middle] }
            if found < tag { low = middle + 1 } else { high = middle }
        }
        return self.elements.first { $0.tag == tag }
    }

    func fault(_ refusal: DICOMRefusal, _ tag: DICOMTag) -> DICOMFault {
        DICOMFault(refusal, offset: self.element(tag)?.range.lowerBound ?? self.offset, tag)
    }

    // MARK: Text

    /// The one value of a short text (AE, CS, LO, PN, SH, UI and others) without spaces around it.
    package func string(_ tag: DICOMTag) throws(DICOMFault) -> String? {
        guard let text = try self.decoded(tag, isName: false) else { return nil }
        guard !text.utf8.contains(UInt8(ascii: "\\")) else { throw self.fault(.tooManyValues, tag) }
        return try self.checked(text, tag)
    }

    /// The first value of a short text that may have several.
    package func first(_ tag: DICOMTag) throws(DICOMFault) -> String? { try self.strings(tag).first }

    /// The values of a short text that may have several; empty ones are left out.
    package func strings(_ tag: DICOMTag) throws(DICOMFault) -> [String] {
        guard let text = try self.decoded(tag, isName: false) else { return [] }
        var values: [String] = []
        for value in text.split(separator: "\\") {
            if let value = try self.checked(String(value), tag) { values.append(value) }
        }
        return values
    }

    /// The one value of a person's name, its groups and components as written.
    package func name(_ tag: DICOMTag) throws(DICOMFault) -> String? {
        guard let text = try self.decoded(tag, isName: true) else { return nil }
        guard !text.utf8.contains(UInt8(ascii: "\\")) else { throw self.fault(.tooManyValues, tag) }
        return try self.checked(text, tag)
    }

    /// The values of person names, of which there may be several.
    func names(_ tag: DICOMTag) throws(DICOMFault) -> [String] {
        guard let text = try self.decoded(tag, isName: true) else { return [] }
        var values: [String] = []
        for value in text.split(separator: "\\") {
            if let value = try self.checked(String(value), tag) { values.append(value) }
        }
        return values
    }

    /// A free text (LT, ST, UT), in which a backslash is a backslash and lines may be broken.
    package func text(_ tag: DICOMTag) throws(DICOMFault) -> String? {
        guard let text = try self.decoded(tag, isName: false) else { return nil }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 9 || $0 == 10 || $0 == 12 || $0 == 13 }) else {
            throw self.fault(.badString, tag)
        }
        let end = text.utf8.lastIndex { $0 != 0x20 }.map { text.utf8.index(after: $0) } ?? text.startIndex
        return end == text.startIndex ? nil : String(text[..<end])
    }

    private func checked(_ text: String, _ tag: DICOMTag) throws(DICOMFault) -> String? {
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }), text.utf8.count <= 4 * Self.stringCharactersMax else {
            throw self.fault(.badString, tag)
        }
        let trimmed = text.utf8.drop { $0 == 0x20 }
        guard let last = trimmed.lastIndex(where: { $0 != 0x20 }) else { return nil }
        return String(text[trimmed.startIndex...last])
    }

    private func decoded(_ tag: DICOMTag, isName: Bool) throws(DICOMFault) -> String? {
        guard let element = self.element(tag) else { return nil }
        let bytes = Self.unpadded(self.bytes[element.value])
        guard !bytes.isEmpty else { return nil }
        guard let text = self.decoders.text(bytes, self.characterSets, isName: isName) else {
            throw self.fault(self.characterSets.isKnown ? .undecodableText : .unknownCharacterSet, tag)
        }
        return text
    }

    /// All values of a text that is never in another character set, as they stand; `nil` if it is not ASCII.
    package func rawText(_ tag: DICOMTag) -> String? {
        self.element(tag).flatMap { Self.asciiText(self.bytes[$0.value]) }
    }

    static func unpadded(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let last = bytes.lastIndex(where: { $0 != 0 && $0 != 0x20 }) else { return [] }
        return bytes[bytes.startIndex...last]
    }

    /// The text of a value that is never in another character set; `nil` if it is not ASCII.
    static func asciiText(_ bytes: ArraySlice<UInt8>) -> String? {
        let bytes = self.unpadded(bytes).drop { $0 == 0x20 }
        return bytes.allSatisfy { $0 < 0x80 && $0 >= 0x20 } ? String(decoding: bytes, as: UTF8.self) : nil
    }

    // MARK: Other values

    /// A unique identifier (PS3.5 section 9.1): up to 64 digits and dots, at least two components, none empty.
    ///
    /// Components with a needless zero in front, which some devices write, are taken as they are.
    package func uid(_ tag: DICOMTag) throws(DICOMFault) -> String? {
        guard let element = self.element(tag) else { return nil }
        let bytes = Self.unpadded(self.bytes[element.value])
        guard !bytes.isEmpty else { return nil }
        guard let text = Self.asciiText(bytes), Self.isUID(text) else { throw self.fault(.badUID, tag) }
        return text
    }

    static func isUID(_ text: String) -> Bool {
        guard text.utf8.count <= 64 else { return false }
        var (isEmpty, dots) = (true, 0)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): isEmpty = false
            case UInt8(ascii: ".") where !isEmpty: (isEmpty, dots) = (true, dots + 1)
            default: return false
            }
        }
        return !isEmpty && dots > 0
    }

    /// A number of US or UL.
    package func unsigned(_ tag: DICOMTag) -> UInt32? {
        guard let element = self.element(tag) else { return nil }
        let bytes = self.bytes.span
        // A writer that did not know the element gave it in little endian.
        let encoding = element.vr == .un ? DICOMEncoding.implicitLittle : element.inner
        switch element.value.count {
        case 2: return UInt32(encoding.uint16(bytes, element.value.lowerBound))
        case 4: return encoding.uint32(bytes, element.value.lowerBound)
        default: return nil
        }
    }

    /// An integer string; what is none, or does not fit, counts as absent: it only orders and counts.
    package func integer(_ tag: DICOMTag) -> Int32? {
        guard let element = self.element(tag), let text = Self.asciiText(self.bytes[element.value]) else { return nil }
        return Int32(text)
    }

    // MARK: Sequences

    /// The items of a sequence, in order.
    package func items(_ tag: DICOMTag) throws(DICOMFault) -> [DICOMDataSet] {
        guard let element = self.element(tag), !element.value.isEmpty else { return [] }
        let parser = DICOMItemParser(bytes: self.bytes)
        var items: [DICOMDataSet] = []
        for elements in try parser.items(in: element, depth: self.depth) {
            items.append(
                DICOMDataSet(
                    bytes: self.bytes,
                    elements: elements,
                    parent: self.characterSets,
                    decoders: self.decoders,
                    depth: self.depth + 1
                )
            )
        }
        return items
    }
}
