/// Why a text is not accepted as JSON (RFC 8259 in the strict reading of FHIR R4), and where.
package struct JSONError: Error, Hashable, Sendable {
    /// What is wrong.
    package enum Code: Hashable, Sendable {
        /// A character that cannot stand here.
        case syntax
        /// The text ends inside a value.
        case truncated
        /// Something follows the value.
        case trailingData
        /// A name occurs twice in one object.
        case duplicateKey
        /// Bytes that are not UTF-8.
        case notUTF8
        /// An unknown escape, or half of a surrogate pair.
        case badEscape
        /// A control character inside a string.
        case controlCharacter
        /// Containers are nested deeper than ``JSONLimits/depthMax``.
        case tooDeep
        /// More bytes or more values than the limits allow.
        case tooLarge
    }

    package var code: Code
    /// Index in the given bytes.
    package var offset: Int

    package init(code: Code, offset: Int) {
        self.code = code
        self.offset = offset
    }
}

/// What a text may cost its reader.
package struct JSONLimits: Sendable {
    /// A text is held in memory as a whole.
    package var bytesMax = 128 << 20
    /// FHIR resources nest about 15 deep; extensions and questionnaires somewhat deeper.
    package var depthMax = 100
    /// A value takes 20 bytes beside the text, and text can be as dense as two bytes a value.
    package var valuesMax = 16 << 20

    package static let standard = JSONLimits()

    package init() {}
}
