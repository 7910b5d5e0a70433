import AgentAPI
import Foundation

/// Verdicts for a person, in Chinese or English.
struct VerdictPrinter {
    let language: LanguageOptions.Language

    private func choose(_ chinese: String, _ english: String) -> String { self.language == .zh ? chinese : english }

    private static let outcomes: [String: (chinese: String, english: String)] = [
        "MUST_RECOGNISE": ("应当互认", "recognise"), "MAY_RECOGNISE": ("鼓励互认", "may recognise"),
        "MANUAL_REVIEW": ("需医师判断", "doctor decides"), "NOT_ELIGIBLE": ("不符合互认条件", "no"),
        "NO_ACCESS": ("无授权", "no access"), "ELIGIBLE": ("符合，已选其他", "eligible"),
    ]

    private func outcome(_ name: String) -> String {
        Self.outcomes[name].map { self.choose($0.chinese, $0.english) } ?? name
    }

    private func text(_ reason: Entente_Api_V1_RuleReason) -> String {
        let text = self.choose(reason.chinese, reason.english)
        return Terminal.harmless(text.isEmpty ? reason.code : "\(reason.code) \(text)")
    }

    var noPolicy: String {
        self.choose("未生效任何互认规则包：不作互认判断。", "No policy pack is in force: nothing is said of recognition.")
    }

    func policy(_ policy: Entente_Api_V1_PolicyInForce) -> String {
        let example = policy.example ? self.choose("（示例）", " (an example, no one's rules)") : ""
        return Terminal.dim(
            Terminal.harmless("\(policy.name) \(policy.version)\(example) \(policy.digest.hex.prefix(16))")
        )
    }

    /// One cell of a list; `isOrder`: one order was judged, and one exam may be the chosen one.
    func short(_ exam: Entente_Api_V1_ExamVerdict, isOrder: Bool) -> String {
        let mark = isOrder && exam.chosen ? "* " : ""
        let outcome = mark + exam.outcome
        return exam.hasReason ? "\(outcome): \(self.text(exam.reason))" : outcome
    }

    func order(_ verdict: Entente_Api_V1_OrderVerdict, _ policy: Entente_Api_V1_PolicyInForce) -> String {
        var lines = [
            Terminal.bold("\(verdict.item): \(verdict.outcome) (\(self.outcome(verdict.outcome)))")
        ]
        if !verdict.chosen.isEmpty {
            let line =
                verdict.chosenLine == 0 ? "" : self.choose("，第\(verdict.chosenLine)项", ", result \(verdict.chosenLine)")
            lines.append(self.choose("采用 ", "chosen   ") + verdict.chosen.hex + line)
        }
        if !verdict.comparable.isEmpty { lines.append(self.choose("结果 ", "result   ") + verdict.comparable) }
        for reason in verdict.reasons {
            let suggestion =
                reason.code.hasPrefix("D") ? self.choose("建议理由 ", "suggests ") : self.choose("说明 ", "because  ")
            lines.append(suggestion + self.text(reason) + self.detail(reason))
        }
        if verdict.ageSource == "assumed" {
            lines.append(
                self.choose(
                    "年龄未知，按40岁成人判断；可用 --born 给出。",
                    "The age is not known: judged as for an adult of 40. Give --born."
                )
            )
        }
        if verdict.leftOut > 0 {
            lines.append(self.choose("较早的\(verdict.leftOut)项未参与判断。", "\(verdict.leftOut) older lines were not judged."))
        }
        lines.append(
            Terminal.dim(
                "verdict  \(verdict.digest.hex)\ninput    \(verdict.inputHash.hex)\n"
                    + "policy   \(policy.digest.hex)\nengine   \(verdict.engineVersion)"
                    + (verdict.hasKnownAt ? "\nas of    \(Times.format(verdict.time)), block \(verdict.knownAt)" : "")
            )
        )
        lines.append(self.policy(policy))
        return lines.joined(separator: "\n")
    }

    /// Every step of every exam that is named.
    func trace(_ verdict: Entente_Api_V1_OrderVerdict, _ exams: [Entente_Api_V1_ExamVerdict]) -> String {
        exams.map { exam in
            var lines = [
                "",
                Terminal.bold(
                    "\(exam.institution)  \(exam.record.hex)" + (exam.line == 0 ? "" : "  #\(exam.line)")
                ), "  " + self.short(exam, isOrder: true),
            ]
            if exam.hasReason { lines.append("  " + self.detail(exam.reason)) }
            if !exam.basis.isEmpty { lines.append("  " + self.choose("依据 ", "judged by ") + self.basis(exam.basis)) }
            for (index, step) in exam.steps.enumerated() {
                let number = String(index + 1)
                lines.append(
                    "  " + Terminal.pad(number, to: 3) + Terminal.pad(step.step, to: 16) + step.finding
                )
            }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private func detail(_ reason: Entente_Api_V1_RuleReason) -> String {
        var parts: [String] = []
        if !reason.observed.isEmpty { parts.append(self.choose("实际 ", "observed ") + reason.observed) }
        if !reason.required.isEmpty { parts.append(self.choose("要求 ", "required ") + reason.required) }
        if !reason.rule.isEmpty { parts.append(self.choose("规则 ", "rule ") + reason.rule) }
        if !reason.clause.isEmpty { parts.append(self.choose("条款 ", "clause ") + reason.clause) }
        // Words of exams are others'.
        return parts.isEmpty ? "" : Terminal.harmless(" [" + parts.joined(separator: "; ") + "]")
    }

    private func basis(_ name: String) -> String {
        switch name {
        case "record": self.choose("已读取的记录", "the record")
        case "not-granted": self.choose("目录条目：无权打开记录", "its listing: the record may not be opened")
        case "not-here": self.choose("目录条目：记录或密钥尚未到达", "its listing: record or key has not arrived yet")
        case "counted": self.choose("目录条目：授权限次", "its listing: the grant counts openings")
        default: self.choose("目录条目：记录无法读取", "its listing: the record cannot be read")
        }
    }
}

/// Verdicts for scripts.
enum VerdictJSON {
    static func policy(_ policy: Entente_Api_V1_PolicyInForce) -> [String: Any] {
        [
            "name": policy.name, "version": policy.version, "policyHash": policy.digest.hex,
            "proposal": policy.proposal.hex, "example": policy.example,
        ]
    }

    static func exam(_ exam: Entente_Api_V1_ExamVerdict) -> [String: Any] {
        var object: [String: Any] = [
            "record": exam.record.hex, "institution": exam.institution, "outcome": exam.outcome,
            "chosen": exam.chosen, "line": Int(exam.line), "item": exam.item, "digest": exam.digest.hex,
            "inputHash": exam.inputHash.hex,
            "steps": exam.steps.map { ["step": $0.step, "finding": $0.finding] },
        ]
        if !exam.basis.isEmpty { object["basis"] = exam.basis }
        if exam.hasReason { object["reason"] = self.reason(exam.reason) }
        return object
    }

    static func order(_ verdict: Entente_Api_V1_OrderVerdict) -> [String: Any] {
        var object: [String: Any] = [
            "outcome": verdict.outcome, "item": verdict.item, "reasons": verdict.reasons.map(self.reason),
            "exams": verdict.exams.map(self.exam), "digest": verdict.digest.hex, "inputHash": verdict.inputHash.hex,
            "engineVersion": Int(verdict.engineVersion), "ageDays": Int(verdict.ageDays),
            "leftOut": Int(verdict.leftOut), "time": Times.format(verdict.time),
        ]
        if verdict.hasKnownAt { object["block"] = Int(verdict.knownAt) }
        if !verdict.ageSource.isEmpty { object["ageSource"] = verdict.ageSource }
        if !verdict.chosen.isEmpty {
            object["chosen"] = verdict.chosen.hex
            object["chosenLine"] = Int(verdict.chosenLine)
        }
        if !verdict.comparable.isEmpty { object["comparable"] = verdict.comparable }
        return object
    }

    private static func reason(_ reason: Entente_Api_V1_RuleReason) -> [String: Any] {
        [
            "code": reason.code, "step": reason.step, "rule": reason.rule, "clause": reason.clause,
            "observed": reason.observed, "required": reason.required, "zh": reason.chinese, "en": reason.english,
        ]
    }
}
