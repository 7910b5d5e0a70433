/// Reads the DICOM JSON model (PS3.18 annex F): an object for each data set, alone or in an array.
enum DICOMJSON {
    /// Where each data set's object stands.
    static func objects(_ bytes: [UInt8]) -> Result<[Range<Int>], DICOMFault> {
        do throws(JSONError) {
            let root = try JSONReader.read(bytes).root
            switch root.kind {
            case .object: return .success([root.range])
            case .array where root.elements.allSatisfy({ $0.kind == .object }):
                return .success(root.elements.map(\.range))
            default: return .failure(DICOMFault(.jsonStructure, offset: root.offset))
            }
        } catch {
            return .failure(DICOMFault(.jsonSyntax, offset: error.offset))
        }
    }

    /// The data set of one object, in the bytes of explicit VR little endian and UTF-8.
    ///
    /// Only what the accessors of ``DICOMDataSet`` read is taken over: texts, names, sequences and 16- and 32-bit
    /// numbers. Faults count from the start of `bytes`.
    static func dataSet(_ bytes: [UInt8], _ decoders: DICOMDecoders) throws(DICOMFault) -> DICOMDataSet {
        let root: JSONValue
        do throws(JSONError) {
            root = try JSONReader.read(bytes).root
        } catch {
            throw DICOMFault(.jsonSyntax, offset: error.offset)
        }
        var encoder = DICOMJSONEncoder()
        try encoder.append(root, depth: 0)
        let encoded = encoder.bytes
        let elements = try DICOMItemParser(bytes: encoded)
            .elements(from: 0, end: encoded.count, .explicitLittle, 0).elements
        guard let text = DICOMCharacterSets(["ISO_IR 192"]) else { preconditionFailure("ISO_IR 192 is a defined term") }
        return DICOMDataSet(bytes: encoded, elements: elements, parent: text, decoders: decoders, depth: 0)
    }

    /// The object of one instance without what no exam takes from an image, and without spaces between its tokens.
    ///
    /// What is no object stays as it is.
    static func compact(_ bytes: [UInt8]) -> [UInt8] {
        guard let root = try? JSONReader.read(bytes).root, root.kind == .object else { return bytes }
        var compact = [UInt8(ascii: "{")]
        for (name, value) in root.members {
            guard let tag = DICOMJSONEncoder.tag(name), DICOMTag.used.contains(tag) else { continue }
            if compact.count > 1 { compact.append(UInt8(ascii: ",")) }
            compact.append(contentsOf: "\"\(name)\":".utf8)
            self.appendTokens(of: value.bytes, to: &compact)
        }
        compact.append(UInt8(ascii: "}"))
        return compact
    }

    private static func appendTokens(of value: some Sequence<UInt8>, to compact: inout [UInt8]) {
        var (isText, isEscaped) = (false, false)
        for byte in value {
            if isText {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isText = false
                }
            } else if byte == UInt8(ascii: "\"") {
                isText = true
            } else if byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d {
                continue
            }
            compact.append(byte)
        }
    }
}

/// Writes elements in explicit VR little endian.
private struct DICOMJSONEncoder {
    private static let vr = JSONKey("vr")
    private static let value = JSONKey("Value")
    private static let nameGroups = [JSONKey("Alphabetic"), JSONKey("Ideographic"), JSONKey("Phonetic")]

    private(set) var bytes: [UInt8] = []

    /// Appends the elements of one data set.
    mutating func append(_ object: JSONValue, depth: Int) throws(DICOMFault) {
        guard object.kind == .object else { throw DICOMFault(.jsonStructure, offset: object.offset) }
        guard depth < DICOMHeaderReader.depthMax else { throw DICOMFault(.tooDeep, offset: object.offset) }
        var members: [(tag: DICOMTag, value: JSONValue)] = []
        for (name, value) in object.members {
            guard let tag = Self.tag(name) else { throw DICOMFault(.jsonStructure, offset: value.offset) }
            // JSON is UTF-8, whatever the data set was before; pixel data and file meta information are not read.
            guard tag != .specificCharacterSet, tag.group > 0x0002, tag.group < DICOMTag.pixelDataGroup else {
                continue
            }
            members.append((tag, value))
        }
        members.sort { $0.tag < $1.tag }
        for (tag, value) in members { try self.append(tag, value, depth) }
    }

    private mutating func append(_ tag: DICOMTag, _ attribute: JSONValue, _ depth: Int) throws(DICOMFault) {
        guard attribute.kind == .object, let vr = attribute[Self.vr]?.string else {
            throw DICOMFault(.jsonStructure, offset: attribute.offset, tag)
        }
        guard let array = attribute[Self.value], array.kind != .null else { return }
        guard array.kind == .array else { throw DICOMFault(.jsonStructure, offset: array.offset, tag) }
        switch vr {
        case "SQ":
            let place = self.begin(tag, DICOMVR.sq)
            for item in array.elements where item.kind != .null {
                let start = self.beginItem()
                try self.append(item, depth: depth + 1)
                self.end(start)
            }
            self.end(place)
        case "US", "UL":
            guard array.count == 1 else { return }
            var elements = array.elements
            guard let element = elements.next() else { return }
            guard let number = UInt32(element.numberText ?? element.string ?? "") else {
                throw DICOMFault(.badNumber, offset: element.offset, tag)
            }
            let place = self.begin(tag, DICOMVR("UV"))
            self.append(number)
            self.end(place)
        case "AT", "FD", "FL", "OB", "OD", "OF", "OL", "OV", "OW", "SL", "SS", "SV", "UN", "UV": return
        default:
            let text = try self.text(of: array, vr, tag)
            let place = self.begin(tag, DICOMVR("UT"))
            self.bytes.append(contentsOf: text.utf8)
            self.end(place)
        }
    }

    private func text(of array: JSONValue, _ vr: String, _ tag: DICOMTag) throws(DICOMFault) -> String {
        let isFree = vr == "LT" || vr == "ST" || vr == "UT" || vr == "UR"
        var values: [String] = []
        for element in array.elements {
            var text = ""
            switch element.kind {
            case .null: break
            case .string: text = element.string ?? ""
            case .number where vr == "IS" || vr == "DS": text = element.numberText ?? ""
            case .object where vr == "PN":
                text = Self.nameGroups.map { element[$0]?.string ?? "" }.joined(separator: "=")
            default: throw DICOMFault(.jsonStructure, offset: element.offset, tag)
            }
            // A backslash would make two values of one.
            guard isFree || !text.utf8.contains(UInt8(ascii: "\\")) else {
                throw DICOMFault(.badString, offset: element.offset, tag)
            }
            values.append(text)
        }
        return values.joined(separator: "\\")
    }

    // MARK: Bytes

    private mutating func append(_ number: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            self.bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    private mutating func append(_ tag: DICOMTag) { self.append(tag.number >> 16 | tag.number << 16) }

    /// Begins an element whose length is told by ``end(_:)``; returns where the length stands.
    private mutating func begin(_ tag: DICOMTag, _ vr: DICOMVR) -> Int {
        self.append(tag)
        self.bytes.append(UInt8(vr.number >> 8))
        self.bytes.append(UInt8(vr.number & 0xff))
        self.bytes.append(contentsOf: [0, 0])
        self.append(UInt32(0))
        return self.bytes.count - 4
    }

    private mutating func beginItem() -> Int {
        self.append(DICOMTag.item)
        self.append(UInt32(0))
        return self.bytes.count - 4
    }

    private mutating func end(_ place: Int) {
        let length = UInt32(self.bytes.count - place - 4)
        for index in 0..<4 { self.bytes[place + index] = UInt8(truncatingIfNeeded: length >> UInt32(index * 8)) }
    }

    /// Eight hexadecimal digits.
    static func tag(_ name: String) -> DICOMTag? {
        guard name.utf8.count == 8, name.utf8.allSatisfy({ JSONReader.hexadecimalValue(of: $0) != nil }) else {
            return nil
        }
        return UInt32(name, radix: 16).map { DICOMTag($0) }
    }
}

extension JSONValue {
    /// The digits of a number as they are written.
    fileprivate var numberText: String? {
        self.kind == .number && self.range.count <= 64 ? String(decoding: self.bytes, as: UTF8.self) : nil
    }
}
