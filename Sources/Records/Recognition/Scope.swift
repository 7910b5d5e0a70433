package import Primitives

/// Where an institution lies: codes of province, city and district (GB/T 2260), from the widest to the narrowest.
package struct AreaPath: Hashable, Sendable {
    package static let depthMax = 4
    package static let codeBytesMax = 16

    package var codes: [String]

    package init(_ codes: [String]) { self.codes = codes }

    /// Whether `other` lies inside this area or is the same.
    package func contains(_ other: AreaPath) -> Bool {
        guard self.codes.count <= other.codes.count else { return false }
        for index in self.codes.indices where self.codes[index] != other.codes[index] { return false }
        return true
    }
}

extension AreaPath: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.codes) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.codes = try decoder.decodeStrings(max: Self.depthMax, lengthMax: Self.codeBytesMax)
    }
}

/// How far a mark of mutual recognition (HR) reaches.
package enum Scope: Hashable, Sendable {
    case national
    /// A pact of areas, such as Jing-Jin-Ji, by its name in the pack.
    case pact(String)
    /// A province, city or district with all in it.
    case area(AreaPath)
    /// The members of one medical consortium, wherever they lie.
    case consortium(String)

    package static let nameBytesMax = 32
}

extension Scope: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .national: encoder.encode(variant: 0)
        case .pact(let name):
            encoder.encode(variant: 1)
            encoder.encode(name)
        case .area(let path):
            encoder.encode(variant: 2)
            encoder.encode(path)
        case .consortium(let name):
            encoder.encode(variant: 3)
            encoder.encode(name)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 4) {
        case 0: self = .national
        case 1: self = .pact(try decoder.decodeString(max: Self.nameBytesMax))
        case 2: self = .area(try decoder.decode())
        default: self = .consortium(try decoder.decodeString(max: Self.nameBytesMax))
        }
    }
}

extension Scope: CustomStringConvertible {
    package var description: String {
        switch self {
        case .national: "national"
        case .pact(let name): "pact:" + name
        case .area(let path): "area:" + path.codes.joined(separator: "/")
        case .consortium(let name): "consortium:" + name
        }
    }

    /// Reads what ``description`` gives.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        if text == "national" {
            self = .national
            return
        }
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let rest = String(text[text.index(after: colon)...])
        guard !rest.isEmpty else { return nil }
        switch text[..<colon] {
        case "pact" where rest.utf8.count <= Self.nameBytesMax: self = .pact(rest)
        case "consortium" where rest.utf8.count <= Self.nameBytesMax: self = .consortium(rest)
        case "area":
            let codes = rest.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard (1...AreaPath.depthMax).contains(codes.count),
                codes.allSatisfy({ (1...AreaPath.codeBytesMax).contains($0.utf8.count) })
            else { return nil }
            self = .area(AreaPath(codes))
        default: return nil
        }
    }
}

/// The pacts of one pack, and with them the order of scopes.
///
/// A pact is a set of areas, not a prefix: it may hold a whole province and single cities of another.
package struct ScopeLattice: Hashable, Sendable {
    private let pacts: [String: [AreaPath]]

    package init(_ pacts: [PolicyPack.Pact]) {
        self.pacts = Dictionary(pacts.map { ($0.name, $0.members) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether a receiver lies within the scope.
    package func covers(_ scope: Scope, area: AreaPath, consortia: [String]) -> Bool {
        switch scope {
        case .national: true
        case .pact(let name): self.pacts[name, default: []].contains { $0.contains(area) }
        case .area(let path): path.contains(area)
        case .consortium(let name): consortia.contains(name)
        }
    }

    /// Whether every receiver that lies within `narrow` lies within `wide`, whatever institutions there are.
    ///
    /// A pact whose members together make up an area is not known to: the pack does not list what areas consist of.
    package func includes(_ wide: Scope, _ narrow: Scope) -> Bool {
        switch (wide, narrow) {
        case (.national, _): true
        case (.consortium(let one), .consortium(let other)): one == other
        case (_, .national), (.consortium, _), (_, .consortium): false
        case (_, .area(let path)): self.areas(of: wide).contains { $0.contains(path) }
        case (_, .pact):
            wide == narrow
                || (!self.areas(of: narrow).isEmpty
                    && self.areas(of: narrow).allSatisfy { member in
                        self.areas(of: wide).contains { $0.contains(member) }
                    })
        }
    }

    private func areas(of scope: Scope) -> [AreaPath] {
        switch scope {
        case .pact(let name): self.pacts[name, default: []]
        case .area(let path): [path]
        case .national, .consortium: []
        }
    }
}
