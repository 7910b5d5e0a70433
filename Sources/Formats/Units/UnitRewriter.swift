/// Turns a folded spelling into a UCUM expression, part by part.
struct UnitRewriter {
    /// A UCUM expression, with what the same spelling means elsewhere.
    struct Result {
        var code: String
        var others: [String]
    }

    private var tokens: [Token] = []
    private let hasSmallLetters: Bool

    private enum Token {
        case part(String)
        case sign(Character)
        /// With its braces.
        case annotation(String)
    }

    static func rewrite(_ folded: String) throws(UnitRefusal) -> Result {
        try UnitRewriter(folded).result()
    }

    private init(_ folded: String) throws(UnitRefusal) {
        self.hasSmallLetters = folded.utf8.contains { (0x61...0x7a).contains($0) }
        var part = ""
        var rest = Self.withoutTimes(Self.bodySurface(folded))
        while let character = rest.first {
            rest.removeFirst()
            switch character {
            case "*" where part == "10", "^" where part == "10":
                // `10**9`, `10^9`, `10*9`.
                if rest.first == "*" { rest.removeFirst() }
                part += "^"
            case "(" where part == "10":
                // `10(9)`
                guard let end = rest.firstIndex(of: ")") else { throw .syntax }
                part += "^" + rest[..<end]
                rest = rest[rest.index(after: end)...]
            case "^": break  // `m^2` has its exponent by position in UCUM.
            case "/", ".", "*", "(", ")":
                // A decimal point in a factor would be read as a product: 1.5 h as 1 times 5 h.
                let isDecimal =
                    character == "." && part.last.map(Self.isDigit) ?? false && rest.first.map(Self.isDigit) ?? false
                guard !isDecimal else { throw .ambiguous }
                self.append(&part)
                self.tokens.append(.sign(character == "*" ? "." : character))
            case "{":
                self.append(&part)
                guard let end = rest.firstIndex(of: "}") else { throw .badAnnotation }
                self.tokens.append(.annotation("{" + rest[...end]))
                rest = rest[rest.index(after: end)...]
            default: part.append(character)
            }
        }
        self.append(&part)
    }

    /// A multiplication sign before the first factor says nothing: `x10^9/L`.
    private static func withoutTimes(_ text: String) -> Substring {
        guard let first = text.first, ["x", "X", "*"].contains(first) else { return text[...] }
        let rest = text.dropFirst().drop { $0 == " " }
        return rest.hasPrefix("10") || first == "*" ? rest : text[...]
    }

    private mutating func append(_ part: inout String) {
        while part.last == " " { part.removeLast() }
        while part.first == " " { part.removeFirst() }
        if !part.isEmpty { self.tokens.append(.part(part)) }
        part = ""
    }

    /// The body surface of a standard adult is no unit but what a clearance is related to (LOINC `mL/min/{1.73_m2}`).
    private static func bodySurface(_ text: String) -> String {
        for form in ["1.73m^2", "1.73 m^2", "1.73m2", "1.73 m2", "1.73_m2", "1.73M2", "1.73sqm", "1.73 sqm", "1.73平方米"]
        {
            guard let range = Self.range(of: form, in: text) else { continue }
            if range.lowerBound > text.startIndex, text[text.index(before: range.lowerBound)] == "{" { return text }
            return text[..<range.lowerBound] + "{1.73_m2}" + text[range.upperBound...]
        }
        return text
    }

    private static func range(of part: String, in text: String) -> Range<String.Index>? {
        var start = text.startIndex
        while start < text.endIndex {
            if text[start...].hasPrefix(part) { return start..<text.index(start, offsetBy: part.count) }
            start = text.index(after: start)
        }
        return nil
    }

    private func result() throws(UnitRefusal) -> Result {
        var codes = [""]
        for (index, token) in self.tokens.enumerated() {
            switch token {
            case .sign(let sign): codes = codes.map { $0 + String(sign) }
            case .annotation(let text): codes = codes.map { $0 + text }
            case .part(let part):
                let isFirst = index == 0
                let meanings = try self.meanings(part)
                // `次/分` is `/min`: a count of nothing in particular before the slash.
                let isCount = isFirst && meanings == ["1"] && self.tokens.count > 1
                guard !isCount else { continue }
                codes =
                    meanings.flatMap { meaning in codes.prefix(1).map { $0 + meaning } }
                    + codes.dropFirst().map { $0 + meanings[0] }
            }
        }
        guard let first = codes.first else { throw .syntax }
        return Result(code: first, others: Array(codes.dropFirst()))
    }

    private static let loweredPowers: Set<Substring> = [
        "103", "104", "105", "106", "107", "108", "109", "1010", "1011", "1012",
    ]

    private static func isDigit(_ character: Character) -> Bool { character.isASCII && character.isNumber }

    /// What one part means, the usual meaning first.
    private func meanings(_ part: String) throws(UnitRefusal) -> [String] {
        if let power = try Self.powerOfTen(part) {
            guard !power.rest.isEmpty else { return ["10*" + power.exponent] }
            return try self.meanings(power.rest).map { meaning in
                "10*" + power.exponent + (meaning.first == "{" ? "" : ".") + meaning
            }
        }
        let digits = part.prefix(while: Self.isDigit)
        if !digits.isEmpty {
            let rest = part.dropFirst(digits.count).drop { $0 == " " }
            // The exponent of 10⁹ was lowered on the way: 109/L, 10 9/L.
            guard !Self.loweredPowers.contains(digits), !(rest.first.map(Self.isDigit) ?? false) else {
                throw .ambiguous
            }
            guard !rest.isEmpty else { return [String(digits)] }
            return try self.meanings(String(rest)).map { meaning in
                meaning.first == "{" ? digits + meaning : "(" + digits + "." + meaning + ")"
            }
        }
        if let meanings = UnitSpellingTable.parts[part] { return try Self.usable(meanings) }
        let (base, exponent) = Self.split(part)
        let small = UnitSpelling.lowercased(base)
        if self.hasSmallLetters {
            guard !UnitSpellingTable.capitals.contains(base) else { throw .ambiguous }
        } else {
            if let meanings = UnitSpellingTable.parts[small] { return try Self.usable(meanings).map { $0 + exponent } }
            if let code = UCUMTable.standard.caseSensitiveCode(base) { return Self.everyMeaning(code, exponent) }
        }
        if UCUMTable.standard.atom(base) != nil { return Self.everyMeaning(Self.preferred(base), exponent) }
        if let meanings = UnitSpellingTable.parts[small] { return try Self.usable(meanings).map { $0 + exponent } }
        if UnitSpellingTable.anyCase.contains(small) { return [Self.preferred(small) + exponent] }
        throw .unknown
    }

    /// On results, `U` stands for whatever unit the method defines, too.
    private static func everyMeaning(_ code: String, _ exponent: String) -> [String] {
        guard exponent.isEmpty else { return [code + exponent] }
        if code == "U" { return [code, "[arb'U]", "[IU]"] }
        return ["mU", "uU", "kU"].contains(code) ? [code, code.dropLast() + "[IU]"] : [code]
    }

    private static func usable(_ meanings: [String]) throws(UnitRefusal) -> [String] {
        guard !meanings.isEmpty else { throw .ambiguous }
        return meanings
    }

    /// The exponent of forms such as `10^9`, `x10E9`, `10+3`, `E9`, and what follows it.
    private static func powerOfTen(_ part: String) throws(UnitRefusal) -> (exponent: String, rest: String)? {
        var rest = Substring(part)
        if rest.hasPrefix("10") {
            rest.removeFirst(2)
        } else if rest.hasPrefix("1E") || rest.hasPrefix("1e") {
            rest.removeFirst(1)
        } else if part.first != "E" && part.first != "e" {
            return nil
        }
        guard let mark = rest.first, ["^", "e", "E", "+"].contains(mark) else { return nil }
        rest.removeFirst()
        var exponent = ""
        if mark != "+", rest.first == "-" || rest.first == "+" {
            let sign = rest.removeFirst()
            exponent = sign == "-" ? "-" : ""
        }
        let digits = rest.prefix(while: Self.isDigit)
        guard !digits.isEmpty else { return nil }
        guard digits.utf8.count <= 2 else { throw .badExponent }
        rest = rest.dropFirst(digits.utf8.count)
        return (exponent + digits, String(rest.drop { $0 == " " }))
    }

    /// A unit and its exponent.
    private static func split(_ part: String) -> (base: String, exponent: String) {
        guard part.last != "]" else { return (part, "") }
        let digits = part.reversed().prefix(while: Self.isDigit).count
        guard digits > 0, digits < part.count else { return (part, "") }
        var base = part.dropLast(digits)
        var exponent = String(part.suffix(digits))
        if let sign = base.last, sign == "-" || sign == "+" {
            base.removeLast()
            exponent = (sign == "-" ? "-" : "") + exponent
        }
        return (String(base), exponent)
    }

    /// Of two codes for one unit the one that LOINC uses.
    private static func preferred(_ base: String) -> String {
        if base.hasSuffix("[iU]") { return base.dropLast(4) + "[IU]" }
        guard base.hasSuffix("l"), let litre = UCUMTable.standard.atom(base),
            let capital = UCUMTable.standard.atom(base.dropLast() + "L"), litre.factor == capital.factor,
            litre.dimension == capital.dimension
        else { return base }
        return base.dropLast() + "L"
    }
}
