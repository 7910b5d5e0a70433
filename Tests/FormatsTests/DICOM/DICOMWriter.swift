import Formats

/// Writes data sets and files for tests, independently of the reader.
struct DICOMWriter {
    enum Encoding: String, CaseIterable, Sendable {
        case explicitLittle = "1.2.840.10008.1.2.1"
        case implicitLittle = "1.2.840.10008.1.2"
        case explicitBig = "1.2.840.10008.1.2.2"
        case deflated = "1.2.840.10008.1.2.1.99"
        case jpeg = "1.2.840.10008.1.2.4.50"

        static let native: [Encoding] = [.explicitLittle, .implicitLittle, .explicitBig]
    }

    let encoding: Encoding
    private(set) var bytes: [UInt8] = []

    init(_ encoding: Encoding = .explicitLittle) { self.encoding = encoding }

    private mutating func number(_ value: UInt32, bytes count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
        self.bytes += self.encoding == .explicitBig ? bytes.reversed() : bytes
    }

    mutating func header(_ tag: UInt32, _ vr: String, length: UInt32) {
        self.number(tag >> 16, bytes: 2)
        self.number(tag & 0xffff, bytes: 2)
        if self.encoding == .implicitLittle || tag >> 16 == 0xfffe {
            self.number(length, bytes: 4)
        } else if ["OB", "OW", "SQ", "UN", "UT", "UC"].contains(vr) {
            self.bytes += Array(vr.utf8) + [0, 0]
            self.number(length, bytes: 4)
        } else {
            self.bytes += Array(vr.utf8)
            self.number(length, bytes: 2)
        }
    }

    mutating func add(_ tag: UInt32, _ vr: String, _ value: [UInt8]) {
        let padded = value.count.isMultiple(of: 2) ? value : value + [vr == "UI" || vr == "OB" ? 0 : 0x20]
        self.header(tag, vr, length: UInt32(padded.count))
        self.bytes += padded
    }

    mutating func add(_ tag: UInt32, _ vr: String, _ value: String) { self.add(tag, vr, Array(value.utf8)) }

    mutating func add(_ tag: UInt32, short value: UInt16) {
        self.header(tag, "US", length: 2)
        self.number(UInt32(value), bytes: 2)
    }

    mutating func add(_ tag: UInt32, items: [(inout DICOMWriter) -> Void], isUndefined: Bool = false) {
        var content = DICOMWriter(self.encoding)
        for item in items {
            var inner = DICOMWriter(self.encoding)
            item(&inner)
            content.header(0xfffe_e000, "", length: isUndefined ? 0xffff_ffff : UInt32(inner.bytes.count))
            content.bytes += inner.bytes
            if isUndefined { content.header(0xfffe_e00d, "", length: 0) }
        }
        if isUndefined { content.header(0xfffe_e0dd, "", length: 0) }
        self.header(tag, "SQ", length: isUndefined ? 0xffff_ffff : UInt32(content.bytes.count))
        self.bytes += content.bytes
    }

    mutating func code(_ tag: UInt32, _ code: String, _ scheme: String, _ meaning: String) {
        self.add(
            tag,
            items: [
                {
                    $0.add(0x0008_0100, "SH", code)
                    $0.add(0x0008_0102, "SH", scheme)
                    $0.add(0x0008_0104, "LO", meaning)
                }
            ]
        )
    }

    /// Preamble, prefix and file meta information before the data set.
    func file(syntax: String? = nil) -> [UInt8] {
        var meta = DICOMWriter(.explicitLittle)
        meta.add(0x0002_0010, "UI", syntax ?? self.encoding.rawValue)
        return Array(repeating: 0, count: 128) + Array("DICM".utf8) + meta.bytes + self.bytes
    }
}

/// What tests vary about an instance.
struct TestInstance: Sendable {
    var characterSet: String?
    var sopClass = "1.2.840.10008.5.1.4.1.1.2"
    var uid = "1.2.3.4.1"
    var studyUID: String? = "1.2.3"
    var seriesUID: String? = "1.2.3.4"
    var seriesNumber: String?
    var number: String?
    var modality: String? = "CT"
    var date = "20260301"
    var time = "081500.25"
    var offset: String?
    var accession = "A-1"
    var name: [UInt8] = Array("Test^One".utf8)
    var patientID = "P-1"
    var issuer: String?
    var birthDate = "19800229"
    var sex = "F"
    var before0010: @Sendable (inout DICOMWriter) -> Void = { _ in }
    var after0020: @Sendable (inout DICOMWriter) -> Void = { _ in }
    var pixelDataBytes: Int? = 64

    func write(_ encoding: DICOMWriter.Encoding = .explicitLittle) -> DICOMWriter {
        var writer = DICOMWriter(encoding)
        if let set = self.characterSet { writer.add(0x0008_0005, "CS", set) }
        writer.add(0x0008_0016, "UI", self.sopClass)
        writer.add(0x0008_0018, "UI", self.uid)
        writer.add(0x0008_0020, "DA", self.date)
        writer.add(0x0008_0030, "TM", self.time)
        writer.add(0x0008_0050, "SH", self.accession)
        if let modality = self.modality { writer.add(0x0008_0060, "CS", modality) }
        writer.add(0x0008_0080, "LO", "Test Hospital")
        if let offset = self.offset { writer.add(0x0008_0201, "SH", offset) }
        writer.add(0x0008_1030, "LO", "Chest")
        writer.add(0x0008_103e, "LO", "Axial")
        self.before0010(&writer)
        writer.add(0x0010_0010, "PN", self.name)
        writer.add(0x0010_0020, "LO", self.patientID)
        if let issuer = self.issuer { writer.add(0x0010_0021, "LO", issuer) }
        writer.add(0x0010_0030, "DA", self.birthDate)
        writer.add(0x0010_0040, "CS", self.sex)
        writer.add(0x0018_0015, "CS", "CHEST")
        if let uid = self.studyUID { writer.add(0x0020_000d, "UI", uid) }
        if let uid = self.seriesUID { writer.add(0x0020_000e, "UI", uid) }
        if let number = self.seriesNumber { writer.add(0x0020_0011, "IS", number) }
        if let number = self.number { writer.add(0x0020_0013, "IS", number) }
        self.after0020(&writer)
        if let count = self.pixelDataBytes { writer.add(0x7fe0_0010, "OW", [UInt8](repeating: 7, count: count)) }
        return writer
    }

    func file(_ encoding: DICOMWriter.Encoding = .explicitLittle) -> [UInt8] { self.write(encoding).file() }
}

extension DICOMInput {
    /// The code of the only refusal.
    var code: String? { self.exams.isEmpty && self.refused.count == 1 ? self.refused[0].refusal.code : nil }
}
