public import GRPCCore
internal import SwiftProtobuf

/// Why a call to the agent failed, in the words that a person should read.
///
/// An agent's handler throws it, and it arrives at the caller as the same value: as an `ErrorDetail` in the trailing
/// metadata beside the gRPC status. Two errors are equal if all their fields are.
public struct AgentAPIError: Error, Hashable, Sendable {
    /// The status with which a command line exits.
    public enum ExitStatus: Int32, Hashable, Sendable, CaseIterable {
        case internalError = 1
        case usage = 2
        case notFound = 3
        case denied = 4
        case revokedOrExpired = 5
        case staleOrOffline = 6
        case integrityFailure = 7
        case quarantinedInput = 8
        case notReady = 9
    }

    /// A stable code such as `grant.expired`.
    public var code: String
    /// What failed.
    public var message: String
    /// What to do about it; empty if nothing can be done.
    public var hint: String
    /// The kind of failure, for scripts.
    public var exitStatus: ExitStatus

    /// Makes an error from its parts.
    public init(code: String, message: String, hint: String = "", exitStatus: ExitStatus) {
        self.code = code
        self.message = message
        self.hint = hint
        self.exitStatus = exitStatus
    }

    static let metadataKey = "entente-error-bin"

    static let notRunningCode = "agent.not-running"

    /// No agent listens at the socket.
    static let notRunning = AgentAPIError(
        code: Self.notRunningCode,
        message: "no agent is running for this home",
        hint: "start it with `entente agent`, or name another home with --home",
        exitStatus: .notReady
    )
}

extension AgentAPIError: CustomStringConvertible {
    /// The code and message in one line.
    public var description: String { "[\(self.code)] \(self.message)" }
}

extension AgentAPIError: RPCErrorConvertible {
    /// The status that clients without knowledge of `ErrorDetail` see.
    public var rpcErrorCode: RPCError.Code {
        switch self.exitStatus {
        case .internalError: .internalError
        case .usage, .quarantinedInput: .invalidArgument
        case .notFound: .notFound
        case .denied: .permissionDenied
        case .revokedOrExpired, .notReady: .failedPrecondition
        case .staleOrOffline: .unavailable
        case .integrityFailure: .dataLoss
        }
    }

    /// The message that clients without knowledge of `ErrorDetail` see.
    public var rpcErrorMessage: String { self.message }

    /// The `ErrorDetail`.
    public var rpcErrorMetadata: Metadata {
        let detail = Entente_Api_V1_ErrorDetail.with {
            $0.code = self.code
            $0.message = self.message
            $0.hint = self.hint
            $0.exitStatus = self.exitStatus.rawValue
        }
        var metadata = Metadata()
        if let bytes: [UInt8] = try? detail.serializedBytes() { metadata.addBinary(bytes, forKey: Self.metadataKey) }
        return metadata
    }
}

extension AgentAPIError {
    /// Reads the error that an agent gave, or describes one that came from elsewhere on the way.
    public init(_ error: any Error) {
        if let error = error as? AgentAPIError {
            self = error
            return
        }
        guard let error = error as? RPCError else {
            self = Self(
                code: "agent.call-failed",
                message: "the call to the agent failed",
                hint: "see the agent's log",
                exitStatus: .internalError
            )
            return
        }
        for bytes in error.metadata[binaryValues: Self.metadataKey] {
            guard let detail = try? Entente_Api_V1_ErrorDetail(serializedBytes: bytes) else { continue }
            self = Self(
                code: detail.code,
                message: detail.message,
                hint: detail.hint,
                exitStatus: ExitStatus(rawValue: detail.exitStatus) ?? .internalError
            )
            return
        }
        switch error.code {
        case .unavailable:
            self = Self(
                code: "agent.connection-lost",
                message: "the agent ended the connection",
                hint: "see whether it is still running: `entente status`",
                exitStatus: .notReady
            )
        case .unimplemented:
            self = Self(
                code: "agent.other-version",
                message: "the agent does not know this call",
                hint: "restart it, so that agent and command line are of one version",
                exitStatus: .notReady
            )
        default:
            self = Self(
                code: "agent.call-failed",
                message: "the call to the agent failed (\(error.code))",
                hint: "see the agent's log",
                exitStatus: .internalError
            )
        }
    }
}
