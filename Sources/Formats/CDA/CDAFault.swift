/// What is wrong with a document, and where.
package struct CDAFault: Error, Hashable, Sendable {
    package var refusal: CDARefusal
    /// Index in the bytes that were read; while a document is being read, in its UTF-8 text.
    package var offset: Int
    /// Line of `offset`, from 1.
    package var line: Int
    /// Name of the element or attribute, such as `effectiveTime`; a name of the standard, never the source's content.
    package var element: String?

    init(_ refusal: CDARefusal, offset: Int, line: Int = 1, element: String? = nil) {
        self.refusal = refusal
        self.offset = offset
        self.line = line
        self.element = element
    }

    /// At an element; `element` names what is missing or wrong in it, else the element itself.
    init(_ refusal: CDARefusal, at place: XMLElement, _ element: String? = nil) {
        self.init(refusal, offset: place.tagEnd, element: element ?? (place.isOwn ? place.name : nil))
    }
}
