internal import CZlib

/// Inflates the start of a raw DEFLATE stream (RFC 1951).
enum Inflater {
    enum End: Hashable, Sendable {
        /// The stream is whole.
        case ended
        /// There is room for no more output.
        case full
        /// The input ends before the stream does.
        case starved
    }

    struct Output: Sendable {
        var bytes: [UInt8]
        /// Number of input bytes that the output came from.
        var consumed: Int
        var end: End
    }

    /// Makes up to `limit` bytes, which are allocated at once; `nil` if the input is no DEFLATE stream.
    static func inflate(_ input: ArraySlice<UInt8>, limit: Int) -> Output? {
        var stream = unsafe z_stream()
        // Negative: no zlib header, as PS3.5 A.5 asks.
        guard unsafe entente_inflate_init(&stream, -15) == Z_OK else { return nil }
        defer { unsafe inflateEnd(&stream) }
        var result = Z_OK
        var consumed = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { output, count in
            unsafe input.withUnsafeBufferPointer { input in
                // zlib's interface predates `const`; it does not write to its input.
                unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.avail_in = uInt(input.count)
                unsafe stream.next_out = output.baseAddress
                unsafe stream.avail_out = uInt(limit)
                result = unsafe CZlib.inflate(&stream, Z_SYNC_FLUSH)
                consumed = unsafe input.count - Int(stream.avail_in)
                count = unsafe limit - Int(stream.avail_out)
            }
        }
        switch result {
        case Z_STREAM_END: return Output(bytes: bytes, consumed: consumed, end: .ended)
        case Z_OK, Z_BUF_ERROR:
            return Output(bytes: bytes, consumed: consumed, end: bytes.count == limit ? .full : .starved)
        default: return nil
        }
    }
}
