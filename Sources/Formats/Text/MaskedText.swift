/// A piece of input for somebody to see what is wrong with it, on a screen that others may see too.
///
/// Hides long numbers wherever they stand, and names where the format says that there is one: in HL7 v2 segments about
/// people, under JSON's and XML's keys for names. A name in free text is not recognised.
package enum MaskedText {
    /// Enough for a message's first segments or a row.
    package static let charactersMax = 2000
    /// Card, telephone and record numbers are longer; results, codes and dates in parts are not.
    private static let digitsMin = 6

    /// The beginning of `text` in which names and all but the last two digits of long numbers are hidden.
    ///
    /// A time without separators is such a number too.
    package static func excerpt(_ text: String) -> String {
        let start = String(text.prefix(self.charactersMax))
        let isCut = start.utf8.count < text.utf8.count
        let trimmed = start.drop { $0.isWhitespace || $0 == "\u{b}" || $0 == "\u{feff}" }
        let shown: String
        switch trimmed.first {
        case "{", "[": shown = JSONNames(start).masked
        case "<": shown = self.xml(start)
        default:
            let isHL7 = ["MSH", "FHS", "BHS"].contains { trimmed.hasPrefix($0) }
            shown = isHL7 ? self.segments(start) : start
        }
        return self.numbers(shown) + (isCut ? "…" : "")
    }

    /// A name with all but its first character hidden.
    package static func name(_ text: String) -> String {
        guard let first = text.first else { return "" }
        return String(first) + String(repeating: "*", count: min(8, text.count - 1))
    }

    /// A text with all but the last two digits of long numbers hidden.
    package static func numbers(_ text: String) -> String {
        var masked = ""
        var number = ""
        func flush() {
            let isLong = number.count >= self.digitsMin
            masked += isLong ? String(repeating: "*", count: number.count - 2) + number.suffix(2) : number
            number = ""
        }
        for character in text {
            if character.isWholeNumber {
                number.append(character)
            } else {
                flush()
                masked.append(character)
            }
        }
        flush()
        return masked
    }

    // MARK: HL7 v2

    /// Fields that hold names of patients and their relatives: names, mother's name, aliases, addresses.
    private static let personFields: [String: Set<Int>] = [
        "PID": [5, 6, 9, 11], "NK1": [2, 4], "GT1": [3, 4, 5], "IN1": [16, 19], "MRG": [7],
    ]

    private static func segments(_ text: String) -> String {
        var masked = ""
        var delimiter: Character = "|"
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if !masked.isEmpty { masked += "\n" }
            let body = line.drop { $0 == "\u{b}" || $0 == "\u{feff}" || $0 == " " }
            let kind = String(body.prefix(3))
            if ["MSH", "FHS", "BHS"].contains(kind), let found = body.dropFirst(3).first { delimiter = found }
            guard let fields = self.personFields[kind] else {
                masked += line
                continue
            }
            let parts = line.split(separator: delimiter, omittingEmptySubsequences: false)
            let shown = parts.enumerated().map { index, field in
                fields.contains(index) ? self.words(String(field)) : String(field)
            }
            masked += shown.joined(separator: String(delimiter))
        }
        return masked
    }

    /// Each run of letters and digits with all but its first character hidden; what separates them stays.
    private static func words(_ text: String) -> String {
        var masked = ""
        var word = ""
        for character in text {
            if character.isLetter || character.isWholeNumber {
                word.append(character)
            } else {
                masked += self.name(word)
                word = ""
                masked.append(character)
            }
        }
        return masked + self.name(word)
    }

    // MARK: XML

    private static let nameElements: Set<String> = ["name", "given", "family", "prefix", "suffix", "streetAddressLine"]

    /// Text inside elements that hold names, however deep.
    private static func xml(_ text: String) -> String {
        var masked = ""
        var open = 0
        var rest = text[...]
        while let start = rest.firstIndex(of: "<") {
            masked += open > 0 ? self.words(String(rest[..<start])) : String(rest[..<start])
            guard let end = rest[start...].firstIndex(of: ">") else {
                // A tag that the excerpt cuts off may hold anything.
                return masked + "<"
            }
            let tag = rest[start...end]
            let isEnd = tag.hasPrefix("</")
            let name = tag.dropFirst(isEnd ? 2 : 1).prefix { $0.isLetter || $0.isNumber || $0 == ":" || $0 == "_" }
            if self.nameElements.contains(String(name.split(separator: ":").last ?? "")) {
                if isEnd { open = max(0, open - 1) } else if !tag.hasSuffix("/>") { open += 1 }
            }
            masked += tag
            rest = rest[rest.index(after: end)...]
        }
        return masked + (open > 0 ? self.words(String(rest)) : String(rest))
    }
}

/// Hides the texts under JSON's keys for names, also in a text that is cut off or no JSON.
private struct JSONNames {
    /// Everything inside these.
    private static let keys: Set<String> = [
        "name", "family", "given", "patientname", "patient_name", "humanname", "div", "address", "姓名", "患者姓名", "病人姓名",
        // Of DICOM JSON: the patient's name and other names.
        "00100010", "00101001",
    ]
    /// Inside these, what is shown for a reference.
    private static let owners: Set<String> = ["subject", "patient"]

    let masked: String

    init(_ text: String) {
        var masked = ""
        /// For each open object or array whether its texts are names, and whether it is a reference to a person.
        var levels: [(hides: Bool, isOwner: Bool)] = []
        var key = ""
        var rest = text[...]
        func hides() -> Bool {
            let level = levels.last
            return level?.hides == true || Self.keys.contains(key)
                || (level?.isOwner == true && key == "display")
        }
        while let character = rest.first {
            switch character {
            case "\"":
                let body = rest.dropFirst()
                var end = body.startIndex
                var isEscaped = false
                while end < body.endIndex, isEscaped || body[end] != "\"" {
                    isEscaped = !isEscaped && body[end] == "\\"
                    end = body.index(after: end)
                }
                let content = String(body[..<end])
                rest = end < body.endIndex ? body[body.index(after: end)...] : body[end...]
                let isKey = rest.drop { $0.isWhitespace }.first == ":"
                if isKey {
                    key = content.lowercased()
                    masked += "\"" + content + "\""
                } else {
                    masked += "\"" + (hides() ? MaskedText.name(content) : content) + "\""
                }
            case "{", "[":
                levels.append(
                    (hides(), Self.owners.contains(key) || (character == "[" && levels.last?.isOwner == true))
                )
                if character == "{" { key = "" }
                masked.append(character)
                rest.removeFirst()
            case "}", "]":
                _ = levels.popLast()
                key = ""
                masked.append(character)
                rest.removeFirst()
            case ",":
                // In an array the key is that of the array.
                masked.append(character)
                rest.removeFirst()
            default:
                masked.append(character)
                rest.removeFirst()
            }
        }
        self.masked = masked
    }
}
