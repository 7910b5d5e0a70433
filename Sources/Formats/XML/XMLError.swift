/// Why bytes are not read as XML, and where.
package struct XMLError: Error, Hashable, Sendable {
    /// What is wrong.
    package enum Code: Hashable, Sendable {
        /// Not well-formed (XML 1.0).
        case syntax
        /// Not well-formed with regard to namespaces (Namespaces in XML 1.0), such as a prefix that is not declared.
        case namespace
        /// A document type declaration, through which entities and files could be drawn in.
        case documentType
        /// The declared encoding is not known here.
        case unknownEncoding
        /// Bytes that do not belong to the declared encoding.
        case badEncoding
        /// The bytes are in another encoding than is declared, or could be.
        case encodingConflict
        case tooDeep, tooLarge, tooManyAttributes
    }

    package var code: Code
    /// Index in the bytes as they were given, whatever their encoding.
    package var offset: Int
}
