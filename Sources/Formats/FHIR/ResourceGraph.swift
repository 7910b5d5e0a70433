import Primitives
import Records

/// Resources that may refer to each other: the entries of a Bundle, or the lines of files that belong together.
package struct ResourceGraph: Sendable {
    /// A resource that is not contained in another.
    package struct Entry: Sendable {
        package let value: JSONValue
        package let type: ResourceType
        let fullURL: String?
        /// Position in the Bundle, from 0.
        package let bundleIndex: Int?

        /// The resource's name within its server, `Type/id`.
        package let key: String?
        /// The server that the full URL names, with its last slash; `nil` for `urn:uuid:` and for no URL.
        let base: String?

        init(_ value: JSONValue, type: ResourceType, fullURL: String?, bundleIndex: Int?) {
            self.value = value
            self.type = type
            self.fullURL = fullURL
            self.bundleIndex = bundleIndex
            // Whether the id fits the rules is checked when an exam uses the resource.
            let key = value[FHIRKey.id]?.string.map { type.rawValue + "/" + $0 }
            self.key = key
            if let fullURL, let key, fullURL.hasPrefix("http"), fullURL.hasSuffix("/" + key) {
                self.base = String(fullURL.dropLast(key.count))
            } else {
                self.base = nil
            }
        }
    }

    /// A resource, or a resource contained in it.
    struct Target {
        let value: JSONValue
        /// Index of the entry that is or contains it.
        let owner: Int
    }

    enum Resolution {
        case found(Target)
        case ambiguous
        case absent
    }

    package private(set) var entries: [Entry] = []
    /// Only looked up, never walked through; `ambiguous` marks a name of two resources with different content.
    private var byURL: [String: Int] = [:]
    private var byKey: [String: Int] = [:]
    /// By the container's index and the contained resource's id; `nil` for an id that occurs twice in one container.
    private var contained: [ContainedName: JSONValue?] = [:]

    private struct ContainedName: Hashable {
        let container: Int
        let id: String
    }

    private static let ambiguous = -1
    /// A longer URL names nothing: it must fit into the type of a record's part, behind the resource type.
    private static let urlBytesMax = RecordContent.Part.typeBytesMax - 32

    package init() {}

    package mutating func append(_ value: JSONValue, type: ResourceType, fullURL: String?, bundleIndex: Int?) {
        let url = fullURL.flatMap { $0.utf8.count <= Self.urlBytesMax ? $0 : nil }
        let entry = Entry(value, type: type, fullURL: url, bundleIndex: bundleIndex)
        let index = self.entries.count
        self.entries.append(entry)
        self.registerContained(in: value, index)
        if let url { self.register(url, index, in: \.byURL) }
        if let key = entry.key, key.utf8.count <= Self.urlBytesMax { self.register(key, index, in: \.byKey) }
    }

    private mutating func registerContained(in value: JSONValue, _ index: Int) {
        guard let contained = value[FHIRKey.contained] else { return }
        for resource in contained.elements {
            guard let id = resource[FHIRKey.id]?.string else { continue }
            let name = ContainedName(container: index, id: id)
            self.contained.updateValue(self.contained[name] == nil ? resource : nil, forKey: name)
        }
    }

    private mutating func register(_ name: String, _ index: Int, in table: WritableKeyPath<Self, [String: Int]>) {
        guard let earlier = self[keyPath: table][name] else {
            self[keyPath: table][name] = index
            return
        }
        guard earlier != Self.ambiguous,
            self.entries[earlier].value.bytes != self.entries[index].value.bytes
        else { return }
        // Of two versions of one resource the later counts.
        let times = (Self.lastUpdated(self.entries[earlier]), Self.lastUpdated(self.entries[index]))
        guard let earlierTime = times.0, let laterTime = times.1, earlierTime != laterTime else {
            self[keyPath: table][name] = Self.ambiguous
            return
        }
        if earlierTime < laterTime { self[keyPath: table][name] = index }
    }

    private static func lastUpdated(_ entry: Entry) -> Timestamp? {
        entry.value[FHIRKey.meta]?[FHIRKey.lastUpdated]?.string.flatMap(FHIRTime.instant)?.earliest
    }

    /// Follows a literal reference that stands in the entry `owner` (FHIR R4, section 2.36.4).
    func resolve(_ reference: String, from owner: Int) -> Resolution {
        if reference.hasPrefix("#") { return self.contained(String(reference.dropFirst()), in: owner) }
        let name = Self.withoutVersion(reference)
        if let base = self.entries[owner].base, let index = self.byURL[base + name] { return self.resolution(index) }
        if let index = self.byURL[name] { return self.resolution(index) }
        guard let key = Self.key(of: name), let index = self.byKey[key] else { return .absent }
        // A URL of one server is not answered by a resource of another.
        if index != Self.ambiguous, name.hasPrefix("http"), self.entries[index].base != nil { return .absent }
        return self.resolution(index)
    }

    private func resolution(_ index: Int) -> Resolution {
        index == Self.ambiguous ? .ambiguous : .found(Target(value: self.entries[index].value, owner: index))
    }

    private func contained(_ id: String, in owner: Int) -> Resolution {
        guard !id.isEmpty else { return .found(Target(value: self.entries[owner].value, owner: owner)) }
        return switch self.contained[ContainedName(container: owner, id: id)] {
        case nil: .absent
        case .some(nil): .ambiguous
        case .some(let value?): .found(Target(value: value, owner: owner))
        }
    }

    /// The `Type/id` at the end of a relative or absolute reference.
    package static func key(of reference: String) -> String? {
        let reference = self.withoutVersion(reference)
        // In bytes: splitting a string at characters costs more than all else that a reference needs.
        let bytes = reference.utf8
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        let start = bytes[..<slash].lastIndex(of: UInt8(ascii: "/")).map(bytes.index(after:)) ?? bytes.startIndex
        guard JSONValue.isID(String(reference[bytes.index(after: slash)...])),
            ResourceType.all.contains(String(reference[start..<slash]))
        else { return nil }
        return start == bytes.startIndex ? reference : String(reference[start...])
    }

    private static func withoutVersion(_ reference: String) -> String {
        guard reference.utf8.contains(UInt8(ascii: "_")) else { return reference }
        let parts = reference.split(separator: "/", omittingEmptySubsequences: false)
        guard let history = parts.lastIndex(of: "_history"), history == parts.count - 2 else { return reference }
        return parts[..<history].joined(separator: "/")
    }
}
