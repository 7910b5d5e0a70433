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

/// The consortium's catalogue in the YAML file in which people keep it.
enum CatalogueFile {
    /// All LOINC laboratory codes with names take less.
    private static let bytesMax = 64 << 20

    static func read(_ path: String) throws -> CodeMap {
        let text = try YAMLText(path, bytesMax: self.bytesMax, name: "catalogue")
        do throws(CodeMapFault) {
            return try CodeMap(author: text.node)
        } catch {
            throw CommandFailure.usage(
                "catalogue",
                "\(error.refusal.message) \(text.place(error.path)): \(error.refusal.code)",
                hint: "Documentation/Protocol/Codes-and-Units.md says what a catalogue holds."
            )
        }
    }
}
