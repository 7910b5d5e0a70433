package import Formats

/// Where a piece of input stands.
package struct InputPosition: Hashable, Sendable {
    /// The path by which the file was reached, or `-` for the standard input.
    package var file: String
    /// Index of a byte of the file.
    package var offset: Int64
    /// The line of that byte, from 1.
    package var line: Int
    /// Position of a resource in its Bundle, from 0.
    package var bundleIndex: Int?

    /// The start of what came without a file.
    package static let standardInput = InputPosition(file: "-", offset: 0, line: 1)
}

/// An input that is not imported, with what an operator needs to find and mend it.
package struct RefusedInput: Hashable, Sendable {
    package var position: InputPosition
    /// Stable and dotted, such as `fhir.bad-date` or `file.unreadable`.
    package var code: String
    /// One sentence; it names elements, never their content.
    package var message: String
    /// The refused piece as it stands in the file, at most ``bytesMax`` of it.
    package var bytes: [UInt8]
    /// Everything that is needed to try again, where that is more than ``bytes``.
    package var kept: KeptInput?

    package init(position: InputPosition, code: String, message: String, bytes: [UInt8]) {
        self.position = position
        self.code = code
        self.message = message
        self.bytes = bytes
    }

    /// What the quarantine keeps.
    package var sealedBytes: [UInt8] { self.kept?.encoded ?? self.bytes }

    /// Enough for any resource that is not mostly attachment; quarantine keeps these bytes.
    package static let bytesMax = 1 << 20
}

/// How far an import has come.
package enum ImportProgress: Hashable, Sendable {
    /// Bytes of all files.
    case reading(done: Int64, total: Int64)
    /// Reports, studies and observations whose other parts stand elsewhere in the input.
    case joining(done: Int64, total: Int64)
}

/// What the reader gives, one after another.
package enum ImportUnit: Sendable {
    /// An exam whose subject can be filed, and where its first part stands.
    case exam(ParsedExam, InputPosition)
    case refused(RefusedInput)
    /// Resources, or files, that are no part of any exam, by type; given once for each type, at the end.
    case skipped(type: String, count: Int)
    case progress(ImportProgress)
}

/// Why a file is refused as a whole.
package enum FileRefusal: String, CaseIterable, Sendable {
    case unreadable = "file.unreadable"
    case notRegular = "file.not-regular"
    case notRecognised = "file.not-recognised"
    case tooLarge = "file.too-large"
    case lineTooLong = "file.line-too-long"
    case changed = "file.changed"
    case tooDeep = "file.too-deep"
    case empty = "file.empty"
    case documentTooLarge = "file.document-too-large"
    case mappingMissing = "file.mapping-missing"
    case nestedArchive = "archive.nested"
    case archiveDamaged = "archive.damaged"
    case archiveEncrypted = "archive.encrypted"
    case archiveUnsupported = "archive.unsupported"
    case archiveTooLarge = "archive.too-large"

    package var message: String {
        switch self {
        case .unreadable: "The file cannot be opened or read."
        case .notRegular: "This is neither a file nor a folder."
        case .notRecognised: "The content is in no format that can be imported."
        case .tooLarge: "The file is one document larger than the importer takes; export it as lines (NDJSON)."
        case .lineTooLong: "The line is longer than the importer takes."
        case .changed: "The file changed while it was being imported."
        case .tooDeep: "Folders are nested too deeply."
        case .empty: "The file is empty."
        case .documentTooLarge: "The file is one document larger than the importer takes."
        case .mappingMissing: "A table needs a mapping that says what its columns mean: see entente mapping columns."
        case .nestedArchive: "An archive inside an archive is not opened."
        case .archiveDamaged: "The archive is damaged or cut off."
        case .archiveEncrypted: "The archive's entry is encrypted."
        case .archiveUnsupported: "The archive's entry is compressed in a way that is not read here."
        case .archiveTooLarge: "The archive holds more than the importer takes."
        }
    }
}
