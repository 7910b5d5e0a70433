package import Foundation

/// Stands before an agent's port, passes every connection on, and writes down all bytes of both directions.
package final class Wiretap: @unchecked Sendable {
    /// What was carried, in the order of arrival.
    package let file: URL
    private let target: UInt16
    private let listener: Int32
    private let lock = NSLock()
    private let handle: FileHandle
    private var open: Set<Int32> = []
    private var isClosed = false

    /// `port`: where the others call; `target`: where the agent listens.
    package init(port: UInt16, target: UInt16, file: URL) throws {
        self.target = target
        self.file = file
        try Data().write(to: file)
        self.handle = try FileHandle(forWritingTo: file)
        self.listener = try Loopback.listen(port: port)
        Thread.detachNewThread { [self] in self.accepting() }
    }

    /// Ends all connections.
    package func close() {
        self.lock.withLock {
            self.isClosed = true
            for descriptor in self.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
        shutdown(self.listener, Int32(SHUT_RDWR))
    }

    private func accepting() {
        while true {
            let incoming = accept(self.listener, nil, nil)
            guard incoming >= 0 else {
                Foundation.close(self.listener)
                return
            }
            guard let outgoing = Loopback.dial(port: self.target) else {
                Foundation.close(incoming)
                continue
            }
            self.lock.withLock { self.open.formUnion([incoming, outgoing]) }
            let pair = Pair(descriptors: [incoming, outgoing])
            Thread.detachNewThread { [self] in self.pump(incoming, outgoing, pair) }
            Thread.detachNewThread { [self] in self.pump(outgoing, incoming, pair) }
        }
    }

    /// The two ends of one connection; closed by whichever direction ends last.
    private final class Pair: @unchecked Sendable {
        let descriptors: [Int32]
        var running = 2

        init(descriptors: [Int32]) { self.descriptors = descriptors }
    }

    private func pump(_ source: Int32, _ sink: Int32, _ pair: Pair) {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(source, &piece, piece.count, 0)
            guard count > 0 else { break }
            self.lock.withLock { self.handle.write(Data(piece.prefix(count))) }
            var sent = 0
            while sent < count {
                let part = piece[sent..<count].withUnsafeBytes {
                    send(sink, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard part > 0 else { break }
                sent += part
            }
            guard sent == count else { break }
        }
        shutdown(sink, Int32(SHUT_WR))
        shutdown(source, Int32(SHUT_RD))
        self.lock.withLock {
            pair.running -= 1
            guard pair.running == 0 else { return }
            for descriptor in pair.descriptors {
                self.open.remove(descriptor)
                Foundation.close(descriptor)
            }
        }
    }
}
