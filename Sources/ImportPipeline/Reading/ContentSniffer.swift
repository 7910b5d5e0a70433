import Formats
import Foundation
import Records

/// Tells by a file's first bytes how it is to be read.
struct ContentSniffer {
    enum Content: Equatable {
        case empty
        case fhir(FHIRForm)
        case hl7v2
        case cda
        case table
        case dicom
        case dicomJSON
        case archive(ArchiveKind)
        case unknown
    }

    static let prefixBytes = 64 << 10
    /// Names that promise one of our formats, so that a file which does not hold it is damaged and not just something
    /// else that lies in the folder.
    private static let promising: Set<String> = [
        "json", "ndjson", "jsonl", "fhir", "hl7", "dcm", "csv", "tsv", "zip", "gz",
    ]

    let options: ImportOptions

    /// `name`: the file's name, which counts where content cannot tell: a table is any text with commas.
    func content(of prefix: [UInt8], name: String) -> Content {
        let text = prefix.starts(with: [0xef, 0xbb, 0xbf]) ? prefix.dropFirst(3) : prefix[...]
        guard let first = text.first(where: { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }) else { return .empty }
        if let kind = ArchiveKind(startOf: prefix) { return .archive(kind) }
        let isBrace = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        switch self.options.format {
        case .fhirR4JSON?: return .fhir(isBrace ? FHIRForm(startOf: prefix[...]) : .document)
        case .hl7v2?: return .hl7v2
        case .cda?: return .cda
        case .csv?: return .table
        case .dicom?: return isBrace ? .dicomJSON : .dicom
        case nil: break
        }
        if prefix.count >= 132, prefix[128..<132] == [0x44, 0x49, 0x43, 0x4d] { return .dicom }
        if Self.isHL7v2(prefix) { return .hl7v2 }
        if isBrace {
            if Self.isDICOMJSON(text) { return .dicomJSON }
            if case .jsonLines? = self.options.mapping?.layout { return .table }
            return .fhir(FHIRForm(startOf: prefix[...]))
        }
        if CDAInput.isDocument(startingWith: prefix[...]) { return .cda }
        if ["csv", "tsv"].contains(Self.kind(name)) { return .table }
        return DICOMForm(startOf: prefix) == .file ? .dicom : .unknown
    }

    static func promisesExams(_ path: String) -> Bool {
        self.promising.contains(self.kind(path))
    }

    /// The extension that says what a file is: of `labs.csv.gz` it is csv.
    private static func kind(_ path: String) -> String {
        let name = path.lowercased() as NSString
        let outer = name.pathExtension
        let inner = (name.deletingPathExtension as NSString).pathExtension
        return outer == "gz" && !inner.isEmpty ? inner : outer
    }

    /// Whether the first word is a segment that begins a message, a batch or a file, in any set that is read here: MLLP's
    /// start byte, a byte order mark and the zeros of UTF-16 may stand before or between its letters.
    private static func isHL7v2(_ prefix: [UInt8]) -> Bool {
        let marks: Set<UInt8> = [0x00, 0x0b, 0x20, 0x0a, 0x0d, 0xef, 0xbb, 0xbf, 0xfe, 0xff]
        let word = prefix.prefix(64).drop { marks.contains($0) }.filter { $0 != 0 }.prefix(3)
        return ["MSH", "FHS", "BHS"].contains { word.elementsEqual($0.utf8) }
    }

    /// Whether the first name in a JSON text is a DICOM tag: eight hexadecimal digits (PS3.18 F.2).
    private static func isDICOMJSON(_ text: ArraySlice<UInt8>) -> Bool {
        guard let quote = text.firstIndex(of: UInt8(ascii: "\"")) else { return false }
        let name = text[(quote + 1)...].prefix { $0 != UInt8(ascii: "\"") }.prefix(9)
        return name.count == 8
            && name.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
    }
}
