import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// Asks a PACS over DICOMweb (PS3.18) what it has, and for the metadata of a study, never for pixel data.
///
/// Nothing the PACS answers costs more than the limits below, and nothing makes this client ask another server.
struct DICOMWebClient: Sendable {
    /// A page of a hundred studies takes some 200 kB.
    static let pageBytesMax = 16 << 20
    /// What the importer takes of one text in JSON.
    static let metadataBytesMax = 128 << 20
    private static let connectSeconds: Int64 = 10
    /// Without a byte: an archive fetches from tape.
    private static let readSeconds: Int64 = 60
    /// For a page of studies, and for the metadata of one: a large study is made of thousands of files.
    private static let pageSeconds: Int64 = 120
    private static let metadataSeconds: Int64 = 600
    private static let credentialsBytesMax = 64 << 10
    private static let accepted = "application/dicom+json"

    private let base: String
    private let authorization: String?
    private let client: HTTPClient

    /// Reads the files that `configuration` names, and connects to nothing yet; it must be closed.
    init(_ configuration: FeedConfiguration.DICOMWeb) throws {
        self.base = try Self.base(configuration.url)
        self.authorization = try configuration.credentials.map { try Self.authorization($0) }
        guard self.authorization == nil || Self.isPrivate(configuration.url) else {
            throw AgentFailure(
                .badRequest,
                "credentials are not sent to a PACS over plain HTTP",
                hint: "Give an https URL; only a PACS on this machine may be asked over http with credentials."
            )
        }
        var http = HTTPClient.Configuration(
            tlsConfiguration: try Self.tls(configuration.authority),
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(
                connect: .seconds(Self.connectSeconds),
                read: .seconds(Self.readSeconds)
            ),
            // An answer that unfolds to a multiple of its size is not asked for.
            decompression: .disabled
        )
        http.httpVersion = .http1Only
        http.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: http)
    }

    func close() async { try? await self.client.shutdown() }

    // MARK: Asking

    /// The studies of `range` (`YYYYMMDD-`), or all, `limit` of them from `offset` on, as DICOM JSON.
    func studies(dates range: String?, limit: Int, offset: Int) async throws -> [UInt8] {
        var query = "limit=\(limit)&offset=\(offset)"
        if let range { query += "&StudyDate=\(range)" }
        // Study Description, Number of Study Related Series and Instances: answered only where asked for.
        for tag in ["00081030", "00201206", "00201208", "00100021"] { query += "&includefield=\(tag)" }
        return try await self.get("/studies?\(query)", bytesMax: Self.pageBytesMax, seconds: Self.pageSeconds)
    }

    /// All data sets of a study without bulk data, as DICOM JSON.
    ///
    /// `study`: digits and dots only.
    func metadata(study: String) async throws -> [UInt8] {
        try await self.get(
            "/studies/\(study)/metadata",
            bytesMax: Self.metadataBytesMax,
            seconds: Self.metadataSeconds
        )
    }

    private func get(_ path: String, bytesMax: Int, seconds: Int64) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: self.base + path)
        request.headers.add(name: "Accept", value: Self.accepted)
        request.headers.add(name: "User-Agent", value: "entente/\(StatusReporter.version)")
        if let authorization { request.headers.add(name: "Authorization", value: authorization) }
        let asked = request
        return try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            group.addTask { try await self.answer(asked, bytesMax: bytesMax, seconds: seconds) }
            // Over all of it: a PACS that sends a byte a minute never stops.
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let answer = first else { throw DICOMWebRefusal.timeout }
            return answer
        }
    }

    private func answer(_ request: HTTPClientRequest, bytesMax: Int, seconds: Int64) async throws -> [UInt8] {
        do {
            let response = try await self.client.execute(request, timeout: .seconds(seconds))
            switch response.status.code {
            case 200: break
            case 204: return []
            case 300..<400: throw DICOMWebRefusal.redirected
            case 401, 403, 407: throw DICOMWebRefusal.denied
            case 404, 410: throw DICOMWebRefusal.gone
            default: throw DICOMWebRefusal.status
            }
            var bytes: [UInt8] = []
            for try await buffer in response.body {
                guard bytes.count + buffer.readableBytes <= bytesMax else { throw DICOMWebRefusal.tooLarge }
                bytes.append(contentsOf: buffer.readableBytesView)
            }
            return bytes
        } catch let refusal as DICOMWebRefusal {
            throw refusal
        } catch {
            try Task.checkCancellation()
            throw Self.refusal(error)
        }
    }

    private static func refusal(_ error: any Error) -> DICOMWebRefusal {
        switch error {
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: return .certificate
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout, .readTimeout, .writeTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout:
                return .timeout
            case .tlsHandshakeTimeout: return .certificate
            default: return .unreachable
            }
        // Such as an answer that is no HTTP.
        case is HTTPParserError: return .badAnswer
        default: return .unreachable
        }
    }

    // MARK: Configuration

    private static func base(_ url: String) throws -> String {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            scheme == "https" || scheme == "http", let host = parts.host, !host.isEmpty, parts.user == nil,
            parts.password == nil, parts.query == nil, parts.fragment == nil
        else {
            throw AgentFailure(
                .badRequest,
                "the address of the PACS is not an http or https URL",
                hint: "Give the base of its DICOMweb services, without credentials: https://pacs.example.org/dicom-web"
            )
        }
        return String(url.reversed().drop { $0 == "/" }.reversed())
    }

    /// Whether what is sent is seen by nobody else.
    private static func isPrivate(_ url: String) -> Bool {
        guard let parts = URLComponents(string: url) else { return false }
        return parts.scheme?.lowercased() == "https" || ["127.0.0.1", "localhost", "[::1]"].contains(parts.host ?? "")
    }

    private static func tls(_ authority: String?) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        guard let authority else { return tls }
        do {
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority))
        } catch {
            throw AgentFailure(.badRequest, "the authority for the PACS is not a readable PEM file", cause: error)
        }
        return tls
    }

    /// The value of the header that a file of credentials stands for.
    private static func authorization(_ file: String) throws -> String {
        let hint = "It holds one line, bearer TOKEN or basic USER:PASSWORD, and its mode is 0600."
        var status = stat()
        guard stat(file, &status) == 0, status.st_mode & 0o077 == 0, status.st_size <= Self.credentialsBytesMax,
            let text = try? String(contentsOfFile: file, encoding: .utf8)
        else {
            throw AgentFailure(
                .badRequest,
                "the credentials for the PACS cannot be read, or others can read them",
                hint: hint
            )
        }
        let line = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
        let isClean = line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
        switch parts.first?.lowercased() {
        case "bearer" where parts.count == 2 && isClean: return "Bearer \(parts[1])"
        case "basic" where parts.count == 2 && isClean && parts[1].contains(":"):
            return "Basic \(Data(parts[1].utf8).base64EncodedString())"
        default: throw AgentFailure(.badRequest, "the credentials for the PACS are in no known form", hint: hint)
        }
    }
}
