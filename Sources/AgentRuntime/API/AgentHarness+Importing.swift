import AgentAPI
import Formats
import Foundation
import GRPCCore
import ImportPipeline
import LedgerStore
import Primitives
import Records
import SwiftProtobuf

extension AgentHarness {
    /// Bytes of a quarantined input that are shown.
    private static let shownBytesMax = 64 << 10
    private static let listMax = 10_000
    private static let pageRows = 16

    func importFiles(
        request: Entente_Api_V1_ImportRequest,
        response: RPCWriter<Entente_Api_V1_ImportEvent>,
        context: ServerContext
    ) async throws {
        try await self.answer {
            guard !request.paths.isEmpty else { throw AgentFailure(.badRequest, "nothing is named to be imported") }
            guard request.paths.allSatisfy({ $0.hasPrefix("/") }) else {
                throw AgentFailure(.badRequest, "a path is not absolute")
            }
            try await self.run(request.paths.map(InputPath.path), request, response)
        }
    }

    func importUpload(
        request: RPCAsyncSequence<Entente_Api_V1_ImportUploadPart, any Error>,
        response: RPCWriter<Entente_Api_V1_ImportEvent>,
        context: ServerContext
    ) async throws {
        try await self.answer {
            let file = self.context.layout.spool.appending(path: "upload-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: file) }
            guard
                FileManager.default.createFile(
                    atPath: file.path,
                    contents: nil,
                    attributes: [.posixPermissions: 0o600]
                )
            else { throw AgentFailure(.diskFull, "the upload cannot be stored", hint: "Make room on the disk.") }
            let handle = try FileHandle(forWritingTo: file)
            var wish: Entente_Api_V1_ImportRequest?
            for try await part in request {
                switch part.part {
                case .request(let request): wish = request
                case .data(let bytes): try handle.write(contentsOf: bytes)
                case nil: break
                }
            }
            try handle.close()
            guard let wish else { throw AgentFailure(.badRequest, "an upload begins with its request") }
            try await self.run([.path(file.path)], wish, response, name: (file.path, "-"))
        }
    }

    private func run(
        _ inputs: [InputPath],
        _ request: Entente_Api_V1_ImportRequest,
        _ response: RPCWriter<Entente_Api_V1_ImportEvent>,
        name: (path: String, shown: String)? = nil
    ) async throws {
        let summary = try await self.imports.run(
            inputs,
            isDryRun: request.dryRun,
            options: try Self.options(request),
            pace: try Self.pace(request),
            renamed: name
        ) { event in
            try await response.write(ExamMessages.event(event))
        }
        try await response.write(ExamMessages.summary(summary))
    }

    private static func pace(_ request: Entente_Api_V1_ImportRequest) throws -> ImportPace {
        let window = DailyWindow(request.window)
        guard request.window.isEmpty || window != nil else {
            throw AgentFailure(.badRequest, "the window is not two times of day such as 22:00-06:00")
        }
        return ImportPace(examsPerSecond: request.examsPerSecond > 0 ? request.examsPerSecond : nil, window: window)
    }

    private static func options(_ request: Entente_Api_V1_ImportRequest) throws -> ImportOptions {
        var options = ImportOptions()
        if !["", "auto"].contains(request.format) {
            options.format = SourceFormat(name: request.format)
            guard options.format != nil else { throw AgentFailure(.badRequest, "there is no such format") }
        }
        options.mapping = try Self.mapping(request.mapping)
        return options
    }

    private static func mapping(_ bytes: Data) throws -> CSVMapping? {
        guard !bytes.isEmpty else { return nil }
        switch CSVMapping.read(canonical: Array(bytes)) {
        case .success(let mapping): return mapping
        case .failure(let fault):
            throw AgentFailure(.badRequest, "the mapping does not fit: \(fault.refusal.message) (\(fault.path))")
        }
    }

    private static func position(_ item: QuarantinedInput) -> String {
        item.line == 0 ? "byte \(item.position)" : "line \(item.line), byte \(item.position)"
    }

    func quarantineList(
        request: Entente_Api_V1_QuarantineListRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_QuarantineListReply {
        try await self.answer {
            var items: [Entente_Api_V1_QuarantineItem] = []
            var after: Int64 = 0
            // A page at a time: each row brings its input with it.
            while items.count < Self.listMax {
                let page = try self.context.custody.quarantined(after: after, limit: Self.pageRows)
                guard let last = page.last else { break }
                items += page.map { self.item($0) }
                after = last.number
            }
            return .with { $0.items = items }
        }
    }

    func quarantineShow(
        request: Entente_Api_V1_QuarantineShowRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_QuarantineShowReply {
        try await self.answer {
            let stored = try self.quarantined(request.id)
            let bytes = try self.context.secrets.openInput(stored.sealed)
            return .with { reply in
                reply.item = self.item(stored)
                if request.full {
                    reply.content = Data(QuarantinedText.full(bytes).prefix(Self.shownBytesMax))
                } else {
                    reply.content = Data(QuarantinedText.excerpt(bytes).utf8)
                }
            }
        }
    }

    func quarantineRetry(
        request: Entente_Api_V1_QuarantineRetryRequest,
        response: RPCWriter<Entente_Api_V1_ImportEvent>,
        context: ServerContext
    ) async throws {
        try await self.answer {
            var total = ImportSession.Summary()
            let mapping = try Self.mapping(request.mapping)
            if !request.id.isEmpty {
                try await self.retry(try self.quarantined(request.id), mapping, &total, response)
            } else {
                var after: Int64 = 0
                while true {
                    let page = try self.context.custody.quarantined(after: after, limit: Self.pageRows)
                    for item in page { try await self.retry(item, mapping, &total, response) }
                    guard let last = page.last else { break }
                    after = last.number
                }
            }
            try await response.write(ExamMessages.summary(total))
        }
    }

    private func retry(
        _ item: QuarantinedInput,
        _ mapping: CSVMapping?,
        _ total: inout ImportSession.Summary,
        _ response: RPCWriter<Entente_Api_V1_ImportEvent>
    ) async throws {
        let bytes = try self.context.secrets.openInput(item.sealed)
        let (summary, refusal) = try await self.imports.retry(bytes, mapping: mapping) { event in
            try await response.write(ExamMessages.event(event))
        }
        guard let refusal else {
            try self.context.custody.markQuarantined(number: item.number, state: .resolved)
            total.add(summary)
            return
        }
        total.quarantined += 1
        total.rejections[refusal.code, default: 0] += 1
        let rejection = ImportSession.Rejection(
            file: item.file,
            position: Self.position(item),
            code: refusal.code,
            message: refusal.message,
            quarantine: item.number
        )
        try await response.write(ExamMessages.event(.rejection(rejection)))
    }

    private func quarantined(_ id: String) throws -> QuarantinedInput {
        guard let number = Int64(id), let item = try self.context.custody.quarantined(number: number),
            item.state == .open
        else {
            throw AgentFailure(
                .quarantineUnknown,
                "there is nothing of this id in quarantine",
                hint: "List it: entente quarantine list."
            )
        }
        return item
    }

    private func item(_ stored: QuarantinedInput) -> Entente_Api_V1_QuarantineItem {
        .with {
            $0.id = String(stored.number)
            $0.file = stored.file
            $0.position = Self.position(stored)
            $0.code = stored.code
            $0.message = stored.message
            $0.time = stored.time.milliseconds
            // The seal adds nonce and tag.
            $0.bytes = UInt64(max(0, stored.sealed.count - 28))
        }
    }
}
