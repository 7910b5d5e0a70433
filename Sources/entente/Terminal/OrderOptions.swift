import AgentAPI
import ArgumentParser
import Foundation

/// What is about to be ordered.
struct OrderOptions: ParsableArguments {
    @Option(name: .long, help: "An item of the policy pack that is about to be ordered, such as cbc or 58410-2.")
    var order: String?

    @Option(name: .long, help: "When it is ordered. Default: now.")
    var asOf: String?

    @Option(name: .long, help: "With --as-of: the block that a verdict names. Default: the last one by then.")
    var block: UInt64?

    @Option(name: .long, help: "The ordering department. Default: the clinician's.")
    var department: String?

    @Option(name: .long, help: "outpatient, inpatient, emergency or health-check.")
    var visitType: String?

    @Option(name: .long, help: "The visit's number.")
    var visit: String?

    @Option(name: .long, parsing: .upToNextOption, help: "Diagnoses, ICD-10.")
    var diagnoses: [String] = []

    @Option(name: .long, help: "The patient's date of birth, YYYY-MM-DD. Default: what a record that is here says.")
    var born: String?

    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: "emergency, pre-operation, pre-transfusion, forensic, monitoring."
    )
    var flags: [String] = []

    @Option(name: .long, help: "The DICOM modality that is asked for.")
    var modality: String?

    @Option(name: .long, parsing: .upToNextOption, help: "Body sites that are asked for.")
    var bodySites: [String] = []

    @Option(name: .long, help: "left, right or bilateral.")
    var side: String?

    @Option(name: .long, help: "plain, enhanced or both.")
    var contrast: String?

    @Option(name: .long, help: "The specimen that is asked for.")
    var specimen: String?

    @Option(name: .long, help: "The method that is asked for.")
    var method: String?

    func form() throws -> Entente_Api_V1_OrderForm {
        var form = Entente_Api_V1_OrderForm()
        form.item = self.order ?? ""
        form.time = try self.asOf.map { try Times.parse($0, option: "--as-of") } ?? 0
        if let block = self.block { form.knownAt = block }
        let date = form.time == 0 ? Date() : Date(timeIntervalSince1970: Double(form.time) / 1000)
        form.offsetMinutes = Int32(TimeZone.current.secondsFromGMT(for: date) / 60)
        form.department = self.department ?? ""
        form.visitType = self.visitType ?? ""
        form.visit = self.visit ?? ""
        form.diagnoses = Lists.split(self.diagnoses)
        form.birthDate = self.born ?? ""
        form.flags = Lists.split(self.flags)
        form.modality = self.modality ?? ""
        form.bodySites = Lists.split(self.bodySites)
        form.laterality = self.side ?? ""
        form.contrast = self.contrast ?? ""
        form.specimen = self.specimen ?? ""
        form.method = self.method ?? ""
        return form
    }
}

/// In which language the rules' texts are printed.
struct LanguageOptions: ParsableArguments {
    enum Language: String, ExpressibleByArgument { case zh, en }

    @Option(name: .long, help: "zh or en, for the texts of the rules. Default: as LANG has it.")
    var language: Language?

    var chosen: Language {
        if let language = self.language { return language }
        let environment = ProcessInfo.processInfo.environment
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        return locale.hasPrefix("zh") ? .zh : .en
    }
}
