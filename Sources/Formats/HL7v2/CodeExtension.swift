/// Reads text that changes its character set in the middle: by the escape sequences of ISO/IEC 2022, raw as MSH-20
/// allows, or written as `\C….\` and `\M….\` (HL7 v2.5.1 section 2.7.2).
///
/// A change lasts until the next one, or until the end of the field.
struct CodeExtension {
    private enum GraphicSet {
        /// As the message's own set.
        case own
        case jisX0208, jisX0212, katakana
    }

    private let own: CharacterSet
    private let delimiters: HL7v2Delimiters
    private let decoders: HL7v2Decoders
    private var left = GraphicSet.own
    private var right: CharacterSet?
    private var run: [UInt8] = []
    private var runSet: CharacterSet
    private var output: [UInt8] = []

    init(_ own: CharacterSet, _ delimiters: HL7v2Delimiters, _ decoders: HL7v2Decoders) {
        self.own = own
        self.runSet = own
        self.delimiters = delimiters
        self.decoders = decoders
    }

    /// Whether `bytes` hold a change of character set.
    static func isUsed(in bytes: ArraySlice<UInt8>, _ escape: UInt8) -> Bool {
        bytes.indices.contains { index in
            bytes[index] == 0x1b
                || bytes[index] == escape && Self.written(bytes[index...], escape) != nil
        }
    }

    /// The text as UTF-8; `nil` if a sequence is unknown or a byte is not of its set.
    mutating func utf8(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var rest = bytes
        while let byte = rest.first {
            if byte == 0x1b {
                guard let length = self.change(rest.dropFirst().prefix(3)) else { return nil }
                rest = rest.dropFirst(1 + length)
            } else if byte == self.delimiters.escape, let (sequence, length) = Self.written(rest, byte) {
                guard self.change(sequence[...]) != nil else { return nil }
                rest = rest.dropFirst(length)
            } else if self.left != .own, self.left != .katakana, (0x21...0x7e).contains(byte) {
                guard let trail = rest.dropFirst().first, (0x21...0x7e).contains(trail) else { return nil }
                let pair = [byte | 0x80, trail | 0x80]
                self.add(self.left == .jisX0212 ? [0x8f] + pair : pair, .japaneseEUC)
                rest = rest.dropFirst(2)
            } else {
                if byte == self.delimiters.field { (self.left, self.right) = (.own, nil) }
                if self.left == .katakana, (0x21...0x5f).contains(byte) {
                    self.add([0x8e, byte | 0x80], .japaneseEUC)
                } else {
                    self.add(CollectionOfOne(byte), self.right ?? self.own)
                }
                rest = rest.dropFirst()
            }
            guard self.isWhole else { return nil }
        }
        self.flush()
        return self.isWhole ? self.output : nil
    }

    private var isWhole = true

    private mutating func add(_ bytes: some Collection<UInt8>, _ set: CharacterSet) {
        if set != self.runSet { self.flush() }
        self.runSet = set
        self.run += bytes
    }

    private mutating func flush() {
        guard !self.run.isEmpty else { return }
        if let text = self.decoders.string(self.run[...], self.runSet) {
            self.output += text.utf8
        } else {
            self.isWhole = false
        }
        self.run.removeAll(keepingCapacity: true)
    }

    /// Follows the sequence after ESC that `bytes` start with; returns its length, or `nil` if it is unknown.
    private mutating func change(_ bytes: ArraySlice<UInt8>) -> Int? {
        let text = String(decoding: bytes, as: UTF8.self)
        for (sequence, set) in Self.leftSets where text.hasPrefix(sequence) {
            self.left = set
            return sequence.utf8.count
        }
        for (sequence, set) in Self.rightSets where text.hasPrefix(sequence) {
            self.right = set
            return sequence.utf8.count
        }
        return nil
    }

    private static let leftSets: [(String, GraphicSet)] = [
        ("(B", .own), ("(J", .own), ("(I", .katakana), ("$B", .jisX0208), ("$@", .jisX0208), ("$(D", .jisX0212),
    ]

    private static let rightSets: [(String, CharacterSet)] = [
        ("$)C", .koreanEUC), ("$)A", .gb2312), (")I", .shiftJIS), ("-A", .latin1), ("-B", .latin2), ("-C", .latin3),
        ("-D", .latin4), ("-L", .cyrillic), ("-G", .arabic), ("-F", .greek), ("-H", .hebrew), ("-M", .latin5),
        ("-T", .thai), ("-b", .latin9),
    ]

    /// The sequence that `\Cxxyy\` or `\Mxxyyzz\` at the start of `bytes` stands for, and the length of the escape.
    private static func written(_ bytes: ArraySlice<UInt8>, _ escape: UInt8) -> (sequence: [UInt8], length: Int)? {
        let head = bytes.dropFirst()
        guard let kind = head.first, kind == UInt8(ascii: "C") || kind == UInt8(ascii: "M") else { return nil }
        let digits = head.dropFirst().prefix(7)
        guard let end = digits.firstIndex(of: escape),
            let sequence = HL7v2Text.hexadecimal(digits[..<end]), sequence.count == 2 || sequence.count == 3
        else { return nil }
        return (sequence, end + 1 - bytes.startIndex)
    }
}
