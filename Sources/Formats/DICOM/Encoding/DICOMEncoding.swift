/// How the elements of a data set stand in bytes (PS3.5 section 7.1 and annex A).
package struct DICOMEncoding: Hashable, Sendable {
    var isExplicit: Bool
    var isBigEndian: Bool

    static let explicitLittle = DICOMEncoding(isExplicit: true, isBigEndian: false)
    static let implicitLittle = DICOMEncoding(isExplicit: false, isBigEndian: false)
    static let explicitBig = DICOMEncoding(isExplicit: true, isBigEndian: true)

    func uint16(_ bytes: Span<UInt8>, _ index: Int) -> UInt16 {
        let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
        return self.isBigEndian ? first << 8 | second : second << 8 | first
    }

    func uint32(_ bytes: Span<UInt8>, _ index: Int) -> UInt32 {
        let (first, second) = (UInt32(self.uint16(bytes, index)), UInt32(self.uint16(bytes, index + 2)))
        return self.isBigEndian ? first << 16 | second : second << 16 | first
    }

    func tag(_ bytes: Span<UInt8>, _ index: Int) -> DICOMTag {
        DICOMTag(UInt32(self.uint16(bytes, index)) << 16 | UInt32(self.uint16(bytes, index + 2)))
    }
}

/// A transfer syntax, as far as reading a header depends on it (PS3.5 annex A).
package enum TransferSyntax: Hashable, Sendable {
    case native(DICOMEncoding)
    /// Explicit VR little endian in a raw DEFLATE stream (RFC 1951) after the file meta information.
    case deflated

    private static let standard = "1.2.840.10008.1.2"

    /// Returns `nil` for a UID that DICOM does not define: nothing may be supposed about such a file.
    init?(uid: String) {
        switch uid {
        case Self.standard: self = .native(.implicitLittle)
        case "\(Self.standard).2": self = .native(.explicitBig)
        // JPIP referenced deflate is deflated too.
        case "\(Self.standard).1.99", "\(Self.standard).4.95", "\(Self.standard).4.205": self = .deflated
        // PS3.5 A.4: every encapsulated syntax is explicit VR little endian around its fragments.
        case _ where uid.hasPrefix(Self.standard + "."): self = .native(.explicitLittle)
        default: return nil
        }
    }
}

/// A value representation: its two letters as a big-endian number; 0 where the encoding is implicit.
struct DICOMVR: Hashable, Sendable {
    let number: UInt16

    init(_ number: UInt16) { self.number = number }

    init(_ name: StaticString) {
        self.number = name.description.utf8.reduce(0) { $0 << 8 | UInt16($1) }
    }

    static let implicit = DICOMVR(0)
    static let sq = DICOMVR("SQ")
    static let un = DICOMVR("UN")

    var isText: Bool {
        switch self.number {
        case 0x4c4f, 0x4c54, 0x504e, 0x5348, 0x5354, 0x5543, 0x5554: true  // LO LT PN SH ST UC UT
        default: false
        }
    }

    /// PS3.5 table 7.1-2: 16 bits of length directly after the letters.
    @inline(__always)
    var hasShortLength: Bool {
        switch self.number {
        case 0x4145, 0x4153, 0x4154, 0x4353, 0x4441, 0x4453, 0x4454, 0x464c, 0x4644,  // AE AS AT CS DA DS DT FL FD
            0x4953, 0x4c4f, 0x4c54, 0x504e, 0x5348, 0x534c, 0x5353, 0x5354,  // IS LO LT PN SH SL SS ST
            0x544d, 0x5549, 0x554c, 0x5553:  // TM UI UL US
            true
        default: false
        }
    }

    /// PS3.5 table 7.1-1: two reserved bytes, then 32 bits of length.
    @inline(__always)
    var hasLongLength: Bool {
        switch self.number {
        case 0x4f42, 0x4f44, 0x4f46, 0x4f4c, 0x4f56, 0x4f57, 0x5351, 0x5356,  // OB OD OF OL OV OW SQ SV
            0x5543, 0x554e, 0x5552, 0x5554, 0x5556:  // UC UN UR UT UV
            true
        default: false
        }
    }

    var isKnown: Bool { self.hasShortLength || self.hasLongLength }
}

/// Tag, value representation and length of an element, as they stand before its value.
struct ElementHeader {
    /// Stands for a length that a delimiter tells (PS3.5 section 7.1.3).
    static let undefinedLength: UInt32 = 0xffff_ffff

    var tag: DICOMTag
    var vr: DICOMVR
    var length: UInt32
    /// In bytes.
    var size: Int

    var isUndefined: Bool { self.length == Self.undefinedLength }

    /// How what is inside the element is encoded: UN of undefined length holds implicit VR little endian
    /// (PS3.5 section 6.2.2, note 4), and so does what else a writer that did not know a sequence called UN.
    func inner(_ encoding: DICOMEncoding) -> DICOMEncoding { self.vr == .un ? .implicitLittle : encoding }

    enum Result {
        case header(ElementHeader)
        /// There are fewer bytes than this; `size` counts from the start of the element.
        case short(size: Int)
        case unknownVR(DICOMTag)
    }

    static func read(_ bytes: Span<UInt8>, at index: Int, _ encoding: DICOMEncoding) -> Result {
        guard index <= bytes.count - 8 else { return .short(size: 8) }
        let tag = encoding.tag(bytes, index)
        guard encoding.isExplicit, tag.group != 0xfffe else {
            return .header(
                ElementHeader(tag: tag, vr: .implicit, length: encoding.uint32(bytes, index + 4), size: 8)
            )
        }
        let vr = DICOMVR(UInt16(bytes[index + 4]) << 8 | UInt16(bytes[index + 5]))
        if vr.hasShortLength {
            return .header(
                ElementHeader(tag: tag, vr: vr, length: UInt32(encoding.uint16(bytes, index + 6)), size: 8)
            )
        }
        guard vr.hasLongLength else { return .unknownVR(tag) }
        guard index <= bytes.count - 12 else { return .short(size: 12) }
        return .header(ElementHeader(tag: tag, vr: vr, length: encoding.uint32(bytes, index + 8), size: 12))
    }
}

extension DICOMEncoding {
    /// Elements that must make sense before an encoding that nothing states is believed.
    private static let guessElements = 8
    /// A data set begins with identifying elements; nothing of these groups is this long.
    private static let guessLengthMax = 1 << 16

    /// The encoding of a data set that does not say it: the one in which its first elements have known value
    /// representations, plausible lengths and rising tags.
    ///
    /// `isWhole` says that the data set ends with `bytes`.
    static func guessed(_ bytes: Span<UInt8>, at start: Int, isWhole: Bool) -> DICOMEncoding? {
        for encoding in [DICOMEncoding.explicitLittle, .implicitLittle, .explicitBig]
        where encoding.fits(bytes, at: start, isWhole: isWhole) {
            return encoding
        }
        return nil
    }

    /// Whether the letters of a value representation stand where explicit encodings have them.
    func isKnownVR(_ bytes: Span<UInt8>, _ index: Int) -> Bool {
        index <= bytes.count - 8 && DICOMVR(UInt16(bytes[index + 4]) << 8 | UInt16(bytes[index + 5])).isKnown
    }

    private func fits(_ bytes: Span<UInt8>, at start: Int, isWhole: Bool) -> Bool {
        var index = start
        var last = DICOMTag(0)
        for count in 0..<Self.guessElements {
            if index == bytes.count { return count > 0 && isWhole }
            guard case .header(let header) = ElementHeader.read(bytes, at: index, self) else { return false }
            guard header.tag > last, count > 0 || header.tag.group == 0x0008 || header.tag.group == 0x0004 else {
                return false
            }
            // A sequence or something large after a plausible beginning.
            if header.isUndefined || header.length > Self.guessLengthMax { return count > 2 }
            last = header.tag
            index += header.size + Int(header.length)
            if index > bytes.count { return !isWhole && count > 2 }
        }
        return true
    }
}
