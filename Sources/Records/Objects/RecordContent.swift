package import Primitives

/// The format in which a source delivered an exam.
package enum SourceFormat: UInt8, CaseIterable, Sendable, CanonicalCodable {
    case fhirR4JSON = 1
    /// HL7 version 2, in its vertical bar encoding.
    case hl7v2 = 2
    /// HL7 Clinical Document Architecture, release 2.
    case cda = 3
    /// Comma- or tab-separated values, with the mapping that says what the columns mean.
    case csv = 4
    /// DICOM data sets without their pixel data.
    case dicom = 5

    /// The format as a command line names it.
    package var name: String {
        switch self {
        case .fhirR4JSON: "fhir"
        case .hl7v2: "hl7v2"
        case .cda: "cda"
        case .csv: "csv"
        case .dicom: "dicom"
        }
    }

    package init?(name: String) {
        guard let format = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = format
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let format = SourceFormat(rawValue: try decoder.decode()) else { throw .invalid }
        self = format
    }
}

/// A record's plaintext: the source's own bytes, untouched.
///
/// The exam is read from them again wherever it is opened, so that nobody has to believe another's reading of them.
package struct RecordContent: Hashable, Sendable {
    /// One piece of the source, such as one FHIR resource.
    package struct Part: Hashable, Sendable, CanonicalCodable {
        package static let typeBytesMax = 1024

        /// What the piece is, such as `DiagnosticReport`, and, after a space, the URL by which other pieces refer to it.
        package var type: String
        package var bytes: [UInt8]

        package init(type: String, bytes: [UInt8]) {
            self.type = type
            self.bytes = bytes
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.type)
            encoder.encode(bytes: self.bytes)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.type = try decoder.decodeString(max: Self.typeBytesMax)
            self.bytes = try decoder.decodeBytes(max: SealedObject.bodyBytesMax)
        }
    }

    /// A report with thousands of observations is real (holter, antibiograms); more than this is not one exam.
    package static let partsMax = 16_384

    package var format: SourceFormat
    package var parts: [Part]

    package init(format: SourceFormat, parts: [Part]) {
        self.format = format
        self.parts = parts
    }

    /// `H("rec-commit/1" ‖ suite ‖ salt(32) ‖ content)`: what a commitment batch binds.
    ///
    /// The salt keeps anyone from testing guesses of a result against the chain.
    package static func commitment(suite: SuiteID, salt: [UInt8], canonicalContent: [UInt8]) -> Digest {
        precondition(salt.count == RecordContent.saltBytes, "the salt is 32 bytes")
        var hasher = DigestHasher()
        hasher.update(Array("rec-commit/1".utf8) + [suite.number] + salt)
        hasher.update(canonicalContent)
        return hasher.finalize()
    }

    package static let saltBytes = 32
}

extension RecordContent: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.format)
        encoder.encode(self.parts)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.format = try decoder.decode()
        self.parts = try decoder.decodeArray(max: Self.partsMax)
    }
}
