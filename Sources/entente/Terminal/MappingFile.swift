import Formats
import Foundation

/// A mapping in the YAML file in which people keep it.
enum MappingFile {
    static func read(_ path: String) throws -> CSVMapping {
        let bytes = try PrivateFile.read(path, bytesMax: CSVMapping.textBytesMax, what: "the mapping")
        guard let node = try MappingTree.read(bytes, usage: "mapping") else {
            throw CommandFailure.usage("mapping", "the mapping is empty", hint: "See entente mapping columns.")
        }
        do throws(CSVMappingFault) {
            return try CSVMapping(node)
        } catch let fault {
            throw CommandFailure.usage(
                "mapping",
                "\(fault.refusal.message) (\(fault.path.isEmpty ? "the whole mapping" : fault.path))",
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
        let bytes = try PrivateFile.read(path, bytesMax: self.bytesMax, what: "the catalogue")
        guard let node = try MappingTree.read(bytes, usage: "catalogue") else {
            throw CommandFailure.usage("catalogue", "the catalogue is empty", hint: "")
        }
        do throws(CodeMapFault) {
            return try CodeMap(author: node)
        } catch let fault {
            let place = fault.path.isEmpty ? "the whole catalogue" : fault.path
            throw CommandFailure.usage(
                "catalogue",
                "\(fault.refusal.message) (\(place), \(fault.refusal.code))",
                hint: "Documentation/Protocol/Codes-and-Units.md says what a catalogue holds."
            )
        }
    }
}
