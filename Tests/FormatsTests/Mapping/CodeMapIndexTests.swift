import Formats
import Records
import TestSupport
import Testing

@Suite("Local codes are found by what they are, never by what they are called")
struct CodeMapIndexTests {
    private func index() throws -> CodeMapIndex {
        let (glucose, urine, hemoglobin) = (
            CodeMapSamples.glucose.code, CodeMapSamples.urineGlucose.code, CodeMapSamples.hemoglobin.code
        )
        return CodeMapIndex(
            try CodeMapSamples.small([
                CodeMapEntry(source: "a", system: "99LAB", code: "GLU", item: glucose),
                CodeMapEntry(source: "a", system: "99LAB", code: "GLU", specimen: "尿", item: urine),
                CodeMapEntry(source: "a", system: nil, code: "HB", name: "血红蛋白测定", item: hemoglobin),
                CodeMapEntry(source: "a", system: "99OLD", code: "7", item: hemoglobin),
                CodeMapEntry(source: "a", system: "99NEW", code: "7", item: glucose),
                CodeMapEntry(source: "a", system: "99LAB", code: "P", specimen: "血清", item: glucose),
                CodeMapEntry(source: "a", system: "LN", code: "2345-7", item: glucose),
                CodeMapEntry(source: nil, system: "1.2.3", code: "G", item: glucose),
            ])
        )
    }

    @Test(
        "Source, system, code and specimen decide",
        arguments: [
            (LocalCode(source: "a", system: "99LAB", code: "GLU"), "exact 14749-6"),
            (LocalCode(source: "a", system: "99lab", code: "GLU", specimen: "血清"), "exact 14749-6"),
            (LocalCode(source: "a", system: "99LAB", code: "GLU", specimen: "尿"), "exact 25428-4"),
            (LocalCode(source: "a", system: "99LAB", code: "P"), "ambiguous 14749-6"),
            (LocalCode(source: "a", system: "99LAB", code: "P", specimen: "尿"), "none"),
            (LocalCode(source: "a", system: "99LAB", code: "P", specimen: "血清"), "exact 14749-6"),
            (LocalCode(source: "a", code: "HB"), "exact 718-7"),
            (LocalCode(source: "a", system: "L", code: "HB"), "code 718-7"),
            (LocalCode(source: "a", code: "GLU"), "code 14749-6"),
            (LocalCode(source: "a", code: "7"), "ambiguous 14749-6 718-7"),
            (LocalCode(source: "a", system: "99OLD", code: "7"), "exact 718-7"),
            (LocalCode(source: "b", code: "HB"), "none"),
            (LocalCode(source: "b", system: "99LAB", code: "GLU"), "none"),
            (LocalCode(source: "b", system: "urn:oid:1.2.3", code: "G"), "exact 14749-6"),
            (LocalCode(source: "b", system: "http://loinc.org", code: "718-7"), "catalogue 718-7"),
            (LocalCode(source: "a", system: "2.16.840.1.113883.6.1", code: "2345-7"), "exact 14749-6"),
            (LocalCode(source: "b", system: "LN", code: "2345-7"), "none"),
            (LocalCode(source: "a", system: "SCT", code: "HB"), "none"),
            (LocalCode(source: "a", code: "2345-7"), "none"),
            (LocalCode(source: "a", code: "hb"), "none"),
            (LocalCode(source: "a", code: "血红蛋白测定"), "none"),
        ]
    )
    func lookup(local: LocalCode, expected: String) throws {
        let found =
            switch try self.index().lookup(local) {
            case .exact(let item): "exact " + item.code.code
            case .byCode(let item): "code " + item.code.code
            case .catalogue(let item): "catalogue " + item.code.code
            case .ambiguous(let codes): "ambiguous " + codes.map(\.code).joined(separator: " ")
            case .none: "none"
            }
        #expect(found == expected)
    }

    @Test("A decomposed code finds the composed one")
    func equivalence() throws {
        let entry = CodeMapEntry(source: "a", system: nil, code: "\u{e9}", item: CodeMapSamples.glucose.code)
        let index = CodeMapIndex(try CodeMapSamples.small([entry]))
        #expect(index.lookup(LocalCode(source: "a", code: "e\u{301}")).item != nil)
    }

    private func suggestions(_ name: String, unit: String? = nil, specimen: String? = nil) throws -> [String] {
        let local = LocalCode(source: "x", code: "1", specimen: specimen)
        let index = CodeMapIndex(try CodeMap(author: CodeMapSamples.example()))
        return index.suggestions(for: local, name: name, unit: unit).map(\.item.code.code)
    }

    @Test(
        "The likeliest item is suggested first",
        arguments: [
            ("血红蛋白测定", "g/L", "718-7"), ("白细胞计数(WBC)", "10^9/L", "6690-2"), ("ＡＬＴ", "IU/L", "1742-6"),
            ("丙氨酸氨基转移酶 (ALT)", "U/L", "1742-6"), ("空腹血糖", "mg/dL", "14749-6"), ("促甲状腺激素 (TSH)", "mIU/L", "3016-3"),
            ("低密度脂蛋白胆固醇 (LDL-C)", "mmol/L", "22748-8"), ("serum creatinine", "mg/dL", "14682-9"),
            ("D-Dimer", "mg/L FEU", "48065-7"),
        ]
    )
    func suggested(name: String, unit: String, code: String) throws {
        #expect(try self.suggestions(name, unit: unit).first == code)
    }

    @Test("A unit that measures something else, or another specimen, excludes an item")
    func excluded() throws {
        #expect(try self.suggestions("葡萄糖", unit: "U/L").contains("14749-6") == false)
        #expect(try self.suggestions("葡萄糖", unit: "mmol/L").contains("14749-6"))
        #expect(try self.suggestions("葡萄糖", specimen: "尿").first == "25428-4")
        #expect(try self.suggestions("葡萄糖", specimen: "尿").contains("14749-6") == false)
        #expect(try self.suggestions("完全不同的东西").isEmpty)
        #expect(try self.suggestions("").isEmpty)
    }

    @Test("Suggestions are the same whenever they are made")
    func deterministic() throws {
        let first = try self.suggestions("胆固醇")
        #expect(first.count > 1)
        for _ in 0..<5 { #expect(try self.suggestions("胆固醇") == first) }
    }

    @Test("A result's amount is given in the catalogue's unit and keeps its comparator")
    func converted() throws {
        let quantity = Quantity(comparator: .less, value: "90", unit: "mg/dl", system: nil, code: nil)
        let converted = try CodeMapSamples.glucose.convert(quantity)
        #expect(converted.value.text == "5.00")
        #expect(converted.unit == "mmol/L")
        #expect(converted.comparator == .less)
        #expect(converted.reading.origin == .normalised)
        #expect(converted.reading.original == "mg/dl")
    }

    @Test("A unit that is declared as UCUM is read as UCUM, and no unit is none")
    func declared() throws {
        var quantity = Quantity(
            comparator: nil,
            value: "150",
            unit: "G/L",
            system: "http://unitsofmeasure.org",
            code: "G/L"
        )
        #expect(throws: UnitRefusal.notCommensurable) { try CodeMapSamples.hemoglobin.convert(quantity) }
        quantity.system = nil
        #expect(try CodeMapSamples.hemoglobin.convert(quantity).value.text == "150")
        quantity.unit = nil
        quantity.code = nil
        #expect(throws: UnitRefusal.empty) { try CodeMapSamples.hemoglobin.convert(quantity) }
        quantity.value = nil
        #expect(throws: UnitRefusal.badNumber) { try CodeMapSamples.hemoglobin.convert(quantity) }
        #expect(throws: UnitRefusal.empty) { try CodeMapSamples.urineGlucose.convert(quantity) }
    }

    @Test("Ratios and pH have no unit to write; amounts do")
    func unitless() throws {
        let code = CatalogueCode(system: "urn:example", code: "1")
        let value = Quantity(comparator: nil, value: "1.10", unit: nil, system: nil, code: nil)
        for unit in ["{INR}", "1", "[pH]"] {
            #expect(try CatalogueItem(code: code, display: "x", unit: unit).convert(value).value.text == "1.10")
        }
        for unit in ["%", "s", "mmol/mol", "10*9/L"] {
            #expect(throws: UnitRefusal.empty) {
                try CatalogueItem(code: code, display: "x", unit: unit).convert(value)
            }
        }
    }
}
