internal import CZlib
internal import Records
internal import Synchronization

/// How a record's content is shortened before it is sealed.
///
/// Each record is compressed alone, with a public dictionary: no record's size depends on another's bytes.
enum CompressionID: UInt8 {
    case none = 0
    /// Raw DEFLATE (RFC 1951), preset dictionary ``CompressionDictionary/fhirJSON``.
    case deflateFHIR = 1
    /// Raw DEFLATE (RFC 1951) without a dictionary.
    case deflate = 2

    init(_ format: SourceFormat) {
        switch format {
        case .fhirR4JSON: self = .deflateFHIR
        case .hl7v2, .cda, .csv, .dicom: self = .deflate
        }
    }

    fileprivate var dictionary: [UInt8]? {
        switch self {
        case .none, .deflate: nil
        case .deflateFHIR: CompressionDictionary.fhirJSON
        }
    }
}

/// zlib states that are kept between records: making one costs more than compressing a record with it.
final class CompressorPool: Sendable {
    /// zlib level 1: a third of the time of level 6 for a seventh more bytes.
    private static let level: Int32 = 1
    private static let windowBits: Int32 = -15
    private static let memoryLevel: Int32 = 8
    /// DEFLATE cannot shrink anything more than 1,032 times.
    private static let ratioMax = 1032

    private let deflaters = Mutex<[Stream]>([])
    private let inflaters = Mutex<[Stream]>([])

    /// A z_stream at a fixed address, as zlib demands.
    ///
    /// Used by one thread at a time: whoever took it from the pool.
    private final class Stream: @unchecked Sendable {
        let pointer: UnsafeMutablePointer<z_stream>
        private let end: (UnsafeMutablePointer<z_stream>) -> Void

        init?(
            _ start: (UnsafeMutablePointer<z_stream>) -> Int32,
            end: @escaping (UnsafeMutablePointer<z_stream>) -> Void
        ) {
            self.pointer = .allocate(capacity: 1)
            self.pointer.initialize(to: z_stream())
            self.end = end
            guard start(self.pointer) == Z_OK else { return nil }
        }

        deinit {
            self.end(self.pointer)
            self.pointer.deallocate()
        }

        /// Drops pointers to buffers that belong to a caller.
        func forget() {
            self.pointer.pointee.next_in = nil
            self.pointer.pointee.next_out = nil
            self.pointer.pointee.avail_in = 0
            self.pointer.pointee.avail_out = 0
        }
    }

    /// The compressed bytes, or `nil` when that would save less than 5 %.
    func compress(_ plain: [UInt8], _ compression: CompressionID) -> [UInt8]? {
        guard compression != .none, !plain.isEmpty else { return nil }
        let kept = self.deflaters.withLock { $0.popLast() }
        let made =
            kept
            ?? Stream({ entente_deflate_init($0, Self.level, Self.windowBits, Self.memoryLevel) }) { deflateEnd($0) }
        guard let stream = made else { return nil }
        defer { self.deflaters.withLock { $0.append(stream) } }
        let zlib = stream.pointer
        guard deflateReset(zlib) == Z_OK else { return nil }
        let dictionary = compression.dictionary
        let limit = plain.count * 20 / 21
        var isDone = false
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { output, count in
            _ = dictionary?.withUnsafeBufferPointer { deflateSetDictionary(zlib, $0.baseAddress, uInt($0.count)) }
            plain.withUnsafeBufferPointer { input in
                // zlib's interface predates `const`; it does not write to its input.
                zlib.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                zlib.pointee.avail_in = uInt(input.count)
                zlib.pointee.next_out = output.baseAddress
                zlib.pointee.avail_out = uInt(limit)
                isDone = deflate(zlib, Z_FINISH) == Z_STREAM_END
                count = limit - Int(zlib.pointee.avail_out)
            }
            stream.forget()
        }
        return isDone ? bytes : nil
    }

    /// Exactly `plainBytes` bytes, or `nil` when the data does not hold just that.
    func decompress(_ data: [UInt8], _ compression: CompressionID, plainBytes: Int) -> [UInt8]? {
        guard plainBytes > 0, plainBytes / Self.ratioMax <= data.count + 1 else { return nil }
        let kept = self.inflaters.withLock { $0.popLast() }
        guard let stream = kept ?? Stream({ entente_inflate_init($0, Self.windowBits) }, end: { inflateEnd($0) }) else {
            return nil
        }
        defer { self.inflaters.withLock { $0.append(stream) } }
        let zlib = stream.pointer
        guard inflateReset(zlib) == Z_OK else { return nil }
        let dictionary = compression.dictionary
        var isDone = false
        let bytes = [UInt8](unsafeUninitializedCapacity: plainBytes) { output, count in
            _ = dictionary?.withUnsafeBufferPointer { inflateSetDictionary(zlib, $0.baseAddress, uInt($0.count)) }
            data.withUnsafeBufferPointer { input in
                zlib.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                zlib.pointee.avail_in = uInt(input.count)
                zlib.pointee.next_out = output.baseAddress
                zlib.pointee.avail_out = uInt(plainBytes)
                let result = inflate(zlib, Z_FINISH)
                count = plainBytes - Int(zlib.pointee.avail_out)
                isDone = result == Z_STREAM_END && zlib.pointee.avail_in == 0 && count == plainBytes
            }
            stream.forget()
        }
        return isDone ? bytes : nil
    }
}
