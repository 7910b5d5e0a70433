import Formats
import Testing

@Suite("An excerpt hides who it is about")
struct MaskedTextTests {
    @Test("Long numbers are hidden wherever they stand, results and dates in parts are not")
    func numbers() {
        #expect(
            MaskedText.excerpt("110101199003070038 5.50 2026-05-10 12345") == "****************38 5.50 2026-05-10 12345"
        )
    }

    @Test("Names in HL7 segments about people are hidden, whatever the delimiter")
    func segments() {
        let text = "MSH|^~\\&|LIS\rPID|1||7^^^H||诸葛^桂荣^^~ZHU^GUIRONG||19900307|M\rOBX|1|NM|GLU^Glucose^L\r"
        let shown = MaskedText.excerpt(text)
        #expect(shown.contains("诸*^桂*^^~Z**^G******"))
        #expect(shown.contains("GLU^Glucose^L"))
        #expect(!shown.contains("葛"))
        #expect(!MaskedText.excerpt("MSH#^~\\&#LIS\nPID#1##7##ZHU^GUIRONG").contains("GUIRONG"))
    }

    @Test(
        "Names under JSON's keys are hidden, also in a text that is cut off",
        arguments: [
            #"{"resourceType":"Patient","name":[{"family":"Zhuge","given":["Guirong","Xx"],"text":"Zhuge Guirong"}]}"#,
            #"{"subject":{"reference":"Patient/p","display":"Zhuge Guirong"},"code":{"text":"Glucose"}}"#,
            #"{"姓名":"Zhuge Guirong","结果":"5.5"}"#, #"{"name":[{"family":"Zhuge","given":["Guir"#,
            #"{"text":{"div":"<div>Zhuge \"Guirong\"</div>"}}"#,
            #"{"00100010":{"vr":"PN","Value":[{"Alphabetic":"Zhuge^Guirong"}]}}"#,
        ]
    )
    func json(text: String) {
        let shown = MaskedText.excerpt(text)
        #expect(!shown.contains("huge"))
        #expect(!shown.contains("uir"))
        if text.contains("Glucose") { #expect(shown.contains("Glucose")) }
        if text.contains("5.5") { #expect(shown.contains("5.5")) }
    }

    @Test("Names in XML are hidden, other texts are not")
    func xml() {
        let text = "<p><name><given>Guirong</given><family use=\"L\">Zhuge</family></name><title>Glucose</title></p>"
        let shown = MaskedText.excerpt(text)
        #expect(!shown.contains("uirong"))
        #expect(!shown.contains("huge"))
        #expect(shown.contains("<title>Glucose</title>"))
    }

    @Test(
        "Any text is shown, whatever it pretends to be",
        arguments: ["{", "\"", "{\"\\", "<", "<name", "</name>a", "]]]}", "MSH", "PID|", ""]
    )
    func hostile(text: String) {
        #expect(MaskedText.excerpt(text).count <= text.count + 1)
    }
}
