import AgentAPI

/// Prints a report as a clinician reads one: patient line masked, items aligned, then origin and proof.
struct ReportPrinter {
    private let reply: Entente_Api_V1_FetchReply

    init(_ reply: Entente_Api_V1_FetchReply) { self.reply = reply }

    var text: String {
        let exam = self.reply.exam
        var lines = [Terminal.bold(Terminal.harmless(exam.code.label(or: "Report")))]
        lines.append(self.patientLine(exam.patient))
        lines += self.header(exam)
        if !exam.items.isEmpty { lines += ["", self.items(exam.items)] }
        for study in exam.imaging { lines += [""] + self.imaging(study) }
        if !exam.conclusion.isEmpty {
            lines.append("")
            for (index, line) in exam.conclusion.split(whereSeparator: \.isNewline).enumerated() {
                lines.append((index == 0 ? "Conclusion: " : "            ") + Terminal.harmless(String(line)))
            }
        }
        for form in exam.presentedForms { lines.append("Attached:   " + Terminal.harmless(form)) }
        lines += ["", self.proof(self.reply.proof)]
        return lines.joined(separator: "\n")
    }

    private func patientLine(_ patient: Entente_Api_V1_PatientLine) -> String {
        let parts = [patient.name, patient.sex, patient.birthDate, patient.identifier].filter { !$0.isEmpty }
        return "Patient     " + parts.map(Terminal.harmless).joined(separator: "  ")
    }

    private func header(_ exam: Entente_Api_V1_Exam) -> [String] {
        var lines = ["Status      " + Terminal.harmless(exam.status) + (exam.status == "final" ? "" : "  (not final)")]
        if !exam.effectiveText.isEmpty { lines.append("Examined    " + Terminal.harmless(exam.effectiveText)) }
        if !exam.issuedText.isEmpty { lines.append("Reported    " + Terminal.harmless(exam.issuedText)) }
        if !exam.performers.isEmpty {
            lines.append("Performer   " + Terminal.harmless(exam.performers.joined(separator: ", ")))
        }
        if !exam.origin.isEmpty {
            let devices = exam.devices.isEmpty ? "" : ": " + exam.devices.joined(separator: "; ")
            let origin = ["both": "device and person", "unknown": "not said by the source"][exam.origin] ?? exam.origin
            lines.append("Made by     " + Terminal.harmless(origin + devices))
        }
        if !exam.codesVersion.isEmpty || !exam.readerCodesVersion.isEmpty {
            let reader = exam.readerCodesVersion.isEmpty ? "" : ", and by this agent \(exam.readerCodesVersion)"
            let importer = exam.codesVersion.isEmpty ? "none at import" : exam.codesVersion
            lines.append("Code map    " + Terminal.harmless(importer + reader))
        }
        if !exam.specimens.isEmpty {
            lines.append("Specimen    " + Terminal.harmless(exam.specimens.joined(separator: ", ")))
        }
        return lines
    }

    private func items(_ items: [Entente_Api_V1_Item]) -> String {
        // Shown only where a value was converted: beside what the source wrote, never in its place.
        let isConverted = items.contains { !$0.canonicalValue.isEmpty }
        var table = TextTable(
            ["Item", "Value", "Unit", "Reference", "Flag"] + (isConverted ? ["In catalogue unit"] : [])
        )
        for item in items {
            let name = String(repeating: "  ", count: Int(min(item.level, 8))) + item.code.label(or: "-")
            let value = item.value.isEmpty && !item.absentReason.isEmpty ? "(\(item.absentReason))" : item.value
            // N says nothing that the eye must stop at.
            let flag = item.flags.filter { $0 != "N" }.joined(separator: " ")
            let canonical = [item.canonicalValue, item.canonicalUnit].filter { !$0.isEmpty }.joined(separator: " ")
            table.add([name, value, item.unit, item.range, flag] + (isConverted ? [canonical] : []))
        }
        return table.text
    }

    private func imaging(_ study: Entente_Api_V1_Imaging) -> [String] {
        var lines: [String] = []
        let modality = study.modalities.joined(separator: "/")
        lines.append(
            "Study       "
                + Terminal.harmless([modality, study.description_p].filter { !$0.isEmpty }.joined(separator: "  "))
        )
        if !study.startedText.isEmpty { lines.append("Started     " + Terminal.harmless(study.startedText)) }
        lines.append("Images      \(study.instanceCount) in \(study.seriesCount) series")
        if !study.studyUid.isEmpty { lines.append("Study UID   " + Terminal.harmless(study.studyUid)) }
        if !study.series.isEmpty {
            var table = TextTable(["Series", "Modality", "Body site", "Images", "UID"])
            for series in study.series {
                table.add([
                    series.description_p, series.modality, series.bodySite, String(series.instanceCount), series.uid,
                ])
            }
            lines.append(table.text)
        }
        return lines
    }

    private func proof(_ proof: Entente_Api_V1_Proof) -> String {
        var lines = [
            "Origin      \(Terminal.harmless(proof.custodianName)) (\(proof.custodian)), batch \(proof.batch)",
            "Committed   block \(proof.height), \(Times.format(proof.time))",
        ]
        if proof.grant.isEmpty {
            lines.append("Access      own record")
        } else {
            lines.append("Access      grant \(proof.grant.hex), until \(Times.format(proof.grantNotAfter))")
        }
        lines.append("Proved      " + proof.steps.joined(separator: "; "))
        lines.append("            as of block \(proof.checkedHeight), \(Times.format(proof.checkedTime))")
        return lines.joined(separator: "\n")
    }
}

extension Entente_Api_V1_Concept {
    /// The source's own text, else a coding's name, else its code.
    func label(or fallback: String) -> String {
        if !self.text.isEmpty { return self.text }
        if let display = self.codings.map(\.display).first(where: { !$0.isEmpty }) { return display }
        return self.codings.map(\.code).first { !$0.isEmpty } ?? fallback
    }
}
