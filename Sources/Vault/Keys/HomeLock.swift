internal import Glibc

/// Keeps a second agent from opening the same home.
///
/// Held until the value goes away; the system lets go of it when the process ends.
package final class HomeLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``VaultError`` with code `homeInUse` while another process, or another value of this one, holds it.
    package init(home: String) throws(VaultError) {
        let descriptor = Glibc.open(home + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let error = FileError(errno)
            if error.isMissing { throw VaultError(.homeMissing, "the home folder does not exist", cause: error) }
            throw VaultError.file(error, "opening the home's lock")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = FileError(errno)
            close(descriptor)
            guard error.number == EWOULDBLOCK else { throw VaultError.file(error, "locking the home") }
            throw VaultError(.homeInUse, "another agent has this home open: stop it or choose another home")
        }
        self.descriptor = descriptor
    }

    deinit { close(self.descriptor) }
}
