package import Foundation

/// A JSON value as tests read it: what is missing reads as nothing, and the expectation that looks at it fails.
package struct JSON {
    private let value: Any?

    package init(_ value: Any?) { self.value = value }

    package init(_ text: String) throws {
        self.value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }

    package subscript(key: String) -> JSON { JSON((self.value as? [String: Any])?[key]) }
    package subscript(index: Int) -> JSON {
        let list = self.list
        return list.indices.contains(index) ? list[index] : JSON(nil)
    }

    package var string: String { self.value as? String ?? "" }
    package var int: Int { (self.value as? NSNumber)?.intValue ?? -1 }
    package var bool: Bool { (self.value as? NSNumber)?.boolValue ?? false }
    package var list: [JSON] { (self.value as? [Any] ?? []).map(JSON.init) }
    package var strings: [String] { self.list.map(\.string) }
    package var keys: Set<String> { Set((self.value as? [String: Any] ?? [:]).keys) }

    /// The same text for the same value.
    package var text: String {
        guard let value = self.value,
            let data = try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed])
        else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    /// A number, or a number in a text, exactly as it was written.
    package var decimal: Decimal? {
        if let text = self.value as? String { return Decimal(string: text) }
        return (self.value as? NSNumber).flatMap { Decimal(string: $0.stringValue) }
    }
}
