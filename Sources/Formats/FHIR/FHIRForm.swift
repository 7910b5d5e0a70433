/// How FHIR JSON is laid out in a file.
package enum FHIRForm: Hashable, Sendable {
    /// One JSON value over several lines.
    case document
    /// A JSON value on each line; a file of one line is read the same way.
    case lines

    /// Decides by how a file starts, so that a broken first line does not make a file of lines a broken document.
    ///
    /// In a document no line but the first starts with a brace, unless the line before it ends inside an array or
    /// before a value.
    package init(startOf bytes: ArraySlice<UInt8>) {
        let lines = bytes.split(maxSplits: 64, omittingEmptySubsequences: true) { $0 == 0x0a }
            .filter { !$0.allSatisfy(Self.isSpace) }
        guard let first = lines.first, lines.count > 1 else {
            self = .lines
            return
        }
        if (try? JSONReader.read(Array(first))) != nil {
            self = .lines
            return
        }
        let end = first.last { !Self.isSpace($0) } ?? 0
        let isOpen = [UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","), UInt8(ascii: ":")].contains(end)
        let starts = first.contains(UInt8(ascii: "{")) && lines[1].first == UInt8(ascii: "{")
        self = starts && !isOpen ? .lines : .document
    }

    /// Where each line with something on it stands, without its line end.
    package static func lines(of bytes: [UInt8]) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0a) ?? bytes.count
            if !bytes[start..<end].allSatisfy(Self.isSpace) { lines.append(start..<end) }
            start = end + 1
        }
        return lines
    }

    /// Says whether a JSON text is a Bundle, which is read by itself.
    package static func isBundle(_ root: JSONValue) -> Bool { root[FHIRKey.resourceType]?.string == "Bundle" }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0d || byte == 0x09 }
}
