import Formats
import Foundation

/// Tells by a file's first bytes how it is to be read.
enum ContentSniffer {
    enum Content: Equatable {
        case empty
        case fhir(FHIRForm)
        case unknown
    }

    static let prefixBytes = 64 << 10

    static func content(of prefix: [UInt8]) -> Content {
        let text = prefix.starts(with: [0xef, 0xbb, 0xbf]) ? prefix.dropFirst(3) : prefix[...]
        guard let first = text.first(where: { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }) else { return .empty }
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["): return .fhir(FHIRForm(startOf: prefix[...]))
        default: return .unknown
        }
    }

    /// Whether a name promises FHIR JSON, so that a file which does not hold it is damaged and not just something else.
    static func promisesFHIR(_ path: String) -> Bool {
        ["json", "ndjson", "jsonl", "fhir"].contains((path as NSString).pathExtension.lowercased())
    }
}
