/// Where a field's text comes from, and how it is read.
package struct CSVColumn: Hashable, Sendable {
    /// A cell, or a text that is the same for all rows.
    package enum Source: Hashable, Sendable {
        /// Name in the header, or of JSON lines the keys from the outermost in, with dots between.
        case column(String)
        case constant(String)
    }

    /// One text of the source and what it means.
    package struct Meaning: Hashable, Sendable {
        package var text: String
        package var meaning: String

        package init(_ text: String, _ meaning: String) {
            self.text = text
            self.meaning = meaning
        }
    }

    package var source: Source
    /// URI of the namespace of a number, or of the code system of a code.
    package var system: String?
    /// What the source's texts stand for, beside what is known anyway; sorted by text.
    package var values: [Meaning] = []
    /// Of a time: how it is written, where the mapping's own formats do not fit.
    package var timeFormats: [CSVTimeFormat] = []
    /// Of a time: minutes east of UTC, where the mapping's own do not fit.
    package var offsetMinutes: Int?

    package init(_ source: Source, system: String? = nil) {
        self.source = source
        self.system = system
    }
}

/// What a mapping may say about the patient, beside identifiers.
package enum CSVPatientField: String, Hashable, Sendable, CaseIterable {
    case name, family, given, sex, birthDate
}

/// What a mapping may say about the exam that a row belongs to.
package enum CSVExamField: String, Hashable, Sendable, CaseIterable {
    /// Number of the order, report or request: what the source knows the exam by.
    case order
    case panelCode, panelName
    case specimenID, specimenType, specimenCode
    /// Specimen received; checked and usable for grouping, otherwise only in the original row.
    case collected, received, reported
    case performer, conclusion

    var isTime: Bool { self == .collected || self == .received || self == .reported }
}

/// What a mapping may say about one result.
package enum CSVResultField: String, Hashable, Sendable, CaseIterable {
    case code, name
    /// The result as a number or text; the result as a code.
    case value, valueCode
    case unit, low, high, range, flag, status, comment, method, device
}
