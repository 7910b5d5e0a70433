import Foundation

/// Reads the identifier of a patient without leaving it in the shell history or the process list.
enum PatientInput {
    /// `argument` is `-` for a line of standard input; anything else is refused unless the caller insists.
    static func read(_ argument: String, allowsLiteral: Bool) throws(CommandFailure) -> String {
        if argument != "-" {
            guard allowsLiteral else {
                throw .usage(
                    "patient-on-command-line",
                    "a patient's identifier must not stand on the command line",
                    hint:
                        "Use --patient - and type it or pipe it in; --insecure-arguments allows it for synthetic data."
                )
            }
            return argument
        }
        let line =
            Terminal.isInputTerminal
            ? Terminal.readHidden(prompt: "Patient identifier (SYSTEM:VALUE, not shown): ") : readLine()
        guard let line, !line.trimmingCharacters(in: .whitespaces).isEmpty else {
            throw .usage(
                "patient-missing",
                "no patient identifier was given",
                hint: "Write SYSTEM:VALUE, such as CN-RIC:..., MRN@institution:..., or URI|VALUE."
            )
        }
        return line
    }
}
