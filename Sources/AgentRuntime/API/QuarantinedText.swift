import Formats
import ImportPipeline
import Records

/// What is shown of a quarantined input.
enum QuarantinedText {
    /// For a screen that others may see: the piece at fault, with names and long numbers masked.
    static func excerpt(_ bytes: [UInt8]) -> String {
        guard let kept = KeptInput(encoded: bytes) else {
            return MaskedText.excerpt(String(decoding: bytes, as: UTF8.self))
        }
        let fault = kept.parts[kept.fault].bytes
        switch kept.kind {
        case .images: return self.images(kept)
        case .table:
            // Which columns name people is what the mapping would say: without one, nothing but the header is shown.
            let header = fault.prefix { $0 != 0x0a && $0 != 0x0d }
            return "(a table of \(fault.count) bytes, which begins)\n"
                + MaskedText.numbers(String(String(decoding: header, as: UTF8.self).prefix(MaskedText.charactersMax)))
        case .rows:
            guard let mapping = kept.mapping, let table = try? CSVTable(mapping, header: kept.header) else {
                return "(a row of \(fault.count) bytes)"
            }
            let others = kept.rows.count - 1
            return table.excerpt(of: fault) + (others > 0 ? "\n(and \(others) more rows of its order)" : "")
        }
    }

    /// Everything, as it came.
    static func full(_ bytes: [UInt8]) -> [UInt8] {
        guard let kept = KeptInput(encoded: bytes) else { return bytes }
        switch kept.kind {
        case .images: return Array(self.images(kept).utf8)
        case .table: return kept.parts[kept.fault].bytes
        case .rows:
            let lines = (kept.header.isEmpty ? [] : [kept.header]) + kept.rows
            return Array(lines.joined(separator: [0x0a]))
        }
    }

    private static func images(_ kept: KeptInput) -> String {
        let size = kept.parts.reduce(0) { $0 + $1.bytes.count }
        return "(headers of \(kept.parts.count) images, \(size) bytes)"
    }
}
