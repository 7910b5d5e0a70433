// The elements of the data set, one step for each, and those inside an element of undefined length.
extension DICOMHeaderReader {
    /// Elements of undefined length that are open, and whether their bytes are being kept.
    struct OpenSequence: Sendable {
        enum Level: Hashable, Sendable {
            /// Takes items. `isPixelData`: fragments, which are never taken apart.
            case sequence(DICOMEncoding, isPixelData: Bool)
            /// Takes elements.
            case item(DICOMEncoding)
        }

        var levels: [Level] = []
        /// The outermost element.
        var header = ElementHeader(tag: .item, vr: .sq, length: 0, size: 0)
        var inner = DICOMEncoding.explicitLittle
        var offset = 0
        /// Where it begins in the kept bytes; `nil` once it has become too large to be kept.
        var place: Int?
    }

    /// Reads one top-level element.
    mutating func element(_ window: Window) throws(Stop) {
        let rest = self.fileSize - self.position
        guard rest > 0 else { throw .done }
        guard rest >= 8 else { throw .refused(DICOMFault(.truncated, offset: self.position)) }
        guard let header = try self.header(window, self.encoding) else { return }
        guard header.tag.group != 0xfffe else {
            throw .refused(DICOMFault(.badStructure, offset: self.position, header.tag))
        }
        guard self.elements.count + self.gaps.count < Self.elementsMax else {
            throw .refused(DICOMFault(.tooLarge, offset: self.position, header.tag))
        }
        if header.tag.group >= DICOMTag.pixelDataGroup { return try self.pixelData(header) }
        if header.isUndefined {
            guard header.vr == .sq || header.vr == .un || header.vr == .implicit else {
                throw .refused(DICOMFault(.badStructure, offset: self.position, header.tag))
            }
            self.open = OpenSequence(
                levels: [.sequence(header.inner(self.encoding), isPixelData: false)],
                header: header,
                inner: self.encoding,
                offset: self.position,
                place: self.kept.count
            )
            try self.keep(header.size, window)
            self.stage = .sequence
            return
        }
        let size = header.size + Int(header.length)
        guard size <= self.fileSize - self.position else {
            throw .refused(DICOMFault(.truncated, offset: self.position, header.tag))
        }
        guard Int(header.length) <= Self.bytesMax(of: header.tag) else {
            if header.tag == .contentSequence {
                throw .refused(DICOMFault(.tooLarge, offset: self.position, header.tag))
            }
            self.gaps.append(DICOMHeader.Gap(place: self.kept.count, count: size))
            return try self.skip(size)
        }
        let place = self.kept.count
        try self.keep(size, window)
        self.append(header, at: place, value: place + header.size..<self.kept.count, inner: self.encoding)
    }

    /// Pixel data is checked to be there and ends the header: what may follow it, padding and signatures, is no part
    /// of an exam.
    private mutating func pixelData(_ header: ElementHeader) throws(Stop) {
        guard header.isUndefined, header.tag.group == DICOMTag.pixelDataGroup else {
            if !header.isUndefined {
                guard header.size + Int(header.length) <= self.fileSize - self.position else {
                    throw .refused(DICOMFault(.truncated, offset: self.position, header.tag))
                }
            }
            // An offset table or a float image may stand before the pixel data that closes the data set.
            guard header.tag.group == DICOMTag.pixelDataGroup, header.tag.number < 0x7fe0_0010 else { throw .done }
            return try self.skip(header.size + Int(header.length))
        }
        self.open = OpenSequence(
            levels: [.sequence(self.encoding, isPixelData: true)],
            header: header,
            inner: self.encoding,
            offset: self.position,
            place: nil
        )
        try self.skip(header.size)
        self.stage = .sequence
    }

    private static func bytesMax(of tag: DICOMTag) -> Int {
        switch tag {
        case .contentSequence: self.contentBytesMax
        case .encapsulatedDocument: self.documentBytesMax
        default: self.bulkBytesMax
        }
    }

    /// The header at the position; `nil` if more bytes have just been asked for and the step has to be repeated.
    private func header(_ window: Window, _ encoding: DICOMEncoding) throws(Stop) -> ElementHeader? {
        let at = try self.require(8, window)
        switch ElementHeader.read(window.bytes.span, at: at, encoding) {
        case .header(let header): return header
        case .short(let size):
            _ = try self.require(size, window)
            return nil
        case .unknownVR(let tag): throw .refused(DICOMFault(.unknownVR, offset: self.position, tag))
        }
    }

    // MARK: Undefined length

    /// Reads one item header, element or delimiter inside an element of undefined length.
    mutating func sequenceStep(_ window: Window) throws(Stop) {
        guard let level = self.open.levels.last else { preconditionFailure("a sequence step has an open sequence") }
        switch level {
        case .sequence(let encoding, let isPixelData):
            guard let header = try self.header(window, encoding) else { return }
            switch header.tag {
            case .item where !header.isUndefined: try self.pass(header.size + Int(header.length), window)
            case .item where !isPixelData:
                try self.pass(header.size, window)
                try self.push(.item(encoding), header)
            case .sequenceDelimitation: try self.close(header, window)
            default: throw .refused(DICOMFault(.badStructure, offset: self.position, header.tag))
            }
        case .item(let encoding):
            guard let header = try self.header(window, encoding) else { return }
            switch header.tag {
            case .itemDelimitation:
                try self.pass(header.size, window)
                self.open.levels.removeLast()
            case _ where header.tag.group == 0xfffe:
                throw .refused(DICOMFault(.badStructure, offset: self.position, header.tag))
            case _ where header.isUndefined:
                // Pixel data of an icon consists of fragments wherever it stands.
                let isPixelData = header.tag.group == DICOMTag.pixelDataGroup
                guard header.vr == .sq || header.vr == .un || header.vr == .implicit || isPixelData else {
                    throw .refused(DICOMFault(.badStructure, offset: self.position, header.tag))
                }
                try self.pass(header.size, window)
                try self.push(.sequence(header.inner(encoding), isPixelData: isPixelData), header)
            default: try self.pass(header.size + Int(header.length), window)
            }
        }
    }

    private mutating func push(_ level: OpenSequence.Level, _ header: ElementHeader) throws(Stop) {
        guard self.open.levels.count < Self.depthMax * 2 else {
            throw .refused(DICOMFault(.tooDeep, offset: self.position, header.tag))
        }
        self.open.levels.append(level)
    }

    /// Goes past bytes inside the open sequence, keeping them while the whole stays small enough.
    ///
    /// To be called before the levels change: if the bytes are not there yet, the step is repeated.
    private mutating func pass(_ count: Int, _ window: Window) throws(Stop) {
        guard count <= self.fileSize - self.position else {
            throw .refused(DICOMFault(.truncated, offset: self.position, self.open.header.tag))
        }
        guard let place = self.open.place else { return try self.skip(count) }
        guard self.kept.count - place + count <= Self.bytesMax(of: self.open.header.tag) else {
            if self.open.header.tag == .contentSequence {
                throw .refused(DICOMFault(.tooLarge, offset: self.open.offset, self.open.header.tag))
            }
            self.kept.removeLast(self.kept.count - place)
            self.open.place = nil
            return try self.skip(count)
        }
        try self.keep(count, window)
    }

    private mutating func close(_ delimiter: ElementHeader, _ window: Window) throws(Stop) {
        try self.pass(delimiter.size, window)
        self.open.levels.removeLast()
        guard self.open.levels.isEmpty else { return }
        self.stage = .elements
        if self.open.header.tag.group >= DICOMTag.pixelDataGroup { throw .done }
        guard let place = self.open.place else {
            self.gaps.append(DICOMHeader.Gap(place: self.kept.count, count: self.position - self.open.offset))
            return
        }
        let value = place + self.open.header.size..<self.kept.count - delimiter.size
        self.append(self.open.header, at: place, value: value, inner: self.open.inner)
    }
}

// MARK: - Deflated data sets

extension DICOMHeaderReader {
    /// A header deflates to a third; this much of it holds a content tree of the largest size.
    private static let deflatedBytesMax = 16 << 20
    /// Stops a stream that inflates a thousand times.
    private static let inflatedBytesMax = 64 << 20
    private static let inflatedStep = 1 << 18

    /// Inflates what there is from the position on until the header in it is whole.
    mutating func inflate(_ window: Window) throws(Stop) {
        let rest = self.fileSize - self.position
        guard rest > 0 else { throw .refused(DICOMFault(.truncated, offset: self.position)) }
        let at = try self.require(min(rest, 64), window)
        let available = min(window.bytes.count - at, rest)
        let input = window.bytes[at..<at + available]
        var limit = Self.inflatedStep
        while true {
            guard let output = Inflater.inflate(input, limit: limit) else {
                throw .refused(DICOMFault(.badDeflate, offset: self.position))
            }
            var inner = DICOMHeaderReader(inflatedSize: output.end == .ended ? output.bytes.count : Int.max)
            switch inner.advance(output.bytes, at: 0) {
            case .refused(let fault): throw .refused(fault)
            case .header(let header):
                let consumed =
                    output.end == .ended && inner.position == inner.fileSize
                    ? output.consumed : self.bytes(of: input, inflatingTo: inner.position + Self.pixelHeaderBytes)
                return try self.finish(header, consumed: consumed, window)
            case .needs:
                guard output.end != .full else {
                    limit *= 2
                    guard limit <= Self.inflatedBytesMax else {
                        throw .refused(DICOMFault(.tooLarge, offset: self.position))
                    }
                    continue
                }
                guard available < rest else { throw .refused(DICOMFault(.truncated, offset: self.fileSize)) }
                guard available < Self.deflatedBytesMax else {
                    throw .refused(DICOMFault(.tooLarge, offset: self.position))
                }
                throw .needs(self.position..<self.position + min(rest, max(available * 2, Self.bulkBytesMax)))
            }
        }
    }

    /// Enough to see that pixel data begins.
    private static let pixelHeaderBytes = 12

    private func bytes(of input: ArraySlice<UInt8>, inflatingTo count: Int) -> Int {
        Inflater.inflate(input, limit: count)?.consumed ?? input.count
    }

    private mutating func finish(_ header: DICOMHeader, consumed: Int, _ window: Window) throws(Stop) {
        try self.keep(consumed, window)
        self.inflated = header
        throw .done
    }
}
