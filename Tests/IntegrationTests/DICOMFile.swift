import Foundation

/// A small image as a DICOM file (PS3.10, explicit VR little endian), made for a test.
struct DICOMFile {
    var study: Int
    var series = 1
    var number = 1
    var patient = "P1"
    var description = "Chest"
    /// `YYYYMMDD`.
    var date = Self.today
    var pixels = [UInt8](repeating: 7, count: 16)

    static var today: String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyyMMdd"
        return formatter.string(from: Date())
    }

    var studyUID: String { "2.25.7\(self.study)" }

    var bytes: [UInt8] {
        let seriesUID = "\(self.studyUID).\(self.series)"
        let instanceUID = "\(seriesUID).\(self.number)"
        let sopClass = "1.2.840.10008.5.1.4.1.1.2"
        var meta: [UInt8] = []
        meta += Self.element(0x0002_0002, "UI", sopClass)
        meta += Self.element(0x0002_0003, "UI", instanceUID)
        meta += Self.element(0x0002_0010, "UI", "1.2.840.10008.1.2.1")
        var set: [UInt8] = []
        set += Self.element(0x0008_0005, "CS", "ISO_IR 192")
        set += Self.element(0x0008_0016, "UI", sopClass)
        set += Self.element(0x0008_0018, "UI", instanceUID)
        set += Self.element(0x0008_0020, "DA", self.date)
        set += Self.element(0x0008_0030, "TM", "0830")
        set += Self.element(0x0008_0050, "SH", "A\(self.study)")
        set += Self.element(0x0008_0060, "CS", "CT")
        set += Self.element(0x0008_0070, "LO", "Example Devices")
        set += Self.element(0x0008_0080, "LO", "Hospital A")
        set += Self.element(0x0008_1010, "SH", "CT-1")
        set += Self.element(0x0008_1030, "LO", self.description)
        set += Self.element(0x0008_103e, "LO", "Series \(self.series)")
        set += Self.element(0x0008_1090, "LO", "Scanner 9")
        set += Self.element(0x0010_0010, "PN", "Wang^XiaoDong=王^小東")
        set += Self.element(0x0010_0020, "LO", self.patient)
        set += Self.element(0x0010_0030, "DA", "19700102")
        set += Self.element(0x0010_0040, "CS", "F")
        set += Self.element(0x0020_000d, "UI", self.studyUID)
        set += Self.element(0x0020_000e, "UI", seriesUID)
        set += Self.element(0x0020_0011, "IS", "\(self.series)")
        set += Self.element(0x0020_0013, "IS", "\(self.number)")
        set += Self.element(0x0028_0002, "US", [1, 0])
        set += Self.element(0x0028_0004, "CS", "MONOCHROME2")
        set += Self.element(0x0028_0010, "US", [4, 0])
        set += Self.element(0x0028_0011, "US", [4, 0])
        for tag in [0x0028_0100, 0x0028_0101] as [UInt32] { set += Self.element(tag, "US", [8, 0]) }
        set += Self.element(0x0028_0102, "US", [7, 0])
        set += Self.element(0x0028_0103, "US", [0, 0])
        set += Self.element(0x7fe0_0010, "OB", self.pixels)
        let length = Self.element(0x0002_0000, "UL", Self.little(UInt32(meta.count), 4))
        return [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + length + meta + set
    }

    private static func little(_ value: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32($0 * 8)) }
    }

    private static func element(_ tag: UInt32, _ vr: String, _ value: String) -> [UInt8] {
        self.element(tag, vr, Array(value.utf8))
    }

    private static func element(_ tag: UInt32, _ vr: String, _ value: [UInt8]) -> [UInt8] {
        let padded = value.count.isMultiple(of: 2) ? value : value + [vr == "UI" || vr == "OB" ? 0 : 0x20]
        let head = self.little(tag >> 16, 2) + self.little(tag & 0xffff, 2) + Array(vr.utf8)
        let length =
            vr == "OB" ? [0, 0] + self.little(UInt32(padded.count), 4) : self.little(UInt32(padded.count), 2)
        return head + length + padded
    }
}
