package import Primitives
package import Records

/// What a record's local codes stood for when it was imported: the code map's version and those of its lines that the
/// exam needs.
///
/// It stands in the record behind the source's own bytes, so whoever opens the record reads the codes as its institution
/// did, with or without a catalogue of his own.
package struct CodeNote: Hashable, Sendable {
    /// The type of the part that holds a note; no source's part has it.
    package static let partType = "entente/codes"
    /// Distinct codes of one exam that are noted; a report with more is none that people read.
    package static let linesMax = 1024
    private static let form: UInt8 = 1

    /// One code of the exam and the item it stands for.
    package struct Line: Hashable, Sendable {
        /// The code system as ``CodeSystem/name`` has it; `nil` where the source names none.
        package var system: String?
        package var code: String
        /// The only specimen for which the line holds; `nil` for any.
        package var specimen: String?
        /// UCUM expression of values that come without a unit, or with one that cannot be read.
        package var assumedUnit: String?
        package var item: CatalogueItem
    }

    /// Version and digest of the code map.
    package var version: String
    package var digest: Digest
    /// In the order of the exam's codes; each code once.
    package var lines: [Line]

    package init(version: String, digest: Digest, lines: [Line]) {
        self.version = version
        self.digest = digest
        self.lines = lines
    }

    package var part: RecordContent.Part {
        RecordContent.Part(type: Self.partType, bytes: self.canonicalBytes)
    }

    /// Takes a note from the end of a record's parts.
    ///
    /// One that cannot be read is left out: the exam stands in the parts before it.
    static func take(from parts: [RecordContent.Part]) -> (parts: [RecordContent.Part], note: CodeNote?) {
        guard let last = parts.last, last.type == self.partType else { return (parts, nil) }
        return (Array(parts.dropLast()), try? CodeNote(canonicalBytes: last.bytes))
    }
}

extension CodeNote: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(Self.form)
        encoder.encode(self.version)
        encoder.encode(self.digest)
        encoder.encode(self.lines)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(UInt8.self) == Self.form else { throw .invalid }
        self.version = try decoder.decodeString(max: CodeMap.versionBytesMax)
        self.digest = try decoder.decode()
        self.lines = try decoder.decodeArray(max: Self.linesMax)
    }
}

extension CodeNote.Line: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.system)
        encoder.encode(self.code)
        encoder.encode(self.specimen)
        encoder.encode(self.assumedUnit)
        encoder.encode(self.item)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let max = CatalogueItem.textBytesMax
        self.system = try decoder.decodeOptionalString(max: max)
        self.code = try decoder.decodeString(max: max)
        self.specimen = try decoder.decodeOptionalString(max: max)
        self.assumedUnit = try decoder.decodeOptionalString(max: max)
        self.item = try decoder.decode()
    }
}

// MARK: Reading an exam by a note

extension CodeNote {
    private struct Key: Hashable {
        let system: String?
        let code: String
    }

    /// Adds the catalogue's codings behind the source's own, and amounts in the catalogue's units beside them.
    ///
    /// What has a coding or an amount of the catalogue already keeps it, so that a record's own note goes before a later one.
    package func apply(to exam: inout Exam) {
        guard !self.lines.isEmpty else { return }
        var lines: [Key: [Line]] = [:]
        for line in self.lines { lines[Key(system: line.system, code: line.code), default: []].append(line) }
        let specimen = ExamCodes.specimen(of: exam)
        if let line = Self.line(lines, exam.code, specimen) { Self.add(line, to: &exam.code) }
        Self.apply(lines, to: &exam.items, specimen)
    }

    private static func apply(_ lines: [Key: [Line]], to items: inout [ExamItem], _ specimen: String?) {
        for index in items.indices {
            let specimen = ExamCodes.specimen(of: items[index]) ?? specimen
            if let line = self.line(lines, items[index].code, specimen) {
                self.add(line, to: &items[index].code)
                if items[index].canonical == nil, case .quantity(let quantity) = items[index].value,
                    let converted = try? line.item.convert(quantity, assumed: line.assumedUnit)
                {
                    items[index].canonical = Quantity(
                        comparator: converted.comparator,
                        value: converted.value.text,
                        unit: converted.unit,
                        system: CodeSystem.ucum,
                        code: converted.unit
                    )
                }
            }
            self.apply(lines, to: &items[index].components, specimen)
        }
    }

    private static func line(_ lines: [Key: [Line]], _ concept: CodedConcept, _ specimen: String?) -> Line? {
        for coding in concept.codings {
            guard let code = coding.code else { continue }
            let system = coding.system.map { CodeSystem(recognising: $0).name }
            let found = lines[Key(system: system, code: code)] ?? []
            if let line = found.first(where: { $0.specimen != nil && $0.specimen == specimen }) { return line }
            if let line = found.first(where: { $0.specimen == nil }) { return line }
        }
        return nil
    }

    private static func add(_ line: Line, to concept: inout CodedConcept) {
        let code = line.item.code
        let isThere = concept.codings.contains { coding in
            coding.code == code.code && coding.system.map { CodeSystem(recognising: $0).name } == code.system
        }
        guard !isThere else { return }
        concept.codings.append(Coding(system: code.system, code: code.code, display: line.item.display))
    }
}
