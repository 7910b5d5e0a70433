/// A failure of the vault, of its keys or of the disk beneath it.
///
/// No field ever holds a key, a name, a pseudonym or a byte of a record.
package struct VaultError: Error, Sendable, CustomStringConvertible {
    /// What callers branch on.
    package enum Code: String, Hashable, Sendable {
        /// No object has this address.
        case notFound
        /// Bytes on disk are not what was written.
        case damaged
        /// The object is here, but its data key is not.
        case keyMissing
        /// The page wraps nothing for this institution, or not this record.
        case notGranted
        /// Sealed bytes do not open under the key they are said to be sealed with.
        case sealBroken
        /// Content is over the limit of a sealed object.
        case tooLarge
        /// An object says it is this institution's own, and this home has not made it.
        case notOwn
        /// The content names a suite, version or format this build does not know.
        case unsupported
        case diskFull
        /// The disk refused to read or to make bytes durable.
        case inputOutput
        case closed
        case homeInUse
        case homeExists
        case homeMissing
        case keyFileDamaged
        /// A file with secrets can be read or written by others.
        case keyFileExposed
        case passphraseNeeded
        /// The passphrase or master key does not open the key file.
        case wrongPassphrase
    }

    package let code: Code
    /// What failed and what an operator can do.
    package let message: String
    /// The failure beneath, if any.
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { "\(self.code.rawValue): \(self.message)" }
}

extension VaultError {
    /// A file error seen while doing what `message` says.
    static func file(_ error: FileError, _ message: String) -> VaultError {
        VaultError(error.isNoSpace ? .diskFull : .inputOutput, "\(message): \(error)", cause: error)
    }
}

/// Runs `body` and turns a file error into a vault error that says what was being done.
func whileDoing<Value>(_ what: String, _ body: () throws(FileError) -> Value) throws(VaultError) -> Value {
    do { return try body() } catch { throw VaultError.file(error, what) }
}
