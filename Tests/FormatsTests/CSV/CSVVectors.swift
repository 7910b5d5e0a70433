import Formats
import Foundation
import TestSupport

/// The tables of this suite and their mappings.
enum CSVVectors {
    static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try TestData.vector("csv/\(name)")) }

    static func text(_ text: String) -> MappingNode { .text(text) }

    static func map(_ members: KeyValuePairs<String, MappingNode>) -> MappingNode {
        .map(members.map { MappingNode.Member($0.key, $0.value) })
    }

    static func texts(_ members: KeyValuePairs<String, String>) -> MappingNode {
        .map(members.map { MappingNode.Member($0.key, .text($0.value)) })
    }

    static let version: MappingNode = .text(CSVMapping.version)

    /// Of `orders.csv` and `faults.csv`.
    static func orders(extra: [MappingNode.Member] = []) throws -> CSVMapping {
        let node = self.map([
            "mapping": self.version,
            "utcOffset": .text("+08:00"),
            "patient": self.map([
                "identifiers": .list([self.texts(["column": "住院号", "system": "MRN@T"])]),
                "name": .text("姓名"), "sex": .text("性别"), "birthDate": .text("出生日期"),
            ]),
            "exam": self.map([
                "order": self.texts(["column": "申请单号", "system": "urn:test:order"]),
                "panelName": .text("检验目的"), "specimenType": .text("标本类型"),
                "collected": .text("采样时间"), "reported": .text("报告时间"),
            ]),
            "results": .list([
                self.texts([
                    "code": "项目代码", "name": "检验项目", "value": "结果", "unit": "单位", "range": "参考范围",
                    "flag": "提示", "status": "报告状态", "comment": "备注",
                ])
            ]),
        ])
        guard case .map(let members) = node else { throw CSVMappingFault(.syntax, "") }
        return try CSVMapping(.map(members + extra))
    }

    static func wide() throws -> CSVMapping {
        let result = { (name: String, unit: String) in
            self.map([
                "name": self.texts(["constant": name]), "value": .text(name),
                "unit": self.map(["constant": .text(unit)]),
            ])
        }
        return try CSVMapping(
            self.map([
                "mapping": self.version,
                "kind": .text("vital-signs"),
                "patient": self.map(["identifiers": .list([.text("patient_id")])]),
                "exam": self.map(["collected": .text("timestamp")]),
                "results": .list([result("HR", "/min"), result("Temp", "Cel"), result("BP", "mm[Hg]")]),
            ])
        )
    }

    static func lines(results: String = "labs", time: String = "when.taken") throws -> CSVMapping {
        try CSVMapping(
            self.map([
                "mapping": self.version,
                "file": self.texts(["layout": "jsonLines", "results": results]),
                "timeFormats": .list([.text("dd.MM.yy")]),
                "patient": self.map([
                    "identifiers": .list([.text("pid")]), "name": .text("name"), "sex": .text("sex"),
                ]),
                "exam": self.map(["collected": .text(time)]),
                "results": .list([
                    self.texts([
                        "name": "\(results).test", "value": "\(results).result", "unit": "\(results).units",
                        "range": "\(results).ref", "flag": "\(results).flag",
                    ])
                ]),
            ])
        )
    }

    static func input(_ text: String, _ mapping: CSVMapping) -> CSVInput {
        CSVInput(Array(text.utf8), mapping: mapping)
    }

    /// A small mapping for tables that tests write themselves.
    static func small(
        order: Bool = true,
        extra: KeyValuePairs<String, MappingNode> = [:]
    ) throws -> CSVMapping {
        let exam = order ? self.texts(["order": "order", "reported": "time"]) : self.texts(["reported": "time"])
        let results = self.texts(["name": "item", "value": "value", "unit": "unit"])
        let base: [MappingNode.Member] = [
            .init("mapping", self.version),
            .init("patient", self.map(["identifiers": .list([.text("pid")]), "name": .text("name")])),
            .init("exam", exam), .init("results", .list([results])),
        ]
        return try CSVMapping(.map(base + extra.map { MappingNode.Member($0.key, $0.value) }))
    }

    static let smallHeader = "pid,name,order,time,item,value,unit\n"
}
