package import Primitives
package import Records

/// One file of a study, or one object of DICOM JSON, checked and ready to be joined with the others of its study.
///
/// It is small, and all that is needed of the file: an importer may put pieces aside on disk until it has seen every
/// file, and make exams of them with ``DICOMStudy`` then.
package struct DICOMPiece: Hashable, Sendable {
    /// Study Instance UID (0020,000D): pieces with the same one belong together.
    package let studyUID: String
    /// The whole header; its type says what kind of piece it is and, if it is known, which file it came from.
    package let part: RecordContent.Part
    /// Index in the input of its first byte.
    package let offset: Int

    /// Takes up a piece again that was put aside.
    package init(studyUID: String, part: RecordContent.Part, offset: Int) {
        self.studyUID = studyUID
        self.part = part
        self.offset = offset
    }

    /// What identifies a file as a whole, so that a record commits to the images as well as to their headers.
    package struct FileIdentity: Hashable, Sendable {
        /// SHA-256 of the whole file.
        package var digest: Digest
        /// In bytes.
        package var size: UInt64

        package init(digest: Digest, size: UInt64) {
            self.digest = digest
            self.size = size
        }
    }

    /// What the bytes of a part are.
    enum Form: String, Sendable {
        /// A DICOM file without its pixel data and other bulk.
        case instance = "Instance"
        case json = "DICOMJSON"
    }

    /// Checks a header by itself.
    package static func make(
        _ header: DICOMHeader,
        file: FileIdentity? = nil,
        decoders: DICOMDecoders = DICOMDecoders()
    ) -> Result<DICOMPiece, DICOMFault> {
        guard !header.isDirectory else {
            return .failure(DICOMFault(.directory, offset: 0, .directoryRecordSequence))
        }
        do throws(DICOMFault) {
            let instance = try DICOMInstance(header.dataSet(decoders), isFile: true)
            let part = RecordContent.Part(type: self.type(.instance, file), bytes: header.storedBytes)
            return .success(DICOMPiece(studyUID: instance.study.uid, part: part, offset: 0))
        } catch {
            var fault = error
            fault.offset = header.fileOffset(fault.offset)
            return .failure(fault)
        }
    }

    /// Checks each data set of a text in DICOM JSON; one that is wrong leaves the others as they are.
    package static func pieces(json bytes: [UInt8]) -> [Result<DICOMPiece, DICOMFault>] {
        switch DICOMJSON.objects(bytes) {
        case .failure(let fault): return [.failure(fault)]
        case .success(let ranges):
            let decoders = DICOMDecoders()
            return ranges.map { range in
                let object = Array(bytes[range])
                do throws(DICOMFault) {
                    let dataSet = try DICOMJSON.dataSet(object, decoders)
                    let instance = try DICOMInstance(dataSet, isFile: false)
                    let part = RecordContent.Part(type: Form.json.rawValue, bytes: object)
                    return .success(DICOMPiece(studyUID: instance.study.uid, part: part, offset: range.lowerBound))
                } catch {
                    var fault = error
                    fault.offset = range.lowerBound
                    return .failure(fault)
                }
            }
        }
    }

    /// The type of the part that a file's header becomes.
    package static func type(_ file: FileIdentity) -> String { self.type(.instance, file) }

    private static func type(_ form: Form, _ file: FileIdentity?) -> String {
        guard let file else { return form.rawValue }
        return "\(form.rawValue) sha-256:\(file.digest.hex):\(file.size)"
    }
}

extension RecordContent.Part {
    var dicomForm: DICOMPiece.Form? {
        DICOMPiece.Form(rawValue: String(self.type.split(separator: " ", maxSplits: 1).first ?? ""))
    }

    /// Says which file an instance came from, if that is known.
    var dicomFile: Substring? {
        let parts = self.type.split(separator: " ", maxSplits: 1)
        return parts.count == 2 ? parts[1] : nil
    }
}
