import Consensus
import Primitives
import Testing

@Suite("Validator sets and certificates")
struct CertificateTests {
    @Test(
        "f is the largest with n >= 3f + 1, the quorum is n - f, and two quorums share more than f",
        arguments: zip(1...10, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3])
    )
    func quorum(count: Int, faultLimit: Int) throws {
        let validators = try Committee(count).context.validators
        #expect(validators.faultLimit == faultLimit)
        #expect(validators.quorum == count - faultLimit)
        #expect(2 * validators.quorum - count > faultLimit)
    }

    @Test("Each validator leads once in n views")
    func leaders() throws {
        let committee = try Committee(5)
        #expect(Set((1...5).map { committee.leader($0) }) == [0, 1, 2, 3, 4])
        #expect(committee.leader(6) == committee.leader(1))
    }

    @Test("A set is ordered, and has distinct institutions and keys")
    func sets() throws {
        let members = try Committee(4).context.validators.members
        #expect(ValidatorSet(members.reversed())?.members == members)
        #expect(ValidatorSet(members.reversed())?.hash == ValidatorSet(members)?.hash)
        #expect(ValidatorSet([]) == nil)
        #expect(ValidatorSet(members + [members[0]]) == nil)
        #expect(ValidatorSet([members[0], Validator(id: members[1].id, key: members[0].key)]) == nil)
    }

    @Test("A certificate needs a quorum of members of its epoch, each with its own signature")
    func certificates() throws {
        let committee = try Committee(4)
        let context = committee.context
        let body = committee.nullify(3)
        func isValid(_ certificate: Certificate) -> Bool { certificate.isValid(in: context, checker: .direct) }
        #expect(isValid(try committee.certificate(body)))
        #expect(isValid(try committee.certificate(body, by: [0, 1, 2, 3])))
        #expect(!isValid(try committee.certificate(body, by: [0, 1])))
        let good = try committee.certificate(body, by: [0, 1, 3])
        #expect(!isValid(Certificate(body: body, signers: 0b0111, signatures: good.signatures)))
        #expect(!isValid(Certificate(body: committee.nullify(4), signers: good.signers, signatures: good.signatures)))
        let outside = Certificate(body: body, signers: 0b10011, signatures: good.signatures)
        #expect(!isValid(outside))
        let twice = Certificate(
            body: body,
            signers: 0b0111,
            signatures: [good.signatures[0], good.signatures[0], good.signatures[0]]
        )
        #expect(!isValid(twice))
        let otherEpoch = VoteBody.nullify(view: View(3), epoch: Epoch(1))
        #expect(!isValid(try committee.certificate(otherEpoch)))
    }

    @Test("Votes of different kinds, views, blocks, epochs or chains are different statements")
    func separation() throws {
        let chain = ChainID(.zero)
        let hash = Digest(hashing: [1])
        let bodies: [VoteBody] = [
            .notarize(hash, view: View(1), epoch: Epoch(0)), .finalize(hash, view: View(1), epoch: Epoch(0)),
            .notarize(hash, view: View(2), epoch: Epoch(0)), .notarize(.zero, view: View(1), epoch: Epoch(0)),
            .notarize(hash, view: View(1), epoch: Epoch(1)), .nullify(view: View(1), epoch: Epoch(0)),
        ]
        var signed = Set(bodies.map { $0.signedBytes(chain: chain) })
        signed.insert(bodies[0].signedBytes(chain: ChainID(hash)))
        #expect(signed.count == bodies.count + 1)
    }

    @Test("A justification fits only the header it was made for")
    func justifications() throws {
        let committee = try Committee(4)
        let parent = try committee.block(view: 2, on: nil)
        let block = try committee.block(view: 5, on: parent)
        let just = block.justification
        #expect(just.fits(block.header))
        #expect(just.entry?.view == View(4))
        #expect(!just.fits(parent.header))
        func fits(_ just: Justification) -> Bool {
            just.fits(committee.block(view: 5, on: parent, just).header)
        }
        #expect(fits(just))
        #expect(!fits(Justification(parent: nil, nullifications: just.nullifications)))
        #expect(!fits(Justification(parent: just.parent, nullifications: Array(just.nullifications.dropLast()))))
        #expect(!fits(Justification(parent: just.parent, nullifications: just.nullifications.reversed())))
        #expect(!fits(Justification(parent: just.nullifications[0], nullifications: just.nullifications)))
    }
}
