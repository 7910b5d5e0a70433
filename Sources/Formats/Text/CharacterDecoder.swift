internal import CIconv

/// Turns bytes of one character set into text, or says that they are none of it.
///
/// Holds a conversion state of the C library, which costs more to make than a short text to convert: make one for each
/// input. Not shared between threads.
@safe package final class CharacterDecoder {
    package let characterSet: CharacterSet
    private let handle: iconv_t?

    /// Returns `nil` if this machine's C library does not know the set.
    package init?(_ characterSet: CharacterSet) {
        self.characterSet = characterSet
        switch characterSet {
        case .ascii, .utf8, .latin1: unsafe self.handle = nil
        default:
            guard let handle = unsafe entente_iconv_open("UTF-8", characterSet.rawValue) else { return nil }
            unsafe self.handle = unsafe handle
        }
    }

    deinit {
        if let handle = unsafe self.handle { unsafe iconv_close(handle) }
    }

    /// The text, or `nil` if a byte does not belong to the set or the last character is not whole.
    package func string(_ bytes: ArraySlice<UInt8>) -> String? {
        switch self.characterSet {
        case .ascii: return bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : nil
        case .utf8: return String(validating: bytes, as: UTF8.self)
        case .latin1: return String(decoding: bytes.map(UInt16.init), as: UTF16.self)
        default: return self.converted(bytes)
        }
    }

    private func converted(_ bytes: ArraySlice<UInt8>) -> String? {
        guard let handle = unsafe self.handle else { preconditionFailure("only sets without a handle come here") }
        unsafe iconv(handle, nil, nil, nil, nil)
        // No byte of any set here becomes more than three of UTF-8; four-byte GB 18030 and pairs of UTF-16 become four.
        let capacity = bytes.count * 3
        var isWhole = false
        let text = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
            unsafe bytes.withUnsafeBytes { input in
                var from = unsafe UnsafeMutablePointer(mutating: input.assumingMemoryBound(to: CChar.self).baseAddress)
                var fromLeft = input.count
                var to = unsafe UnsafeMutableRawPointer(output.baseAddress)?.assumingMemoryBound(to: CChar.self)
                var toLeft = capacity
                let result = unsafe iconv(handle, &from, &fromLeft, &to, &toLeft)
                isWhole = result != Int(bitPattern: UInt.max) && fromLeft == 0
                count = capacity - toLeft
            }
        }
        return isWhole ? String(validating: text, as: UTF8.self) : nil
    }
}
