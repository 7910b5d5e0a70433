/// A value of a file that people write to describe a mapping, read from YAML at the edge.
package indirect enum MappingNode: Hashable, Sendable {
    /// A key of a map with its value, in the file's order.
    package struct Entry: Hashable, Sendable {
        package let key: String
        package let value: MappingNode

        package init(key: String, value: MappingNode) {
            self.key = key
            self.value = value
        }
    }

    /// Any plain value, exactly as written: `1.0` stays `1.0`.
    case text(String)
    case list([MappingNode])
    case map([Entry])
}
