import Records

extension CDABuilder {
    /// Embedded files of one document; C-CDA allows one.
    private static let formsMax = 256

    /// Reads a body that is not XML (CDA R2 section 4.3.1.1): a file, embedded or elsewhere, or a text.
    mutating func readUnstructured(_ body: XMLElement) throws(CDAFault) {
        guard let text = body.child("text") else { throw CDAFault(.bodyMissing, at: body, "text") }
        let data = try self.addForm(text, at: body)
        let type = text.attribute("mediaType") ?? "text/plain"
        guard type.lowercased().hasPrefix("text/plain"), text.child("reference") == nil else { return }
        // A plain text needs no viewer.
        if let data {
            guard let decoded = String(validating: data, as: UTF8.self) else { return }
            let line = decoded.drop { $0.isWhitespace }
            if !line.isEmpty { self.narratives.append(CDADocument.cut(Array(line.utf8)[...])) }
        } else if let own = CDADocument.string(text) {
            self.narratives.append(own)
        }
    }

    /// Notes a rendered form of the report (data type ED); nothing that it refers to is ever fetched.
    ///
    /// Without a size, its content is not in the document: its title is then the address the document gives.
    ///
    /// - Returns: The bytes that are embedded in base64.
    @discardableResult
    mutating func addForm(_ element: XMLElement, at place: XMLElement) throws(CDAFault) -> [UInt8]? {
        guard self.presentedForms.count < Self.formsMax else { throw CDAFault(.tooManyItems, at: place) }
        var form = PresentedForm(contentType: element.attribute("mediaType"), title: nil, size: nil)
        defer { self.presentedForms.append(form) }
        if let reference = element.child("reference")?.attribute("value") {
            form.title = reference
            return nil
        }
        var bytes: [UInt8] = []
        CDADocument.collect(element, into: &bytes)
        // The default of the data type.
        form.contentType = form.contentType ?? "text/plain"
        guard element.attribute("representation") == "B64" else {
            guard bytes.contains(where: { !XMLText.isSpace($0) }) else {
                throw CDAFault(.elementMissing, at: element)
            }
            form.size = UInt64(bytes.count)
            return nil
        }
        guard let data = Base64.decoded(bytes), !data.isEmpty else { throw CDAFault(.badBase64, at: element) }
        form.size = UInt64(data.count)
        return data
    }
}

/// Base64 of RFC 4648 section 4, with white space between its characters.
enum Base64 {
    /// Returns `nil` for anything else.
    static func decoded(_ text: [UInt8]) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var (bits, count, padding) = (UInt32(0), 0, 0)
        for byte in text where !XMLText.isSpace(byte) {
            if byte == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let value = Self.value(byte) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 1
            guard count.isMultiple(of: 4) else { continue }
            bytes += [UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8)]
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits = 0
        }
        switch (count % 4, padding) {
        case (0, 0): break
        case (2, 2): bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
        case (3, 1): bytes += [UInt8(truncatingIfNeeded: bits >> 10), UInt8(truncatingIfNeeded: bits >> 2)]
        default: return nil
        }
        return bytes
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5a: byte - 0x41
        case 0x61...0x7a: byte - 0x61 + 26
        case 0x30...0x39: byte - 0x30 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
