/// One element of a data set, by where its value stands.
package struct DICOMElement: Sendable {
    package let tag: DICOMTag
    let vr: DICOMVR
    /// The element with its tag and, if it has one, its delimiter.
    let range: Range<Int>
    /// The value without delimiters.
    let value: Range<Int>
    /// How the items of a sequence are encoded.
    let inner: DICOMEncoding
}

/// The elements of one DICOM file without its pixel data and other bulk.
///
/// It is made of ``storedBytes`` alone: a reader of those gets the same header again.
package struct DICOMHeader: Sendable {
    /// The file's own bytes, element by element as they stand there, without the elements that were left out; of a
    /// deflated file the start of the deflated stream as far as the header reaches.
    package let storedBytes: [UInt8]
    /// What the elements' ranges count in: the stored bytes, or the inflated data set.
    let bytes: [UInt8]
    /// Those of the file meta information first.
    let elements: [DICOMElement]
    let encoding: DICOMEncoding
    package let transferSyntaxUID: String?
    /// Whether the file tells its encoding; if not, it was found out from the elements.
    package let isEncodingStated: Bool
    let isDeflated: Bool
    /// Number of top-level elements that were left out for their size; pixel data is not counted.
    package var omittedElements: Int { self.gaps.count }
    /// What was left out, in the order of the file.
    let gaps: [Gap]

    /// Bytes of the file that are not among the header's.
    struct Gap: Sendable {
        /// Index in the header's bytes of what follows.
        var place: Int
        var count: Int
    }

    /// Where in the file a byte of the header stands; in a deflated file, where in the inflated data set.
    func fileOffset(_ offset: Int) -> Int {
        self.gaps.reduce(offset) { $1.place <= offset ? $0 + $1.count : $0 }
    }

    /// Whether this is a DICOMDIR (PS3.3 annex F), which names instances and is none.
    package var isDirectory: Bool {
        self.elements.contains { $0.tag == .directoryRecordSequence } || self.mediaStorageClass == Self.directoryClass
    }

    private static let directoryClass = "1.2.840.10008.1.3.10"

    private var mediaStorageClass: String? {
        guard let element = self.elements.first(where: { $0.tag == .mediaStorageSOPClassUID }) else { return nil }
        return DICOMDataSet.asciiText(self.bytes[element.value])
    }

    /// The data set, with decoders that texts of other headers may share.
    package func dataSet(_ decoders: DICOMDecoders = DICOMDecoders()) -> DICOMDataSet {
        DICOMDataSet(bytes: self.bytes, elements: self.elements, parent: .ascii, decoders: decoders, depth: 0)
    }

    /// The stored bytes without the elements that no exam takes from an image: a few hundred bytes of file meta
    /// information and identification.
    ///
    /// All of them where elements cannot be left out one by one, or where leaving some out could change how the
    /// encoding is found out.
    package var compactBytes: [UInt8] {
        guard !self.isDeflated, self.isEncodingStated else { return self.storedBytes }
        var compact: [UInt8] = []
        let start = self.elements.first?.range.lowerBound ?? self.bytes.count
        compact.append(contentsOf: self.bytes[..<start])
        for element in self.elements where element.tag.group == 0x0002 || DICOMTag.used.contains(element.tag) {
            compact.append(contentsOf: self.bytes[element.range])
        }
        return compact
    }
}
