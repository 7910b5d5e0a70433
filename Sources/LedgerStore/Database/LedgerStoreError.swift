internal import GRDB
internal import Primitives

/// A failure of one of the agent's own files or of the database beneath it.
package struct LedgerStoreError: Error, Sendable {
    /// What callers branch on; an edge switches over it without `default`.
    package enum Code: String, Hashable, Sendable {
        /// Another process holds the file.
        case busy
        /// Blocks that do not continue the stored chain.
        case chainMismatch
        /// A value that must be unique is there already, with other content.
        case conflict
        /// Bytes on disk are not what was written.
        case corrupt
        case diskFull
        /// The database refused for a reason that is an error of this program.
        case internalFailure
        /// The disk failed to read or write.
        case ioFailure
        /// The file or its folder cannot be opened or written.
        case notAccessible
        /// What was to be changed does not exist.
        case notFound
        /// A number or size from outside is over what a file can hold.
        case outOfRange
        /// A newer release wrote the file.
        case schemaTooNew
        /// Bytes could not be made durable; the file takes no more until it is opened anew.
        case syncFailed
        /// Votes that were durable cannot be read: the key must not vote in this epoch.
        case voteLogDamaged
    }

    package var code: Code
    /// What failed and what an operator can do; never a name, pseudonym, key or payload byte.
    package var message: String
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension LedgerStoreError: CustomStringConvertible {
    package var description: String { "\(self.code.rawValue): \(self.message)" }
}

extension LedgerStoreError {
    /// Gives whatever was thrown around the database file `name` its code.
    init(_ error: any Error, file name: String) {
        switch error {
        case let error as LedgerStoreError: self = error
        case let error as DatabaseError: self = Self.fromDatabase(error, name)
        case is CanonicalError:
            self.init(.corrupt, "\(name) holds bytes that were never written; restore it from a copy", cause: error)
        default: self.init(.internalFailure, "\(name) refused an operation", cause: error)
        }
    }

    private static func fromDatabase(_ error: DatabaseError, _ name: String) -> LedgerStoreError {
        switch error.resultCode {
        case .SQLITE_FULL: LedgerStoreError(.diskFull, "no room left to write \(name)", cause: error)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            LedgerStoreError(.corrupt, "\(name) is damaged; restore it from a copy", cause: error)
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL:
            LedgerStoreError(.busy, "\(name) is in use by another process", cause: error)
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            LedgerStoreError(.notAccessible, "\(name) cannot be opened for writing", cause: error)
        case .SQLITE_IOERR: LedgerStoreError(.ioFailure, "the disk failed under \(name)", cause: error)
        case .SQLITE_CONSTRAINT:
            LedgerStoreError(.conflict, "\(name) holds another value in this place", cause: error)
        case .SQLITE_TOOBIG: LedgerStoreError(.outOfRange, "a value is too large for \(name)", cause: error)
        default: LedgerStoreError(.internalFailure, "\(name) refused an operation", cause: error)
        }
    }
}
