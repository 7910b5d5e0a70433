import Formats
import Foundation
import Records
import TestSupport
import Testing

/// Documents for the tests of the CDA reader.
enum CDASample {
    static func vector(_ name: String) throws -> [UInt8] { [UInt8](try TestData.vector("cda/\(name).xml")) }

    static func laboratory() throws -> String { String(decoding: try self.vector("laboratory"), as: UTF8.self) }

    /// The smallest document that is an exam, with `entries` in its results section.
    static func document(_ entries: String, header: String = "", narrative: String = "") -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
        <id root="1.2.999.1" extension="D"/><code code="11502-2" codeSystem="2.16.840.1.113883.6.1"/>
        <effectiveTime value="2026"/>\(header)
        <recordTarget><patientRole><id root="1.2.999.3" extension="P"/></patientRole></recordTarget>
        <component><structuredBody><component><section><code code="26436-6"/><text>\(narrative)</text>
        \(entries)
        </section></component></structuredBody></component></ClinicalDocument>
        """
    }

    /// An entry with one observation.
    static func observation(_ content: String, attributes: String = #"classCode="OBS" moodCode="EVN""#) -> String {
        "<entry><observation \(attributes)><code displayName=\"x\"/>\(content)</observation></entry>"
    }

    static func read(_ text: String) throws -> ParsedExam { try CDAInput.read(Array(text.utf8)).get() }

    static func refusal(_ text: String) -> CDARefusal? { self.refusal(Array(text.utf8)) }

    static func refusal(_ bytes: [UInt8]) -> CDARefusal? {
        guard case .failure(let fault) = CDAInput.read(bytes) else { return nil }
        return fault.refusal
    }

    /// The one item of a document with one observation.
    static func item(_ content: String, narrative: String = "", attributes: String? = nil) throws -> ExamItem {
        let entry = attributes.map { self.observation(content, attributes: $0) } ?? self.observation(content)
        let items = try self.read(self.document(entry, narrative: narrative)).exam.items
        return try #require(items.count == 1 ? items[0] : nil)
    }
}
