import AgentAPI
import Foundation
import GRPCCore
import Primitives
import SwiftProtobuf

extension AgentHarness {
    private static let accountPartBytes = 1 << 20

    func account(
        request: Entente_Api_V1_AccountRequest,
        response: RPCWriter<Entente_Api_V1_AccountPart>,
        context: ServerContext
    ) async throws {
        try await self.answer {
            let file = try AccountBuilder(context: self.context).build(
                from: Timestamp(milliseconds: request.from),
                until: Timestamp(milliseconds: request.until)
            )
            let bytes = file.canonicalBytes
            for start in stride(from: 0, to: bytes.count, by: Self.accountPartBytes) {
                let part = bytes[start..<min(start + Self.accountPartBytes, bytes.count)]
                try await response.write(.with { $0.bytes = Data(part) })
            }
        }
    }
}
