import Formats

/// A mapping in the YAML file in which people keep it.
enum MappingFile {
    static func read(_ path: String) throws -> CSVMapping {
        let text = try YAMLText(path, bytesMax: CSVMapping.textBytesMax, name: "mapping")
        do throws(CSVMappingFault) {
            return try CSVMapping(text.node)
        } catch {
            throw CommandFailure.usage(
                "mapping",
                "\(error.refusal.message) \(text.place(error.path))",
                hint: "Documentation/Protocol/CSV-Import.md says what a mapping holds."
            )
        }
    }
}
