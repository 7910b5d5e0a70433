import Foundation

/// Reads a text that may be personal, and so may stand in a file in place of the command line.
///
/// What stands on a command line is in the shell's history, and every user of the machine can read it in the process list
/// while the command runs.
enum ArgumentText {
    /// More than any text that the agent takes; the agent tells its own limit.
    private static let bytesMax = 4096

    /// `argument` itself, or what is in the file that it names after an `@`, without the line break at its end.
    static func read(_ argument: String, what: String) throws(CommandFailure) -> String {
        guard argument.hasPrefix("@") else { return argument }
        let bytes = try PrivateFile.read(String(argument.dropFirst()), bytesMax: Self.bytesMax, what: what)
        guard var text = String(bytes: bytes, encoding: .utf8) else {
            throw .usage("text", "\(what) is not UTF-8 text", hint: "Write the file as UTF-8.")
        }
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}
