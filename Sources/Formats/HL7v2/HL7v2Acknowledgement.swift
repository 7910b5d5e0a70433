/// Answers messages that come over a connection (original mode, section 2.9.2).
package enum HL7v2Acknowledgement {
    /// MSA-1 (HL7 table 0008).
    package enum Code: String, Hashable, Sendable {
        case accept = "AA"
        /// Something in the message is wrong: sending it again as it is changes nothing.
        case error = "AE"
        /// The message was not looked at for now, or is of a type that is not taken.
        case reject = "AR"
    }

    /// What the answer says beside what it repeats of the message.
    package struct Answer: Hashable, Sendable {
        package var code: Code
        /// Why; its text names elements and no content.
        package var refusal: FormatRefusal?
        /// MSH-10 of the answer; letters and digits.
        package var controlID: String
        /// MSH-7 of the answer, as HL7 writes times.
        package var time: String

        package init(code: Code, refusal: FormatRefusal? = nil, controlID: String, time: String) {
            self.code = code
            self.refusal = refusal
            self.controlID = controlID
            self.time = time
        }
    }

    /// The answer to `message`, without MLLP's frame: with its delimiters and character set, receiver and sender
    /// exchanged, and its control id as it was written.
    ///
    /// A message whose header cannot be read is answered with the usual delimiters and without a control id.
    package static func reply(to message: [UInt8], _ answer: Answer) -> [UInt8] {
        let wide = HL7v2CharacterSet.utf16(message[...])
        let head = HL7v2Head(of: message)
        let delimiters = head?.delimiters ?? .standard
        let echo = head?.fields ?? [:]
        let text = Self.segments(answer, echo, delimiters)
        guard let wide else { return text }
        return String(decoding: text, as: UTF8.self).utf16.flatMap { unit in
            let bytes = [UInt8(truncatingIfNeeded: unit >> 8), UInt8(truncatingIfNeeded: unit)]
            return wide == .utf16BigEndian ? bytes : bytes.reversed()
        }
    }

    private static func segments(_ answer: Answer, _ echo: [Int: [UInt8]], _ delimiters: HL7v2Delimiters) -> [UInt8] {
        let version = Self.version(echo[12] ?? [])
        let type = HL7v2Field((echo[9] ?? [])[...], delimiters)
        var ack = Array("ACK".utf8)
        if version >= [2, 2], !type.component(2).isEmpty { ack += [delimiters.component] + type.component(2) }
        if version >= [2, 3, 1], !type.component(2).isEmpty { ack += [delimiters.component] + Array("ACK".utf8) }
        var header: [[UInt8]] = Array(repeating: [], count: 19)
        header[2] = delimiters.encodingCharacters
        (header[3], header[4]) = (echo[5] ?? [], echo[6] ?? [])
        (header[5], header[6]) = (echo[3] ?? [], echo[4] ?? [])
        (header[7], header[9]) = (Array(answer.time.utf8), ack)
        header[10] = Array(answer.controlID.utf8)
        header[11] = echo[11].flatMap { $0.isEmpty ? nil : $0 } ?? Array("P".utf8)
        header[12] = echo[12].flatMap { $0.isEmpty ? nil : $0 } ?? Array("2.5.1".utf8)
        header[18] = echo[18] ?? []
        var lines = [Self.line("MSH", Array(header.dropFirst(2)), delimiters)]
        var status = [Array(answer.code.rawValue.utf8), echo[10] ?? []]
        let message = answer.refusal.map { Self.escaped($0.message, delimiters) }
        // MSA-3 was given up for ERR-8.
        if version < [2, 5], let message { status.append(message) }
        lines.append(Self.line("MSA", status, delimiters))
        if let refusal = answer.refusal, let message {
            lines.append(Self.line("ERR", Self.error(refusal, message, version, delimiters), delimiters))
        }
        return Array(lines.joined())
    }

    /// ERR: until 2.4 a location and a code in one field, since 2.5 a field each.
    private static func error(
        _ refusal: FormatRefusal,
        _ message: [UInt8],
        _ version: [Int],
        _ delimiters: HL7v2Delimiters
    ) -> [[UInt8]] {
        let (code, name) = Self.condition(refusal.code)
        let separator = version < [2, 5] ? delimiters.subcomponent : delimiters.component
        let condition = Array(
            [Array(code.utf8), Array(name.utf8), Array("HL70357".utf8)].joined(separator: [separator])
        )
        if version < [2, 5] {
            return [Array(repeating: delimiters.component, count: 3) + condition]
        }
        return [[], [], condition, Array("E".utf8), Self.escaped(refusal.code, delimiters), [], [], message]
    }

    /// HL7 table 0357.
    private static func condition(_ code: String) -> (String, String) {
        switch HL7v2Refusal(rawValue: code) {
        case .noHeader, .badSegment, .orderMissing, .continuationMissing: ("100", "Segment sequence error")
        case .codeMissing, .messageTypeMissing: ("101", "Required field missing")
        case .badDelimiters, .mixedTerminators, .badText, .badTime, .badAttachment, .patientConflict:
            ("102", "Data type error")
        case .unknownCharacterSet: ("103", "Table value not found")
        case .unsupportedType: ("200", "Unsupported message type")
        case .unsupportedProcessing: ("202", "Unsupported processing id")
        case .unsupportedVersion: ("203", "Unsupported version id")
        case .controlIDReused: ("205", "Duplicate key identifier")
        default: code.hasPrefix("subject.") ? ("101", "Required field missing") : ("207", "Application internal error")
        }
    }

    /// The numbers of a version such as `2.3.1`; 2.5.1 where there is none.
    private static func version(_ bytes: [UInt8]) -> [Int] {
        let text = bytes.prefix { JSONReader.isDigit($0) || $0 == UInt8(ascii: ".") }.prefix(16)
        let numbers = text.split(separator: UInt8(ascii: ".")).map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
        return numbers.isEmpty ? [2, 5, 1] : numbers
    }

    private static func line(_ id: String, _ fields: [[UInt8]], _ delimiters: HL7v2Delimiters) -> [UInt8] {
        let last = fields.lastIndex { !$0.isEmpty } ?? 0
        return Array(id.utf8) + [delimiters.field]
            + Array(fields.prefix(last + 1).joined(separator: [delimiters.field])) + [0x0d]
    }

    /// One of our own sentences in a field of a message that may use any of its characters as separators.
    private static func escaped(_ text: String, _ delimiters: HL7v2Delimiters) -> [UInt8] {
        text.utf8.flatMap { byte -> [UInt8] in
            let name: Character
            switch byte {
            case delimiters.field: name = "F"
            case delimiters.component: name = "S"
            case delimiters.subcomponent: name = "T"
            case delimiters.repetition: name = "R"
            case delimiters.escape: name = "E"
            default: return [byte]
            }
            return [delimiters.escape] + Array(String(name).utf8) + [delimiters.escape]
        }
    }
}

extension [Int] {
    /// The order of versions.
    fileprivate static func < (left: [Int], right: [Int]) -> Bool { left.lexicographicallyPrecedes(right) }
    fileprivate static func >= (left: [Int], right: [Int]) -> Bool { !(left < right) }
}
