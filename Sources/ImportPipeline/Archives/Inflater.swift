import CZlib

/// One zlib stream that is inflated piece by piece.
///
/// Used by the thread that reads the archive.
final class Inflater {
    /// How the stream is wrapped; the values are zlib's window bits.
    enum Wrapping: Int32 {
        /// RFC 1951, as in ZIP.
        case raw = -15
        /// RFC 1952.
        case gzip = 31
    }

    enum Step {
        /// More input is needed.
        case starved
        /// There is more output to come from the same input.
        case going
        /// The stream has ended; what was not consumed follows it.
        case ended
    }

    private static let outputBytes = 1 << 18

    private let stream: UnsafeMutablePointer<z_stream>
    private var input: [UInt8] = []
    private var position = 0
    /// What the last step gave.
    private(set) var output: [UInt8] = []

    /// Returns `nil` when there is no memory for the stream.
    init?(_ wrapping: Wrapping) {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        guard entente_inflate_init(self.stream, wrapping.rawValue) == Z_OK else {
            self.stream.deallocate()
            return nil
        }
    }

    deinit {
        inflateEnd(self.stream)
        self.stream.deallocate()
    }

    var unconsumed: ArraySlice<UInt8> { self.input[self.position...] }

    /// Gives the next input; what came before must have been consumed.
    func feed(_ bytes: [UInt8]) {
        self.input = Array(self.unconsumed) + bytes
        self.position = 0
    }

    /// Starts with another stream of the same wrapping, behind the one that ended.
    func restart() { inflateReset(self.stream) }

    /// Inflates as much as fits into one piece of output; `nil` if the stream is damaged.
    func step() -> Step? {
        let available = self.input.count - self.position
        guard available > 0 else {
            self.output = []
            return .starved
        }
        var result = Z_OK
        self.output = [UInt8](unsafeUninitializedCapacity: Self.outputBytes) { output, count in
            self.input.withUnsafeBufferPointer { input in
                // zlib's interface predates `const`; it does not write to its input.
                self.stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: input.baseAddress.map { $0 + self.position }
                )
                self.stream.pointee.avail_in = uInt(available)
                self.stream.pointee.next_out = output.baseAddress
                self.stream.pointee.avail_out = uInt(Self.outputBytes)
                result = inflate(self.stream, Z_NO_FLUSH)
                count = Self.outputBytes - Int(self.stream.pointee.avail_out)
            }
            self.position += available - Int(self.stream.pointee.avail_in)
            self.stream.pointee.next_in = nil
            self.stream.pointee.next_out = nil
        }
        switch result {
        case Z_STREAM_END: return .ended
        case Z_OK: return self.output.count == Self.outputBytes || self.position < self.input.count ? .going : .starved
        // No progress was possible, which is no error.
        case Z_BUF_ERROR: return .starved
        default: return nil
        }
    }
}
