/// What the header of a message says to whoever answers it, read without looking at the rest.
package struct HL7v2Head: Hashable, Sendable {
    let delimiters: HL7v2Delimiters
    /// Fields of MSH by number, as they were written; UTF-16 as UTF-8.
    let fields: [Int: [UInt8]]

    /// The fields of MSH that an answer repeats or that decide whether the message is taken.
    private static let numbers = [3, 4, 5, 6, 9, 10, 11, 12, 18]
    /// A header is some hundred bytes; what is longer is not repeated.
    private static let bytesMax = 1 << 16

    /// `nil` if the message begins with no header, or with one whose delimiters are none.
    package init?(of message: [UInt8]) {
        var header = message.prefix(Self.bytesMax)
        if let wide = HL7v2CharacterSet.utf16(message[...]) { header = Self.narrowed(header, wide) }
        header = header[..<(header.firstIndex { $0 == 0x0d || $0 == 0x0a } ?? header.endIndex)]
        guard header.starts(with: Array("MSH".utf8)), let delimiters = HL7v2Delimiters(header: header) else {
            return nil
        }
        self.delimiters = delimiters
        let isWide = Self.isDoubleByte(header, delimiters)
        var fields: [Int: [UInt8]] = [:]
        for number in Self.numbers {
            fields[number] = Array(HL7v2Message.rawField(header, delimiters, number, isWide: isWide))
        }
        self.fields = fields
    }

    /// Whether there is a control id (MSH-10) by which the message can be told from others of its sender.
    package var hasControlID: Bool { !(self.fields[10] ?? []).isEmpty }

    /// What names the message: sending application, facility and control id, each after its length.
    package var name: [UInt8] {
        [3, 4, 10].flatMap { number -> [UInt8] in
            let field = self.fields[number] ?? []
            return [UInt8(truncatingIfNeeded: field.count >> 8), UInt8(truncatingIfNeeded: field.count)] + field
        }
    }

    /// Why the message is not taken whatever it holds (section 2.9.2): its version, or that it is not of production.
    ///
    /// Fields that are empty are read as the usual: version 2, production.
    package var refusal: HL7v2Refusal? {
        let version = self.first(12)
        guard version.isEmpty || version.first == UInt8(ascii: "2") && (version.count == 1 || version[1] == 0x2e) else {
            return .unsupportedVersion
        }
        let processing = self.first(11)
        return processing.isEmpty || processing == [UInt8(ascii: "P")] ? nil : .unsupportedProcessing
    }

    private func first(_ number: Int) -> [UInt8] {
        Array(HL7v2Field((self.fields[number] ?? [])[...], self.delimiters).component(1))
    }

    private static func narrowed(_ header: ArraySlice<UInt8>, _ set: CharacterSet) -> ArraySlice<UInt8> {
        let even = header.prefix(header.count & ~1).dropFirst(set.markLength(of: header))
        guard let text = CharacterDecoder(set)?.string(even) else { return [] }
        return Array(text.utf8)[...]
    }

    private static func isDoubleByte(_ header: ArraySlice<UInt8>, _ delimiters: HL7v2Delimiters) -> Bool {
        let name = HL7v2Message.rawField(header, delimiters, 18, isWide: true)
        switch HL7v2CharacterSet.named(HL7v2Field(name, delimiters).firstRepetition.component(1)) {
        case .gb18030?, .big5?, .shiftJIS?: return true
        default: return false
        }
    }
}
