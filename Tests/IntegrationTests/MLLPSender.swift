import Formats
import Foundation

/// A sending system: a plain connection to an agent's MLLP port.
final class MLLPSender {
    private let descriptor: Int32
    private var splitter = MLLPFrameSplitter()
    private var received: [[UInt8]] = []
    /// Whether the agent closed the connection, and is not only silent.
    private(set) var isClosed = false

    init(port: UInt16) throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                connect(self.descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Program.Unexpected(text: "nobody listens for HL7 messages") }
        // An agent that does not answer is not waited for without end.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var on: Int32 = 1
        setsockopt(self.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(self.descriptor) }

    static func frame(_ message: [UInt8]) -> [UInt8] { [0x0b] + message + [0x1c, 0x0d] }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Program.Unexpected(text: "the agent closed the connection") }
            sent += count
        }
    }

    /// The next answer; `nil` if the agent closed the connection, or is silent for too long.
    func answer() -> Answer? {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while self.received.isEmpty {
            let count = recv(self.descriptor, &piece, piece.count, 0)
            guard count > 0 else {
                self.isClosed = count == 0 || errno == ECONNRESET
                return nil
            }
            for case .frame(let bytes, _) in self.splitter.append(piece.prefix(count)) { self.received.append(bytes) }
        }
        return Answer(self.received.removeFirst())
    }

    /// Sends a message and returns its answer.
    func exchange(_ message: [UInt8]) throws -> Answer {
        try self.send(Self.frame(message))
        guard let answer = self.answer() else { throw Program.Unexpected(text: "a message was not answered") }
        return answer
    }

    func exchange(_ message: String) throws -> Answer { try self.exchange(Array(message.utf8)) }
}

/// What an acknowledgement says.
struct Answer: Equatable, CustomStringConvertible {
    let code: String
    let controlID: String
    /// Of HL7 table 0357, and the agent's own.
    let condition: String
    let refusal: String
    let description: String

    init(_ bytes: [UInt8]) {
        // UTF-16 is answered in UTF-16; what is asked for here is ASCII.
        let text = String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
        self.description = text
        var segments: [String: [String]] = [:]
        for line in text.split(separator: "\r") {
            let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            segments[fields[0]] = fields
        }
        func field(_ segment: String, _ number: Int) -> String {
            guard let fields = segments[segment], number < fields.count else { return "" }
            return fields[number]
        }
        self.code = field("MSA", 1)
        self.controlID = field("MSA", 2)
        self.condition = String(field("ERR", 3).prefix { $0 != "^" })
        self.refusal = field("ERR", 5)
    }
}

/// HL7 messages of our own making.
enum HL7 {
    /// A result of one test of a patient.
    static func result(
        _ number: Int,
        control: String? = nil,
        patient: Int = 1,
        value: String = "5.4",
        time: String = "20260510080000+0800",
        type: String = "ORU^R01^ORU_R01",
        processing: String = "P",
        version: String = "2.5.1"
    ) -> String {
        [
            "MSH|^~\\&|LIS|HOSP|HIE|AREA|20260510083000+0800||\(type)|\(control ?? "C\(number)")|\(processing)|\(version)|||||CHN|UNICODE UTF-8",
            "PID|1||P\(patient)^^^&1.2.156.99&ISO^MR||测试^病人||19600101|F",
            "OBR|1|P\(number)^HIS|F\(number)^LIS|2345-7^Glucose^LN|||\(time)|||||||||||||||20260510083000+0800||CH|F",
            "OBX|1|NM|2345-7^Glucose^LN||\(value)|mmol/L^^UCUM|3.9-6.1|N|||F",
        ].joined(separator: "\r") + "\r"
    }

    /// How the patient of `result` is asked for.
    static func patient(_ number: Int) -> String { "urn:oid:1.2.156.99|P\(number)" }
}
