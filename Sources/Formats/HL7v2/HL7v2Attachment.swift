import Records

extension HL7v2Text {
    /// ED (`source^type^subtype^encoding^data`): what the attachment is and how large; the data stays in the original.
    func attachment(_ field: HL7v2Field, title: String?, _ segment: HL7v2Segment) throws(HL7v2Fault) -> PresentedForm {
        let data = field.component(5)
        let size: Int?
        switch self.string(field.component(4))?.uppercased() {
        case "BASE64": size = self.base64Size(data)
        case "HEX": size = HL7v2Text.hexadecimal(Self.withoutBreaks(data)[...])?.count ?? (data.isEmpty ? 0 : nil)
        default: size = self.string(data)?.utf8.count ?? 0
        }
        guard let size else { throw HL7v2Fault(.badAttachment, segment, field: 5) }
        return PresentedForm(contentType: self.mediaType(field, type: 2, subtype: 3), title: title, size: UInt64(size))
    }

    /// RP (`pointer^application^type^subtype`): data that is elsewhere.
    func reference(_ field: HL7v2Field, title: String?) -> PresentedForm {
        PresentedForm(contentType: self.mediaType(field, type: 3, subtype: 4), title: title, size: nil)
    }

    /// The media type that HL7 tables 0191 (type) and 0291 (subtype) name.
    private func mediaType(_ field: HL7v2Field, type: Int, subtype: Int) -> String? {
        let subtype = self.string(field.component(subtype))?.lowercased()
        if let subtype, subtype.utf8.contains(UInt8(ascii: "/")) { return subtype }
        if subtype == "pdf" { return "application/pdf" }
        if subtype == "dicom" { return "application/dicom" }
        let kind: String
        switch self.string(field.component(type))?.uppercased() {
        case "IM", "IMAGE", "SI", "SD": kind = "image"
        case "AU", "AUDIO": kind = "audio"
        case "TX", "TEXT", "FT": kind = "text"
        case "MULTIPART": kind = "multipart"
        default: kind = "application"
        }
        if let subtype { return "\(kind)/\(subtype)" }
        return kind == "text" ? "text/plain" : nil
    }

    /// How many bytes base64 stands for, or `nil` if it is none; line breaks are allowed, written as escapes too.
    private func base64Size(_ data: ArraySlice<UInt8>) -> Int? {
        var (digits, padding) = (0, 0)
        var rest = data
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                guard padding == 0 else { return nil }
                digits += 1
            case UInt8(ascii: "="): padding += 1
            case 0x20, 0x09, 0x0a, 0x0d: continue
            case self.delimiters.escape:
                guard let end = rest.prefix(8).firstIndex(of: self.delimiters.escape),
                    [".br", "X0A", "X0D", "X0D0A", "X0d", "X0a", "X0d0a"].contains(
                        String(decoding: rest[..<end], as: UTF8.self)
                    )
                else { return nil }
                rest = rest[(end + 1)...]
            default: return nil
            }
        }
        guard (digits + padding).isMultiple(of: 4), padding <= 2, digits % 4 != 1 else { return nil }
        return digits * 3 / 4
    }

    private static func withoutBreaks(_ data: ArraySlice<UInt8>) -> [UInt8] {
        data.filter { $0 != 0x20 && $0 != 0x0a && $0 != 0x0d }
    }
}
