/// One code of one code system (FHIR R4 Coding).
package struct Coding: Hashable, Sendable {
    /// URI of the code system, exactly as the source gives it.
    package var system: String?
    package var code: String?
    package var display: String?

    package init(system: String?, code: String?, display: String?) {
        self.system = system
        self.code = code
        self.display = display
    }
}

/// A concept named by any number of codes and a text (FHIR R4 CodeableConcept).
package struct CodedConcept: Hashable, Sendable {
    package var text: String?
    package var codings: [Coding]

    package init(text: String?, codings: [Coding]) {
        self.text = text
        self.codings = codings
    }

    /// The first coding that has a code.
    package var primary: Coding? { self.codings.first { $0.code != nil } }

    /// What a reader is shown: the source's own text, else the name or, without one, the code of a coding.
    package var label: String? {
        self.text ?? self.codings.lazy.compactMap(\.display).first ?? self.primary?.code
    }
}

/// A business identifier: unique within its system, and kept apart from the ids a server gives its resources.
package struct SourceIdentifier: Hashable, Sendable {
    /// URI of the namespace; absent where the source names none.
    package var system: String?
    package var value: String
    package var type: CodedConcept?

    package init(system: String?, value: String, type: CodedConcept? = nil) {
        self.system = system
        self.value = value
        self.type = type
    }
}
