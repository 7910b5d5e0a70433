import Foundation
import TestSupport

/// A real PACS on loopback: Debian's Orthanc with its DICOMweb plugin, its files in a temporary folder.
///
/// Blocks the calling thread, as all of these tests do.
final class Orthanc {
    private static let program = "/usr/sbin/Orthanc"
    private static let plugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
    private static let user = "agent"
    private static let password = "synthetic password"

    let port: UInt16
    private let folder: TemporaryFolder
    private var process: Process?

    /// The base of its DICOMweb services.
    var url: String { "http://127.0.0.1:\(self.port)/dicom-web" }
    /// The line of a file of credentials.
    var credentials: String { "basic \(Self.user):\(Self.password)\n" }

    init() throws {
        self.port = try Loopback.freePort()
        self.folder = try TemporaryFolder()
        let store = self.folder.file("store").path
        let configuration: [String: Any] = [
            "Name": "Test", "StorageDirectory": store, "IndexDirectory": store, "Plugins": [Self.plugin],
            "HttpPort": Int(self.port), "DicomServerEnabled": false, "RemoteAccessAllowed": false,
            "AuthenticationEnabled": true, "RegisteredUsers": [Self.user: Self.password], "OverwriteInstances": true,
            "DicomWeb": ["Enable": true, "Root": "/dicom-web/"] as [String: Any],
        ]
        try JSONSerialization.data(withJSONObject: configuration).write(to: self.folder.file("orthanc.json"))
        try self.start()
    }

    deinit { self.stop() }

    func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments = [self.folder.file("orthanc.json").path]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        self.process = process
        let watchdog = Program.watchdog(process)
        defer { watchdog.cancel() }
        let log = output.fileHandleForReading
        var text = ""
        // It says so when it listens; no more output means that it ended.
        while !text.contains("Orthanc has started") {
            let piece = log.availableData
            guard !piece.isEmpty else {
                throw Program.Unexpected(
                    text: "Orthanc did not start; Scripts/install-packages --tests installs it\n\(text)"
                )
            }
            text += String(decoding: piece, as: UTF8.self)
        }
        // A full pipe would stop it.
        log.readabilityHandler = { handle in
            if handle.availableData.isEmpty { handle.readabilityHandler = nil }
        }
    }

    func stop() {
        guard let process = self.process else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        self.process = nil
    }

    // MARK: Content

    /// Stores files over STOW-RS.
    func store(_ files: [[UInt8]]) throws {
        let boundary = "entente-test-boundary"
        var body: [UInt8] = []
        for file in files {
            body += Array("--\(boundary)\r\nContent-Type: application/dicom\r\n\r\n".utf8) + file + Array("\r\n".utf8)
        }
        body += Array("--\(boundary)--\r\n".utf8)
        let type = "multipart/related; type=\"application/dicom\"; boundary=\(boundary)"
        let answer = self.ask("POST", "/dicom-web/studies", type: type, body)
        guard answer?.status == 200 else {
            throw Program.Unexpected(text: "not stored: \(answer.map { "\($0.status)" } ?? "no answer")")
        }
    }

    /// Deletes every study.
    func empty() throws {
        let list = try JSON(String(decoding: self.ask("GET", "/studies")?.body ?? [], as: UTF8.self))
        for study in list.strings {
            guard self.ask("DELETE", "/studies/\(study)")?.status == 200 else {
                throw Program.Unexpected(text: "not deleted")
            }
        }
    }

    private func ask(
        _ method: String,
        _ path: String,
        type: String? = nil,
        _ body: [UInt8] = []
    ) -> (status: Int, body: [UInt8])? {
        let secret = Data("\(Self.user):\(Self.password)".utf8).base64EncodedString()
        var head =
            "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Basic \(secret)\r\n"
        head += "Accept: */*\r\nContent-Length: \(body.count)\r\n"
        if let type { head += "Content-Type: \(type)\r\n" }
        guard let answer = Loopback.exchange(port: self.port, Array((head + "\r\n").utf8) + body),
            let end = answer.firstRange(of: Array("\r\n\r\n".utf8)),
            let status = Int(String(decoding: answer.dropFirst(9).prefix(3), as: UTF8.self))
        else { return nil }
        return (status, Array(answer[end.upperBound...]))
    }
}
