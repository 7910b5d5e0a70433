import AgentCore
import Foundation
import Primitives
import Records

/// What a regulator sees of an account that was checked.
enum AccountPrinter {
    static func answer(_ report: AccountReport) -> Answer {
        let findings = report.findings.map { finding in
            var object: [String: Any] = ["ok": finding.isOK, "text": finding.text]
            if !finding.isOK { object["code"] = finding.code.rawValue }
            if let time = finding.time { object["time"] = Times.format(time.milliseconds) }
            return object
        }
        var object: [String: Any] = ["valid": report.isValid, "findings": findings]
        if let account = report.account {
            object["institution"] = account.institution.text
            object["from"] = Times.format(account.from.milliseconds)
            object["until"] = Times.format(account.until.milliseconds)
            object["events"] = report.events.map(self.event)
            object["readings"] = report.readings.map(self.reading)
        }
        return Answer(object, text: self.text(report))
    }

    private static func event(_ event: AccountReport.Event) -> [String: Any] {
        [
            "height": event.height.value, "time": Times.format(event.time.milliseconds), "name": event.name,
            "own": event.isOwn, "refused": event.isRefused,
        ]
    }

    private static func reading(_ reading: AccountReport.Reading) -> [String: Any] {
        let receipt = reading.receipt
        var object: [String: Any] = [
            "time": Times.format(receipt.time.milliseconds), "anchored": Times.format(reading.anchored.milliseconds),
            "record": Data(receipt.request.record.digest.bytes).hex, "custodian": receipt.custodian.text,
            "purpose": receipt.request.purpose.code, "height": receipt.height.value,
            "clinician": receipt.credential.clinician, "name": receipt.credential.name,
            "department": receipt.credential.department, "role": receipt.credential.role,
            "emergency": reading.isEmergency,
        ]
        if let grant = receipt.grant { object["grant"] = Data(grant.digest.bytes).hex }
        return object
    }

    private static func text(_ report: AccountReport) -> String {
        var lines = report.findings.map { finding in
            let mark = finding.isOK ? "ok  " : Terminal.red("FAIL")
            let time = finding.time.map { " (" + Times.format($0.milliseconds) + ")" } ?? ""
            let code = finding.isOK ? "" : "[\(finding.code.rawValue)] "
            return "\(mark)  \(code)\(Terminal.harmless(finding.text))\(time)"
        }
        if let account = report.account, !report.events.isEmpty || !report.readings.isEmpty {
            lines.append("")
            lines.append(
                "From \(Times.format(account.from.milliseconds)) until \(Times.format(account.until.milliseconds)):"
            )
            lines += self.counts(report)
            lines.append("--json lists every reading and every event.")
        }
        lines.append(report.isValid ? Terminal.bold("valid") : Terminal.red("NOT valid"))
        return lines.joined(separator: "\n")
    }

    private static func counts(_ report: AccountReport) -> [String] {
        var readings: [String: Int] = [:]
        for reading in report.readings { readings[reading.receipt.request.purpose.code, default: 0] += 1 }
        var events: [String: (own: Int, all: Int, refused: Int)] = [:]
        for event in report.events {
            if event.isRefused {
                events[event.name, default: (0, 0, 0)].refused += 1
            } else {
                events[event.name, default: (0, 0, 0)].all += 1
                if event.isOwn { events[event.name, default: (0, 0, 0)].own += 1 }
            }
        }
        let clinicians = Set(report.readings.map(\.receipt.credential.clinician)).count
        var lines = readings.sorted { $0.key < $1.key }.map { "  readings \($0.key): \($0.value)" }
        if clinicians > 0 { lines.append("  by \(clinicians) clinicians") }
        lines += events.sorted { $0.key < $1.key }.map { name, count in
            "  \(name): \(count.own) of this institution, \(count.all) on the chain"
                + (count.refused > 0 ? ", \(count.refused) refused" : "")
        }
        return lines
    }
}
