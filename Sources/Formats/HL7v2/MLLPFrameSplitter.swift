/// Cuts a byte stream into the frames of the Minimal Lower Layer Protocol (HL7 MLLP release 1): `0B`, a message,
/// `1C 0D`.
///
/// Bytes come in pieces of any size; memory is bounded by one frame. A start byte inside a frame means that the frame
/// before it was cut off: neither byte can occur in a message.
package struct MLLPFrameSplitter: Sendable {
    /// Before a message.
    package static let start: UInt8 = 0x0b
    /// After a message.
    package static let end: [UInt8] = [0x1c, 0x0d]

    /// What was found, in the stream's order.
    package enum Event: Hashable, Sendable {
        /// A message, and the index in the stream of its first byte.
        case frame([UInt8], offset: Int)
        /// Bytes outside of any frame; line breaks are passed over.
        case garbage(Range<Int>)
        /// A frame that has no end.
        case open(Range<Int>)
        /// A frame that is longer than allowed.
        case tooLarge(Range<Int>)
    }

    private enum State: Sendable {
        case outside
        /// Bytes that belong to no frame, since this index.
        case garbage(Int)
        /// A frame whose content begins at this index.
        case inside(Int)
        /// Like `inside`, after a `1C`.
        case ending(Int)
        /// A frame that was reported, up to its end.
        case discarding(isEnding: Bool)
    }

    private let frameBytesMax: Int
    private var state = State.outside
    private var content: [UInt8] = []
    /// Index in the stream of the next byte.
    private var position: Int

    package init(frameBytesMax: Int = HL7v2Limits.messageBytesMax, offset: Int = 0) {
        self.frameBytesMax = frameBytesMax
        self.position = offset
    }

    /// Whether all that came belongs to whole frames.
    package var isBetweenFrames: Bool {
        guard case .outside = self.state else { return false }
        return true
    }

    /// Bytes of the frame that has no end yet.
    package var bytesHeld: Int { self.content.count }

    /// Takes the next bytes of the stream.
    package mutating func append(_ bytes: some Sequence<UInt8>) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            self.take(byte, &events)
            self.position += 1
        }
        return events
    }

    /// Says that the stream has ended.
    package mutating func finish() -> [Event] {
        defer { self.state = .outside }
        switch self.state {
        case .outside, .discarding: return []
        case .garbage(let start): return [.garbage(start..<self.position)]
        case .inside(let start): return [.open(start..<self.position)]
        // Only the CR after the end is missing: the message is whole.
        case .ending(let start): return [.frame(self.content, offset: start)]
        }
    }

    private mutating func take(_ byte: UInt8, _ events: inout [Event]) {
        switch self.state {
        case .outside:
            if byte == 0x0b {
                self.open()
            } else if byte != 0x0d, byte != 0x0a {
                self.state = .garbage(self.position)
            }
        case .garbage(let start):
            guard byte == 0x0b else { return }
            events.append(.garbage(start..<self.position))
            self.open()
        case .inside(let start):
            switch byte {
            case 0x1c: self.state = .ending(start)
            case 0x0b:
                events.append(.open(start..<self.position))
                self.open()
            default: self.add(byte, start, &events)
            }
        case .ending(let start):
            switch byte {
            case 0x0d, 0x0b:
                events.append(.frame(self.content, offset: start))
                self.content = []
                if byte == 0x0b { self.open() } else { self.state = .outside }
            default:
                self.state = .inside(start)
                self.add(0x1c, start, &events)
                if case .inside = self.state { self.add(byte, start, &events) }
            }
        case .discarding(let isEnding):
            if byte == 0x0b {
                self.open()
            } else if isEnding, byte == 0x0d {
                self.state = .outside
            } else {
                self.state = .discarding(isEnding: byte == 0x1c)
            }
        }
    }

    private mutating func open() {
        self.content = []
        self.state = .inside(self.position + 1)
    }

    private mutating func add(_ byte: UInt8, _ start: Int, _ events: inout [Event]) {
        guard self.content.count < self.frameBytesMax else {
            events.append(.tooLarge(start..<self.position))
            self.content = []
            self.state = .discarding(isEnding: false)
            return
        }
        self.content.append(byte)
    }
}
