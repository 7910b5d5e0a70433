import Records

/// What the texts of tables mean unless a mapping says otherwise.
enum CSVTerms {
    typealias Sex = PatientDemographics.Sex

    /// GB/T 2261.1, HL7 table 0001, and words.
    static let sexes: [String: Sex] = [
        "1": .male, "M": .male, "m": .male, "男": .male, "男性": .male, "male": .male, "Male": .male, "MALE": .male,
        "2": .female, "F": .female, "f": .female, "女": .female, "女性": .female, "female": .female, "Female": .female,
        "FEMALE": .female,
        "0": .unknown, "9": .unknown, "U": .unknown, "未知": .unknown, "不详": .unknown, "未说明": .unknown,
        "未知的性别": .unknown, "未说明的性别": .unknown, "unknown": .unknown, "Unknown": .unknown,
        "O": .other, "A": .other, "N": .other, "其他": .other, "other": .other, "Other": .other,
    ]

    /// HL7 v3 ObservationInterpretation; flags that are not here keep their text without a code.
    static let flags: [String: String] = [
        "H": "H", "h": "H", "↑": "H", "高": "H", "偏高": "H", "升高": "H", "增高": "H", "high": "H", "High": "H",
        "HIGH": "H",
        "L": "L", "l": "L", "↓": "L", "低": "L", "偏低": "L", "降低": "L", "减低": "L", "low": "L", "Low": "L",
        "LOW": "L",
        "HH": "HH", "↑↑": "HH", "LL": "LL", "↓↓": "LL",
        "N": "N", "正常": "N", "normal": "N", "Normal": "N", "NORMAL": "N",
        "A": "A", "异常": "A", "abnormal": "A", "Abnormal": "A", "ABNORMAL": "A",
        "AA": "AA", "危急": "AA", "危急值": "AA",
        "POS": "POS", "阳性": "POS", "NEG": "NEG", "阴性": "NEG",
        "S": "S", "敏感": "S", "I": "I", "中介": "I", "R": "R", "耐药": "R",
    ]
    static let flagSystem = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"

    /// FHIR R4, HL7 table 0123, and words.
    static let statuses: [String: ExamStatus] = {
        var statuses: [String: ExamStatus] = [
            "F": .final, "已审核": .final, "审核": .final, "已报告": .final, "已发布": .final, "已完成": .final,
            "P": .preliminary, "初步": .preliminary, "未审核": .preliminary, "R": .preliminary,
            "C": .corrected, "已修改": .corrected, "修正": .corrected, "更正": .corrected,
            "A": .partial, "部分": .partial,
            "O": .registered, "I": .registered, "S": .registered, "待检": .registered, "检验中": .registered,
            "已登记": .registered, "已采样": .registered,
            "X": .cancelled, "作废": .cancelled, "取消": .cancelled, "已取消": .cancelled,
        ]
        for status in ExamStatus.allCases { statuses[status.rawValue] = status }
        return statuses
    }()

    /// Of these a result has no value and is none.
    static let withoutValue: Set<ExamStatus> = [.registered, .cancelled, .enteredInError]

    /// What people type where an identifier is not known; taken as a number, it would make one patient of many.
    static let noIdentifiers: Set<String> = [
        "NA", "N/A", "UNKNOWN", "UNK", "NONE", "NULL", "NIL", "ANONYMOUS", "ASKU", "TEST", "TBD",
    ]
}
