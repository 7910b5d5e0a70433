package import Primitives

/// A class of exams whose mere existence tells something that a patient may not want told.
///
/// No grant covers them unless it names the class, and they are not listed to those who may not open them.
package enum SensitiveClass: UInt8, Hashable, CaseIterable, Sendable {
    case psychiatry = 1
    case sexualHealth = 2
    case abuse = 3
    case addiction = 4

    package var name: String {
        switch self {
        case .psychiatry: "psychiatry"
        case .sexualHealth: "sexual-health"
        case .abuse: "abuse"
        case .addiction: "addiction"
        }
    }

    package init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}

extension SensitiveClass: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let found = SensitiveClass(rawValue: try decoder.decode()) else { throw .invalid }
        self = found
    }
}

/// Which exams are sensitive, by their item code.
///
/// A table of data; the same at custodians and readers, because both judge by it. An exam is classed by the code under
/// which it is listed, not by each of its lines.
package struct SensitivityPolicy: Sendable {
    private let classes: [String: [SensitiveClass]]

    /// Item codes by class.
    package init(_ codes: [SensitiveClass: [String]]) {
        var classes: [String: [SensitiveClass]] = [:]
        for kind in SensitiveClass.allCases {
            for code in codes[kind] ?? [] { classes[code, default: []].append(kind) }
        }
        self.classes = classes
    }

    package func classes(of itemCode: String) -> [SensitiveClass] { self.classes[itemCode] ?? [] }

    /// LOINC codes of the tests and questionnaires that name such a matter by themselves.
    package static let standard = SensitivityPolicy([
        .psychiatry: [
            "44249-1", "44261-6", "69737-5", "70274-6", "71354-5", "72172-0", "89204-2", "89206-7",
        ],
        .sexualHealth: [
            // HIV.
            "5220-9", "5221-7", "7918-6", "20447-9", "25836-8", "29893-5", "56888-1", "68961-2", "75622-1", "80387-4",
            // Syphilis.
            "5292-8", "5392-6", "5393-4", "8041-6", "20507-0", "20508-8", "22461-8", "22587-0", "24110-9",
            // Chlamydia and gonorrhoea.
            "21613-5", "24111-7", "43304-5", "43305-2", "36902-5",
            // Pregnancy.
            "2106-3", "2118-8",
        ],
        .abuse: ["76499-3", "76500-8", "76501-6", "76502-4", "76503-2", "76504-0"],
        .addiction: ["3349-8", "3397-7", "3426-4", "3879-4", "19270-8", "72109-2", "75626-2", "82667-7"],
    ])
}
