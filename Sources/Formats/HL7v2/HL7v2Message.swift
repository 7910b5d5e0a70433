/// One message, taken apart into segments whose text is UTF-8.
struct HL7v2Message {
    /// In the source's own encoding, from `MSH` on.
    let bytes: [UInt8]
    /// From `MSH` on; those that continue another (ADD) are part of it, and DSC is left out.
    private(set) var segments: [HL7v2Segment] = []
    let text: HL7v2Text
    /// The character set, where the message does not name it and it is not ASCII.
    let detected: CharacterSet?
    /// DSC-1, by which the rest of the message follows in another one.
    private(set) var continuationPointer: String?
    /// The last segment's text with the ADD segments after it.
    private var joining: [UInt8]?

    /// Takes a message apart; `known` is the set that was detected in the whole message of which `bytes` are a part.
    init(_ bytes: [UInt8], known: CharacterSet? = nil, decoders: HL7v2Decoders) throws(HL7v2Fault) {
        guard bytes.count <= HL7v2Limits.messageBytesMax else { throw HL7v2Fault(.tooLarge, offset: 0) }
        self.bytes = bytes
        let wide = HL7v2CharacterSet.utf16(bytes[...])
        let lines = try HL7v2Lines.cut(bytes, wide)
        guard let first = lines.first else { throw HL7v2Fault(.noHeader, offset: 0) }
        var header = bytes[first.text]
        if let wide {
            guard let text = decoders.string(header, wide) else {
                throw HL7v2Fault(.badText, offset: 0, element: "MSH")
            }
            header = Array(text.utf8)[...]
        }
        guard header.starts(with: [0x4d, 0x53, 0x48]) else { throw HL7v2Fault(.noHeader, offset: 0) }
        guard let delimiters = HL7v2Delimiters(header: header) else {
            throw HL7v2Fault(.badDelimiters, offset: 0, element: "MSH-2")
        }
        let country = Self.rawField(header, delimiters, 17, isWide: false)
        let declared = wide == nil ? try Self.declared(header, delimiters) : nil
        var detected: CharacterSet?
        if wide == nil, declared == nil {
            guard let found = known ?? HL7v2CharacterSet.detected(in: bytes[...], country: country, decoders) else {
                throw HL7v2Fault(.unknownCharacterSet, offset: 0, element: "MSH-18")
            }
            detected = found == .ascii ? nil : found
        }
        let set = wide ?? declared ?? detected ?? .ascii
        self.detected = detected
        self.text = HL7v2Text(delimiters: delimiters, characterSet: set, decoders: decoders)
        self.segments.reserveCapacity(lines.count)
        for line in lines { try self.add(line) }
        self.completeSegment()
    }

    private mutating func completeSegment() {
        guard let text = self.joining else { return }
        self.segments[self.segments.count - 1].complete(text)
        self.joining = nil
    }

    var header: HL7v2Segment { self.segments[0] }

    /// MSH-9.1, such as `ORU`.
    var code: String? { self.text.string(self.header.field(9).component(1)) }

    /// MSH-9.2, such as `R01`; versions before 2.2 often leave it out.
    var trigger: String? { self.text.string(self.header.field(9).component(2)) }

    private mutating func add(_ line: HL7v2Lines.Line) throws(HL7v2Fault) {
        let fault = HL7v2Fault(.badSegment, offset: line.text.lowerBound)
        let text = try self.utf8(self.bytes[line.text], offset: line.text.lowerBound)
        let separator = self.text.delimiters.field
        guard let id = HL7v2SegmentID(text),
            text.count == 3 || text[text.startIndex + 3] == separator
        else { throw fault }
        if id == "ADD" {
            // The rest of a segment that is in another message.
            guard self.segments.count > 1 else {
                throw HL7v2Fault(.continuationMissing, offset: line.text.lowerBound, element: "ADD")
            }
            // The field goes on in its middle (section 2.10.2).
            let last = self.segments.count - 1
            if self.joining == nil { self.joining = Array(self.segments[last].text) }
            self.joining?.append(contentsOf: text.dropFirst(4))
            self.segments[last].range = self.segments[last].range.lowerBound..<line.whole.upperBound
            return
        }
        self.completeSegment()
        let segment = HL7v2Segment(id, range: line.whole, text: text, delimiters: self.text.delimiters)
        if id == "DSC" {
            self.continuationPointer = self.text.string(segment.field(1).bytes)
            return
        }
        guard id != "MSH" || self.segments.isEmpty else { throw fault }
        guard self.segments.count < HL7v2Limits.segmentsMax else {
            throw HL7v2Fault(.tooManySegments, offset: line.text.lowerBound)
        }
        self.segments.append(segment)
    }

    /// A segment's bytes as UTF-8; no copy where they are that already.
    private func utf8(_ raw: ArraySlice<UInt8>, offset: Int) throws(HL7v2Fault) -> ArraySlice<UInt8> {
        let (set, escape) = (self.text.characterSet, self.text.delimiters.escape)
        let fault = HL7v2Fault(.badText, offset: offset)
        if set == .utf16LittleEndian || set == .utf16BigEndian {
            guard let text = self.text.decoders.string(raw, set) else { throw fault }
            let bytes = Array(text.utf8)[...]
            guard !bytes.contains(where: Self.isControl) else { throw fault }
            return bytes
        }
        var (isPlain, hasEscape) = (true, false)
        for byte in raw {
            if byte >= 0x80 || byte == 0x1b { isPlain = false } else if Self.isControl(byte) { throw fault }
            if byte == escape { hasEscape = true }
        }
        if hasEscape || !isPlain, CodeExtension.isUsed(in: raw, escape) {
            var reader = CodeExtension(set, self.text.delimiters, self.text.decoders)
            guard let text = reader.utf8(raw) else { throw fault }
            return text[...]
        }
        if isPlain { return raw }
        guard let text = self.text.decoders.string(raw, set) else { throw fault }
        return set == .utf8 ? raw : Array(text.utf8)[...]
    }

    /// Tabs, line feeds inside a field and form feeds are text; ESC begins a change of character set.
    private static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 && byte != 0x09 && byte != 0x0a && byte != 0x0c && byte != 0x1b || byte == 0x7f
    }

    // MARK: The character set

    /// The set that MSH-18 names first; `nil` if it names none.
    private static func declared(
        _ header: ArraySlice<UInt8>,
        _ delimiters: HL7v2Delimiters
    ) throws(HL7v2Fault) -> CharacterSet? {
        let fault = HL7v2Fault(.unknownCharacterSet, offset: 0, element: "MSH-18")
        // In GB 18030, Big5 and Shift JIS the second byte of a character may look like a separator.
        let wide = self.named(self.rawField(header, delimiters, 18, isWide: true), delimiters)
        if case .known(let set) = wide, set == .gb18030 || set == .big5 || set == .shiftJIS { return set }
        switch self.named(self.rawField(header, delimiters, 18, isWide: false), delimiters) {
        case .known(let set):
            guard set != .utf16LittleEndian else {
                // UTF-16 would have shown in the first bytes.
                guard header.allSatisfy({ $0 < 0x80 }) else { throw fault }
                return .ascii
            }
            return set
        case .none: return nil
        case .unknown: throw fault
        }
    }

    private enum Declaration {
        case none, unknown
        case known(CharacterSet)
    }

    private static func named(_ field: ArraySlice<UInt8>, _ delimiters: HL7v2Delimiters) -> Declaration {
        let name = HL7v2Field(field, delimiters).firstRepetition.component(1)
        guard name.contains(where: { $0 != 0x20 && $0 != 0x22 }) else { return .none }
        // A name that HL7 gave up: any form of Unicode.
        if name.elementsEqual(Array("UNICODE".utf8)) { return .known(.utf8) }
        return HL7v2CharacterSet.named(name).map { .known($0) } ?? .unknown
    }

    /// A field of MSH before it is known in which set it is written; `isWide` if a byte above 80 takes the next with it.
    static func rawField(
        _ header: ArraySlice<UInt8>,
        _ delimiters: HL7v2Delimiters,
        _ number: Int,
        isWide: Bool
    ) -> ArraySlice<UInt8> {
        var (field, start, index) = (1, header.startIndex, header.startIndex)
        while index < header.endIndex {
            if header[index] == delimiters.field {
                if field == number { return header[start..<index] }
                (field, start) = (field + 1, index + 1)
            } else if isWide, header[index] > 0x80 {
                index += 1
            }
            index += 1
        }
        return field == number && start <= header.endIndex ? header[start...] : []
    }
}
