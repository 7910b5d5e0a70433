/// What is wrong with a row, an order or a file, and with which field of the mapping.
package struct CSVFault: Error, Hashable, Sendable {
    package var refusal: CSVRefusal
    /// Path of the field in the mapping, such as `exam.collected`; never the name of a column or its content.
    package var element: String?

    package init(_ refusal: CSVRefusal, _ element: String? = nil) {
        self.refusal = refusal
        self.element = element
    }
}
