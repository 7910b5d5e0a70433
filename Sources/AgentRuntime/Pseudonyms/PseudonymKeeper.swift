import Ledger
import LedgerStore
import Logging
import Oblivious
import Primitives
import Records
import Synchronization
import Vault

/// Does this institution's part in sharing the pseudonym key, by itself: joins, deals, checks, confirms, takes over its
/// share, and begins another sharing where it should be a holder and is not.
package final class PseudonymKeeper: Sendable {
    /// How often it is looked whether something is due by time while the key is not settled.
    private static let watch: Duration = .milliseconds(500)
    private static let rest: Duration = .seconds(30)
    /// After a step that the chain or the disk refused.
    private static let retry: Duration = .seconds(1)

    private let context: AgentContext
    private let desk: TransactionDesk
    private let bell: Bell
    /// A generation of which this home cannot have its share.
    private let lost = Mutex<UInt32?>(nil)

    /// `bell`: rung when the chain has a new block.
    package init(context: AgentContext, desk: TransactionDesk, bell: Bell) {
        self.context = context
        self.desk = desk
        self.bell = bell
    }

    /// Runs until cancelled.
    package func run() async {
        while !Task.isCancelled {
            let duty = self.duty()
            guard duty != .nothing else {
                let state = self.context.board.tip.state
                let isSettled = state.pseudonymKey != nil && state.pseudonymCeremony?.isOpen != true
                await self.bell.wait(atMost: isSettled ? Self.rest : Self.watch)
                continue
            }
            do {
                try await self.perform(duty)
            } catch {
                guard !Task.isCancelled else { return }
                self.context.logger.notice(
                    "a step of sharing the pseudonym key waits",
                    metadata: ["step": "\(Self.name(duty))", "error": "\(error)"]
                )
                try? await Task.sleep(for: Self.retry)
            }
        }
    }

    private func duty() -> PseudonymDuty {
        let state = self.context.board.tip.state
        let shares = self.context.vault.pseudonyms
        let number = state.pseudonymCeremony?.number ?? 0
        return PseudonymDuty.next(
            state,
            PseudonymDuty.Home(
                institution: self.context.institution,
                generation: shares.generation,
                takesPartIn: shares.takesPart(in: number) ? number : nil,
                lostGeneration: self.lost.withLock { $0 }
            ),
            window: Int64(self.context.genesis.parameters.pseudonymWindowMilliseconds),
            now: Clock.now
        )
    }

    private static func name(_ duty: PseudonymDuty) -> String {
        switch duty {
        case .join: "join"
        case .deal: "deal"
        case .check: "check"
        case .advance: "advance"
        case .adopt: "adopt"
        case .leave: "leave"
        case .reshare: "reshare"
        case .nothing: "nothing"
        }
    }

    private func perform(_ duty: PseudonymDuty) async throws {
        let id = self.context.institution
        let state = self.context.board.tip.state
        let shares = self.context.vault.pseudonyms
        switch duty {
        case .join(let number):
            let key = try shares.join(self.ceremony(number))
            try await self.submit(.join(id, number: number, key: key))
        case .reshare(let number): try await self.submit(.reshare(id, number: number))
        case .leave: try shares.leave()
        case .adopt: try self.adopt(state)
        case .nothing: break
        case .deal, .check, .advance:
            guard let ceremony = state.pseudonymCeremony else { return }
            switch duty {
            case .deal: try await self.deal(ceremony, state)
            case .check: try await self.check(ceremony, state)
            default: try await self.submit(.advance(id, number: ceremony.number))
            }
        }
    }

    private func ceremony(_ number: UInt32) -> CeremonyContext {
        CeremonyContext(chain: self.context.rules.chain, number: number)
    }

    private func submit(_ call: PseudonymKeysCall) async throws {
        _ = try await self.desk.submit(self.desk.signed(.pseudonymKeys(call)))
    }

    private func deal(_ ceremony: PseudonymCeremony, _ state: LedgerState) async throws {
        let dealing = try self.context.vault.pseudonyms.deal(
            self.ceremony(ceremony.number),
            sharing: state.pseudonymKey?.generation,
            threshold: Int(ceremony.threshold),
            holders: ceremony.members.map(\.key)
        )
        guard let dealing else { return }
        try await self.submit(.deal(self.context.institution, number: ceremony.number, dealing: dealing))
    }

    /// Complains about every wrong share, and confirms the others.
    private func check(_ ceremony: PseudonymCeremony, _ state: LedgerState) async throws {
        let id = self.context.institution
        guard let index = ceremony.index(of: id) else { return }
        for dealer in ceremony.qualified {
            guard let dealing = state.pseudonymDealing(dealer, ceremony: ceremony.number) else { continue }
            let complaint = try self.context.vault.pseudonyms.complaint(
                self.ceremony(ceremony.number),
                about: dealing,
                by: dealer,
                index: index
            )
            guard let complaint else { continue }
            self.context.logger.critical(
                "an institution dealt this one a wrong share of the pseudonym key",
                metadata: ["institution": "\(dealer)"]
            )
            try await self.submit(.complain(id, number: ceremony.number, dealer: dealer, complaint: complaint))
        }
        try await self.submit(.confirm(id, number: ceremony.number))
    }

    private func adopt(_ state: LedgerState) throws {
        guard let key = state.pseudonymKey, let index = key.index(of: self.context.institution),
            let shareKey = key.shareKey(of: self.context.institution)
        else { return }
        let dealings = key.dealers.compactMap { dealer in
            state.pseudonymDealing(dealer, ceremony: key.ceremony).map { (dealer: dealer, dealing: $0) }
        }
        var isAdopted = false
        if dealings.count == key.dealers.count, self.context.vault.pseudonyms.takesPart(in: key.ceremony) {
            isAdopted = try self.context.vault.pseudonyms.adopt(
                self.ceremony(key.ceremony),
                generation: key.generation,
                dealings: dealings,
                sharing: key.sharing,
                index: index,
                shareKey: shareKey
            )
        }
        guard isAdopted else {
            self.lost.withLock { $0 = key.generation }
            self.context.logger.critical(
                "this home has no share of the pseudonym key, though the chain lists it as a holder",
                metadata: ["generation": "\(key.generation)"]
            )
            return
        }
        self.context.logger.info(
            "took over a share of the pseudonym key",
            metadata: ["generation": "\(key.generation)", "holders": "\(key.holders.count)"]
        )
    }
}

/// Puts what this institution evaluated for others on the chain.
package struct PseudonymReporter: Sendable {
    private let context: AgentContext
    private let desk: TransactionDesk
    private let bell: Bell
    /// What is served within this time shares a report: the time for which the chain's ceremonies wait, too.
    private let gathering: Duration

    /// `bell`: rung when something was served.
    package init(context: AgentContext, desk: TransactionDesk, bell: Bell) {
        self.context = context
        self.desk = desk
        self.bell = bell
        self.gathering = .milliseconds(Int64(context.genesis.parameters.pseudonymWindowMilliseconds))
    }

    /// Runs until cancelled.
    ///
    /// What an earlier run left is reported too, but not at once: a chain at rest stays so while agents restart.
    package func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: self.gathering)
            guard !Task.isCancelled else { return }
            do {
                if try await self.report() { continue }
            } catch {
                self.context.logger.notice("counts wait to be reported", metadata: ["error": "\(error)"])
                continue
            }
            await self.bell.wait()
        }
    }

    /// Whether there was anything.
    package func report() async throws -> Bool {
        guard self.context.board.tip.state.pseudonymKey?.index(of: self.context.institution) != nil else {
            return false
        }
        let counts = try self.context.custody.unreportedServed(
            day: Clock.now.pseudonymDay,
            limit: PseudonymKeysCall.servedMax
        )
        guard !counts.isEmpty else { return false }
        let state = self.context.board.tip.state
        // Totals only grow: what the chain has already, by a report whose answer was lost, is not said again.
        let fresh = counts.filter { count in
            let known = state.pseudonymUsage(count.requester).counts(on: count.day)
            return known.first { $0.evaluator == self.context.institution }.map { $0.total < count.total } ?? true
        }
        if !fresh.isEmpty {
            let entries = fresh.map { PseudonymServed(requester: $0.requester, day: $0.day, total: $0.total) }
            _ = try await self.desk.submit(self.desk.signed(.pseudonymKeys(.served(self.context.institution, entries))))
        }
        try self.context.custody.markReported(counts)
        return true
    }
}
