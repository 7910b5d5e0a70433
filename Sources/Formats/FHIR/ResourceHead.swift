/// What a resource is and which others it needs: enough to find them in files too large to hold in memory.
package struct ResourceHead: Sendable {
    package let type: ResourceType
    /// `Type/id`; `nil` for a resource without an id, which nothing can refer to.
    package let key: String?
    /// Keys of the resources that become part of this one's exam and are therefore no exams themselves.
    package let leads: [String]

    private let value: JSONValue

    /// Returns `nil` for anything but a resource of the types that make up exams.
    package init?(_ value: JSONValue) {
        guard value.kind == .object, let type = ExamBuilder.type(of: value) else { return nil }
        self.type = type
        self.value = value
        self.key = value[FHIRKey.id]?.string.map { type.rawValue + "/" + $0 }
        self.leads =
            switch type {
            case .diagnosticReport, .observation: Self.keys(in: value, Self.leading)
            default: []
            }
    }

    private static let leading = [FHIRKey.result, FHIRKey.imagingStudy, FHIRKey.hasMember]
    private static let using = [
        FHIRKey.specimen, FHIRKey.device, FHIRKey.practitioner, FHIRKey.organization,
    ]
    private static let usingAsExam = [FHIRKey.subject, FHIRKey.performer, FHIRKey.resultsInterpreter]

    /// Keys of all resources that reading this one needs; those of the exam itself need whose it is as well.
    package func needs(asExam isExam: Bool) -> [String] {
        Self.keys(in: self.value, Self.leading + Self.using + (isExam ? Self.usingAsExam : []))
    }

    private static func keys(in value: JSONValue, _ names: [JSONKey]) -> [String] {
        var keys: [String] = []
        for name in names {
            guard let member = value[name] else { continue }
            let references = member.kind == .array ? Array(member.elements) : [member]
            for reference in references {
                if let literal = reference[FHIRKey.reference]?.string, let key = ResourceGraph.key(of: literal) {
                    keys.append(key)
                }
            }
        }
        for contained in value[FHIRKey.contained]?.elements ?? value.elements {
            keys += self.keys(in: contained, self.leading + self.using)
        }
        return keys
    }
}
