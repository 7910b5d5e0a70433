package import Formats
import Primitives
package import Records

/// What the quarantine keeps of a rejected input so that it can be tried again without its file.
///
/// A message, a document or a resource stands by itself and is kept as it came. Of a row everything is kept that its exam
/// is made of: the header, the mapping, and all rows of its order. Of images their headers without pixel data.
package struct KeptInput: Hashable, Sendable {
    /// What is kept of one input; more is said to be imported again from its file.
    package static let bytesMax = 4 << 20
    /// No input that stands by itself begins like this.
    private static let mark = Array("\0entente/kept/1\n".utf8)

    /// What the parts are.
    package enum Kind: UInt8, Hashable, Sendable {
        /// Header, mapping and rows; the rows are those of one order.
        case rows = 1
        /// The whole of a table's file, and the mapping with which it was refused, if there was one.
        case table = 2
        /// Headers of one study's images.
        case images = 3
    }

    package var kind: Kind
    /// With the types that a record's parts have.
    package var parts: [RecordContent.Part]
    /// Index among the parts of what is at fault.
    package var fault: Int

    /// - Returns: `nil` if there is more than is kept.
    package init?(kind: Kind, parts: [RecordContent.Part], fault: Int) {
        let size = parts.reduce(0) { $0 + $1.bytes.count + $1.type.utf8.count + 16 }
        guard size <= Self.bytesMax, parts.count <= RecordContent.partsMax, parts.indices.contains(fault) else {
            return nil
        }
        self.kind = kind
        self.parts = parts
        self.fault = fault
    }

    /// The bytes that are sealed into the quarantine.
    package var encoded: [UInt8] {
        var encoder = CanonicalEncoder()
        encoder.encode(self.kind.rawValue)
        encoder.encode(self.parts)
        encoder.encode(UInt32(self.fault))
        return Self.mark + encoder.bytes
    }

    /// Reads what was sealed; `nil` of an input that stands by itself.
    package init?(encoded bytes: [UInt8]) {
        guard bytes.starts(with: Self.mark) else { return nil }
        var decoder = CanonicalDecoder(Array(bytes.dropFirst(Self.mark.count)))
        guard let number = try? decoder.decode(UInt8.self), let kind = Kind(rawValue: number),
            let parts = try? decoder.decodeArray(of: RecordContent.Part.self, max: RecordContent.partsMax),
            let fault = try? decoder.decode(UInt32.self), (try? decoder.finish()) != nil
        else { return nil }
        self.init(kind: kind, parts: parts, fault: Int(fault))
    }

    // MARK: Tables

    /// The mapping with which the input was refused.
    package var mapping: CSVMapping? {
        guard let part = self.parts.first(where: { $0.type == "mapping" }),
            case .success(let mapping) = CSVMapping.read(canonical: part.bytes)
        else { return nil }
        return mapping
    }

    package var header: [UInt8] { self.parts.first { $0.type == "header" }?.bytes ?? [] }
    package var rows: [[UInt8]] { self.parts.filter { $0.type == "row" }.map(\.bytes) }
}
