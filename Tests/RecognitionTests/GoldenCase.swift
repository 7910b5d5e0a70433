import Formats
import Foundation
import Primitives
import Recognition
import Records
import TestSupport
import Testing

/// One case of the corpus: a base, the differences from it, and what the contract says about it.
struct GoldenCase {
    let file: String
    let name: String
    let order: OrderContext
    let candidates: [Candidate]
    let access: RecognitionAccess
    let expectation: MappingNode

    var label: String { "\(self.file): \(self.name)" }
}

/// Reads the corpus; a key that no reader knows is an error, so that a difference cannot be lost.
struct Corpus {
    static let folder = "Tests/Corpus/recognition"
    static let themes = [
        "access", "lifecycle", "integrity", "catalogue", "negative", "equivalence", "values", "time", "window", "marks",
        "level", "choice", "clinical", "order",
    ]

    let policy: PolicyPack
    let cases: [GoldenCase]
    private let bases: MappingNode
    private let start: Int64

    init() throws {
        self.policy = try PolicyPack(author: YAMLFiles.read("\(Self.folder)/policy.yaml"))
        self.bases = try YAMLFiles.read("\(Self.folder)/bases.yaml")
        self.start = try Self.seconds(try #require(self.bases["order"]?["time"]), from: 0)
        var cases: [GoldenCase] = []
        for theme in Self.themes {
            for node in try YAMLFiles.read("\(Self.folder)/\(theme).yaml").list {
                cases.append(try Self.read(node, theme: theme, bases: self.bases))
            }
        }
        self.cases = cases
    }

    private static func check(_ node: MappingNode?, _ allowed: [String], _ place: String) throws {
        for member in node?.members ?? [] where !allowed.contains(member.key) {
            throw FormatProblem(description: "\(place): \(member.key)")
        }
    }

    struct FormatProblem: Error, CustomStringConvertible {
        let description: String
    }

    private static func read(_ node: MappingNode, theme: String, bases: MappingNode) throws -> GoldenCase {
        let name = try #require(node["name"]?.text)
        let place = "\(theme): \(name)"
        try self.check(
            node,
            [
                "name", "rule", "base", "order", "access", "accesses", "cand", "none", "verdict", "chosen", "rejected",
                "suggest", "reasons", "value", "refusal",
            ],
            place
        )
        let base = try #require(node["base"]?.text.flatMap { bases["bases"]?[$0] }, "\(place): base")
        let order = try self.order(
            try #require(bases["order"]).merged(base["item"].map { .map([.init("item", $0)]) }).merged(node["order"]),
            place
        )
        let exam = try #require(bases["exam"]).merged(base)
        let differences: [MappingNode]
        switch node["cand"] {
        case .list(let list)?: differences = list
        case let single?: differences = [single]
        case nil: differences = node["none"] == nil ? [.map([])] : []
        }
        var candidates: [Candidate] = []
        for (index, difference) in differences.enumerated() {
            var start = exam
            if let name = difference["base"]?.text {
                start = try #require(bases["exam"]).merged(try #require(bases["bases"]?[name], "\(place): base"))
            }
            candidates.append(
                try self.candidate(start.merged(difference), number: index + 1, order: order, place)
            )
        }
        let plain = try #require(bases["access"]).merged(node["access"])
        let entries = try (node["accesses"]?.list.map { plain.merged($0) } ?? [plain]).compactMap {
            try self.access($0, order: order, place)
        }
        return GoldenCase(
            file: theme,
            name: name,
            order: order,
            candidates: candidates,
            access: RecognitionAccess(height: 120, entries: entries),
            expectation: node
        )
    }

    private static func order(_ node: MappingNode, _ place: String) throws -> OrderContext {
        try self.check(
            node,
            [
                "patient", "item", "time", "offset", "institution", "level", "area", "consortia", "department",
                "doctor",
                "visitType", "visit", "diagnoses", "age", "flags", "specimen", "method", "modality", "bodySites",
                "laterality", "contrast",
            ],
            place
        )
        return OrderContext(
            patient: node["patient"]?.text ?? "",
            item: try self.item(node),
            time: try self.seconds(try #require(node["time"]), from: 0),
            offsetMinutes: Int64(node["offset"]?.text ?? "") ?? 0,
            institution: node["institution"]?.text ?? "",
            level: UInt8(node["level"]?.text ?? "") ?? 0,
            area: self.area(node["area"]),
            consortia: node["consortia"]?.texts ?? [],
            department: node["department"]?.text ?? "",
            doctor: node["doctor"]?.text ?? "",
            visitType: try #require(VisitType(name: node["visitType"]?.text ?? "")),
            visit: node["visit"]?.text ?? "",
            diagnoses: node["diagnoses"]?.texts ?? [],
            ageDays: try #require(UInt32(node["age"]?.text ?? "")),
            flags: Set(try (node["flags"]?.texts ?? []).map { try #require(ClinicalFlag(name: $0)) })
        )
    }

    private static func item(_ node: MappingNode) throws -> ItemReference {
        ItemReference(
            code: node["item"]?.text ?? "",
            modality: node["modality"]?.text,
            bodySites: node["bodySites"]?.texts ?? [],
            laterality: try #require(Laterality(name: node["laterality"]?.text ?? "unspecified")),
            contrast: try #require(Contrast(name: node["contrast"]?.text ?? "unspecified")),
            specimen: node["specimen"]?.text,
            method: node["method"]?.text
        )
    }

    private static func area(_ node: MappingNode?) -> AreaPath {
        AreaPath(node?.text?.split(separator: "/").map(String.init) ?? [])
    }

    private static func candidate(
        _ node: MappingNode,
        number: Int,
        order: OrderContext,
        _ place: String
    ) throws -> Candidate {
        try self.check(
            node,
            [
                "base", "report", "version", "line", "state", "newest", "item", "specimen", "method", "modality",
                "bodySites",
                "laterality", "contrast", "identity", "performer", "level", "area", "consortia", "specimenTime", "exam",
                "audit", "marks", "mark", "eqa", "assessment", "value", "unit", "range", "critical", "images",
                "signature",
                "anchor", "label", "reported",
            ],
            place
        )
        let version = UInt32(node["version"]?.text ?? "1") ?? 1
        func time(_ key: String) throws -> Int64? {
            guard let node = node[key], node.text != nil else { return nil }
            return try self.seconds(node, from: order.time)
        }
        let marks = node["marks"]?.list ?? []
        let item = try self.item(node)
        return Candidate(
            key: CandidateKey(
                report: node["report"]?.text ?? "r\(number)",
                version: version,
                line: UInt32(node["line"]?.text ?? "0") ?? 0
            ),
            state: try #require(ReportState(name: node["state"]?.text ?? "")),
            newestVersion: UInt32(node["newest"]?.text ?? "") ?? version,
            item: item,
            identity: try #require(IdentityLevel(name: node["identity"]?.text ?? "")),
            performer: node["performer"]?.text ?? "",
            performerLevel: UInt8(node["level"]?.text ?? "") ?? 0,
            performerArea: self.area(node["area"]),
            performerConsortia: node["consortia"]?.texts ?? [],
            specimenTime: try time("specimenTime"),
            examTime: try #require(try time("exam")),
            reportTime: try #require(try time("reported")),
            auditTime: try time("audit"),
            marks: try marks.map { try self.mark($0.merged(node["mark"]), order: order) },
            assessments: try self.assessments(node, item: item.code, order: order),
            value: node["value"]?.text,
            unit: node["unit"]?.text,
            referenceRange: node["range"]?.text,
            critical: try #require(CriticalState(name: node["critical"]?.text ?? "none")),
            imagesExpected: node["images"]?.list.first?.text.flatMap { UInt32($0) },
            imagesHeld: node["images"]?.list.last?.text.flatMap { UInt32($0) } ?? 0,
            signatureOK: node["signature"]?.text == "true",
            anchor: node["anchor"]?.text.flatMap { UInt64($0) },
            label: node["label"]?.text ?? ""
        )
    }

    private static func mark(_ node: MappingNode, order: OrderContext) throws -> RecognitionMark {
        try self.check(node, ["scope", "authority", "item", "from", "to"], "mark")
        return RecognitionMark(
            scope: try #require(Scope(node["scope"]?.text ?? "")),
            authority: node["authority"]?.text ?? "",
            item: node["item"]?.text,
            validFrom: try self.seconds(try #require(node["from"]), from: order.time),
            validTo: try self.seconds(try #require(node["to"]), from: order.time)
        )
    }

    /// `eqa: true` is one passed round of the quarter; `assessment` changes it; a list gives all rounds.
    private static func assessments(
        _ node: MappingNode,
        item: String,
        order: OrderContext
    ) throws -> [QualityAssessment] {
        let plain = MappingNode.map([
            .init("scheme", .text("NCCL")), .init("item", .text(item)),
            .init("from", .text("2026-07-01T00:00:00+08:00")), .init("to", .text("2026-09-30T23:59:59+08:00")),
            .init("passed", .text("true")),
        ])
        var rounds: [MappingNode] = []
        switch node["eqa"] {
        case .list(let list)?: rounds = list.map { plain.merged($0) }
        case .text("true")?: rounds = [plain.merged(node["assessment"])]
        default: break
        }
        return try rounds.map { round in
            try self.check(round, ["scheme", "item", "from", "to", "passed"], "assessment")
            return QualityAssessment(
                scheme: round["scheme"]?.text ?? "",
                item: round["item"]?.text ?? "",
                from: try self.seconds(try #require(round["from"]), from: order.time),
                to: try self.seconds(try #require(round["to"]), from: order.time),
                passed: round["passed"]?.text == "true"
            )
        }
    }

    private static func access(
        _ node: MappingNode,
        order: OrderContext,
        _ place: String
    ) throws -> RecognitionAccess.Entry? {
        try self.check(node, ["state", "online", "checked", "custodian", "report"], place)
        guard let state = node["state"]?.text, state != "absent" else { return nil }
        return RecognitionAccess.Entry(
            custodian: node["custodian"]?.text,
            report: node["report"]?.text,
            access: try #require(AccessState(name: state)),
            sourceOnline: node["online"]?.text == "true",
            checkedAt: try self.seconds(try #require(node["checked"]), from: order.time)
        )
    }

    /// A span such as `-1d2h3s` from `origin`, or an absolute time.
    static func seconds(_ node: MappingNode, from origin: Int64) throws -> Int64 {
        let text = try #require(node.text)
        if text.contains("T") {
            let date = try #require(ISO8601DateFormatter().date(from: text), "\(text) is no time")
            return Int64(date.timeIntervalSince1970)
        }
        var (sum, number): (Int64, Int64) = (0, 0)
        let sign: Int64 = text.hasPrefix("-") ? -1 : 1
        for character in text where character != "-" && character != "+" {
            if let digit = character.wholeNumberValue {
                number = number * 10 + Int64(digit)
            } else {
                let unit = try #require(["d": 86_400, "h": 3600, "m": 60, "s": 1][character], "\(text) is no span")
                sum += number * Int64(unit)
                number = 0
            }
        }
        return origin + sign * sum
    }
}
