internal import CZstd
internal import Records
internal import Synchronization

/// How a record's content is shortened before it is sealed.
///
/// Each record is compressed alone, with a public dictionary: no record's size depends on another's bytes.
enum CompressionID: UInt8 {
    case none = 0
    /// One Zstandard frame (RFC 8878), raw content dictionary ``CompressionDictionary/fhirJSON``.
    case zstdFHIR = 1
    /// One Zstandard frame without a dictionary.
    case zstd = 2

    init(_ format: SourceFormat) {
        switch format {
        case .fhirR4JSON: self = .zstdFHIR
        case .hl7v2, .cda, .csv, .dicom: self = .zstd
        }
    }
}

/// Contexts of the library that are kept between records: making one costs more than compressing a record with it.
final class CompressorPool: Sendable {
    /// On reports of 4 KB a third of the time of DEFLATE's fastest level, for fewer bytes
    /// (Documentation/Decisions/0009-records-are-compressed-with-zstandard.md).
    private static let level: Int32 = 3

    private let compressors = Mutex<[Compressor]>([])
    private let decompressors = Mutex<[Decompressor]>([])

    /// The dictionary in the forms in which the library uses it at once.
    private enum Dictionary {
        // The library only reads it once it is made, from any number of threads.
        nonisolated(unsafe) static let compressing = ZSTD_createCDict(
            CompressionDictionary.fhirJSON,
            CompressionDictionary.fhirJSON.count,
            CompressorPool.level
        )
        // As the other.
        nonisolated(unsafe) static let decompressing = ZSTD_createDDict(
            CompressionDictionary.fhirJSON,
            CompressionDictionary.fhirJSON.count
        )
    }

    // Used by one thread at a time: whoever took it from the pool.
    private final class Compressor: @unchecked Sendable {
        private let context: OpaquePointer

        init?() {
            guard let context = ZSTD_createCCtx() else { return nil }
            self.context = context
            // The payload states the size, and the seal finds damage.
            for (parameter, value) in [
                (ZSTD_c_compressionLevel, CompressorPool.level), (ZSTD_c_contentSizeFlag, 0), (ZSTD_c_checksumFlag, 0),
                (ZSTD_c_dictIDFlag, 0),
            ] where ZSTD_isError(ZSTD_CCtx_setParameter(context, parameter, value)) != 0 { return nil }
        }

        deinit { ZSTD_freeCCtx(self.context) }

        /// `nil` if the result does not fit into `limit` bytes.
        func compress(_ plain: [UInt8], _ compression: CompressionID, limit: Int) -> [UInt8]? {
            let dictionary = compression == .zstdFHIR ? Dictionary.compressing : nil
            guard ZSTD_isError(ZSTD_CCtx_refCDict(self.context, dictionary)) == 0 else { return nil }
            var isDone = false
            let bytes = [UInt8](unsafeUninitializedCapacity: limit) { output, count in
                let written = ZSTD_compress2(self.context, output.baseAddress, limit, plain, plain.count)
                isDone = ZSTD_isError(written) == 0
                count = isDone ? written : 0
            }
            return isDone ? bytes : nil
        }
    }

    // As the compressor.
    private final class Decompressor: @unchecked Sendable {
        private let context: OpaquePointer

        init?() {
            guard let context = ZSTD_createDCtx() else { return nil }
            self.context = context
        }

        deinit { ZSTD_freeDCtx(self.context) }

        func decompress(_ data: [UInt8], _ compression: CompressionID, plainBytes: Int) -> [UInt8]? {
            let dictionary = compression == .zstdFHIR ? Dictionary.decompressing : nil
            guard ZSTD_isError(ZSTD_DCtx_refDDict(self.context, dictionary)) == 0 else { return nil }
            var isDone = false
            let bytes = [UInt8](unsafeUninitializedCapacity: plainBytes) { output, count in
                let written = ZSTD_decompressDCtx(self.context, output.baseAddress, plainBytes, data, data.count)
                isDone = ZSTD_isError(written) == 0 && written == plainBytes
                count = isDone ? written : 0
            }
            return isDone ? bytes : nil
        }
    }

    /// The compressed bytes, or `nil` when that would save less than 5 %.
    func compress(_ plain: [UInt8], _ compression: CompressionID) -> [UInt8]? {
        guard compression != .none, !plain.isEmpty else { return nil }
        guard let compressor = self.compressors.withLock({ $0.popLast() }) ?? Compressor() else { return nil }
        defer { self.compressors.withLock { $0.append(compressor) } }
        return compressor.compress(plain, compression, limit: plain.count * 20 / 21)
    }

    /// Exactly `plainBytes` bytes, or `nil` when the data is not one frame that holds just that.
    ///
    /// Memory for `plainBytes` is taken before the frame is read: the caller bounds it.
    func decompress(_ data: [UInt8], _ compression: CompressionID, plainBytes: Int) -> [UInt8]? {
        // The library would read several frames, and skip frames that it does not know, as one.
        guard plainBytes > 0, ZSTD_findFrameCompressedSize(data, data.count) == data.count,
            let decompressor = self.decompressors.withLock({ $0.popLast() }) ?? Decompressor()
        else { return nil }
        defer { self.decompressors.withLock { $0.append(decompressor) } }
        return decompressor.decompress(data, compression, plainBytes: plainBytes)
    }
}
