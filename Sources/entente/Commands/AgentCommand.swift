import AgentRuntime
import ArgumentParser
import CMalloc
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

struct AgentCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Run the agent in the foreground. SIGTERM drains and stops it."
    )

    @OptionGroup var options: GlobalOptions

    @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "info"

    @Option(
        name: .long,
        help: "Listen here for other agents, HOST:PORT, behind a forwarding of the address that the chain names."
    )
    var listen: String?

    @Option(name: .long, help: "Listen here for HL7 v2 messages over MLLP: HOST:PORT, by custom port 2575.")
    var mllp: String?

    @Option(name: .long, help: "PEM certificates for TLS on the MLLP port; with --mllp-key.")
    var mllpCertificate: String?

    @Option(name: .long, help: "PEM key of the first of these certificates.")
    var mllpKey: String?

    @Option(name: .long, help: "PEM authorities: senders must show a certificate of one of them.")
    var mllpClientAuthority: String?

    @Option(name: .long, help: "Import the files of this folder as they come; each moves to done/ or failed/ in it.")
    var watch: String?

    @OptionGroup(title: "A PACS")
    var pacs: DICOMWebOptions

    func execute() async throws {
        Self.limitHeaps()
        guard let level = Logger.Level(rawValue: self.logLevel) else {
            throw CommandFailure.usage("log-level", "there is no such log level", hint: "See entente agent --help.")
        }
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let logger = Logger(label: "entente")
        let layout = HomeLayout(root: self.options.homeURL)
        let agent = Agent(
            layout: layout,
            passphrase: try Passphrase.forOpening(layout.root.path),
            feeds: try self.feeds(),
            listen: self.listen,
            logger: logger
        )
        let service = AgentService(agent: agent)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: service,
                        successTerminationBehavior: .gracefullyShutdownGroup
                    )
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await group.run()
    }

    /// Two heaps a core.
    ///
    /// By custom there are eight, and each keeps what it once needed, mostly as holes; with one, threads wait for each other.
    private static func limitHeaps() {
        mallopt(M_ARENA_MAX, CInt(clamping: max(4, 2 * ProcessInfo.processInfo.activeProcessorCount)))
    }

    private func feeds() throws(CommandFailure) -> FeedConfiguration {
        var feeds = FeedConfiguration(
            mllp: self.mllp,
            watchedFolder: self.watch,
            dicomWeb: try self.pacs.configuration()
        )
        switch (self.mllpCertificate, self.mllpKey) {
        case (let certificate?, let key?) where self.mllp != nil:
            feeds.tls = FeedConfiguration.TLS(
                certificate: certificate,
                key: key,
                clientAuthority: self.mllpClientAuthority
            )
        case (nil, nil) where self.mllpClientAuthority == nil: break
        default:
            // Plain text where TLS was meant would be worse than not starting.
            throw CommandFailure.usage(
                "mllp-tls",
                "TLS on the MLLP port needs --mllp, --mllp-certificate and --mllp-key",
                hint: "See entente agent --help."
            )
        }
        return feeds
    }
}

/// Runs an agent and says `ready` on standard output, and to systemd where it listens.
private struct AgentService: Service {
    let agent: Agent

    func run() async throws {
        try await self.agent.run {
            Terminal.write("ready")
            SystemdNotice.send("READY=1")
        }
        SystemdNotice.send("STOPPING=1")
    }
}

/// `sd_notify(3)`: a datagram to the socket that systemd names.
private enum SystemdNotice {
    static func send(_ state: String) {
        guard let path = ProcessInfo.processInfo.environment["NOTIFY_SOCKET"], !path.isEmpty else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        // A leading @ stands for the abstract namespace.
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                state.withCString { sendto(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL), generic, length) }
            }
        }
    }
}
