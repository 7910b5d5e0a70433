import AgentAPI
import AgentRuntime
import Foundation
import Ledger
import Vault

extension CommandFailure {
    /// Any error as the command line reports it.
    init(any error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as AgentAPIError:
            self.init(
                error.code,
                error.message,
                hint: error.hint,
                status: Status(rawValue: error.exitStatus.rawValue) ?? .internalError
            )
        case let error as CocoaError where error.isFileError:
            self.init(
                "file.unreadable",
                "a file cannot be read or written",
                hint: "Check path and permissions.",
                status: .usage
            )
        default:
            let failure = AgentFailure(any: error)
            self.init(
                failure.name,
                failure.message,
                hint: failure.hint,
                status: Status(rawValue: failure.exitStatus) ?? .internalError
            )
        }
    }
}

/// What an institution and a patient have agreed on, with the block that ordered it.
struct Submitted {
    var subject: Data
    var height: UInt64
}

extension GlobalOptions {
    private var socketPath: String { self.homeURL.appending(path: AgentSocket.fileName).path }

    /// Connects to the home's agent for one exchange.
    func call<Reply: Sendable>(_ body: @Sendable (AgentClient) async throws -> Reply) async throws -> Reply {
        try await AgentClient.connected(to: self.socketPath, body)
    }

    /// Has a transaction prepared, signs it with the patient's key where it needs that, and waits until it is final.
    ///
    /// `check`: throws unless what the key is to sign is what was asked for.
    func prepareSignSubmit(
        key: PersonKey?,
        _ prepare: @Sendable (AgentClient) async throws -> Entente_Api_V1_PreparedTransaction,
        check: @Sendable (LedgerCall, _ key: Data) throws -> Void
    ) async throws -> Submitted {
        try await self.call { client in
            let prepared = try await prepare(client)
            // Said once is enough: the chain holds it already, and asking again changes nothing.
            if prepared.doneHeight != 0 { return Submitted(subject: prepared.subject, height: prepared.doneHeight) }
            var request = Entente_Api_V1_SubmitTransactionRequest()
            request.transaction = prepared.transaction
            if let key {
                try check(SigningCheck.call(of: prepared), key.publicKey)
                request.patientKey = key.publicKey
                request.patientSignature = key.sign(prepared.toSign)
            }
            let reply = try await client.submitTransaction(request)
            return Submitted(subject: prepared.subject, height: reply.height)
        }
    }

    func importPaths(_ request: Entente_Api_V1_ImportRequest, into sink: ImportSink) async throws {
        try await self.call { client in try await client.importFiles(request) { sink.take($0) } }
    }

    func importUpload(
        _ request: Entente_Api_V1_ImportRequest,
        from handle: FileHandle,
        into sink: ImportSink
    ) async throws {
        try await self.call { client in
            try await client.importUpload(request, bytes: FilePieces(handle: handle)) { sink.take($0) }
        }
    }

    func retryQuarantine(_ request: Entente_Api_V1_QuarantineRetryRequest, into sink: ImportSink) async throws {
        try await self.call { client in try await client.quarantineRetry(request) { sink.take($0) } }
    }
}

/// A file's bytes, a piece at a time.
private struct FilePieces: AsyncSequence, Sendable {
    let handle: FileHandle

    struct Iterator: AsyncIteratorProtocol {
        let handle: FileHandle

        mutating func next() async throws -> [UInt8]? {
            guard let piece = try self.handle.read(upToCount: 1 << 20), !piece.isEmpty else { return nil }
            return Array(piece)
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(handle: self.handle) }
}
