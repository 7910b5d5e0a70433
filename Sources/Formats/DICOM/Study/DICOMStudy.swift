import Primitives
package import Records

/// Makes one exam of all pieces of one study, in whatever order they come.
package enum DICOMStudy {
    /// A study of more instances is real in microscopy only, where frames take their place.
    package static let instancesMax = RecordContent.partsMax
    /// The record's limit, less what its framing may take.
    static let bytesMax = SealedObject.bodyBytesMax / 4 * 3
    /// What whole headers of images may take of it; beyond, all but reports are stored in their compact form.
    static let wholeHeadersBytesMax = 8 << 20

    /// A piece that has been read.
    struct Member {
        /// The whole header, or, where that is not going to be stored, the compact one.
        var part: RecordContent.Part
        var isWhole = true
        /// The header without what no exam needs.
        var compact: [UInt8]
        /// Of the whole header.
        let digest: Digest
        var value: DICOMInstance
        /// Index in the caller's pieces.
        var index: Int
        var offset: Int

        mutating func makeCompact() {
            self.part.bytes = self.compact
            self.isWhole = false
        }
    }

    /// Joins pieces that have the same Study Instance UID.
    ///
    /// They may be read from disk while they are asked for: of most only the compact form stays in memory.
    package static func exam(of pieces: some Sequence<DICOMPiece>) -> Result<ParsedExam, DICOMFault> {
        do throws(DICOMFault) {
            var members = try self.members(pieces.lazy.map { ($0.part, $0.offset) })
            try self.order(&members)
            let stored = try self.parts(members)
            return .success(try self.exam(members, parts: stored))
        } catch {
            return .failure(error)
        }
    }

    /// Reads a study again from the parts that were stored of it.
    package static func exam(fromParts parts: [RecordContent.Part]) -> Result<ParsedExam, DICOMFault> {
        do throws(DICOMFault) {
            var members = try self.members(parts.lazy.map { ($0, 0) })
            try self.order(&members)
            return .success(try self.exam(members, parts: parts))
        } catch {
            return .failure(error)
        }
    }

    // MARK: Reading

    private static func members(
        _ pieces: some Sequence<(RecordContent.Part, Int)>
    ) throws(DICOMFault) -> [Member] {
        let decoders = DICOMDecoders()
        var members: [Member] = []
        // The member of each series that comes first of those seen.
        var firsts: [String: Int] = [:]
        for (index, piece) in pieces.enumerated() {
            guard index < self.instancesMax else { throw DICOMFault(.tooManyInstances, offset: 0) }
            do throws(DICOMFault) {
                members.append(try self.member(piece.0, offset: piece.1, index, decoders))
                let series = members[index].value.series?.uid ?? ""
                guard let first = firsts[series] else {
                    firsts[series] = index
                    continue
                }
                let isFirst = self.isBefore(members[index], members[first], [:])
                if isFirst { firsts[series] = index }
                members[isFirst ? first : index].makeCompact()
            } catch {
                var fault = error
                fault.member = index
                throw fault
            }
        }
        guard !members.isEmpty else { throw DICOMFault(.notDICOM, offset: 0) }
        return members
    }

    private static func member(
        _ part: RecordContent.Part,
        offset: Int,
        _ index: Int,
        _ decoders: DICOMDecoders
    ) throws(DICOMFault) -> Member {
        switch part.dicomForm {
        case .instance:
            let header: DICOMHeader
            switch DICOMHeaderReader.read(part.bytes) {
            case .success(let read): header = read
            case .failure(let fault): throw fault
            }
            guard !header.isDirectory else { throw DICOMFault(.directory, offset: 0, .directoryRecordSequence) }
            let value = try DICOMInstance(header.dataSet(decoders), isFile: true)
            return Member(
                part: part,
                compact: value.document == nil ? header.compactBytes : part.bytes,
                digest: Digest(hashing: part.bytes),
                value: value,
                index: index,
                offset: offset
            )
        case .json:
            let value = try DICOMInstance(try DICOMJSON.dataSet(part.bytes, decoders), isFile: false)
            return Member(
                part: part,
                // An answer to a query counts what it does not list.
                compact: value.instance != nil && value.document == nil ? DICOMJSON.compact(part.bytes) : part.bytes,
                digest: Digest(hashing: part.bytes),
                value: value,
                index: index,
                offset: offset
            )
        case nil: throw DICOMFault(.notDICOM, offset: 0)
        }
    }

    // MARK: Order

    /// Puts members in the order of series and instance numbers, then of UIDs, and drops what was given twice.
    private static func order(_ members: inout [Member]) throws(DICOMFault) {
        var numbers: [String: Int32] = [:]
        for member in members {
            guard let series = member.value.series, let number = series.number else { continue }
            // A series whose instances disagree about its number has the lowest.
            numbers[series.uid] = min(numbers[series.uid] ?? .max, number)
        }
        members.sort { self.isBefore($0, $1, numbers) }
        var known: [String: Int] = [:]
        var kept: [Member] = []
        kept.reserveCapacity(members.count)
        for member in members {
            let key = member.value.instance?.uid ?? member.value.series.map { "series \($0.uid)" } ?? "study"
            guard let first = known[key] else {
                known[key] = kept.count
                kept.append(member)
                continue
            }
            guard self.isSame(kept[first], member) else {
                throw DICOMFault(.instanceConflict, offset: member.offset, .sopInstanceUID, member: member.index)
            }
            if member.isWhole { kept[first] = member }
        }
        members = kept
    }

    private static func isBefore(_ left: Member, _ right: Member, _ numbers: [String: Int32]) -> Bool {
        guard left.value.series?.uid == right.value.series?.uid else {
            let (leftUID, rightUID) = (left.value.series?.uid ?? "", right.value.series?.uid ?? "")
            return (numbers[leftUID] ?? .max, leftUID) < (numbers[rightUID] ?? .max, rightUID)
        }
        return (left.value.number ?? .max, left.value.instance?.uid ?? "")
            < (right.value.number ?? .max, right.value.instance?.uid ?? "")
    }

    /// Whether two parts come from the same bytes: the whole files' if both are known, else their headers'.
    private static func isSame(_ left: Member, _ right: Member) -> Bool {
        if let leftFile = left.part.dicomFile, let rightFile = right.part.dicomFile { return leftFile == rightFile }
        return left.digest == right.digest
    }

    // MARK: Parts

    /// What is stored: reports and the first instance of each series with their whole header, of all others what
    /// identifies them.
    private static func parts(_ members: [Member]) throws(DICOMFault) -> [RecordContent.Part] {
        var parts: [RecordContent.Part] = []
        parts.reserveCapacity(members.count)
        var (size, wholeSize) = (0, 0)
        var lastSeries: String?
        for member in members {
            let series = member.value.series?.uid
            let isFirst = series != lastSeries
            lastSeries = series
            var part = member.part
            let fits = wholeSize + part.bytes.count <= self.wholeHeadersBytesMax
            if isFirst, fits, member.value.document == nil {
                wholeSize += part.bytes.count
            } else {
                part.bytes = member.compact
            }
            size += part.bytes.count + part.type.utf8.count + 16
            guard size <= self.bytesMax else {
                throw DICOMFault(.tooLarge, offset: member.offset, member: member.index)
            }
            parts.append(part)
        }
        return parts
    }
}
