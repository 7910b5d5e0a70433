import AgentAPI
import Foundation
import GRPCCore
import ImportPipeline
import LedgerStore
import Logging
import PeerLink
import Primitives
import Recognition
import Vault

extension AgentAPIError {
    /// What a caller is told about any failure of the agent.
    ///
    /// Details that may hold more than a caller should see stay in the log.
    init(failure error: any Error, logger: Logger) {
        let failure = AgentFailure(any: error)
        if failure.code == .internalError || failure.code == .storeDamaged {
            logger.error("a call failed", metadata: ["code": "\(failure.code.rawValue)", "cause": "\(error)"])
        }
        self.init(
            code: failure.name,
            message: failure.message,
            hint: failure.hint,
            exitStatus: ExitStatus(rawValue: failure.exitStatus) ?? .internalError
        )
    }
}

extension AgentFailure {
    /// Gives every error of the targets below its code and hint: the one place that looks at theirs.
    package init(any error: any Error) {
        switch error {
        case let failure as AgentFailure: self = failure
        case let error as VaultError: self.init(vault: error)
        case let error as LedgerStoreError: self.init(store: error)
        case let error as PeerLinkError:
            self.init(.notReady, error.message, hint: "See entente status.", cause: error)
        case let error as SpoolError where error.isDiskFull:
            self.init(.diskFull, "no room for the import's working files", hint: Self.roomHint, cause: error)
        case let error as CocoaError where error.code == .fileWriteOutOfSpace:
            self.init(.diskFull, "no room left to write a file", hint: Self.roomHint, cause: error)
        case is CanonicalError:
            self.init(.badRequest, "the bytes are not what they should be", cause: error)
        case let refusal as RecognitionRefusal: self.init(.badRequest, "\(refusal.message) (\(refusal.rawValue))")
        case is CancellationError: self.init(.stopping, "the agent is stopping", cause: error)
        default:
            self.init(.internalError, "the agent failed inside", hint: "See the agent's log.", cause: error)
        }
    }

    private static let roomHint = "Make room on the disk of the home; nothing that was acknowledged is lost."

    private init(vault error: VaultError) {
        let (code, hint): (Code, String) =
            switch error.code {
            case .notFound: (.recordNotHere, "See entente status for what is still to be fetched.")
            case .damaged: (.recordDamaged, "Run entente doctor --full.")
            case .keyMissing: (.storeDamaged, "Restore vault/keys from the newest backup.")
            case .notGranted: (.notGranted, "Ask the patient for a grant.")
            case .sealBroken: (.recordDamaged, "Report it to the institution that made the record.")
            case .tooLarge, .unsupported, .notOwn: (.badRequest, "")
            case .diskFull: (.diskFull, Self.roomHint)
            case .inputOutput: (.storeDamaged, "Check the disk: entente doctor --full.")
            case .closed: (.stopping, "")
            case .homeInUse: (.notReady, "Stop the other agent, or name another home.")
            case .homeExists: (.badRequest, "Choose another home, or keep using this one.")
            case .homeMissing: (.notReady, "Run entente init first.")
            case .keyFileDamaged: (.storeDamaged, "Restore the home's keys file from a backup.")
            case .keyFileExposed: (.notReady, "Set its mode to 0600, and consider the keys known to others.")
            case .passphraseNeeded, .wrongPassphrase: (.notReady, "Give the passphrase in ENTENTE_PASSPHRASE_FILE.")
            }
        self.init(code, error.message, hint: hint, cause: error)
    }

    private init(store error: LedgerStoreError) {
        let (code, hint): (Code, String) =
            switch error.code {
            case .busy: (.notReady, "Stop the other program that holds the file.")
            case .diskFull: (.diskFull, Self.roomHint)
            case .schemaTooNew: (.notReady, "Install the release that wrote the home, or a newer one.")
            case .notFound: (.badRequest, "")
            case .corrupt, .ioFailure, .syncFailed, .voteLogDamaged, .chainMismatch, .notAccessible:
                (.storeDamaged, "Run entente doctor; restore the named file from a backup.")
            case .conflict, .internalFailure, .outOfRange: (.internalError, "See the agent's log.")
            }
        self.init(code, error.message, hint: hint, cause: error)
    }
}
