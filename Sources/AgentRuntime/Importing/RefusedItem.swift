import Formats
import ImportPipeline
import Records

extension ExamWriter.Item {
    /// The exam as the quarantine keeps it, so that it can be tried again by itself.
    func refused(_ position: InputPosition, _ code: String, _ message: String) -> RefusedInput {
        let parts = self.content.parts
        var refused = RefusedInput(position: position, code: code, message: message, bytes: [])
        switch self.content.format {
        case .fhirR4JSON: refused.bytes = FHIRCollection.bytes(of: parts)
        case .hl7v2, .cda: refused.bytes = parts.flatMap(\.bytes)
        case .csv:
            let fault = parts.firstIndex { $0.type == "row" } ?? 0
            refused.kept = KeptInput(kind: .rows, parts: parts, fault: fault)
            refused.bytes = parts.indices.contains(fault) ? parts[fault].bytes : []
        case .dicom: refused.kept = KeptInput(kind: .images, parts: parts, fault: 0)
        }
        refused.bytes = Array(refused.bytes.prefix(RefusedInput.bytesMax))
        return refused
    }
}
