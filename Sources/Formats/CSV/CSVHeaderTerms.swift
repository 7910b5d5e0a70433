/// Names of columns in laboratories' exports, and what they mean.
enum CSVHeaderTerms {
    enum Target: Hashable, Sendable {
        /// A number of the patient, with the system it belongs to where the name says so.
        case identifier(system: String?)
        case patient(CSVPatientField)
        case exam(CSVExamField)
        case result(CSVResultField)
        /// Known, and no part of an exam as it is kept here; it stays in the original rows.
        case unused
    }

    static func target(_ name: String) -> Target? { self.table[self.key(name)] }

    /// A name without case, spaces, and the signs that names differ by.
    private static func key(_ name: String) -> String {
        let dropped: Set<Unicode.Scalar> = [" ", "_", "-", ".", ":", "*", "#", "\u{3000}", "(", ")", "\u{ff1a}"]
        let scalars = CSVColumnFinder.normalised(name).unicodeScalars.filter { !dropped.contains($0) }
        return String(String.UnicodeScalarView(scalars))
    }

    /// Earlier names are better ones where several columns have the same meaning.
    static func rank(_ name: String) -> Int { self.ranks[self.key(name)] ?? Int.max }

    private static let table: [String: Target] = Dictionary(
        Self.terms.flatMap { target, names in
            names.split(separator: " ").map { (Self.key(String($0)), target) }
        }
    ) { first, _ in first }

    private static let ranks: [String: Int] = Dictionary(
        Self.terms.flatMap { _, names in
            names.split(separator: " ").enumerated().map { (Self.key(String($0.element)), $0.offset) }
        }
    ) { first, _ in first }

    /// Separated by spaces, which are left out of names before they are compared.
    private static let terms: [(Target, String)] = [
        (.identifier(system: "CN-RIC"), "身份证号 身份证号码 身份证 证件号码 证件号 居民身份证号"),
        (
            .identifier(system: nil),
            """
            patient_id patientid patient_no patient_number patient_identifier pid mrn medical_record_number \
            patient_mrn subject_id hospital_number 病人ID 患者ID 病人编号 患者编号 患者标识 病案号 病历号 住院号 门诊号 \
            门诊病历号 就诊卡号 卡号 登记号 体检号 id_paciente expediente
            """
        ),
        (
            .patient(.name),
            "patient_name name full_name display_name patient_full_name 姓名 患者姓名 病人姓名 受检者姓名 nombre"
        ),
        (.patient(.family), "patient_last_name last_name family_name surname lastname 姓 apellido"),
        (.patient(.given), "patient_first_name first_name given_name firstname forename 名"),
        (.patient(.sex), "patient_gender patient_sex sex gender 性别 患者性别 病人性别 sexo"),
        (
            .patient(.birthDate),
            "patient_dob dob birth_date birthdate date_of_birth patient_birth_date 出生日期 生日 出生年月 出生年月日"
        ),
        (
            .exam(.order),
            """
            order_number order_no order_id orderid placer_order_number filler_order_number request_id requisition \
            report_id report_no accession_number accession 申请单号 申请号 检验单号 医嘱号 医嘱ID 报告单号 报告号 报告ID \
            检验流水号 检验号 流水号 result_id
            """
        ),
        (
            .exam(.panelCode),
            """
            ordered_test_code panel_code order_code order_test_code profile_code 组合代码 组合编码 申请项目代码 \
            医嘱项目代码 检验目的代码
            """
        ),
        (
            .exam(.panelName),
            """
            panel_name panel order_name ordered_test_name ordered_test profile order_description 组合名称 组合项目 \
            检验目的 申请项目 医嘱名称 检验组合 项目组合 报告名称 检验单名称 送检项目 检查目的
            """
        ),
        (.exam(.specimenID), "specimen_id sample_id specimen_number sample_no barcode 条码号 条形码 条码 样本号 标本号 样本条码 标本条码"),
        (
            .exam(.specimenType),
            "specimen_type specimen sample_type specimen_source 标本类型 样本类型 标本 样本 标本种类 标本名称 样本名称"
        ),
        (.exam(.specimenCode), "specimen_type_code specimen_code 标本类型代码 标本代码"),
        (
            .exam(.collected),
            """
            specimen_collection_date_time collected collection_date_time collection_datetime collection_date collection_time \
            specimen_collection_date collected_at collected_time collected_date sample_date sample_time drawn_at \
            test_time observation_time timestamp charttime 采样时间 采集时间 采样日期 标本采集时间 采集日期 采血时间 抽血时间 \
            取样时间
            """
        ),
        (
            .exam(.received),
            """
            received received_at received_time received_date testing_lab_specimen_received_date specimen_received_date \
            接收时间 签收时间 核收时间 收样时间 送达时间 标本接收时间
            """
        ),
        (
            .exam(.reported),
            """
            date_result_released reported reported_at report_time report_date result_datetime result_date_time result_date \
            result_time resulted_at released_at test_result_date 报告时间 报告日期 审核时间 审核日期 发布时间 结果时间 \
            检验时间 检验日期
            """
        ),
        (
            .exam(.performer),
            """
            testing_lab_name performing_lab performer laboratory lab lab_id performing_organization 检验科室 检验机构 \
            检验单位 检测机构 执行科室 报告科室 实验室 检验者 检验人 检验医师
            """
        ),
        (.exam(.conclusion), "conclusion impression 结论 检验结论 报告结论"),
        (
            .result(.code),
            """
            test_performed_code loinc loinc_code test_code item_code analyte_code observation_code result_item_code \
            项目代码 检验项目代码 项目编码 检验项目编码 项目编号 项目英文名 英文名称 英文缩写 英文简称
            """
        ),
        (
            .result(.name),
            """
            test_name item_name analyte analyte_name lab_name component component_name observation_name test parameter \
            检验项目 项目名称 检验项目名称 项目 项目中文名 中文名称 分析项目 检测项目 检查项目 子项名称 指标 指标名称
            """
        ),
        (
            .result(.value),
            """
            result_value result value numeric_result test_value observation_value observation 结果 检验结果 结果值 测定值 \
            检测结果 定量结果 测定结果 结果数值 resultado valor
            """
        ),
        (.result(.valueCode), "test_result_code result_code 结果代码 test_result"),
        (.result(.unit), "unit units result_unit uom 单位 结果单位 计量单位 unidad unidades"),
        (.result(.low), "reference_low ref_low low normal_low range_low lower_limit 参考下限 下限 参考值下限 参考低值 正常下限"),
        (.result(.high), "reference_high ref_high high normal_high range_high upper_limit 参考上限 上限 参考值上限 参考高值 正常上限"),
        (
            .result(.range),
            "reference_range ref_range normal_range reference range 参考范围 参考值 参考区间 正常值 参考值范围 正常范围"
        ),
        (
            .result(.flag),
            """
            abnormal_flag flag abnormal interpretation result_flag 异常标志 提示 异常提示 高低标志 结果标志 异常 结果提示 \
            标志 状态提示
            """
        ),
        (.result(.status), "test_result_status result_status status 报告状态 结果状态 状态 审核状态"),
        (.result(.comment), "comment comments result_comment note notes remark 备注 说明 结果备注 附注"),
        (.result(.method), "method test_method 检验方法 方法 检测方法 方法学"),
        (.result(.device), "device_id equipment_model_name device instrument analyzer equipment 仪器 仪器名称 设备 检测仪器"),
        (
            .unused,
            """
            age 年龄 诊断 临床诊断 diagnosis 送检科室 申请科室 开单科室 科室 病区 床号 送检医生 申请医生 开单医生 医生 \
            patient_street patient_city patient_state patient_zip_code patient_phone_number patient_email patient_race \
            patient_ethnicity 电话 联系电话 手机号 地址 住址 序号 no index row 民族 婚姻 职业 bed ward department
            """
        ),
    ]
}
