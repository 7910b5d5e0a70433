/// Reads the header of one DICOM file piece by piece, without ever holding its pixel data.
///
/// It is given bytes from the file and answers with the header, a refusal, or which bytes it needs next, so that a file
/// of two gigabytes costs a few kilobytes of reading. It takes DICOM Part 10 files (PS3.10 section 7.1) and bare data
/// sets; every native transfer syntax, the deflated one, and the headers of all encapsulated ones.
package struct DICOMHeaderReader: Sendable {
    /// What the reader says to the bytes it was given.
    package enum Progress: Sendable {
        /// Read at least these bytes of the file and call again; more does no harm. The range is never empty.
        case needs(Range<Int>)
        case header(DICOMHeader)
        case refused(DICOMFault)
    }

    /// A good first piece: the header of nearly every image fits.
    package static let firstPieceBytes = 1 << 16
    /// An element that is larger is no identification, text or code: overlays, curves, icons, frames' positions.
    static let bulkBytesMax = 1 << 16
    /// A report's content tree of this size has a hundred thousand entries.
    static let contentBytesMax = 16 << 20
    /// A printed report is far smaller; a larger one stays in the archive like images do.
    static let documentBytesMax = 8 << 20
    /// The first elements, which identify the object, end long before.
    private static let guessBytes = 1 << 14
    /// All kept elements of one file together.
    static let headerBytesMax = 24 << 20
    /// Real data sets have hundreds.
    static let elementsMax = 1 << 16
    /// Reports nest a level or two for each heading; beyond this only attacks do.
    static let depthMax = 64

    enum Stage: Sendable {
        case start, meta, firstElement, elements, deflated
        /// Inside a sequence or pixel data of undefined length.
        case sequence
    }

    /// What stops a step: not an error but the answer to the caller.
    enum Stop: Error {
        case needs(Range<Int>)
        case refused(DICOMFault)
        case done
    }

    /// Bytes of the file from `offset` on.
    struct Window {
        var bytes: [UInt8]
        var offset: Int
    }

    let fileSize: Int
    /// Byte of the file at which the next step begins; every element before it is dealt with.
    var position = 0
    var stage: Stage = .start
    var encoding = DICOMEncoding.explicitLittle
    var isEncodingStated = true
    var transferSyntaxUID: String?
    var kept: [UInt8] = []
    var elements: [DICOMElement] = []
    var gaps: [DICOMHeader.Gap] = []
    var isOrdered = true
    var open = OpenSequence()
    /// Set when the header is in a deflated stream: the inflated data set and its elements.
    var inflated: DICOMHeader?

    /// - Parameter fileSize: Size of the whole file in bytes.
    package init(fileSize: Int) { self.fileSize = max(fileSize, 0) }

    /// For the data set inside a deflated stream, of which `fileSize` bytes are known or, with `Int.max`, more follow.
    init(inflatedSize: Int) {
        self.fileSize = inflatedSize
        self.stage = .elements
    }

    /// Takes the bytes of the file that begin at `offset`.
    ///
    /// Bytes that were passed over may be given again. If they do not reach as far as was asked for, the reader asks
    /// again: a caller that cannot read what the file's size promises has to stop by itself.
    package mutating func advance(_ bytes: [UInt8], at offset: Int) -> Progress {
        let window = Window(bytes: bytes, offset: offset)
        while true {
            do throws(Stop) {
                try self.step(window)
            } catch {
                switch error {
                case .needs(let range): return .needs(range)
                case .refused(let fault): return .refused(fault)
                case .done: return self.finished()
                }
            }
        }
    }

    /// Reads a file that is in memory.
    package static func read(_ bytes: [UInt8]) -> Result<DICOMHeader, DICOMFault> {
        var reader = DICOMHeaderReader(fileSize: bytes.count)
        switch reader.advance(bytes, at: 0) {
        case .header(let header): return .success(header)
        case .refused(let fault): return .failure(fault)
        case .needs(let range): return .failure(DICOMFault(.truncated, offset: range.lowerBound))
        }
    }

    private mutating func step(_ window: Window) throws(Stop) {
        switch self.stage {
        case .start: try self.start(window)
        case .meta: try self.metaElement(window)
        case .firstElement: try self.settleEncoding(window)
        case .elements: try self.element(window)
        case .sequence: try self.sequenceStep(window)
        case .deflated: try self.inflate(window)
        }
    }

    private func finished() -> Progress {
        let header = DICOMHeader(
            storedBytes: self.kept,
            bytes: self.inflated?.bytes ?? self.kept,
            elements: self.inflated?.elements ?? self.elements,
            encoding: self.encoding,
            transferSyntaxUID: self.transferSyntaxUID,
            isEncodingStated: self.isEncodingStated,
            isDeflated: self.inflated != nil,
            gaps: self.inflated?.gaps ?? self.gaps
        )
        if !self.isOrdered {
            var seen: Set<DICOMTag> = []
            for element in self.elements where !seen.insert(element.tag).inserted {
                let offset = header.fileOffset(element.range.lowerBound)
                return .refused(DICOMFault(.duplicateElement, offset: offset, element.tag))
            }
        }
        return .header(header)
    }

    // MARK: The start of the file

    private mutating func start(_ window: Window) throws(Stop) {
        let prefixEnd = 132
        guard self.fileSize >= 8 else { throw .refused(DICOMFault(.notDICOM, offset: 0)) }
        let at = try self.require(min(self.fileSize, prefixEnd), window)
        if self.fileSize >= prefixEnd, window.bytes[at + 128..<at + 132] == [0x44, 0x49, 0x43, 0x4d] {
            try self.keep(prefixEnd, window)
            self.stage = .meta
        } else if window.bytes[at..<at + 2] == [2, 0], self.encoding.isKnownVR(window.bytes.span, at) {
            // File meta information without preamble and prefix.
            self.stage = .meta
        } else {
            self.stage = .firstElement
        }
    }

    /// File meta information is explicit VR little endian and ends with its group; its stated length is often wrong.
    private mutating func metaElement(_ window: Window) throws(Stop) {
        guard self.fileSize - self.position >= 8 else { return self.endMeta() }
        let at = try self.require(8, window)
        guard self.encoding.uint16(window.bytes.span, at) == 2 else { return self.endMeta() }
        let header: ElementHeader
        switch ElementHeader.read(window.bytes.span, at: at, .explicitLittle) {
        case .header(let found): header = found
        case .short(let size):
            _ = try self.require(size, window)
            return
        case .unknownVR(let tag): throw .refused(DICOMFault(.badMeta, offset: self.position, tag))
        }
        guard !header.isUndefined, header.length <= UInt32(Self.bulkBytesMax) else {
            throw .refused(DICOMFault(.badMeta, offset: self.position, header.tag))
        }
        let place = self.kept.count
        let valueStart = self.position + header.size
        try self.keep(header.size + Int(header.length), window)
        self.append(header, at: place, value: place + header.size..<self.kept.count, inner: .explicitLittle)
        if header.tag == .transferSyntaxUID {
            let uid = DICOMDataSet.asciiText(self.kept[place + header.size..<self.kept.count])
            guard let uid, DICOMDataSet.isUID(uid) else {
                throw .refused(DICOMFault(.badMeta, offset: valueStart, header.tag))
            }
            self.transferSyntaxUID = uid
        }
    }

    private mutating func endMeta() { self.stage = .firstElement }

    /// Compares what the file says of its encoding with how the data set begins.
    ///
    /// Some writers state one encoding and use another. What they use is taken only if the first elements leave no
    /// doubt about it.
    private mutating func settleEncoding(_ window: Window) throws(Stop) {
        let isBare = self.kept.isEmpty
        var stated: DICOMEncoding?
        if let uid = self.transferSyntaxUID {
            guard let syntax = TransferSyntax(uid: uid) else {
                throw .refused(DICOMFault(.unknownTransferSyntax, offset: self.position, .transferSyntaxUID))
            }
            guard case .native(let encoding) = syntax else {
                self.stage = .deflated
                return
            }
            stated = encoding
        }
        let rest = self.fileSize - self.position
        guard rest > 0 else { throw .done }
        let first = try self.require(min(rest, 8), window)
        if let stated, Self.begins(window.bytes.span, at: first, stated) {
            self.encoding = stated
            self.stage = .elements
            return
        }
        let at = try self.require(min(rest, Self.guessBytes), window)
        let bytes = window.bytes.span
        guard let guessed = DICOMEncoding.guessed(bytes, at: at, isWhole: bytes.count - at >= rest) else {
            throw .refused(DICOMFault(isBare ? .notDICOM : .encodingMismatch, offset: self.position))
        }
        self.encoding = guessed
        self.isEncodingStated = false
        self.stage = .elements
    }

    /// Whether the first element can be encoded so: it has a known value representation where one is to be expected,
    /// and none where none is.
    private static func begins(_ bytes: Span<UInt8>, at index: Int, _ encoding: DICOMEncoding) -> Bool {
        // A trailing byte or two are the elements' business.
        guard index <= bytes.count - 8 else { return true }
        // The groups that data sets begin with, in the other byte order.
        let group = encoding.tag(bytes, index).group
        return encoding.isExplicit == encoding.isKnownVR(bytes, index) && group != 0x0800 && group != 0x0400
    }

    // MARK: Bytes

    /// Index in the window of the next byte, of which `count` are there.
    func require(_ count: Int, _ window: Window) throws(Stop) -> Int {
        guard count <= self.fileSize - self.position else {
            throw .refused(DICOMFault(.truncated, offset: self.position))
        }
        let index = self.position - window.offset
        guard index >= 0, count <= window.bytes.count - index else {
            throw .needs(self.position..<self.position + count)
        }
        return index
    }

    /// Goes past `count` bytes and keeps them.
    mutating func keep(_ count: Int, _ window: Window) throws(Stop) {
        guard self.kept.count + count <= Self.headerBytesMax else {
            throw .refused(DICOMFault(.tooLarge, offset: self.position))
        }
        let index = try self.require(count, window)
        self.kept.append(contentsOf: window.bytes[index..<index + count])
        self.position += count
    }

    /// Goes past `count` bytes without having seen them.
    mutating func skip(_ count: Int) throws(Stop) {
        guard count <= self.fileSize - self.position else {
            throw .refused(DICOMFault(.truncated, offset: self.position))
        }
        self.position += count
    }

    mutating func append(_ header: ElementHeader, at place: Int, value: Range<Int>, inner: DICOMEncoding) {
        if let last = self.elements.last, header.tag <= last.tag { self.isOrdered = false }
        self.elements.append(
            DICOMElement(
                tag: header.tag,
                vr: header.vr,
                range: place..<self.kept.count,
                value: value,
                inner: header.inner(inner)
            )
        )
    }
}
