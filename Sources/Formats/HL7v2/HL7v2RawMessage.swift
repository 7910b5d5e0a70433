/// A message's bytes as they were cut out of an input, and where they stood in it.
package struct HL7v2RawMessage: Hashable, Sendable {
    /// From `MSH` on, without a byte order mark or MLLP's framing.
    package var bytes: [UInt8]
    /// Index in the input of the first byte.
    package var offset: Int
    /// Line of the input that the message begins on, from 1.
    package var line: Int
    /// Where in `bytes` each fragment of a continued message begins, and where that stood in the input.
    private var fragments: [Fragment] = []
    /// Index in the input after the last byte.
    private var end: Int

    private struct Fragment: Hashable, Sendable {
        var start: Int
        var offset: Int
    }

    package init(_ bytes: [UInt8], offset: Int = 0, line: Int = 1) {
        self.bytes = bytes
        self.offset = offset
        self.line = line
        self.end = offset + bytes.count
    }

    /// Index in the input of a byte of the message.
    package func inputOffset(of index: Int) -> Int {
        guard let fragment = self.fragments.last(where: { $0.start <= index }) else { return self.offset + index }
        return min(fragment.offset + index - fragment.start, self.end)
    }

    /// Where the message stands in the input; fragments may have other things between them.
    package var range: Range<Int> { self.offset..<self.end }
}

// MARK: - Continuation

extension HL7v2RawMessage {
    private struct Head {
        /// DSC-1 of the last segment, and where that segment begins.
        var pointer: (id: ArraySlice<UInt8>, start: Int)?
        /// MSH-14.
        var continues: ArraySlice<UInt8>
        /// Where the segment after MSH begins.
        var body: Int
    }

    /// What a message says about continuation; UTF-16 is not read here.
    private var head: Head? {
        guard let delimiters = HL7v2Delimiters(header: self.bytes.prefix(64)) else { return nil }
        let isBreak: (UInt8) -> Bool = { $0 == 0x0d || $0 == 0x0a }
        let end = self.bytes.firstIndex(where: isBreak) ?? self.bytes.endIndex
        let body = self.bytes[end...].firstIndex { !isBreak($0) } ?? self.bytes.endIndex
        let header = HL7v2Segment("MSH", range: 0..<end, text: self.bytes[..<end], delimiters: delimiters)
        var head = Head(continues: header.field(14).component(1), body: body)
        let last = self.bytes.lastIndex { !isBreak($0) && $0 != 0x20 } ?? 0
        let start = self.bytes[..<last].lastIndex(where: isBreak).map { $0 + 1 } ?? 0
        let line = self.bytes[start...last]
        if line.count > 4, line.starts(with: [0x44, 0x53, 0x43]), line[start + 3] == delimiters.field {
            let segment = HL7v2Segment("DSC", range: start..<(last + 1), text: line, delimiters: delimiters)
            let id = segment.field(1).bytes
            if !id.isEmpty { head.pointer = (id, start) }
        }
        return head
    }

    /// DSC-1, by which another message goes on; `nil` if this one is complete.
    var pointer: ArraySlice<UInt8>? { self.head?.pointer?.id }

    /// This message with the fragment that `other` is, if it is this message's next (section 2.10.2).
    func joined(_ other: HL7v2RawMessage) -> HL7v2RawMessage? {
        guard let pointer = self.head?.pointer, let head = other.head, head.continues.elementsEqual(pointer.id),
            pointer.start + other.bytes.count <= HL7v2Limits.messageBytesMax,
            self.fragments.count < HL7v2Limits.fragmentsMax
        else { return nil }
        var joined = self
        joined.fragments.append(Fragment(start: pointer.start, offset: other.offset + head.body))
        joined.bytes = Array(self.bytes[..<pointer.start]) + other.bytes[head.body...]
        joined.end = other.end
        return joined
    }
}
