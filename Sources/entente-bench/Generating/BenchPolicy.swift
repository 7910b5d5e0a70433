import Records

/// A policy pack of two hundred items with windows of their own, as many as a real catalogue has.
enum BenchPolicy {
    /// The item that is ordered.
    static let ordered = Panel.all[0].code

    static var pack: PolicyPack {
        var pack = PolicyPack(
            name: "bench",
            version: 1,
            effectiveFrom: 0,
            effectiveTo: nil,
            isExample: true,
            clockSkewSeconds: 300,
            staleAfterSeconds: 86_400,
            undoMinutes: 30
        )
        let codes = Panel.all.map(\.code) + (Panel.all.count..<200).map { "i\($0)" }
        for (number, code) in codes.enumerated() {
            var item = PolicyPack.Item(code: code, chinese: "项目", english: "item", category: .laboratory)
            item.schemes = ["NCCL"]
            pack.items.append(item)
            pack.windows.append(
                PolicyPack.Window(
                    rule: "w\(number)",
                    clause: "",
                    selector: PolicyPack.Selector(items: [code]),
                    amount: 3650,
                    unit: .days,
                    basis: .specimen
                )
            )
        }
        pack.authorities = [
            PolicyPack.Authority(name: "nhc", chinese: "委", english: "commission", scope: .national)
        ]
        pack.marks = [
            PolicyPack.MemberMark(
                institution: "hospital-0",
                authority: "nhc",
                scope: .national,
                items: [],
                validFrom: 0,
                validTo: .max
            )
        ]
        pack.assessments = [
            PolicyPack.MemberAssessment(
                institution: "hospital-0",
                scheme: "NCCL",
                items: codes,
                from: 0,
                to: .max,
                passed: true
            )
        ]
        pack.flags = ClinicalFlag.allCases.map { PolicyPack.FlagRule(flag: $0, reason: .emergency, clause: "") }
        let known = IneligibilityCode.allCases.map(\.name) + RefusalReason.allCases.map(\.name)
        pack.texts = known.map { PolicyPack.ReasonText(code: $0, chinese: "文", english: "text") }
        return pack
    }
}
