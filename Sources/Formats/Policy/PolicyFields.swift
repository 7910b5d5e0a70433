internal import Primitives
internal import Records

/// The keys of one map of a policy pack as a person wrote it.
struct PolicyFields {
    let path: String
    private var values: [String: MappingNode] = [:]

    init(_ node: MappingNode, at path: String, allowed: Set<String>) throws(PolicyFault) {
        self.path = path
        guard case .map(let members) = node else { throw PolicyFault(.badShape, at: path) }
        for member in members {
            // The key may be anything; the path shows only keys that exist.
            guard allowed.contains(member.key) else { throw PolicyFault(.unknownKey, at: path) }
            guard self.values.updateValue(member.value, forKey: member.key) == nil else {
                throw PolicyFault(.duplicateKey, at: self.path(of: member.key))
            }
        }
    }

    func path(of key: String) -> String { self.path.isEmpty ? key : self.path + "." + key }

    func has(_ key: String) -> Bool { self.values[key] != nil }

    func optionalText(_ key: String) throws(PolicyFault) -> String? {
        guard let value = self.values[key] else { return nil }
        return try Self.text(value, at: self.path(of: key))
    }

    func text(_ key: String) throws(PolicyFault) -> String {
        guard let text = try self.optionalText(key) else { throw PolicyFault(.missing, at: self.path(of: key)) }
        return text
    }

    static func text(_ node: MappingNode, at path: String) throws(PolicyFault) -> String {
        guard case .text(let text) = node else { throw PolicyFault(.badShape, at: path) }
        guard TextForm.isPlain(text, bytesMax: PolicyPack.textBytesMax) else { throw PolicyFault(.badText, at: path) }
        guard TextForm.isComposed(text) else { throw PolicyFault(.notComposed, at: path) }
        return text
    }

    /// An absent list is empty.
    func nodes(_ key: String) throws(PolicyFault) -> [(node: MappingNode, path: String)] {
        guard let value = self.values[key] else { return [] }
        guard case .list(let list) = value else { throw PolicyFault(.badShape, at: self.path(of: key)) }
        return list.enumerated().map { ($1, "\(self.path(of: key))[\($0)]") }
    }

    /// The members of a map, in the order of the text; an absent map is empty.
    func members(_ key: String) throws(PolicyFault) -> [(key: String, node: MappingNode, path: String)] {
        guard let value = self.values[key] else { return [] }
        guard case .map(let members) = value else { throw PolicyFault(.badShape, at: self.path(of: key)) }
        return members.map { ($0.key, $0.value, self.path(of: key) + "." + $0.key) }
    }

    func texts(_ key: String) throws(PolicyFault) -> [String] {
        var texts: [String] = []
        for (node, path) in try self.nodes(key) { texts.append(try Self.text(node, at: path)) }
        return texts
    }

    func word<Value: NamedByte>(_ key: String, default fallback: Value? = nil) throws(PolicyFault) -> Value {
        guard let text = try self.optionalText(key) else {
            guard let fallback else { throw PolicyFault(.missing, at: self.path(of: key)) }
            return fallback
        }
        guard let value = Value(name: text) else { throw PolicyFault(.badWord, at: self.path(of: key)) }
        return value
    }

    func words<Value: NamedByte>(_ key: String) throws(PolicyFault) -> [Value] {
        var values: [Value] = []
        for (node, path) in try self.nodes(key) {
            guard let value = Value(name: try Self.text(node, at: path)) else { throw PolicyFault(.badWord, at: path) }
            values.append(value)
        }
        return values
    }

    func number<Integer: FixedWidthInteger & UnsignedInteger>(
        _ key: String,
        default fallback: Integer? = nil
    ) throws(PolicyFault) -> Integer {
        guard let text = try self.optionalText(key) else {
            guard let fallback else { throw PolicyFault(.missing, at: self.path(of: key)) }
            return fallback
        }
        guard text.utf8.allSatisfy(JSONReader.isDigit), let value = Integer(text) else {
            throw PolicyFault(.badNumber, at: self.path(of: key))
        }
        return value
    }

    func decimal(_ key: String, default fallback: ExactDecimal) throws(PolicyFault) -> ExactDecimal {
        guard let text = try self.optionalText(key) else { return fallback }
        guard let value = ExactDecimal(text) else { throw PolicyFault(.badDecimal, at: self.path(of: key)) }
        return value
    }

    func flag(_ key: String, default fallback: Bool) throws(PolicyFault) -> Bool {
        switch try self.optionalText(key) {
        case nil: return fallback
        case "true": return true
        case "false": return false
        default: throw PolicyFault(.badWord, at: self.path(of: key))
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    func optionalTime(_ key: String) throws(PolicyFault) -> Int64? {
        guard let text = try self.optionalText(key) else { return nil }
        guard let time = FHIRTime.instant(text) else { throw PolicyFault(.badTime, at: self.path(of: key)) }
        return time.earliest.milliseconds / 1000
    }

    func time(_ key: String) throws(PolicyFault) -> Int64 {
        guard let time = try self.optionalTime(key) else { throw PolicyFault(.missing, at: self.path(of: key)) }
        return time
    }

    func scope(_ key: String) throws(PolicyFault) -> Scope {
        guard let scope = Scope(try self.text(key)) else { throw PolicyFault(.badScope, at: self.path(of: key)) }
        return scope
    }

    /// Completed days: `28d`, `2w`, and months and years of 30.4375 and 365.25 days, rounded down.
    func age(_ key: String, default fallback: UInt32) throws(PolicyFault) -> UInt32 {
        guard let text = try self.optionalText(key) else { return fallback }
        // A thousand years in any unit stay far below the limit of the type.
        guard let unit = text.last, let count = UInt32(text.dropLast()), count <= 400_000 else {
            throw PolicyFault(.badAge, at: self.path(of: key))
        }
        switch unit {
        case "d": return count
        case "w" where count <= 52_000: return count * 7
        case "m" where count <= 12_000: return count * 487 / 16
        case "y" where count <= 1000: return count * 1461 / 4
        default: throw PolicyFault(.badAge, at: self.path(of: key))
        }
    }
}
