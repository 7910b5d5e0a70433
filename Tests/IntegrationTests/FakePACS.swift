import Foundation
import Synchronization

/// Answers HTTP requests on loopback as a test wants it: a PACS that errs or means harm.
final class FakePACS: Sendable {
    /// The body never ends.
    static let endless = Data("ENDLESS".utf8)
    private static let headBytesMax = 1 << 16

    /// `path`: with its query; `number`: of the request, from 1.
    typealias Handler = @Sendable (_ path: String, _ number: Int) -> Data

    let port: UInt16
    private let listener: Int32
    private let handler: Handler
    private let asked = Mutex<[String]>([])

    var url: String { "http://127.0.0.1:\(self.port)" }
    /// The paths that were asked for.
    var requests: [String] { self.asked.withLock { $0 } }

    init(_ handler: @escaping Handler) throws {
        self.handler = handler
        self.port = try Loopback.freePort()
        self.listener = try Loopback.listen(port: self.port)
        let listener = self.listener
        Thread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                guard let self else {
                    close(connection)
                    return
                }
                self.serve(connection)
            }
        }.start()
    }

    deinit {
        shutdown(self.listener, Int32(SHUT_RDWR))
        close(self.listener)
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        var head: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while head.firstRange(of: Array("\r\n\r\n".utf8)) == nil {
            let count = recv(connection, &piece, piece.count, 0)
            guard count > 0, head.count < Self.headBytesMax else { return }
            head += piece.prefix(count)
        }
        let words = String(decoding: head, as: UTF8.self).split(separator: " ", maxSplits: 2)
        guard words.count == 3 else { return }
        let path = String(words[1])
        let number = self.asked.withLock { asked in
            asked.append(path)
            return asked.count
        }
        let answer = self.handler(path, number)
        if answer == Self.endless {
            let start = "HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nConnection: close\r\n\r\n["
            guard Self.send(connection, Array(start.utf8)) else { return }
            let spaces = [UInt8](repeating: 0x20, count: 1 << 16)
            while Self.send(connection, spaces) {}
        } else {
            _ = Self.send(connection, Array(answer))
        }
    }

    private static func send(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    // MARK: Answers

    static func answer(_ status: String, _ headers: [String] = [], _ body: String = "") -> Data {
        let head = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)", "Connection: close"] + headers
        return Data((head.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
    }

    static func json(_ body: String) -> Data { self.answer("200 OK", ["Content-Type: application/dicom+json"], body) }

    static func study(_ uid: String) -> String {
        #"{"0020000D":{"vr":"UI","Value":["\#(uid)"]},"00100020":{"vr":"LO","Value":["P1"]}}"#
    }

    static func instance(_ study: String, _ number: String) -> String {
        """
        {"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.2"]},"00080018":{"vr":"UI","Value":["2.25.9.\(number)"]},
        "00080060":{"vr":"CS","Value":["CT"]},"00100020":{"vr":"LO","Value":["P1"]},
        "0020000D":{"vr":"UI","Value":["\(study)"]},"0020000E":{"vr":"UI","Value":["\(study).1"]}}
        """
    }
}
