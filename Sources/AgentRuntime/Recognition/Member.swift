import Ledger
import Primitives
import Recognition
package import Records

/// What the rules ask about an institution, from its card and the groups of the chain.
package struct Member: Sendable {
    let name: String
    /// 10, 20, 30 for first to third, plus 1 to 3 for grades C to A; 0 if it has none.
    let level: UInt8
    let area: AreaPath
    let consortia: [String]

    init(_ id: InstitutionID, _ state: LedgerState, _ engine: RecognitionEngine, at height: Height) {
        let card = state.institution(id)?.card
        self.name = id.text
        self.level = Self.level(card?.level ?? "")
        self.area = Self.area(card?.area ?? "")
        // A consortium is the group of that name.
        self.consortia = engine.consortia.sorted().filter { name in
            GroupID(name).flatMap { state.group($0) }?.isMember(id, at: height) ?? false
        }
    }

    /// `3A` is 33, `2` is 20.
    package static func level(_ text: String) -> UInt8 {
        guard let first = text.utf8.first, (0x31...0x33).contains(first) else { return 0 }
        let grade: UInt8
        switch text.utf8.dropFirst().first {
        case UInt8(ascii: "A"), UInt8(ascii: "a"): grade = 3
        case UInt8(ascii: "B"), UInt8(ascii: "b"): grade = 2
        case UInt8(ascii: "C"), UInt8(ascii: "c"): grade = 1
        default: grade = 0
        }
        return (first - 0x30) * 10 + grade
    }

    /// Province, city and district of a code of GB/T 2260, as far as it goes: `330100` lies in `330000`.
    package static func area(_ code: String) -> AreaPath {
        guard code.utf8.count == 6, code.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return AreaPath([]) }
        let (province, city) = (String(code.prefix(2)) + "0000", String(code.prefix(4)) + "00")
        var codes = [province]
        if city != province { codes.append(city) }
        if code != city { codes.append(code) }
        return AreaPath(codes)
    }
}
