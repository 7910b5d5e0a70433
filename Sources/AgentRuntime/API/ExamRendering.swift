import AgentAPI
import Formats
import Foundation
import Primitives
import Records
import SwiftProtobuf

/// An exam in the words of a report: values with the source's own digits, ranges and flags as text.
enum ExamRendering {
    /// `hidden`: item codes whose results are left out.
    ///
    /// With one left out, conclusion and forms are as well: they may say the same in words.
    static func exam(_ parsed: ParsedExam, hiding hidden: Set<String> = []) -> Entente_Api_V1_Exam {
        let exam = parsed.exam
        let isWholeHidden = FieldMask.hides(exam.code, hidden)
        return .with { message in
            message.kind = exam.kind.rawValue
            message.status = exam.status.rawValue
            message.code = Self.concept(exam.code)
            if case .patient(let patient) = parsed.subject { message.patient = Self.patient(patient) }
            message.effectiveText = Self.text(exam.effective)
            message.issuedText = exam.issued.map(Self.time) ?? ""
            message.performers = exam.performers.compactMap(\.display?.composed)
            message.items = isWholeHidden ? [] : exam.items.flatMap { Self.items($0, level: $0.level, hiding: hidden) }
            message.imaging = exam.imaging.map(Self.imaging)
            message.specimens = exam.specimens.compactMap { $0.type?.label ?? $0.display }
            message.identifiers = exam.identifiers.map {
                [$0.system, $0.value].compactMap { $0 }.joined(separator: "|")
            }
            message.codesVersion = parsed.codes?.version ?? ""
            message.codesDigest = parsed.codes.map { Data($0.digest.bytes) } ?? Data()
            guard hidden.isEmpty else { return }
            message.conclusion = exam.conclusion ?? exam.conclusionCodes.compactMap(\.label).joined(separator: "; ")
            message.presentedForms = exam.presentedForms.map {
                [$0.title, $0.contentType].compactMap { $0 }.joined(separator: ", ")
            }
            message.origin = exam.origin.rawValue
            message.devices = exam.devices
        }
    }

    /// Masked: a screen is seen by more people than the one who asked.
    private static func patient(_ patient: PatientDemographics) -> Entente_Api_V1_PatientLine {
        .with { line in
            let name = (patient.name?.label ?? "").composed
            line.name = name.prefix(1) + String(repeating: "*", count: min(8, max(0, name.count - 1)))
            if let identifier = patient.identifiers.first {
                let value = identifier.value
                let shown = value.count > 4 ? value.suffix(2) : ""
                line.identifier = String(repeating: "*", count: min(16, value.count - shown.count)) + shown
            }
            line.sex = patient.sex?.rawValue ?? ""
            line.birthDate = patient.birthDate.map { String($0.text.prefix(4)) } ?? ""
        }
    }

    private static func items(
        _ item: ExamItem,
        level: Int,
        hiding hidden: Set<String>
    ) -> [Entente_Api_V1_Item] {
        guard !FieldMask.hides(item.code, hidden) else { return [] }
        let own = Entente_Api_V1_Item.with { message in
            message.code = Self.concept(item.code)
            message.level = UInt32(clamping: level)
            let (value, unit) = Self.value(item.value)
            message.value = value
            message.unit = unit
            if let canonical = item.canonical {
                let (value, unit) = Self.value(.quantity(canonical))
                // What is written in the catalogue's unit already is not shown twice.
                if value != message.value || unit != message.unit {
                    message.canonicalValue = value
                    message.canonicalUnit = unit
                }
            }
            message.range = item.referenceRanges.map(Self.range).joined(separator: "; ")
            message.flags = item.interpretations.compactMap { $0.primary?.code ?? $0.text }
            message.status = item.status.rawValue
            message.effectiveText = Self.text(item.effective)
            message.absentReason = item.dataAbsentReason?.label ?? ""
            message.notes = item.notes
        }
        return [own] + item.components.flatMap { Self.items($0, level: level + 1, hiding: hidden) }
    }

    private static func value(_ value: ItemValue?) -> (value: String, unit: String) {
        switch value {
        case nil: ("", "")
        case .quantity(let quantity):
            ((quantity.comparator?.rawValue ?? "") + (quantity.value ?? ""), quantity.unit ?? quantity.code ?? "")
        case .coded(let concept): (concept.label ?? "", "")
        case .text(let text): (text, "")
        case .boolean(let value): (value ? "yes" : "no", "")
        case .integer(let number): (String(number), "")
        case .range(let low, let high): (Self.span(low, high), low?.unit ?? high?.unit ?? "")
        case .ratio(let numerator, let denominator):
            (Self.amount(numerator) + ":" + Self.amount(denominator), "")
        case .sampledData(let data): ("curve of \(data.dimensions)", data.origin.unit ?? "")
        case .time(let text): (text, "")
        case .dateTime(let time): (Self.time(time), "")
        case .period(let start, let end): ((start.map(Self.time) ?? "") + " to " + (end.map(Self.time) ?? ""), "")
        }
    }

    private static func amount(_ quantity: Quantity?) -> String {
        guard let quantity else { return "" }
        let number = (quantity.comparator?.rawValue ?? "") + (quantity.value ?? "")
        return [number, quantity.unit].compactMap { $0 }.joined(separator: " ")
    }

    private static func range(_ range: ReferenceRange) -> String {
        if range.low == nil, range.high == nil { return range.text ?? "" }
        return Self.span(range.low, range.high)
    }

    private static func span(_ low: Quantity?, _ high: Quantity?) -> String {
        switch (low?.value, high?.value) {
        case (let low?, let high?): "\(low) - \(high)"
        case (let low?, nil): ">= \(low)"
        case (nil, let high?): "<= \(high)"
        case (nil, nil): ""
        }
    }

    private static func imaging(_ study: ImagingSummary) -> Entente_Api_V1_Imaging {
        .with { message in
            message.studyUid = study.studyUID ?? ""
            message.startedText = study.started.map(Self.time) ?? ""
            message.modalities = study.modalities.compactMap { $0.code ?? $0.display }
            message.description_p = study.description ?? ""
            message.seriesCount = study.numberOfSeries ?? UInt32(clamping: study.series.count)
            let listed = study.series.reduce(UInt32(0)) { sum, series in
                sum &+ (series.numberOfInstances ?? UInt32(clamping: series.instances.count))
            }
            message.instanceCount = study.numberOfInstances ?? listed
            message.series = study.series.map { series in
                .with {
                    $0.uid = series.uid
                    $0.modality = series.modality.code ?? ""
                    $0.description_p = series.description ?? ""
                    $0.bodySite = series.bodySite?.display ?? series.bodySite?.code ?? ""
                    $0.instanceCount = series.numberOfInstances ?? UInt32(clamping: series.instances.count)
                }
            }
        }
    }

    private static func concept(_ concept: CodedConcept) -> Entente_Api_V1_Concept {
        .with { message in
            message.text = concept.text?.composed ?? ""
            message.codings = concept.codings.map { coding in
                .with {
                    $0.system = coding.system ?? ""
                    $0.code = coding.code ?? ""
                    $0.display = coding.display?.composed ?? ""
                }
            }
        }
    }

    private static func text(_ period: ClinicalPeriod?) -> String {
        switch period {
        case nil: ""
        case .time(let time): Self.time(time)
        case .period(let start, let end):
            end.map { (start.map(Self.time) ?? "") + " to " + Self.time($0) } ?? start.map(Self.time) ?? ""
        }
    }

    /// A time as RFC 3339 writes it, as far as the source knows it.
    ///
    /// HL7 and DICOM write `20260510083000+0800`; other texts are shown as they stand.
    private static func time(_ time: ClinicalTime) -> String {
        let text = Array(time.text.utf8)
        let digits = text.prefix { (0x30...0x39).contains($0) }
        guard digits.count >= 4, digits.count <= 14, digits.count.isMultiple(of: 2) else { return time.text }
        var shown = ""
        for (index, digit) in digits.enumerated() {
            switch index {
            case 4, 6: shown += "-"
            case 8: shown += "T"
            case 10, 12: shown += ":"
            default: break
            }
            shown.unicodeScalars.append(UnicodeScalar(digit))
        }
        let rest = text[digits.count...]
        let fraction = rest.prefix { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
        let offset = rest.dropFirst(fraction.count)
        shown += String(decoding: fraction, as: UTF8.self)
        guard offset.count == 5 else { return offset.isEmpty ? shown : time.text }
        return shown + String(decoding: offset.prefix(3), as: UTF8.self) + ":"
            + String(decoding: offset.suffix(2), as: UTF8.self)
    }
}
