import Records

/// A person's name in its up to three component groups (PS3.5 section 6.2.1.2): in letters, in ideographs, and as it
/// is pronounced; each with family name, given name, middle name, prefix and suffix.
struct DICOMPersonName: Hashable, Sendable {
    /// Components of each group, without empty ones at the end; always three groups.
    let groups: [[String]]

    init(_ text: String) {
        var groups = text.split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false).map { group in
            var components = group.split(separator: "^", omittingEmptySubsequences: false).map(Self.trimmed)
            while components.last == "" { components.removeLast() }
            return components
        }
        while groups.count < 3 { groups.append([]) }
        self.groups = groups
    }

    init(groups: [[String]]) { self.groups = groups }

    var isEmpty: Bool { self.groups.allSatisfy(\.isEmpty) }

    /// What a reader is shown: ideographs before letters before sounds.
    ///
    /// Chinese, Japanese and Korean names are written without a space between their parts.
    var name: PersonName? {
        let order = [self.groups[1], self.groups[0], self.groups[2]]
        guard let components = order.first(where: { !$0.isEmpty }) else { return nil }
        let isIdeographic = components.contains { $0.unicodeScalars.contains(where: Self.isEastAsian) }
        let family = components.first.flatMap { $0.isEmpty ? nil : $0 }
        let given = components.dropFirst().prefix(2).filter { !$0.isEmpty }
        let text = isIdeographic ? components.prefix(3).joined() : nil
        guard family != nil || !given.isEmpty else {
            return PersonName(text: components.joined(separator: " "), family: nil, given: [])
        }
        return PersonName(text: text, family: family, given: Array(given))
    }

    /// Whether two names can be the same person's: groups that both have are equal but for capitals.
    ///
    /// One system sends letters, another ideographs; that alone is no contradiction.
    func agrees(with other: DICOMPersonName) -> Bool {
        zip(self.groups, other.groups).allSatisfy { left, right in
            left.isEmpty || right.isEmpty || left.map { $0.lowercased() } == right.map { $0.lowercased() }
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    private static func isEastAsian(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x2e80...0x9fff, 0xac00...0xd7af, 0xf900...0xfaff, 0xff66...0xff9f, 0x20000...0x3ffff: true
        default: false
        }
    }
}
