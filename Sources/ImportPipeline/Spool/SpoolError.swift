/// What an import wrote down for joining could not be written or read.
package struct SpoolError: Error {
    /// Whether room on the disk mends it.
    package var isDiskFull: Bool
    package var cause: any Error
}
