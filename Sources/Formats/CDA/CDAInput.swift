import Records

/// Reads one CDA document, which is one exam: header, results, narrative and the rendered form.
package enum CDAInput {
    /// Largest document: it is sealed whole, and sealing adds its overhead.
    package static let bytesMax = SealedObject.bodyBytesMax / 4 * 3
    /// The type of the one part that a record of a document has.
    package static let partType = "ClinicalDocument"

    /// Reads the document that `range` of `bytes` is, or all of them.
    ///
    /// The exam's one part is the document as it stands, byte for byte.
    package static func read(_ bytes: [UInt8], in range: Range<Int>? = nil) -> Result<ParsedExam, CDAFault> {
        let range = range ?? 0..<bytes.count
        do throws(CDAFault) {
            let (exam, patient) = try Self.document(bytes[range])
            let part = RecordContent.Part(type: Self.partType, bytes: Array(bytes[range]))
            return .success(
                ParsedExam(
                    format: .cda,
                    exam: exam,
                    subject: .patient(patient),
                    parts: [part],
                    offset: range.lowerBound
                )
            )
        } catch {
            var fault = error
            fault.offset += range.lowerBound
            return .failure(fault)
        }
    }

    /// Says whether a file that starts like this is a CDA document, without reading it: whether the first element is
    /// called ClinicalDocument.
    package static func isDocument(startingWith start: ArraySlice<UInt8>) -> Bool {
        // Names are ASCII in every encoding that is read here; UTF-16 puts a zero beside each character.
        let text = start.prefix(16 << 10).filter { $0 != 0 && $0 < 0x80 }
        var rest = text[...]
        while let open = rest.firstIndex(of: UInt8(ascii: "<")) {
            rest = rest[(open + 1)...]
            if rest.starts(with: Array("!--".utf8)) {
                guard let end = Self.end(of: "-->", in: rest.dropFirst(3)) else { return false }
                rest = rest[end...]
            } else if rest.first == UInt8(ascii: "?") {
                guard let end = Self.end(of: "?>", in: rest) else { return false }
                rest = rest[end...]
            } else {
                let name = rest.prefix { !XMLText.isSpace($0) && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: "/") }
                return String(decoding: name, as: UTF8.self).split(separator: ":").last == "ClinicalDocument"
            }
        }
        return false
    }

    private static func end(of mark: String, in text: ArraySlice<UInt8>) -> Int? {
        let mark = Array(mark.utf8)
        return text.indices.first { text[$0...].starts(with: mark) }.map { $0 + mark.count }
    }

    /// Offsets of faults count from the start of `bytes`.
    private static func document(
        _ bytes: ArraySlice<UInt8>
    ) throws(CDAFault) -> (exam: Exam, patient: PatientDemographics) {
        guard bytes.count <= Self.bytesMax else { throw CDAFault(.tooLarge, offset: 0) }
        let encoding: XMLEncoding
        do throws(XMLError) {
            encoding = try XMLEncoding(bytes)
        } catch {
            let line = 1 + bytes.prefix(error.offset).count { $0 == 0x0a }
            throw CDAFault(CDARefusal(error.code), offset: error.offset, line: line)
        }
        do throws(CDAFault) {
            let root: XMLElement
            do throws(XMLError) {
                root = try XMLReader.root(of: encoding.text)
            } catch {
                throw CDAFault(CDARefusal(error.code), offset: error.offset)
            }
            guard root.name == "ClinicalDocument" else { throw CDAFault(.notCDA, offset: root.tagEnd) }
            guard root.isOwn else { throw CDAFault(.wrongNamespace, offset: root.tagEnd) }
            var builder = CDABuilder(CDADocument(root))
            return try builder.exam(in: bytes)
        } catch {
            throw error.located(in: encoding)
        }
    }
}

extension CDAFault {
    /// The fault with its place in the original bytes: that of the tag at fault, where a tag is.
    fileprivate func located(in encoding: XMLEncoding) -> CDAFault {
        var fault = self
        let before = encoding.text[..<min(self.offset, encoding.text.count)]
        let isInTag = self.element != nil || self.refusal == .notCDA || self.refusal == .wrongNamespace
        // Values of attributes hold no "<": the last one begins the tag.
        let start = isInTag ? before.lastIndex(of: UInt8(ascii: "<")) ?? before.endIndex : before.endIndex
        fault.line = 1 + encoding.text[..<start].reduce(0) { $1 == 0x0a ? $0 + 1 : $0 }
        fault.offset = encoding.sourceOffset(start)
        return fault
    }
}

extension RefusedPiece {
    /// A document that is not imported.
    package init(_ fault: CDAFault, range: Range<Int>) {
        self.init(FormatRefusal(fault.refusal), element: fault.element, offset: fault.offset, range: range)
    }
}
