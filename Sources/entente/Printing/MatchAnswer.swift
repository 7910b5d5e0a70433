import AgentAPI
import Foundation

/// A match as a command shows it.
struct MatchAnswer {
    private let match: Entente_Api_V1_RecognitionMatch

    init(_ match: Entente_Api_V1_RecognitionMatch) { self.match = match }

    var answer: Answer { Answer(self.object, text: self.text) }

    var object: [String: Any] {
        var object: [String: Any] = [
            "match": self.match.id.hex, "time": Times.format(self.match.time), "policy": self.match.policy.hex,
            "verdict": self.match.verdict.hex, "state": self.match.state, "repeated": self.match.repeated,
            "items": self.match.items.enumerated().map(self.item), "facts": self.match.facts.map(self.fact),
            "saved": Self.yuan(self.saved),
            "decisions": self.match.decisions.map { decision in
                var object: [String: Any] = ["number": Int(decision.number), "time": Times.format(decision.time)]
                if decision.undone != 0 { object["undone"] = Times.format(decision.undone) }
                return object
            },
        ]
        if self.match.closed != 0 { object["closed"] = Times.format(self.match.closed) }
        if self.match.undoUntil != 0 { object["undoUntil"] = Times.format(self.match.undoUntil) }
        return object
    }

    private func item(_ index: Int, _ item: Entente_Api_V1_MatchItem) -> [String: Any] {
        var object: [String: Any] = [
            "number": index + 1, "item": item.item, "class": item.itemClass, "eligibility": item.eligibility,
            "record": item.record.hex, "institution": item.institution, "cited": item.cited,
        ]
        if item.viewed != 0 { object["viewed"] = Times.format(item.viewed) }
        if !item.outcome.isEmpty { object["outcome"] = item.outcome }
        if !item.reason.isEmpty { object["reason"] = item.reason }
        if item.priced { object["fen"] = item.fen }
        return object
    }

    private func fact(_ fact: Entente_Api_V1_MatchFact) -> [String: Any] {
        var object: [String: Any] = [
            "kind": fact.kind, "time": Times.format(fact.time), "doctor": fact.doctor, "doctorName": fact.doctorName,
            "department": fact.department, "visit": fact.visit, "committed": fact.committed,
        ]
        if fact.kind == "decision" { object["explained"] = fact.explained }
        if !fact.text.isEmpty { object["text"] = fact.text }
        if !fact.refused.isEmpty { object["refused"] = fact.refused }
        return object
    }

    private var saved: Int64 { self.match.items.reduce(0) { $0 + $1.fen } }

    private static func yuan(_ fen: Int64) -> String {
        let rest = fen % 100
        return "\(fen / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    var text: String {
        var table = TextTable(["No.", "Item", "Class", "Rule", "From", "Opened", "Decision", "Yuan", "Record"])
        for (index, item) in self.match.items.enumerated() {
            table.add([
                String(index + 1), item.item, item.itemClass, item.eligibility, item.institution,
                item.viewed == 0 ? "-" : Times.format(item.viewed),
                item.outcome.isEmpty
                    ? "-" : [item.outcome, item.reason].joined(separator: " ") + (item.cited ? " cited" : ""),
                item.priced ? Self.yuan(item.fen) : "-", item.record.hex,
            ])
        }
        var lines = [
            "Match \(self.match.id.hex)", "\(self.match.state), reminded \(Times.format(self.match.time))", "",
            table.text,
        ]
        if self.match.items.contains(where: \.priced) { lines += ["", "Saved: \(Self.yuan(self.saved)) yuan"] }
        for fact in self.match.facts {
            let refused = fact.refused.isEmpty ? "" : "; counts for nobody: \(fact.refused)"
            let state = fact.committed ? "committed" : "waits to be committed"
            lines.append(
                Terminal.dim(
                    "\(Times.format(fact.time)) \(fact.kind) by \(Terminal.harmless(fact.doctorName)), \(state)\(refused)"
                )
            )
        }
        return lines.joined(separator: "\n")
    }
}
