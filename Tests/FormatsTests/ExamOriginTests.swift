import Formats
import Records
import Testing

@Suite("Each format says whether devices or persons are named")
struct FormatOriginTests {
    private static func message(_ result: String, request: String = "") throws -> Exam {
        let text = [
            "MSH|^~\\&|LIS|LAB|A|B|20260510083000+0800||ORU^R01|C1|P|2.5.1|||||CHN|UNICODE UTF-8",
            "PID|1||P1^^^H&1.2.3&ISO||Li^Na", "OBR|1||F1|2345-7^Glucose^LN|||20260510080000+0800\(request)",
            "OBX|1|NM|2345-7^Glucose^LN||5.4|mmol/L|||||F|||20260510080000+0800\(result)",
        ].joined(separator: "\r")
        var input = HL7v2Input(document: Array(text.utf8))
        guard case .exam(let parsed)? = input.next() else { throw Missing() }
        return parsed.exam
    }

    private static func bundle(_ members: String) throws -> Exam {
        let text = """
            {"resourceType":"Bundle","type":"collection","entry":[
            {"resource":{"resourceType":"Patient","id":"p"}},
            {"resource":{"resourceType":"Practitioner","id":"d","name":[{"family":"Li"}]}},
            {"resource":{"resourceType":"Observation","id":"o","status":"final","code":{"text":"Glucose"},
            "subject":{"reference":"Patient/p"},"valueQuantity":{"value":5.4,"unit":"mmol/L"}\(members)}}]}
            """
        guard let exam = ParsedInput(fhir: Array(text.utf8)).exams.first?.exam else { throw Missing() }
        return exam
    }

    private struct Missing: Error {}

    @Test("In HL7 v2 the equipment is OBX-18, and persons are the observer and the interpreters")
    func messages() throws {
        #expect(try Self.message("").origin == .unknown)
        let device = try Self.message("||||AU5800^Analyzers")
        #expect(device.origin == .device && device.devices == ["AU5800"])
        #expect(try Self.message("||7^Zhang^San").origin == .person)
        #expect(try Self.message("||7^Zhang^San||AU5800^Analyzers").origin == .both)
        let interpreter = String(repeating: "|", count: 25) + "9&Wang&Wu"
        #expect(try Self.message("", request: interpreter).origin == .person)
    }

    @Test("In FHIR it is the observation's device, and persons are practitioners, here or elsewhere")
    func resources() throws {
        #expect(try Self.bundle("").origin == .unknown)
        #expect(try Self.bundle(#","performer":[{"display":"Laboratory"}]"#).origin == .unknown)
        #expect(try Self.bundle(#","performer":[{"reference":"Practitioner/d"}]"#).origin == .person)
        let elsewhere = #","performer":[{"reference":"https://x.example/fhir/PractitionerRole/7","display":"Li"}]"#
        #expect(try Self.bundle(elsewhere).origin == .person)
        let device = try Self.bundle(#","device":{"display":"AU5800"}"#)
        #expect(device.origin == .device && device.devices == ["AU5800"])
    }
}
