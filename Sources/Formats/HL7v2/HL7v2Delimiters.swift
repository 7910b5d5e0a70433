/// The separators that a message declares in MSH-1 and MSH-2 (HL7 v2.5.1 section 2.5.4).
struct HL7v2Delimiters: Hashable, Sendable {
    var field: UInt8
    var component: UInt8
    var repetition: UInt8
    var escape: UInt8
    var subcomponent: UInt8
    /// Since version 2.7, and sent by earlier versions too.
    var truncation: UInt8?

    static let standard = HL7v2Delimiters(
        field: UInt8(ascii: "|"),
        component: UInt8(ascii: "^"),
        repetition: UInt8(ascii: "~"),
        escape: UInt8(ascii: "\\"),
        subcomponent: UInt8(ascii: "&")
    )

    init(field: UInt8, component: UInt8, repetition: UInt8, escape: UInt8, subcomponent: UInt8) {
        self.field = field
        self.component = component
        self.repetition = repetition
        self.escape = escape
        self.subcomponent = subcomponent
    }

    /// Reads the delimiters of a header segment, which starts with `MSH`, `BHS` or `FHS`.
    ///
    /// - Returns: `nil` unless there are five or six different ones, none of them a letter, digit, space or quotation
    ///   mark: with any of these a value could not be told from the message's structure.
    init?(header: ArraySlice<UInt8>) {
        guard header.count >= 8 else { return nil }
        let field = header[header.startIndex + 3]
        let rest = header.dropFirst(4)
        let encoding = rest[..<(rest.prefix(7).firstIndex { $0 == field || $0 == 0x0d || $0 == 0x0a } ?? rest.endIndex)]
        guard encoding.count == 4 || encoding.count == 5 else { return nil }
        let all = [field] + encoding
        guard all.allSatisfy(Self.isAllowed), Set(all).count == all.count else { return nil }
        self.init(field: field, component: all[1], repetition: all[2], escape: all[3], subcomponent: all[4])
        self.truncation = all.count == 6 ? all[5] : nil
    }

    /// MSH-2, in the order of the standard.
    var encodingCharacters: [UInt8] {
        [self.component, self.repetition, self.escape, self.subcomponent] + (self.truncation.map { [$0] } ?? [])
    }

    static func isAllowed(_ byte: UInt8) -> Bool {
        (0x21...0x7e).contains(byte) && byte != UInt8(ascii: "\"") && !HL7v2SegmentID.isCapitalOrDigit(byte)
            && !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}
