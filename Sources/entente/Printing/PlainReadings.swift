import AgentAPI
import Foundation

/// Says in words that need no explanation who read a patient's records.
struct PlainReadings {
    enum Language: String { case en, zh }

    let language: Language

    func text(_ reads: [Entente_Api_V1_Read]) -> String {
        guard !reads.isEmpty else {
            return self.language == .zh ? "没有人查看过您的记录。" : "Nobody has read your records."
        }
        return reads.map(self.sentence).joined(separator: "\n")
    }

    private func sentence(_ read: Entente_Api_V1_Read) -> String {
        let who = Terminal.harmless(read.clinicianName)
        let department = Terminal.harmless(read.department)
        let time = Times.format(read.time)
        let isOwn = read.institution == read.custodian
        switch self.language {
        case .en:
            let whose = isOwn ? "one of its own records of you" : "a record of you made by \(read.custodian)"
            return "\(time): \(who) (\(department)) at \(read.institution) opened \(whose), \(self.purpose(read)). "
                + self.permission(read, isOwn: isOwn)
        case .zh:
            let whose = isOwn ? "本机构的一份您的记录" : "\(read.custodian) 的一份您的记录"
            return "\(time)：\(read.institution) \(department) \(who) 查看了\(whose)，\(self.purpose(read))。"
                + self.permission(read, isOwn: isOwn)
        }
    }

    private func purpose(_ read: Entente_Api_V1_Read) -> String {
        let isChinese = self.language == .zh
        return switch read.purpose {
        case "TREAT": isChinese ? "用于诊疗" : "to treat you"
        case "HPAYMT": isChinese ? "用于医保结算" : "to settle payment"
        case "HRESCH": isChinese ? "用于科研" : "for research"
        case "PUBHLTH": isChinese ? "用于公共卫生" : "for public health"
        case "BTG": isChinese ? "因紧急情况" : "in an emergency"
        default: isChinese ? "用途：\(read.purpose)" : "for \(read.purpose)"
        }
    }

    private func permission(_ read: Entente_Api_V1_Read, isOwn: Bool) -> String {
        let isChinese = self.language == .zh
        let grant = String(read.grant.hex.prefix(8))
        if isOwn { return isChinese ? "本机构自己的记录，无需授权。" : "No permission is needed for its own records." }
        if read.purpose == "BTG" {
            return isChinese
                ? "没有您的授权，属紧急调阅 \(grant)，事后须经审核。"
                : "Without your permission: emergency access \(grant), which is reviewed afterwards."
        }
        return isChinese ? "依据授权 \(grant)。" : "Permission \(grant) allowed it."
    }
}
