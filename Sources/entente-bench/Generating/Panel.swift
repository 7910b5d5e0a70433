/// A laboratory panel as a hospital orders it.
struct Panel: Sendable {
    /// One analyte with its reference range in tenths or hundredths of the unit.
    struct Analyte: Sendable {
        let code: String
        let display: String
        let unit: String
        let low: Int
        let high: Int
        let decimals: Int
    }

    let code: String
    let display: String
    let analytes: [Analyte]

    private static func analyte(
        _ code: String,
        _ display: String,
        _ unit: String,
        _ range: ClosedRange<Int>,
        decimals: Int
    ) -> Analyte {
        Analyte(
            code: code,
            display: display,
            unit: unit,
            low: range.lowerBound,
            high: range.upperBound,
            decimals: decimals
        )
    }

    static let all = [
        Panel(
            code: "58410-2",
            display: "血常规 Complete blood count",
            analytes: [
                analyte("6690-2", "白细胞 Leukocytes", "10*9/L", 35...95, decimals: 1),
                analyte("789-8", "红细胞 Erythrocytes", "10*12/L", 380...580, decimals: 2),
                analyte("718-7", "血红蛋白 Hemoglobin", "g/L", 115...175, decimals: 0),
                analyte("4544-3", "红细胞压积 Hematocrit", "%", 350...500, decimals: 1),
                analyte("777-3", "血小板 Platelets", "10*9/L", 125...350, decimals: 0),
                analyte("770-8", "中性粒细胞 Neutrophils/100 leukocytes", "%", 400...750, decimals: 1),
            ]
        ),
        Panel(
            code: "24325-3",
            display: "肝功能 Hepatic function panel",
            analytes: [
                analyte("1742-6", "丙氨酸氨基转移酶 Alanine aminotransferase", "U/L", 7...40, decimals: 0),
                analyte("1920-8", "天冬氨酸氨基转移酶 Aspartate aminotransferase", "U/L", 13...35, decimals: 0),
                analyte("1975-2", "总胆红素 Bilirubin.total", "umol/L", 34...205, decimals: 1),
                analyte("2885-2", "总蛋白 Protein", "g/L", 650...850, decimals: 1),
                analyte("1751-7", "白蛋白 Albumin", "g/L", 400...550, decimals: 1),
                analyte("6768-6", "碱性磷酸酶 Alkaline phosphatase", "U/L", 45...125, decimals: 0),
            ]
        ),
        Panel(
            code: "24331-1",
            display: "血脂 Lipid panel",
            analytes: [
                analyte("14647-2", "总胆固醇 Cholesterol", "mmol/L", 310...570, decimals: 2),
                analyte("14927-8", "甘油三酯 Triglyceride", "mmol/L", 40...170, decimals: 2),
                analyte("14646-4", "高密度脂蛋白胆固醇 Cholesterol in HDL", "mmol/L", 100...190, decimals: 2),
                analyte("22748-8", "低密度脂蛋白胆固醇 Cholesterol in LDL", "mmol/L", 180...340, decimals: 2),
                analyte("1869-7", "载脂蛋白A1 Apolipoprotein A-I", "g/L", 100...160, decimals: 2),
            ]
        ),
        Panel(
            code: "24362-6",
            display: "肾功能 Renal function panel",
            analytes: [
                analyte("14682-9", "肌酐 Creatinine", "umol/L", 410...1110, decimals: 1),
                analyte("22664-7", "尿素 Urea", "mmol/L", 260...880, decimals: 2),
                analyte("14933-6", "尿酸 Urate", "umol/L", 155...428, decimals: 0),
                analyte("2951-2", "钠 Sodium", "mmol/L", 1370...1470, decimals: 1),
                analyte("2823-3", "钾 Potassium", "mmol/L", 350...530, decimals: 2),
                analyte("2075-0", "氯 Chloride", "mmol/L", 990...1100, decimals: 1),
            ]
        ),
    ]
}
