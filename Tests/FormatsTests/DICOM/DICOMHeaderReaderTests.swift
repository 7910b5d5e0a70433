import Formats
import Records
import TestSupport
import Testing

@Suite("Headers of DICOM files are read")
struct DICOMHeaderReaderTests {
    /// A file of which only some bytes exist; counts what is read of it.
    private struct SparseFile {
        var pieces: [(offset: Int, bytes: [UInt8])]
        var size: Int
        private(set) var bytesRead = 0
        private(set) var reads = 0

        init(_ pieces: [(offset: Int, bytes: [UInt8])], size: Int) {
            self.pieces = pieces
            self.size = size
        }

        mutating func read(_ range: Range<Int>) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: range.count)
            for piece in self.pieces {
                for (index, byte) in piece.bytes.enumerated() where range.contains(piece.offset + index) {
                    bytes[piece.offset + index - range.lowerBound] = byte
                }
            }
            self.bytesRead += range.count
            self.reads += 1
            return bytes
        }

        mutating func header() -> Result<DICOMHeader, DICOMFault> {
            var reader = DICOMHeaderReader(fileSize: self.size)
            var range = 0..<min(self.size, 4096)
            while true {
                switch reader.advance(self.read(range), at: range.lowerBound) {
                case .needs(let next): range = next
                case .header(let header): return .success(header)
                case .refused(let fault): return .failure(fault)
                }
            }
        }
    }

    @Test("A file gives the same exam in every encoding", arguments: DICOMWriter.Encoding.native, [false, true])
    func encodings(_ encoding: DICOMWriter.Encoding, isBare: Bool) throws {
        var instance = TestInstance()
        instance.before0010 = { $0.code(0x0008_1032, "C1", "LN", "CT chest") }
        instance.after0020 = { $0.add(0x0028_0010, short: 512) }
        let writer = instance.write(encoding)
        let bytes = isBare ? writer.bytes : writer.file()
        let header = try DICOMHeaderReader.read(bytes).get()
        #expect(header.isEncodingStated == !isBare)
        #expect(header.dataSet().unsigned(.rows) == 512)
        let exam = DICOMInput(files: [bytes]).exams.first
        #expect(exam?.exam == DICOMInput(files: [instance.file()]).exams.first?.exam)
        #expect(exam?.exam.code.codings.first?.system == "http://loinc.org")
    }

    @Test("Nested sequences give the same items with stated and with undefined lengths", arguments: [false, true])
    func nested(isUndefined: Bool) throws {
        for encoding in DICOMWriter.Encoding.native {
            var writer = DICOMWriter(encoding)
            writer.add(0x0008_0018, "UI", "1.2")
            writer.add(
                0x0040_a730,
                items: [
                    { $0.add(0x0040_a730, items: [{ $0.add(0x0008_0104, "LO", "deep") }], isUndefined: isUndefined) },
                    { $0.add(0x0008_0104, "LO", "second") },
                ],
                isUndefined: isUndefined
            )
            writer.add(0x0042_0010, "ST", "after")
            let dataSet = try DICOMHeaderReader.read(writer.file()).get().dataSet()
            let content = DICOMTag(0x0040_a730)
            let meaning = DICOMTag(0x0008_0104)
            #expect(try dataSet.items(content).count == 2)
            #expect(try dataSet.items(content)[0].items(content)[0].string(meaning) == "deep")
            #expect(try dataSet.items(content)[1].string(meaning) == "second")
            #expect(try dataSet.text(DICOMTag(0x0042_0010)) == "after")
        }
    }

    @Test("A sequence of undefined length that is called UN is read as implicit little endian")
    func unknown() throws {
        var implicit = DICOMWriter(.implicitLittle)
        implicit.add(0x0008_1032, items: [{ $0.add(0x0008_0104, "LO", "unknown") }], isUndefined: true)
        var writer = DICOMWriter()
        writer.add(0x0008_0018, "UI", "1.2")
        writer.header(0x0008_1032, "UN", length: 0xffff_ffff)
        let file = writer.file() + implicit.bytes.dropFirst(8)
        let items = try DICOMHeaderReader.read(file).get().dataSet().items(DICOMTag(0x0008_1032))
        #expect(try items.first?.string(DICOMTag(0x0008_0104)) == "unknown")
    }

    @Test("Of a file of two gigabytes a few kilobytes are read")
    func large() throws {
        var writer = TestInstance(pixelDataBytes: nil).write()
        writer.header(0x6000_3000, "OW", length: 1 << 30)
        let overlay = writer.file()
        var pixels = DICOMWriter()
        pixels.add(0x6002_0010, short: 9)
        pixels.header(0x7fe0_0010, "OW", length: 1 << 30)
        var file = SparseFile(
            [(0, overlay), (overlay.count + (1 << 30), pixels.bytes)],
            size: overlay.count + (1 << 30) + pixels.bytes.count + (1 << 30)
        )
        let header = try file.header().get()
        #expect(file.bytesRead < 10_000)
        #expect(header.omittedElements == 1)
        #expect(header.dataSet().unsigned(DICOMTag(0x6002_0010)) == 9)
        #expect(try header.dataSet().string(.patientID) == "P-1")
        file.size -= 1
        #expect(file.header().map(\.storedBytes).failure?.refusal == .truncated)
    }

    @Test("Fragments of compressed pixel data are passed over without being read")
    func fragments() throws {
        var writer = TestInstance(pixelDataBytes: nil).write(.jpeg)
        writer.header(0x7fe0_0010, "OB", length: 0xffff_ffff)
        writer.header(0xfffe_e000, "", length: 0)
        writer.header(0xfffe_e000, "", length: 1 << 24)
        let start = writer.file()
        var end = DICOMWriter()
        end.header(0xfffe_e0dd, "", length: 0)
        var file = SparseFile(
            [(0, start), (start.count + (1 << 24), end.bytes)],
            size: start.count + (1 << 24) + end.bytes.count
        )
        #expect(try file.header().get().transferSyntaxUID == DICOMWriter.Encoding.jpeg.rawValue)
        #expect(file.bytesRead < 5000)
        // Without its delimiter the object is damaged.
        file.size -= 8
        #expect(file.header().map(\.storedBytes).failure?.refusal == .truncated)
    }

    @Test("A file cut off inside an element is refused, whatever its encoding", arguments: DICOMWriter.Encoding.native)
    func truncation(_ encoding: DICOMWriter.Encoding) throws {
        var instance = TestInstance()
        instance.after0020 = { $0.add(0x0040_a730, items: [{ $0.add(0x0008_0104, "LO", "x") }], isUndefined: true) }
        let bytes = instance.file(encoding)
        var accepted = 0
        for length in 0..<bytes.count {
            switch DICOMHeaderReader.read(Array(bytes[..<length])) {
            case .success(let header):
                // It ends between two elements: nothing in it can be seen to be missing.
                #expect(header.storedBytes.count == length)
                accepted += 1
            case .failure(let fault):
                #expect([.truncated, .notDICOM, .encodingMismatch].contains(fault.refusal))
            }
        }
        #expect(accepted < 24)
    }

    @Test("A file without preamble, or with the wrong encoding stated, is read if its elements leave no doubt")
    func deviations() throws {
        let expected = try #require(DICOMInput(files: [TestInstance().file()]).exams.first?.exam)
        let noPreamble = Array(TestInstance().file().dropFirst(132))
        #expect(DICOMInput(files: [noPreamble]).exams.map(\.exam) == [expected])
        for written in DICOMWriter.Encoding.native {
            for stated in DICOMWriter.Encoding.native {
                let file = TestInstance().write(written).file(syntax: stated.rawValue)
                #expect(DICOMInput(files: [file]).exams.map(\.exam) == [expected], "\(written) as \(stated)")
            }
        }
        #expect(
            DICOMInput(files: [TestInstance().write().file(syntax: "1.2.840.113619.5.2")]).code
                == "dicom.unknown-transfer-syntax"
        )
        let noise = [UInt8](repeating: 0x41, count: 600)
        #expect(DICOMInput(files: [noise]).code == "dicom.not-dicom")
        #expect(DICOMInput(files: [DICOMWriter().file() + noise]).code == "dicom.encoding-mismatch")
        #expect(DICOMInput(files: [[]]).code == "dicom.not-dicom")
    }

    @Test("An element that occurs twice, and a value representation that does not exist, refuse the file")
    func malformedElements() {
        var twice = TestInstance(pixelDataBytes: nil)
        twice.after0020 = { $0.add(0x0010_0020, "LO", "P-2") }
        #expect(DICOMInput(files: [twice.file()]).code == "dicom.duplicate-element")
        var unknown = TestInstance(pixelDataBytes: nil)
        unknown.after0020 = { $0.add(0x0029_1010, "ZZ", "x") }
        #expect(DICOMInput(files: [unknown.file()]).code == "dicom.unknown-vr")
        var stray = TestInstance(pixelDataBytes: nil)
        stray.after0020 = { $0.header(0xfffe_e00d, "", length: 0) }
        #expect(DICOMInput(files: [stray.file()]).code == "dicom.bad-structure")
    }

    @Test("A fault is found where it stands in the file, whatever was left out before it", arguments: [false, true])
    func offsets(isUndefined: Bool) throws {
        var instance = TestInstance(studyUID: "1.x", pixelDataBytes: nil)
        instance.before0010 = { writer in
            let large: (inout DICOMWriter) -> Void = { $0.add(0x0009_1011, "OB", [UInt8](repeating: 1, count: 70_000)) }
            writer.add(0x0009_1010, items: [large], isUndefined: isUndefined)
        }
        let file = instance.file()
        let fault = try #require(DICOMInput(files: [file]).refused.first)
        #expect(file.count > 70_000)
        #expect(file[fault.offset...].starts(with: [0x20, 0, 0x0d, 0, 0x55, 0x49]))
        let header = try DICOMHeaderReader.read(file).get()
        #expect(header.omittedElements == 1)
        #expect(header.storedBytes.count == file.count - 70_000 - (isUndefined ? 12 + 8 + 12 + 8 + 8 : 12 + 8 + 12))
    }

    @Test("Trailing padding after the pixel data is no part of the header")
    func padding() throws {
        let bytes = TestInstance().file()
        let expected = try DICOMHeaderReader.read(bytes).get().storedBytes
        for padding in [[0], [0, 0, 0], [UInt8](repeating: 0xff, count: 40)] as [[UInt8]] {
            #expect(try DICOMHeaderReader.read(bytes + padding).get().storedBytes == expected)
        }
    }

    @Test("Stored bytes are the file's own, without pixel data, and give the same header")
    func storedBytes() throws {
        let bytes = TestInstance().file()
        let header = try DICOMHeaderReader.read(bytes).get()
        #expect(bytes.starts(with: header.storedBytes))
        #expect(header.storedBytes.count == bytes.count - 64 - 12)
        #expect(try DICOMHeaderReader.read(header.storedBytes).get().storedBytes == header.storedBytes)
        #expect(header.compactBytes.count <= header.storedBytes.count)
        #expect(try DICOMHeaderReader.read(header.compactBytes).get().dataSet().string(.patientID) == "P-1")
    }

    @Test("A data set in a deflated stream is read as far as its header goes, and stored as it is")
    func deflated() throws {
        let data = TestInstance(pixelDataBytes: 60_000).write(.deflated)
        var prefix = DICOMWriter(.deflated).file()
        prefix += Deflate.stored(data.bytes)
        let header = try DICOMHeaderReader.read(prefix).get()
        #expect(prefix.starts(with: header.storedBytes))
        #expect(header.storedBytes.count < prefix.count - 50_000)
        #expect(try DICOMHeaderReader.read(header.storedBytes).get().storedBytes == header.storedBytes)
        #expect(try header.dataSet().string(.patientID) == "P-1")
        let exam = DICOMInput(files: [prefix]).exams.first
        #expect(exam.map { DICOMExamReader.read($0.parts) } == exam.map { .success($0) })
        #expect(DICOMHeaderReader.read(Array(prefix[..<300])).failure?.refusal == .truncated)
    }

    @Test("A stream that inflates without end is given up")
    func bomb() {
        var start = DICOMWriter(.deflated)
        start.header(0x0009_1010, "UN", length: 0xfff0_0000)
        let file = DICOMWriter(.deflated).file() + Deflate.repeated(start.bytes, zeros: 80 << 20)
        #expect(DICOMHeaderReader.read(file).failure?.refusal == .tooLarge)
    }

    @Test("Sequences that are nested too deeply are refused", arguments: [false, true])
    func depth(isUndefined: Bool) {
        var content: [UInt8] = []
        for _ in 0..<200 {
            var level = DICOMWriter()
            var type = DICOMWriter()
            type.add(0x0040_a040, "CS", "CONTAINER")
            content = type.bytes + content
            level.header(0x0040_a730, "SQ", length: isUndefined ? 0xffff_ffff : UInt32(content.count + 8))
            level.header(0xfffe_e000, "", length: isUndefined ? 0xffff_ffff : UInt32(content.count))
            content = level.bytes + content
            var end = DICOMWriter()
            end.header(0xfffe_e00d, "", length: 0)
            end.header(0xfffe_e0dd, "", length: 0)
            if isUndefined { content += end.bytes }
        }
        var instance = TestInstance(pixelDataBytes: nil)
        instance.after0020 = { $0.add(0x0040_a040, "CS", "CONTAINER") }
        #expect(DICOMInput(files: [instance.file() + content]).code == "dicom.too-deep")
    }
}

/// DEFLATE streams made by hand.
enum Deflate {
    /// Blocks without compression.
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = []
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(30_000)
            rest = rest.dropFirst(block.count)
            let size = UInt16(block.count)
            stream += [
                rest.isEmpty ? 1 : 0, UInt8(size & 255), UInt8(size >> 8), UInt8(~size & 255), UInt8(~size >> 8),
            ]
            stream += block
        } while !rest.isEmpty
        return stream
    }

    /// Bytes, then many zeros in one block of fixed codes, thirteen bits for 258 of them.
    static func repeated(_ bytes: [UInt8], zeros: Int) -> [UInt8] {
        let size = UInt16(bytes.count)
        var stream = [0, UInt8(size & 255), UInt8(size >> 8), UInt8(~size & 255), UInt8(~size >> 8)] + bytes
        var (word, count) = (UInt32(0), UInt32(0))
        func put(_ bits: [UInt32]) {
            for bit in bits {
                word |= bit << count
                count += 1
                if count == 8 {
                    stream.append(UInt8(word))
                    (word, count) = (0, 0)
                }
            }
        }
        put([1, 1, 0])
        // Literal 0 is 00110000; length 258 is code 285, 11000101; distance 1 is code 0, five bits.
        put([0, 0, 1, 1, 0, 0, 0, 0])
        for _ in 0..<zeros / 258 { put([1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]) }
        put([0, 0, 0, 0, 0, 0, 0])
        if count > 0 { stream.append(UInt8(word)) }
        return stream
    }
}

extension Result {
    var failure: Failure? {
        guard case .failure(let failure) = self else { return nil }
        return failure
    }
}
