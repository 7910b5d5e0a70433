import AgentRuntime
import Consensus
import Crypto
import Primitives
import Testing

@Suite("A lease rests on confirmations")
struct TipConfirmationsTests {
    private let start = Timestamp(milliseconds: 1_790_000_000_000)

    private func validators(_ count: Int) throws -> ValidatorSet {
        let members = try (0..<count).map { index in
            let key = try Curve25519.Signing.PrivateKey(
                rawRepresentation: [UInt8](repeating: UInt8(index + 1), count: 32)
            )
            return Validator(
                id: try #require(InstitutionID("h\(index)")),
                key: try #require(VerifyingKey(Array(key.publicKey.rawRepresentation)))
            )
        }
        return try #require(ValidatorSet(members))
    }

    private func confirmations(_ count: Int, local: UInt16?, last: Timestamp? = nil) throws -> TipConfirmations {
        TipConfirmations(
            validators: try self.validators(count),
            local: local,
            last: last,
            now: self.start,
            uptime: 1_000_000
        )
    }

    @Test("Of four, this one and two others make a quorum; the older of the two counts")
    func quorum() throws {
        let confirmations = try self.confirmations(4, local: 0)
        #expect(confirmations.confirmed(uptime: 1_000_000) == nil)
        confirmations.heard(1, uptime: 1_000_100)
        #expect(confirmations.confirmed(uptime: 1_000_200) == nil)
        confirmations.heard(2, uptime: 1_000_300)
        #expect(confirmations.confirmed(uptime: 1_000_400) == 1_000_100)
    }

    @Test("A verifier needs a quorum of others")
    func verifier() throws {
        let confirmations = try self.confirmations(4, local: nil)
        for index in UInt16(0)..<2 { confirmations.heard(index, uptime: 1_000_100) }
        #expect(confirmations.confirmed(uptime: 1_000_200) == nil)
        confirmations.heard(2, uptime: 1_000_150)
        #expect(confirmations.confirmed(uptime: 1_000_200) == 1_000_100)
    }

    @Test("An agent alone on its chain is always confirmed")
    func alone() throws {
        #expect(try self.confirmations(1, local: 0).confirmed(uptime: 1_234_567) == 1_234_567)
    }

    @Test("The last run's confirmation counts from when it was, and not at all if the clock was set back")
    func restart() throws {
        let earlier = self.start.advanced(byMilliseconds: -5_000)
        #expect(try self.confirmations(4, local: 0, last: earlier).confirmed(uptime: 1_000_000) == 995_000)
        let later = self.start.advanced(byMilliseconds: 5_000)
        #expect(try self.confirmations(4, local: 0, last: later).confirmed(uptime: 1_000_000) == nil)
    }

    @Test("What one validator says again and again counts once")
    func repetition() throws {
        let confirmations = try self.confirmations(4, local: 0)
        for time in stride(from: Int64(1_000_000), to: 1_001_000, by: 10) { confirmations.heard(1, uptime: time) }
        #expect(confirmations.confirmed(uptime: 1_001_000) == nil)
    }
}
