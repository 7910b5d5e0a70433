import AgentRuntime
import Foundation
import Ledger
import LedgerStore
import Logging
import Oblivious
import Primitives
import Records
import Synchronization
import TestSupport
import Testing
import Vault

/// Homes that share a key, and what each does when it is asked.
private final class Holders: Sendable {
    enum Behaviour: Sendable {
        case honest, absent, wrongElement, wrongShare, overQuota, silent
        /// Sends on what another holder would have answered.
        case replays(InstitutionID)
    }

    let folder: TemporaryFolder
    let vaults: [Vault]
    let custody: [CustodyStore]
    let key: PseudonymKeyState
    let behaviours = Mutex<[InstitutionID: Behaviour]>([:])
    let asked = Mutex<[InstitutionID]>([])
    let elements = Mutex<Set<RistrettoElement>>([])

    init(_ names: [String], threshold: Int) throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        let vaults = try names.map { name in
            let home = folder.file(name).path
            let id = try #require(InstitutionID(name))
            _ = try HomeKeys.create(home: home, institution: id, passphrase: nil, cost: 10)
            return try Vault.open(home: home, passphrase: nil, limits: .init(segmentBytesMax: 1 << 20, reserveBytes: 0))
        }
        self.vaults = vaults
        self.custody = try names.map { try CustodyStore(path: folder.file($0).appending(path: "custody.sqlite").path) }
        let context = CeremonyContext(chain: ChainID(Digest(hashing: [1])), number: 1)
        let keys = try vaults.map { try $0.pseudonyms.join(context) }
        let dealings = try vaults.map { vault in
            (
                dealer: vault.institution,
                dealing: try #require(
                    try vault.pseudonyms.deal(
                        context,
                        sharing: nil,
                        threshold: threshold,
                        holders: keys.map(\.element)
                    )
                )
            )
        }
        let polynomial = try #require(KeySharing.new.polynomial(dealings.map(\.dealing)))
        var holders: [PseudonymKeyState.Holder] = []
        for (position, vault) in vaults.enumerated() {
            let index = UInt16(position + 1)
            let isAdopted = try vault.pseudonyms.adopt(
                context,
                generation: 1,
                dealings: dealings,
                sharing: .new,
                index: index,
                shareKey: polynomial.shareKey(index)
            )
            #expect(isAdopted)
            holders.append(
                PseudonymKeyState.Holder(institution: vault.institution, shareKey: polynomial.shareKey(index))
            )
        }
        self.key = PseudonymKeyState(
            generation: 1,
            ceremony: 1,
            threshold: UInt16(threshold),
            publicKey: polynomial.constant,
            holders: holders,
            dealers: vaults.map(\.institution),
            dealerIndexes: [],
            height: Height(1),
            time: Timestamp(milliseconds: 1)
        )
    }

    func vault(_ id: InstitutionID) throws -> Vault { try #require(self.vaults.first { $0.institution == id }) }

    func behave(_ name: String, _ behaviour: Behaviour) throws {
        let id = try #require(InstitutionID(name))
        self.behaviours.withLock { $0[id] = behaviour }
    }

    func desk(_ index: Int, hasKey: Bool = true) -> PseudonymDesk {
        PseudonymDesk(
            vault: self.vaults[index],
            custody: self.custody[index],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            key: { hasKey ? self.key : nil },
            ask: { holder, request in try await self.answer(holder, request) }
        )
    }

    private func answer(_ holder: InstitutionID, _ request: PeerRequest) async throws -> EvaluationReply {
        self.asked.withLock { $0.append(holder) }
        guard case .evaluate(let generation, let blinded) = request else { return .notHolder }
        self.elements.withLock { $0.formUnion(blinded) }
        func honest(_ id: InstitutionID) throws -> PartialEvaluation {
            let shareKey = try #require(self.key.shareKey(of: id))
            return try #require(
                try self.vault(id).pseudonyms.evaluate(blinded, generation: generation, shareKey: shareKey)
            )
        }
        switch self.behaviours.withLock({ $0[holder] }) ?? .honest {
        case .honest: return .evaluated(try honest(holder))
        case .absent: throw CancellationError()
        case .silent:
            try await Task.sleep(for: .seconds(3600))
            throw CancellationError()
        case .overQuota: return .overQuota
        case .replays(let other): return .evaluated(try honest(other))
        case .wrongElement:
            var answer = try honest(holder)
            answer.elements[0] = answer.elements[0] + .generator
            return .evaluated(answer)
        case .wrongShare:
            let secret = RistrettoScalar(77)
            return .evaluated(
                ObliviousFunction.verifiable.evaluate(
                    blinded,
                    secret: secret,
                    publicKey: try #require(self.key.shareKey(of: holder)),
                    nonce: RistrettoScalar(5)
                )
            )
        }
    }
}

@Suite("Pseudonyms are formed with the help of others, whom nobody trusts")
struct PseudonymDeskTests {
    private static let impatient = PseudonymDesk.Patience(duration: .zero)

    private func identifiers(_ count: Int, _ prefix: String = "E") throws -> [PatientIdentifier] {
        try (0..<count).map { try PatientIdentifier(parsing: "CN-PP:\(prefix)\($0)") }
    }

    private func code(_ body: () async throws -> Void) async -> AgentFailure.Code? {
        do { try await body() } catch { return (error as? AgentFailure)?.code }
        return nil
    }

    @Test("Every home forms the same pseudonyms, whoever helps; holders see other elements each time")
    func agreement() async throws {
        let holders = try Holders(["a", "b", "c"], threshold: 2)
        let identifiers = try self.identifiers(3)
        let first = try await holders.desk(0).pseudonyms(identifiers)
        #expect(Set(first.values).count == 3)
        try holders.behave("a", .absent)
        let second = try await holders.desk(1).pseudonyms(identifiers)
        #expect(second == first)
        let third = try await holders.desk(2).pseudonyms(identifiers)
        #expect(third == first)
        #expect(holders.elements.withLock { $0.count } >= 9)
    }

    @Test("A known identifier is asked for once in the life of a home, also across a restart")
    func cached() async throws {
        let holders = try Holders(["a", "b"], threshold: 2)
        let identifiers = try self.identifiers(5)
        let first = try await holders.desk(0).pseudonyms(identifiers)
        #expect(holders.asked.withLock { $0.count } == 1)
        let again = holders.desk(0, hasKey: false)
        #expect(try await again.pseudonyms(identifiers + identifiers) == first)
        #expect(holders.asked.withLock { $0.count } == 1)
        let pseudonym = try #require(first[identifiers[0]])
        #expect(try await again.isNamed(pseudonym, by: identifiers))
        #expect(
            await self.code { _ = try await again.pseudonyms(self.identifiers(1, "F"), patience: Self.impatient) }
                == .pseudonymsNotReady
        )
    }

    @Test(
        "A holder that lies is named, another is asked, and the result is right",
        arguments: ["element", "share", "replay"]
    )
    func liar(kind: String) async throws {
        let holders = try Holders(["a", "b", "c"], threshold: 2)
        let expected = try await holders.desk(2).pseudonyms(self.identifiers(2))
        let c = try #require(InstitutionID("c"))
        try holders.behave("b", kind == "element" ? .wrongElement : kind == "share" ? .wrongShare : .replays(c))
        let desk = holders.desk(0)
        #expect(try await desk.pseudonyms(self.identifiers(2)) == expected)
        #expect(desk.liars.map(\.text) == ["b"])
        // It is not asked again.
        holders.asked.withLock { $0 = [] }
        _ = try await desk.pseudonyms(self.identifiers(2, "F"))
        #expect(holders.asked.withLock { $0 } == [c])
    }

    @Test("Too few honest answers give a coded failure, and the same call works when one is back")
    func unreachable() async throws {
        let holders = try Holders(["a", "b", "c"], threshold: 2)
        try holders.behave("b", .wrongElement)
        try holders.behave("c", .absent)
        let desk = holders.desk(0)
        let identifiers = try self.identifiers(1)
        #expect(
            await self.code { _ = try await desk.pseudonyms(identifiers, patience: Self.impatient) }
                == .pseudonymsUnreachable
        )
        try holders.behave("c", .honest)
        #expect(try await desk.pseudonyms(identifiers).count == 1)
    }

    @Test("A holder that does not answer is not waited for when another is there")
    func slow() async throws {
        let holders = try Holders(["a", "b", "c"], threshold: 2)
        try holders.behave("b", .silent)
        #expect(try await holders.desk(0).pseudonyms(self.identifiers(1)).count == 1)
        #expect(holders.asked.withLock { $0.map(\.text) } == ["b", "c"])
    }

    @Test("Over the quota a holder refuses, and that is what the caller is told")
    func overQuota() async throws {
        let holders = try Holders(["a", "b"], threshold: 2)
        try holders.behave("b", .overQuota)
        let desk = holders.desk(0)
        #expect(
            await self.code { _ = try await desk.pseudonyms(self.identifiers(1), patience: Self.impatient) }
                == .pseudonymsOverQuota
        )
    }

    @Test("More identifiers than one request holds go in several")
    func batches() async throws {
        let holders = try Holders(["a", "b"], threshold: 2)
        let identifiers = try self.identifiers(PartialEvaluation.elementsMax + 1)
        #expect(try await holders.desk(0).pseudonyms(identifiers).count == identifiers.count)
        #expect(holders.asked.withLock { $0.count } == 2)
    }

    @Test("The home's database shows neither identifier nor pseudonym")
    func sealed() async throws {
        let holders = try Holders(["a"], threshold: 1)
        let identifier = try PatientIdentifier(parsing: "CN-RIC:999999195803121043")
        let pseudonym = try await holders.desk(0).pseudonym(identifier)
        #expect(holders.asked.withLock { $0.isEmpty })
        for name in try FileManager.default.contentsOfDirectory(atPath: holders.folder.file("a").path) {
            let url = holders.folder.file("a").appending(path: name)
            guard let bytes = try? Data(contentsOf: url) else { continue }
            #expect(bytes.range(of: Data(identifier.value.utf8)) == nil)
            #expect(bytes.range(of: Data(pseudonym.digest.bytes)) == nil)
        }
    }

    @Test("Requests and replies read back; hostile ones are refused")
    func messages() throws {
        let request = PeerRequest.evaluate(generation: 3, [.generator, .generator + .generator])
        #expect(try PeerRequest(canonicalBytes: request.canonicalBytes) == request)
        for reply in [EvaluationReply.overQuota, .notHolder, .busy] {
            #expect(try EvaluationReply(canonicalBytes: reply.canonicalBytes) == reply)
        }
        // The identity, and one element too many.
        let identity = [2, 3, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 32)
        #expect(throws: CanonicalError.invalid) { try PeerRequest(canonicalBytes: identity) }
        #expect(throws: CanonicalError.overLimit) { try PeerRequest(canonicalBytes: [2, 3, 0, 0, 0, 0xe9, 0x07]) }
    }
}
