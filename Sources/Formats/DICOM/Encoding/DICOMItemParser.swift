/// Takes sequences apart that are wholly in memory (PS3.5 section 7.5).
struct DICOMItemParser {
    /// A sequence, or an item, of more is no part of any object: each costs more memory than its eight bytes.
    private static let countMax = 1 << 16

    let bytes: [UInt8]

    /// The elements of each item of a sequence.
    func items(in sequence: DICOMElement, depth: Int) throws(DICOMFault) -> [[DICOMElement]] {
        guard depth < DICOMHeaderReader.depthMax else {
            throw DICOMFault(.tooDeep, offset: sequence.range.lowerBound, sequence.tag)
        }
        var items: [[DICOMElement]] = []
        var index = sequence.value.lowerBound
        let end = sequence.value.upperBound
        while index < end {
            let header = try self.header(index, end: end, sequence.inner)
            // A sequence of stated length may still be closed by a delimiter.
            if header.tag == .sequenceDelimitation, index + header.size == end { break }
            guard header.tag == .item else { throw DICOMFault(.badStructure, offset: index, header.tag) }
            guard items.count < Self.countMax else { throw DICOMFault(.tooLarge, offset: index, sequence.tag) }
            index += header.size
            if header.isUndefined {
                let (elements, next) = try self.elements(
                    from: index,
                    end: end,
                    sequence.inner,
                    depth,
                    toDelimiter: true
                )
                items.append(elements)
                index = next
            } else {
                guard Int(header.length) <= end - index else {
                    throw DICOMFault(.badStructure, offset: index, header.tag)
                }
                let itemEnd = index + Int(header.length)
                items.append(try self.elements(from: index, end: itemEnd, sequence.inner, depth).elements)
                index = itemEnd
            }
        }
        return items
    }

    /// The elements up to `end`, or up to an item delimiter, which the returned position is after.
    func elements(
        from start: Int,
        end: Int,
        _ encoding: DICOMEncoding,
        _ depth: Int,
        toDelimiter: Bool = false
    ) throws(DICOMFault) -> (elements: [DICOMElement], next: Int) {
        var elements: [DICOMElement] = []
        var index = start
        var isOrdered = true
        while index < end {
            let header = try self.header(index, end: end, encoding)
            if header.tag == .itemDelimitation, toDelimiter || index + header.size == end {
                try self.check(elements, isOrdered)
                return (elements, index + header.size)
            }
            guard header.tag.group != 0xfffe else { throw DICOMFault(.badStructure, offset: index, header.tag) }
            guard elements.count < Self.countMax else { throw DICOMFault(.tooLarge, offset: index, header.tag) }
            let valueStart = index + header.size
            var (valueEnd, next) = (valueStart, valueStart)
            if header.isUndefined {
                (valueEnd, next) = try self.sequenceEnd(
                    from: valueStart,
                    end: end,
                    header.inner(encoding),
                    depth: depth + 1,
                    header.tag
                )
            } else {
                guard Int(header.length) <= end - valueStart else {
                    throw DICOMFault(.badStructure, offset: index, header.tag)
                }
                valueEnd = valueStart + Int(header.length)
                next = valueEnd
            }
            if let last = elements.last, header.tag <= last.tag { isOrdered = false }
            elements.append(
                DICOMElement(
                    tag: header.tag,
                    vr: header.vr,
                    range: index..<next,
                    value: valueStart..<valueEnd,
                    inner: header.inner(encoding)
                )
            )
            index = next
        }
        guard !toDelimiter else { throw DICOMFault(.badStructure, offset: end) }
        try self.check(elements, isOrdered)
        return (elements, end)
    }

    private func check(_ elements: [DICOMElement], _ isOrdered: Bool) throws(DICOMFault) {
        guard !isOrdered else { return }
        var seen: Set<DICOMTag> = []
        for element in elements where !seen.insert(element.tag).inserted {
            throw DICOMFault(.duplicateElement, offset: element.range.lowerBound, element.tag)
        }
    }

    /// Where the value of undefined length that begins at `start` ends, and what follows its delimiter begins.
    private func sequenceEnd(
        from start: Int,
        end: Int,
        _ encoding: DICOMEncoding,
        depth: Int,
        _ tag: DICOMTag
    ) throws(DICOMFault) -> (valueEnd: Int, next: Int) {
        guard depth < DICOMHeaderReader.depthMax else { throw DICOMFault(.tooDeep, offset: start, tag) }
        var index = start
        while index < end {
            let header = try self.header(index, end: end, encoding)
            if header.tag == .sequenceDelimitation { return (index, index + header.size) }
            guard header.tag == .item else { throw DICOMFault(.badStructure, offset: index, header.tag) }
            index += header.size
            if header.isUndefined {
                index = try self.itemEnd(from: index, end: end, encoding, depth: depth)
            } else {
                guard Int(header.length) <= end - index else {
                    throw DICOMFault(.badStructure, offset: index, header.tag)
                }
                index += Int(header.length)
            }
        }
        throw DICOMFault(.badStructure, offset: end, tag)
    }

    private func itemEnd(
        from start: Int,
        end: Int,
        _ encoding: DICOMEncoding,
        depth: Int
    ) throws(DICOMFault) -> Int {
        var index = start
        while index < end {
            let header = try self.header(index, end: end, encoding)
            if header.tag == .itemDelimitation { return index + header.size }
            guard header.tag.group != 0xfffe else { throw DICOMFault(.badStructure, offset: index, header.tag) }
            index += header.size
            if header.isUndefined {
                index = try self.sequenceEnd(
                    from: index,
                    end: end,
                    header.inner(encoding),
                    depth: depth + 1,
                    header.tag
                ).next
            } else {
                guard Int(header.length) <= end - index else {
                    throw DICOMFault(.badStructure, offset: index, header.tag)
                }
                index += Int(header.length)
            }
        }
        throw DICOMFault(.badStructure, offset: end)
    }

    private func header(_ index: Int, end: Int, _ encoding: DICOMEncoding) throws(DICOMFault) -> ElementHeader {
        switch ElementHeader.read(self.bytes.span, at: index, encoding) {
        case .header(let header):
            guard header.size <= end - index else { throw DICOMFault(.badStructure, offset: index, header.tag) }
            return header
        case .short: throw DICOMFault(.badStructure, offset: index)
        case .unknownVR(let tag): throw DICOMFault(.unknownVR, offset: index, tag)
        }
    }
}
