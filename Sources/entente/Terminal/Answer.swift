import AgentAPI
import Foundation

/// What a command found, as one JSON object or as text for a person.
struct Answer {
    var json: [String: Any]
    var text: String

    init(_ json: [String: Any], text: String) {
        self.json = json
        self.text = text
    }

    func print(asJSON: Bool) { Terminal.write(asJSON ? Self.line(self.json) : self.text) }

    /// One line, keys in order, so that scripts can compare.
    static func line(_ object: [String: Any]) -> String {
        let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

extension Data {
    var hex: String { self.map { String(format: "%02x", $0) }.joined() }

    /// Reads hexadecimal digits; `nil` for anything else.
    init?(hex: String) {
        let digits = Array(hex.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes = Data(capacity: digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        self = bytes
    }
}
