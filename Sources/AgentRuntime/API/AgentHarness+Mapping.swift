import AgentAPI
import Formats
import Foundation
import GRPCCore
import LedgerStore
import Primitives
import Records
import SwiftProtobuf

extension AgentHarness {
    /// A code map at its limits.
    private static let mapBytesMax = 128 << 20
    private static let suggestedCodesMax = 100
    private static let suggestionsDefault = 5

    func mappingList(
        request: Entente_Api_V1_MappingListRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MappingListReply {
        try await self.answer {
            let view = self.context.codes.view
            let open = try self.context.codes.open()
            let history = try self.context.codes.history()
            return .with { reply in
                if let last = history.last { reply.current = Self.version(last, view) }
                if let index = view.index, !request.unmappedOnly {
                    let own = index.map.entries.filter {
                        $0.source == nil || $0.source == self.context.institution.text
                    }
                    reply.mapped = own.map { Self.mapped($0, index) }
                }
                reply.unmapped = open.codes.map { Self.unmapped($0.code, $0.count) }
                reply.others = UInt64(clamping: open.others)
                reply.history = history.map { Self.version($0, nil) }
            }
        }
    }

    func mappingSuggest(
        request: Entente_Api_V1_MappingSuggestRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MappingSuggestReply {
        try await self.answer {
            guard let index = self.context.codes.view.index else { throw CodeBook.noCatalogue }
            let open = try self.context.codes.open().codes.filter {
                request.code.isEmpty || $0.code.code == request.code.composed
            }
            guard !open.isEmpty || request.code.isEmpty else {
                throw AgentFailure(
                    .mappingItem,
                    "no exam came with this code unmapped",
                    hint: "List them: entente mapping list --unmapped."
                )
            }
            let limit = request.limit == 0 ? Self.suggestionsDefault : Int(request.limit)
            return .with { reply in
                reply.codes = open.prefix(Self.suggestedCodesMax).map { row in
                    let local = LocalCode(
                        source: row.code.source,
                        system: row.code.system,
                        code: row.code.code,
                        specimen: row.code.specimen?.composed
                    )
                    return .with {
                        $0.code = Self.unmapped(row.code, row.count)
                        $0.items = index.suggestions(
                            for: local,
                            name: row.code.name?.composed,
                            unit: row.code.unit,
                            limit: limit
                        ).map(Self.suggestion)
                    }
                }
            }
        }
    }

    func mappingSet(
        request: Entente_Api_V1_MappingSetRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MappingVersion {
        try await self.answer {
            guard let index = self.context.codes.view.index else { throw CodeBook.noCatalogue }
            func optional(_ text: String) -> String? { text.isEmpty ? nil : text.composed }
            let system = request.itemSystem.isEmpty ? CodeSystem.loinc : request.itemSystem
            let item = CatalogueCode(system: CodeSystem(recognising: system).name, code: request.item)
            guard index.item(item) != nil else {
                throw AgentFailure(
                    .mappingItem,
                    "the catalogue has no such item",
                    hint: "entente mapping suggest shows items; another code system is written SYSTEM|CODE."
                )
            }
            let entry = CodeMapEntry(
                source: self.context.institution.text,
                system: optional(request.system),
                code: request.code.composed,
                name: optional(request.name),
                specimen: optional(request.specimen),
                unit: optional(request.unit),
                item: item
            )
            let view = try self.context.codes.set(entry, author: request.author, now: Clock.now)
            return try self.version(view)
        }
    }

    func mappingLoad(
        request: RPCAsyncSequence<Entente_Api_V1_MappingLoadPart, any Error>,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MappingVersion {
        try await self.answer {
            var author = ""
            var bytes: [UInt8] = []
            for try await part in request {
                switch part.part {
                case .author(let name): author = name
                case .data(let data):
                    guard bytes.count + data.count <= Self.mapBytesMax else {
                        throw AgentFailure(.badRequest, "the catalogue is larger than one may be")
                    }
                    bytes += data
                case nil: break
                }
            }
            let map = try CodeMap(canonicalBytes: bytes)
            return try self.version(try self.context.codes.load(map, author: author, now: Clock.now))
        }
    }

    // MARK: Messages

    private func version(_ view: CodeView) throws -> Entente_Api_V1_MappingVersion {
        guard let last = try self.context.codes.history().last(where: { $0.version == view.version }) else {
            return Entente_Api_V1_MappingVersion()
        }
        return Self.version(last, view)
    }

    private static func version(_ version: CodeVersion, _ view: CodeView?) -> Entente_Api_V1_MappingVersion {
        .with { message in
            message.version = version.version
            message.digest = Data(version.digest.bytes)
            message.author = version.author
            message.time = version.time.milliseconds
            guard let map = view?.index?.map else { return }
            let date = map.effective
            message.effective =
                [(date.year, 4), (date.month, 2), (date.day, 2)].map { number, digits in
                    String(repeating: "0", count: max(0, digits - String(number).count)) + String(number)
                }.joined(separator: "-")
            message.items = UInt64(map.items.count)
            message.entries = UInt64(map.entries.count)
        }
    }

    private static func mapped(_ entry: CodeMapEntry, _ index: CodeMapIndex) -> Entente_Api_V1_MappedCode {
        .with {
            $0.source = entry.source ?? ""
            $0.system = entry.system ?? ""
            $0.code = entry.code
            $0.specimen = entry.specimen ?? ""
            $0.unit = entry.unit ?? ""
            $0.itemSystem = entry.item.system
            $0.item = entry.item.code
            $0.display = index.item(entry.item)?.display ?? ""
        }
    }

    private static func unmapped(_ code: ReviewedCode, _ count: Int64) -> Entente_Api_V1_UnmappedCode {
        .with {
            $0.source = code.source
            $0.system = code.system ?? ""
            $0.code = code.code
            $0.specimen = code.specimen?.composed ?? ""
            $0.name = code.name?.composed ?? ""
            $0.unit = code.unit ?? ""
            $0.count = UInt64(clamping: count)
            switch code.reason {
            case .unmapped: $0.reason = "unmapped"
            case .ambiguous: $0.reason = "ambiguous"
            case .unit: $0.reason = "unit"
            }
        }
    }

    private static func suggestion(_ suggestion: CodeSuggestion) -> Entente_Api_V1_ItemSuggestion {
        .with {
            $0.system = suggestion.item.code.system
            $0.code = suggestion.item.code.code
            $0.display = suggestion.item.display
            $0.unit = suggestion.item.unit ?? ""
            $0.specimen = suggestion.item.specimen ?? ""
            $0.score = UInt32(clamping: suggestion.score)
            $0.likeness = UInt32(clamping: suggestion.likeness)
            $0.fitsUnit = suggestion.fitsUnit
            $0.fitsSpecimen = suggestion.fitsSpecimen
        }
    }
}
