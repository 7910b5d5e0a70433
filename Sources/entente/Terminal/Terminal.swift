import Foundation

/// What stands at the other end of the standard streams.
enum Terminal {
    static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    static var isInputTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Colour only for people, and not where `NO_COLOR` (https://no-color.org) is set.
    static var usesColour: Bool {
        self.isOutputTerminal && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
    }

    static func write(_ text: String) { self.write(text + "\n", to: .standardOutput) }

    static func writeError(_ text: String) { self.write(text + "\n", to: .standardError) }

    private static func write(_ text: String, to handle: FileHandle) {
        // A reader that went away, such as `head`, is no fault of ours.
        try? handle.write(contentsOf: Data(text.utf8))
    }

    static func bold(_ text: String) -> String { self.usesColour ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
    static func red(_ text: String) -> String { self.usesColour ? "\u{1b}[31m\(text)\u{1b}[0m" : text }
    static func dim(_ text: String) -> String { self.usesColour ? "\u{1b}[2m\(text)\u{1b}[0m" : text }

    /// Reads a line without showing it, for identifiers and passphrases.
    static func readHidden(prompt: String) -> String? {
        FileHandle.standardError.write(Data(prompt.utf8))
        var settings = termios()
        let isTerminal = tcgetattr(STDIN_FILENO, &settings) == 0
        var hidden = settings
        hidden.c_lflag &= ~tcflag_t(ECHO)
        if isTerminal { tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) }
        defer {
            if isTerminal { tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) }
            FileHandle.standardError.write(Data("\n".utf8))
        }
        return readLine()
    }

    /// Columns that `text` takes on a terminal: Chinese, Japanese and Korean characters take two.
    static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { sum, scalar in sum + self.width(scalar) }
    }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        if scalar.properties.canonicalCombiningClass != .notReordered { return 0 }
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xa000...0xa4cf,
            0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe4f, 0xff00...0xff60, 0xffe0...0xffe6, 0x20000...0x3fffd:
            return 2
        default: return scalar.value < 0x20 || scalar.value == 0x7f ? 0 : 1
        }
    }

    static func pad(_ text: String, to columns: Int) -> String {
        text + String(repeating: " ", count: max(0, columns - self.width(text)))
    }

    /// Text from a peer or a file, with control characters replaced: it must not drive the terminal.
    static func harmless(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
                    let isDirection =
                        (0x202a...0x202e).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
                    return isControl || isDirection ? "\u{fffd}" : scalar
                }
            )
        )
    }

    /// The same for a text of several lines.
    static func harmlessLines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { self.harmless(String($0)) }
            .joined(separator: "\n")
    }
}

/// Rows of text under headings, aligned for a terminal.
struct TextTable {
    private let headings: [String]
    private var rows: [[String]] = []

    init(_ headings: [String]) { self.headings = headings }

    mutating func add(_ row: [String]) {
        precondition(row.count == self.headings.count, "a row fills the table's columns")
        // A text of several lines goes on below, in its own column.
        let cells = row.map { $0.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init) }
        for line in 0..<(cells.map(\.count).max() ?? 0) {
            self.rows.append(cells.map { Terminal.harmless($0.indices.contains(line) ? $0[line] : "") })
        }
    }

    var text: String {
        let widths = self.headings.indices.map { column in
            ([self.headings] + self.rows).map { Terminal.width($0[column]) }.max() ?? 0
        }
        let lines = ([self.headings] + self.rows).map { row in
            zip(row, widths).map { Terminal.pad($0, to: $1) }.joined(separator: "  ").trimmingTrailingSpaces
        }
        return ([Terminal.bold(lines[0])] + lines.dropFirst()).joined(separator: "\n")
    }
}

extension String {
    var trimmingTrailingSpaces: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
