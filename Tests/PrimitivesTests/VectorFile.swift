import Foundation
import Primitives
import TestSupport

/// Reads the vector files of this repository.
enum VectorFile {
    static func json<Value: Decodable>(_ path: String) throws -> [Value] {
        try JSONDecoder().decode([Value].self, from: TestData.vector(path))
    }

    /// The lines that are neither empty nor comments.
    static func lines(_ path: String) throws -> [String] {
        let text = try String(decoding: TestData.vector(path), as: UTF8.self)
        return text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }
}

/// Bytes written in hexadecimal.
struct HexBytes: Decodable, Sendable {
    let bytes: [UInt8]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let bytes = Hex.decode(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not hexadecimal")
        }
        self.bytes = bytes
    }
}
