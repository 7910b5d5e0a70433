import Foundation

/// Lists and digests on the command line.
enum Lists {
    /// Values that are given one by one or joined by commas.
    static func split(_ values: [String]) -> [String] {
        values.flatMap { $0.split(separator: ",").map(String.init) }
    }

    static func digest(_ text: String, _ what: String, _ hint: String) throws(CommandFailure) -> Data {
        guard let bytes = Data(hex: text), bytes.count == 32 else {
            throw CommandFailure.usage(what, "a \(what) is 64 hexadecimal digits", hint: hint)
        }
        return bytes
    }
}
