/// Cuts a message into the lines that are its segments.
///
/// The standard ends segments with CR alone (v2.5.1 section 2.5.2); files have CR LF and LF too. Where there is any CR,
/// a lone LF is text inside a field. Where it then seems to begin a segment, nobody can know, and the message is
/// refused: a result would vanish in the field before it.
enum HL7v2Lines {
    struct Line {
        /// Without its terminator.
        var text: Range<Int>
        /// With the terminator and the empty lines after it.
        var whole: Range<Int>
    }

    static func cut(_ bytes: [UInt8], _ wide: CharacterSet?) throws(HL7v2Fault) -> [Line] {
        guard let wide else { return try Self.cut(bytes, terminator: bytes.contains(0x0d) ? 0x0d : 0x0a) }
        let isLittle = wide == .utf16LittleEndian
        guard bytes.count.isMultiple(of: 2) else { throw HL7v2Fault(.badText, offset: bytes.count - 1) }
        var lines: [Line] = []
        var start = wide.markLength(of: bytes[...])
        var index = start
        func isBreak(_ index: Int) -> Bool {
            let (low, high) = isLittle ? (bytes[index], bytes[index + 1]) : (bytes[index + 1], bytes[index])
            return high == 0 && (low == 0x0d || low == 0x0a)
        }
        while index < bytes.count {
            while index < bytes.count, !isBreak(index) { index += 2 }
            let end = index
            while index < bytes.count, isBreak(index) { index += 2 }
            if end > start { try Self.append(Line(text: start..<end, whole: start..<index), to: &lines) }
            start = index
        }
        return lines
    }

    private static func cut(_ bytes: [UInt8], terminator: UInt8) throws(HL7v2Fault) -> [Line] {
        var lines: [Line] = []
        var (start, index) = (0, 0)
        while index < bytes.count {
            while index < bytes.count, bytes[index] != terminator {
                if bytes[index] == 0x0a, Self.isSegmentStart(bytes[(index + 1)...]) {
                    throw HL7v2Fault(.mixedTerminators, offset: index)
                }
                index += 1
            }
            let end = index
            while index < bytes.count, bytes[index] == 0x0d || bytes[index] == 0x0a { index += 1 }
            // What an editor leaves at a file's end.
            if !bytes[start..<end].allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x1a }) {
                try Self.append(Line(text: start..<end, whole: start..<index), to: &lines)
            } else if let last = lines.indices.last {
                lines[last].whole = lines[last].whole.lowerBound..<index
            }
            start = index
        }
        return lines
    }

    private static func append(_ line: Line, to lines: inout [Line]) throws(HL7v2Fault) {
        // Twice as many: ADD and DSC segments are lines too.
        guard lines.count < HL7v2Limits.segmentsMax * 2 else {
            throw HL7v2Fault(.tooManySegments, offset: line.text.lowerBound)
        }
        lines.append(line)
    }

    private static func isSegmentStart(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard HL7v2SegmentID(bytes) != nil, bytes.count > 3 else { return false }
        return HL7v2Delimiters.isAllowed(bytes[bytes.startIndex + 3])
    }
}
