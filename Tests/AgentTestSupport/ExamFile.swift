import Foundation

/// Exams of our own making: one bundle of a patient, a report and its observation a line.
package enum ExamFile {
    /// `count` exams of `patients` patients, one after another in turn.
    ///
    /// `value`: what the observation of an exam says.
    package static func lines(
        count: Int,
        patients: Int,
        source: String = "source",
        value: (Int) -> String = { "\($0 % 400).5" }
    ) -> String {
        (0..<count).map { self.line($0, patient: $0 % patients, source: source, value: value($0)) }
            .joined(separator: "\n") + "\n"
    }

    /// How the patient of `ExamFile.lines` is asked for.
    package static func patient(_ number: Int) -> String { "urn:test:patient|P\(number)" }

    private static func line(_ number: Int, patient: Int, source: String, value: String) -> String {
        let day = 1 + number % 28
        let time = "2026-0\(1 + number / 28 % 9)-\(day < 10 ? "0" : "")\(day)T08:15:00+08:00"
        let code = #"{"coding":[{"system":"http://loinc.org","code":"2345-7","display":"Glucose"}]}"#
        let category =
            #"[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0074","code":"LAB"}]}]"#
        let entries = [
            #"{"resourceType":"Patient","id":"p\#(patient)","identifier":[{"system":"urn:test:patient","value":"P\#(patient)"}],"name":[{"text":"Test Person"}],"gender":"female","birthDate":"1960-01-01"}"#,
            #"{"resourceType":"DiagnosticReport","id":"\#(source)-\#(number)","identifier":[{"system":"urn:test:\#(source)","value":"\#(number)"}],"status":"final","category":\#(category),"code":\#(code),"subject":{"reference":"Patient/p\#(patient)"},"effectiveDateTime":"\#(time)","result":[{"reference":"Observation/\#(source)-\#(number)-0"}]}"#,
            #"{"resourceType":"Observation","id":"\#(source)-\#(number)-0","status":"final","code":\#(code),"subject":{"reference":"Patient/p\#(patient)"},"effectiveDateTime":"\#(time)","valueQuantity":{"value":\#(value),"unit":"mmol/L"}}"#,
        ]
        return #"{"resourceType":"Bundle","type":"collection","entry":["#
            + entries.map { #"{"resource":\#($0)}"# }.joined(separator: ",") + "]}"
    }
}
