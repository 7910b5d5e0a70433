import ImportPipeline
package import Ledger
package import LedgerStore
package import Logging
import Oblivious
package import Primitives
package import Records
import Synchronization
package import Vault

/// Forms pseudonyms: from the home's sealed cache, or with the help of as many holders of the key as the chain demands.
///
/// An identifier is evaluated once in the life of a home. Holders see blinded elements only.
package final class PseudonymDesk: Sendable {
    /// Asks an evaluator; production goes over the peer link.
    package typealias Ask = @Sendable (InstitutionID, PeerRequest) async throws -> EvaluationReply

    /// How long a caller waits for the key to be shared, or for enough holders to be reached.
    package struct Patience: Sendable {
        package var duration: Duration

        /// Somebody waits at a screen, or a sender for an answer.
        package static let short = Patience(duration: .seconds(15))
        /// A bulk import outlasts a restart of other agents.
        package static let bulk = Patience(duration: .seconds(600))

        package init(duration: Duration) { self.duration = duration }
    }

    /// One evaluator has so long to answer a batch.
    private static let answerMax: Duration = .seconds(10)
    /// An evaluator that is slower than this gets company.
    private static let hedge: Duration = .seconds(1)
    /// Between two attempts of a patient caller.
    private static let pause: Duration = .milliseconds(500)

    private struct State {
        /// Holders whose proofs did not hold, and under which generation: they are not asked again in it.
        var liars: [InstitutionID: UInt32] = [:]
        /// Milliseconds that an evaluator took last.
        var delays: [InstitutionID: Int64] = [:]
        var isClosed = false
    }

    private let institution: InstitutionID
    private let shares: PseudonymShares
    private let cache: PseudonymCache
    private let key: @Sendable () -> PseudonymKeyState?
    private let ask: Ask
    private let logger: Logger
    private let state = Mutex(State())

    /// `key`: the shared key as the chain has it now.
    package init(
        vault: Vault,
        custody: CustodyStore,
        logger: Logger,
        key: @escaping @Sendable () -> PseudonymKeyState?,
        ask: @escaping Ask
    ) {
        self.institution = vault.institution
        self.shares = vault.pseudonyms
        self.cache = PseudonymCache(vault: vault, custody: custody)
        self.logger = logger
        self.key = key
        self.ask = ask
    }

    package convenience init(context: AgentContext, ask: @escaping Ask) {
        let board = context.board
        self.init(
            vault: context.vault,
            custody: context.custody,
            logger: context.logger,
            key: { board.tip.state.pseudonymKey },
            ask: ask
        )
    }

    /// Ends every wait, also those to come: the agent is stopping.
    package func close() { self.state.withLock { $0.isClosed = true } }

    /// Holders that were caught answering wrongly in the present generation.
    package var liars: [InstitutionID] {
        let generation = self.key()?.generation
        return self.state.withLock { $0.liars.filter { $0.value == generation }.keys.sorted() }
    }

    package func pseudonym(
        _ identifier: PatientIdentifier,
        patience: Patience = .short
    ) async throws -> PatientPseudonym {
        guard let pseudonym = try await self.pseudonyms([identifier], patience: patience)[identifier] else {
            throw AgentFailure(.internalError, "a pseudonym was not formed")
        }
        return pseudonym
    }

    /// The pseudonyms of all these identifiers.
    ///
    /// - Throws: ``AgentFailure`` `pseudonymsNotReady` while the key is not shared, `pseudonymsUnreachable` when too few
    ///   holders answer, `pseudonymsOverQuota`; the first two after as long as `patience` allows.
    package func pseudonyms(
        _ identifiers: [PatientIdentifier],
        patience: Patience = .short
    ) async throws -> [PatientIdentifier: PatientPseudonym] {
        let unique = Array(Set(identifiers))
        var known = try self.cache.pseudonyms(unique)
        let missing = unique.filter { known[$0] == nil }
        for start in stride(from: 0, to: missing.count, by: PartialEvaluation.elementsMax) {
            let part = Array(missing[start..<min(start + PartialEvaluation.elementsMax, missing.count)])
            let formed = try await self.patiently(patience) { try await self.evaluate(part) }
            try self.cache.store(formed)
            known.merge(formed) { old, _ in old }
        }
        return known
    }

    /// Whether one of these identifiers leads to `pseudonym`; mostly the home has met it before.
    package func isNamed(_ pseudonym: PatientPseudonym, by identifiers: [PatientIdentifier]) async throws -> Bool {
        if try self.cache.pseudonyms(identifiers).values.contains(pseudonym) { return true }
        return try await self.pseudonyms(identifiers).values.contains(pseudonym)
    }

    private func patiently<Value: Sendable>(
        _ patience: Patience,
        _ body: () async throws -> Value
    ) async throws -> Value {
        let clock = ContinuousClock()
        let deadline = clock.now + patience.duration
        while true {
            do {
                return try await body()
            } catch let failure as AgentFailure
                where failure.code == .pseudonymsNotReady || failure.code == .pseudonymsUnreachable
            {
                guard clock.now < deadline, !self.state.withLock({ $0.isClosed }) else { throw failure }
                try await Task.sleep(for: Self.pause)
            }
        }
    }

    // MARK: Evaluating

    private func evaluate(_ identifiers: [PatientIdentifier]) async throws -> [PatientIdentifier: PatientPseudonym] {
        guard let key = self.key() else {
            throw AgentFailure(
                .pseudonymsNotReady,
                "the institutions have not shared the pseudonym key yet",
                hint:
                    "Enough of their agents must run at the same time; it goes on by itself. See entente status."
            )
        }
        let inputs = identifiers.map(\.pseudonymInput)
        if key.threshold == 1, key.shareKey(of: self.institution) != nil {
            let outputs = Cores.map(inputs) { self.shares.evaluateAlone($0, generation: key.generation) }
            // A new sharing may have taken the share away in between.
            if !outputs.contains(nil) { return Self.formed(identifiers, outputs) }
        }
        let blinds = BlindSource()
        let function = ObliviousFunction.verifiable
        let indexes = Array(inputs.indices)
        let blinded = Cores.map(indexes) { function.blind(inputs[$0], with: blinds.blind($0)) }
        let elements = blinded.compactMap { $0 }
        guard elements.count == inputs.count else {
            throw AgentFailure(.internalError, "an identifier cannot be blinded")
        }
        let answers = try await self.answers(elements, key)
        guard let weights = Interpolation.weights(answers.map(\.index)) else {
            throw AgentFailure(.internalError, "the evaluators' indexes do not go together")
        }
        let outputs = Cores.map(indexes) { position in
            // A single answer has the weight one.
            let combined =
                answers.count == 1
                ? answers[0].elements[position]
                : zip(weights, answers).reduce(RistrettoElement.identity) { $0 + $1.0 * $1.1.elements[position] }
            return function.finalize(inputs[position], blind: blinds.blind(position), evaluated: combined)
        }
        return Self.formed(identifiers, outputs)
    }

    private static func formed(
        _ identifiers: [PatientIdentifier],
        _ outputs: [[UInt8]?]
    ) -> [PatientIdentifier: PatientPseudonym] {
        var formed: [PatientIdentifier: PatientPseudonym] = [:]
        for (identifier, output) in zip(identifiers, outputs) {
            formed[identifier] = output.map { PatientPseudonym(output: $0) }
        }
        return formed
    }

    private struct Answer: Sendable {
        var index: UInt16
        var elements: [RistrettoElement]
    }

    private enum Attempt: Sendable {
        case answered(Answer)
        case failed(InstitutionID, isOverQuota: Bool)
        /// Somebody is slow.
        case slow
    }

    /// Valid answers of as many holders as the threshold: this home's own share first, then those who are fastest.
    private func answers(_ blinded: [RistrettoElement], _ key: PseudonymKeyState) async throws -> [Answer] {
        var answers: [Answer] = []
        if let own = self.own(blinded, key) { answers.append(own) }
        let needed = Int(key.threshold)
        guard answers.count < needed else { return answers }
        let missing = needed - answers.count
        var waiting = self.order(key)
        var failed: [InstitutionID] = []
        var isOverQuota = false
        let collected = await withTaskGroup(of: Attempt.self) { group -> [Answer] in
            var collected: [Answer] = []
            var running = 0
            func start() {
                guard !waiting.isEmpty else { return }
                let holder = waiting.removeFirst()
                running += 1
                group.addTask { await self.attempt(holder, blinded, key) }
                group.addTask {
                    try? await Task.sleep(for: Self.hedge)
                    return .slow
                }
            }
            for _ in 0..<missing { start() }
            while collected.count < missing, running > 0, let attempt = await group.next() {
                switch attempt {
                case .answered(let answer):
                    collected.append(answer)
                    running -= 1
                case .failed(let holder, let over):
                    failed.append(holder)
                    isOverQuota = isOverQuota || over
                    running -= 1
                    start()
                case .slow: start()
                }
            }
            group.cancelAll()
            return collected
        }
        answers += collected
        guard answers.count >= needed else { throw self.failure(answers.count, key, failed, isOverQuota: isOverQuota) }
        return Array(answers.prefix(needed))
    }

    private func failure(
        _ count: Int,
        _ key: PseudonymKeyState,
        _ failed: [InstitutionID],
        isOverQuota: Bool
    ) -> AgentFailure {
        if isOverQuota {
            return AgentFailure(
                .pseudonymsOverQuota,
                "this institution has had as many identifiers evaluated today as the chain allows",
                hint: "Go on tomorrow (UTC); what is known here already works as before."
            )
        }
        let names = failed.map(\.text).sorted().joined(separator: ", ")
        return AgentFailure(
            .pseudonymsUnreachable,
            "\(count) of the \(key.threshold) institutions that must help to form a new pseudonym answer",
            hint:
                "No good answer from: \(names). It goes on by itself when enough of them are back; see entente status."
        )
    }

    private func own(_ blinded: [RistrettoElement], _ key: PseudonymKeyState) -> Answer? {
        guard let index = key.index(of: self.institution), key.shareKey(of: self.institution) != nil,
            self.shares.generation == key.generation
        else { return nil }
        let elements = Cores.map(blinded) { self.shares.evaluateOwn([$0], generation: key.generation)?.first }
            .compactMap { $0 }
        // A new sharing may have taken the share away in between.
        guard elements.count == blinded.count else { return nil }
        return Answer(index: index, elements: elements)
    }

    /// The other holders, the fastest first.
    private func order(_ key: PseudonymKeyState) -> [InstitutionID] {
        let (liars, delays) = self.state.withLock { ($0.liars, $0.delays) }
        return key.holders.filter {
            $0.institution != self.institution && $0.shareKey != nil
                && liars[$0.institution] != key.generation
        }.map(\.institution).sorted {
            (delays[$0] ?? 0, $0) < (delays[$1] ?? 0, $1)
        }
    }

    private func attempt(
        _ holder: InstitutionID,
        _ blinded: [RistrettoElement],
        _ key: PseudonymKeyState
    ) async -> Attempt {
        let started = Clock.uptime
        let request = PeerRequest.evaluate(generation: key.generation, blinded)
        let reply: EvaluationReply
        do {
            reply = try await Deadline.within(Self.answerMax) { try await self.ask(holder, request) }
        } catch {
            // One that does not answer is asked last for a while.
            if !Task.isCancelled { self.state.withLock { $0.delays[holder] = 60_000 } }
            return .failed(holder, isOverQuota: false)
        }
        switch reply {
        case .overQuota: return .failed(holder, isOverQuota: true)
        case .notHolder, .busy: return .failed(holder, isOverQuota: false)
        case .evaluated(let evaluation):
            guard let index = key.index(of: holder), let shareKey = key.shareKey(of: holder),
                evaluation.isValid(blinded, shareKey: shareKey)
            else {
                self.state.withLock { $0.liars[holder] = key.generation }
                self.logger.critical(
                    "an evaluator's answer does not fit its share key: it is not asked again",
                    metadata: ["institution": "\(holder)"]
                )
                return .failed(holder, isOverQuota: false)
            }
            self.state.withLock { $0.delays[holder] = Clock.uptime - started }
            return .answered(Answer(index: index, elements: evaluation.elements))
        }
    }
}

/// What a home remembers of the pseudonyms that it formed: sealed, under tags that say nothing outside it.
package struct PseudonymCache: Sendable {
    private static let label = "pseudonym-cache"

    private let vault: Vault
    private let custody: CustodyStore

    package init(vault: Vault, custody: CustodyStore) {
        self.vault = vault
        self.custody = custody
    }

    package func pseudonyms(
        _ identifiers: [PatientIdentifier]
    ) throws -> [PatientIdentifier: PatientPseudonym] {
        let tags = Cores.map(identifiers) { self.tag($0) }
        var known: [PatientIdentifier: PatientPseudonym] = [:]
        for (identifier, sealed) in zip(identifiers, try self.custody.cachedPseudonyms(tags: tags)) {
            guard let sealed else { continue }
            guard let digest = Digest(try self.vault.unprotect(sealed, label: Self.label)) else {
                throw AgentFailure(
                    .storeDamaged,
                    "a cached pseudonym has the wrong length",
                    hint: "Run entente doctor."
                )
            }
            known[identifier] = PatientPseudonym(digest)
        }
        return known
    }

    package func store(_ pseudonyms: [PatientIdentifier: PatientPseudonym]) throws {
        try self.custody.cache(
            pseudonyms.map {
                CachedPseudonym(tag: self.tag($0), sealed: self.vault.protect($1.digest.bytes, label: Self.label))
            }.sorted { $0.tag < $1.tag }
        )
    }

    private func tag(_ identifier: PatientIdentifier) -> Digest {
        self.vault.localTag(Array("identifier".utf8) + identifier.pseudonymInput)
    }
}

/// A limit on how long something takes.
enum Deadline {
    struct Passed: Error {}

    static func within<Value: Sendable>(
        _ duration: Duration,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: duration)
                throw Passed()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw Passed() }
            return value
        }
    }
}
