/// What is wrong with a resource, and where in the text.
package struct FHIRFault: Error, Hashable, Sendable {
    package var refusal: FHIRRefusal
    /// Index in the bytes that were read.
    package var offset: Int
    /// Name of the element, such as `effectiveDateTime`; a name of the standard, never the source's content.
    package var element: String

    init(_ refusal: FHIRRefusal, at value: JSONValue, _ element: String) {
        self.refusal = refusal
        self.offset = value.offset
        self.element = element
    }

    init(_ refusal: FHIRRefusal, offset: Int, element: String) {
        self.refusal = refusal
        self.offset = offset
        self.element = element
    }
}
