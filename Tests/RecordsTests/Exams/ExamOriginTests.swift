import Records
import Testing

@Suite("Where an exam's results come from")
struct ExamOriginTests {
    private static func exam(devices: [String?], namesPerson: Bool) -> Exam {
        let code = CodedConcept(text: "x", codings: [])
        var exam = Exam(
            kind: .laboratory,
            source: ExamSource(system: "s", value: "v"),
            identifiers: [],
            code: code,
            categories: [],
            status: .final
        )
        exam.namesPerson = namesPerson
        exam.items = devices.map { device in
            var item = ExamItem(code: code, status: .final, effective: nil, level: 0)
            var component = item
            component.device = device
            item.components = [component]
            return item
        }
        return exam
    }

    @Test("Devices, persons, both or nobody, as the source says")
    func origins() {
        #expect(Self.exam(devices: ["A"], namesPerson: false).origin == .device)
        #expect(Self.exam(devices: ["A"], namesPerson: true).origin == .both)
        #expect(Self.exam(devices: [nil], namesPerson: true).origin == .person)
        #expect(Self.exam(devices: [], namesPerson: false).origin == .unknown)
    }

    @Test("Each device is listed once, in order, and not more than so many")
    func devices() {
        #expect(Self.exam(devices: ["B", "A", nil, "B"], namesPerson: false).devices == ["B", "A"])
        let many = Self.exam(devices: (0..<100).map { "D\($0)" }, namesPerson: false)
        #expect(many.devices.count == Exam.devicesMax && many.devices[0] == "D0")
    }
}
