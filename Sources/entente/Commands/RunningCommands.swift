import AgentAPI
import ArgumentParser
import Foundation

struct StatusCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show heights, peers, backlog, disk and finality of this agent."
    )

    @OptionGroup var options: GlobalOptions

    func execute() async throws {
        let status = try await self.options.call { try await $0.status(Entente_Api_V1_StatusRequest()) }
        Answer(self.json(status), text: self.text(status)).print(asJSON: self.options.json)
    }

    private func json(_ status: Entente_Api_V1_StatusReply) -> [String: Any] {
        [
            "institution": status.institution, "chain": status.chain.hex, "role": status.role,
            "height": status.height, "view": status.view, "finalized": Times.format(status.finalTime),
            "peers": status.peers.map { peer in
                ["id": peer.id, "connected": peer.connected, "height": peer.height, "address": peer.address]
                    as [String: Any]
            },
            "pending": status.pendingTransactions, "lacking": status.lackingObjects, "exams": status.exams,
            "locators": status.locatorEntries, "objects": status.objects, "vaultBytes": status.vaultBytes,
            "freeBytes": status.freeBytes, "finalityP50": status.finalityP50, "finalityP99": status.finalityP99,
            "confirmed": status.confirmedAt == 0 ? NSNull() : Times.format(status.confirmedAt) as Any,
            "quarantined": status.quarantined, "version": status.version, "residentBytes": status.residentBytes,
            "feeds": status.feeds.map(Self.feed), "emergencies": NoticesCommand.json(status.emergencies),
            "pseudonymKey": [
                "generation": status.pseudonymKey.generation, "threshold": status.pseudonymKey.threshold,
                "holders": status.pseudonymKey.holders, "hasShare": status.pseudonymKey.hasShare_p,
                "phase": status.pseudonymKey.phase, "joined": status.pseudonymKey.joined,
                "liars": status.pseudonymKey.liars, "usedToday": status.pseudonymKey.usedToday,
                "dailyQuota": status.pseudonymKey.dailyQuota,
            ] as [String: Any],
        ]
    }

    private static func feed(_ feed: Entente_Api_V1_FeedFigures) -> [String: Any] {
        func lag(_ has: Bool, _ lag: Entente_Api_V1_LagFigures) -> Any {
            has ? ["exams": lag.count, "p50": lag.p50, "p99": lag.p99] as [String: Any] : NSNull()
        }
        return [
            "feed": feed.feed, "read": feed.read, "committed": feed.committed, "duplicates": feed.duplicate,
            "quarantined": feed.quarantined, "sinceCreation": lag(feed.hasSinceCreation, feed.sinceCreation),
            "sinceReceipt": lag(feed.hasSinceReceipt, feed.sinceReceipt),
        ]
    }

    private static func line(_ feed: Entente_Api_V1_FeedFigures) -> String {
        var line = feed.feed + String(repeating: " ", count: max(1, 13 - feed.feed.count))
        line += "\(feed.read) read, \(feed.committed) committed, \(feed.duplicate) known, "
        line += "\(feed.quarantined) in quarantine"
        if feed.hasSinceCreation {
            line += "; final \(Self.duration(feed.sinceCreation.p50)) after creation in the median, "
            line += "\(Self.duration(feed.sinceCreation.p99)) at the 99th percentile"
        }
        if feed.hasSinceReceipt { line += "; \(Self.duration(feed.sinceReceipt.p50)) after receipt" }
        return line
    }

    /// In the unit that leaves one to three digits before the point.
    static func duration(_ milliseconds: Int64) -> String {
        switch milliseconds {
        case ..<1_000: "\(milliseconds) ms"
        case ..<120_000: String(format: "%.1f s", Double(milliseconds) / 1_000)
        case ..<7_200_000: String(format: "%.1f min", Double(milliseconds) / 60_000)
        case ..<172_800_000: String(format: "%.1f h", Double(milliseconds) / 3_600_000)
        default: "\(milliseconds / 86_400_000) days"
        }
    }

    private func text(_ status: Entente_Api_V1_StatusReply) -> String {
        let connected = status.peers.filter(\.connected).count
        var lines = [
            "Institution  \(status.institution) (\(status.role))",
            "Chain        \(status.chain.hex)",
            "Height       \(status.height), final since \(Times.format(status.finalTime))",
            "Peers        \(connected) of \(status.peers.count) connected",
        ]
        for peer in status.peers {
            lines.append(
                "             \(peer.id)  \(peer.connected ? "connected, height \(peer.height)" : Terminal.red("not connected"))"
            )
        }
        lines.append(
            "Confirmed    "
                + (status.confirmedAt == 0 ? Terminal.red("never by a quorum") : Times.format(status.confirmedAt))
        )
        lines.append("Pseudonyms   " + Self.pseudonyms(status.pseudonymKey))
        lines.append(
            "Waiting      \(status.pendingTransactions) transactions, \(status.lackingObjects) objects to fetch"
        )
        if status.finalityP50 > 0 {
            lines.append(
                "Finality     \(status.finalityP50) ms median, \(status.finalityP99) ms at the 99th percentile"
            )
        }
        lines.append(
            "Exams        \(status.exams) own, \(status.locatorEntries) known in all, \(status.quarantined) in quarantine"
        )
        lines.append(
            "Disk         \(Self.size(status.vaultBytes)) in \(status.objects) objects, \(Self.size(status.freeBytes)) free"
        )
        lines += Self.emergencies(status.emergencies)
        lines += status.feeds.map(Self.line)
        return lines.joined(separator: "\n")
    }

    /// Nothing as long as there were none.
    private static func emergencies(_ figures: Entente_Api_V1_EmergencyFigures) -> [String] {
        guard figures.opened + figures.waiting > 0 else { return [] }
        var line = "Emergencies  \(figures.opened) opened, \(figures.offline) of them without contact"
        if figures.alarming > 0 { line += ", " + Terminal.red("\(figures.alarming) more than usual") }
        if figures.waiting > 0 { line += ", " + Terminal.red("\(figures.waiting) entries wait to be told") }
        if figures.breaks > 0 { line += ", " + Terminal.red("\(figures.breaks) that did not fit the local chain") }
        return [line]
    }

    private static func pseudonyms(_ key: Entente_Api_V1_PseudonymKey) -> String {
        var parts: [String] = []
        if key.generation == 0 {
            parts.append(Terminal.red("key not shared yet"))
        } else {
            parts.append("\(key.threshold) of \(key.holders.count) holders, sharing \(key.generation)")
            parts.append(key.hasShare_p ? "this home holds a share" : "this home holds no share")
            parts.append("\(key.usedToday) of \(key.dailyQuota) new ones today")
        }
        if !key.phase.isEmpty { parts.append("ceremony \(key.phase), joined: \(key.joined.joined(separator: ", "))") }
        if !key.liars.isEmpty { parts.append(Terminal.red("wrong answers by " + key.liars.joined(separator: ", "))) }
        return parts.joined(separator: "; ")
    }

    static func size(_ bytes: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(bytes) B" : String(format: "%.1f %@", value, units[unit])
    }
}

struct DoctorCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Name what is wrong with this agent, and its mend."
    )

    @OptionGroup var options: GlobalOptions

    @Flag(name: .long, help: "Read and check every object of the vault.")
    var full = false

    func execute() async throws {
        var request = Entente_Api_V1_DoctorRequest()
        request.full = self.full
        let reply = try await self.options.call { [request] in try await $0.doctor(request) }
        let checks = reply.checks.map { check in
            ["name": check.name, "ok": check.ok, "detail": check.detail, "hint": check.hint] as [String: Any]
        }
        let lines = reply.checks.map { check in
            let mark = check.ok ? "ok  " : Terminal.red("FAIL")
            let hint = check.ok || check.hint.isEmpty ? "" : "\n      \(check.hint)"
            return "\(mark)  \(check.name): \(Terminal.harmless(check.detail))\(hint)"
        }
        Answer(["checks": checks], text: lines.joined(separator: "\n")).print(asJSON: self.options.json)
        guard reply.checks.allSatisfy(\.ok) else { throw ExitCode(CommandFailure.Status.integrity.rawValue) }
    }
}

struct CertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate",
        abstract: "Replace the key under which this agent speaks to its peers.",
        subcommands: [Rotate.self]
    )

    struct Rotate: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Make a new transport key, announce it on the chain, and use it from then on."
        )

        @OptionGroup var options: GlobalOptions

        func execute() async throws {
            let reply = try await self.options.call {
                try await $0.rotateCertificate(Entente_Api_V1_RotateCertificateRequest())
            }
            Answer(["height": reply.height], text: "New transport key in use, announced in block \(reply.height).")
                .print(asJSON: self.options.json)
        }
    }
}
