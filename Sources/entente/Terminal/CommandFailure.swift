/// An error as the command line reports it.
struct CommandFailure: Error {
    /// The exit statuses that scripts may rely on.
    enum Status: Int32 {
        case internalError = 1
        case usage = 2
        case notFound = 3
        case denied = 4
        case revokedOrExpired = 5
        case staleOrOffline = 6
        case integrity = 7
        case quarantined = 8
        case notReady = 9
    }

    var code: String
    var message: String
    var hint: String
    var status: Status

    init(_ code: String, _ message: String, hint: String = "", status: Status) {
        self.code = code
        self.message = message
        self.hint = hint
        self.status = status
    }

    static func usage(_ code: String, _ message: String, hint: String) -> CommandFailure {
        CommandFailure("usage." + code, message, hint: hint, status: .usage)
    }
}
