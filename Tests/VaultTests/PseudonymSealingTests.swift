import Primitives
import Records
import TestSupport
import Testing
import Vault

@Suite("What is sealed about a patient opens only for who can form the pseudonym")
struct PseudonymSealingTests {
    private let patient = PatientPseudonym(Digest(hashing: [1]))
    private let other = PatientPseudonym(Digest(hashing: [2]))

    private func code(_ body: () throws -> Void) -> VaultError.Code? {
        do { try body() } catch { return (error as? VaultError)?.code }
        return nil
    }

    private func summary() -> LocatorSummary {
        LocatorSummary(
            record: ContentAddress(Digest(hashing: [3])),
            kind: .laboratory,
            status: .final,
            itemSystem: "http://loinc.org",
            itemCode: "718-7",
            display: "血红蛋白",
            bodySite: "",
            examTime: Timestamp(milliseconds: 5),
            reportTime: nil,
            recordBytes: 1280,
            imageCount: 0
        )
    }

    @Test("A locator entry opens at its institution and index")
    func locator() throws {
        let institution = try Fixtures.institution()
        let entry = PseudonymSealing.sealLocator(
            self.summary(),
            pseudonym: self.patient,
            institution: institution,
            index: 4
        )
        #expect(entry.tag == self.patient.locatorTag(institution: institution, index: 4))
        func open(
            _ entry: LocatorEntry,
            _ pseudonym: PatientPseudonym,
            _ institution: InstitutionID,
            _ index: UInt64
        ) throws -> LocatorSummary {
            try PseudonymSealing.openLocator(entry, pseudonym: pseudonym, institution: institution, index: index)
        }
        #expect(try open(entry, self.patient, institution, 4) == self.summary())
        #expect(self.code { _ = try open(entry, self.other, institution, 4) } == .sealBroken)
        #expect(self.code { _ = try open(entry, self.patient, institution, 5) } == .sealBroken)
        let elsewhere = try Fixtures.institution("hospital-b")
        #expect(self.code { _ = try open(entry, self.patient, elsewhere, 4) } == .sealBroken)
        let retagged = LocatorEntry(
            tag: self.patient.locatorTag(institution: institution, index: 5),
            sealed: entry.sealed
        )
        #expect(self.code { _ = try open(retagged, self.patient, institution, 4) } == .sealBroken)
        for index in entry.sealed.indices {
            var sealed = entry.sealed
            sealed[index] ^= 1 << UInt8(index % 8)
            let changed = LocatorEntry(tag: entry.tag, sealed: sealed)
            #expect(self.code { _ = try open(changed, self.patient, institution, 4) } == .sealBroken)
        }
    }

    @Test("An alias leads to the pseudonym it was made for, and looks like any entry")
    func alias() throws {
        let institution = try Fixtures.institution()
        let entry = PseudonymSealing.sealAlias(of: self.patient, under: self.other, institution: institution, index: 0)
        #expect(entry.sealed.count == LocatorEntry.sealedByteCount)
        #expect(
            try PseudonymSealing.openAlias(entry, under: self.other, institution: institution, index: 0)
                == self.patient
        )
        #expect(
            self.code {
                _ = try PseudonymSealing.openAlias(entry, under: self.patient, institution: institution, index: 0)
            } == .sealBroken
        )
    }

    @Test("A receipt opens for its patient and must be the one its leaf names")
    func receipt() throws {
        let disk = SimulatedDisk()
        let keys = try Fixtures.keys(disk)
        let time = Timestamp(milliseconds: 7)
        let credential = keys.makeCredential(
            clinician: String(repeating: "d", count: ClinicianCredential.textBytesMax),
            name: String(repeating: "n", count: ClinicianCredential.textBytesMax),
            department: String(repeating: "p", count: ClinicianCredential.textBytesMax),
            key: keys.verifyingKey,
            issuedAt: time,
            expiresAt: time,
            chain: Fixtures.chain
        )
        let request = FetchRequest(
            record: ContentAddress(Digest(hashing: [3])),
            purpose: .treatment,
            nonce: [UInt8](repeating: 1, count: FetchRequest.nonceBytes),
            credential: credential.id
        )
        let receipt = FetchReceipt(
            institution: keys.institution,
            request: request,
            requestSignature: keys.sign(request.canonicalBytes),
            credential: credential,
            custodian: try Fixtures.institution("hospital-with-the-longest-name-x"),
            grant: GrantID(Digest(hashing: [4])),
            height: Height(9),
            time: time,
            signature: keys.sign([])
        )
        let sealed = try PseudonymSealing.sealReceipt(receipt, pseudonym: self.patient, index: 2)
        #expect(sealed.sealed.count == SealedReceipt.sealedBytes)
        func open(_ sealed: SealedReceipt, _ pseudonym: PatientPseudonym, _ index: UInt64) throws -> FetchReceipt {
            try PseudonymSealing.openReceipt(
                sealed,
                pseudonym: pseudonym,
                institution: keys.institution,
                index: index
            )
        }
        #expect(try open(sealed, self.patient, 2) == receipt)
        #expect(self.code { _ = try open(sealed, self.other, 2) } == .sealBroken)
        #expect(self.code { _ = try open(sealed, self.patient, 3) } == .sealBroken)
        var changed = sealed
        changed.leafHash = Digest(hashing: [5])
        #expect(self.code { _ = try open(changed, self.patient, 2) } == .sealBroken)
    }

    @Test("A grant's scope opens with its salt and pseudonym")
    func scope() throws {
        let salt = [UInt8](repeating: 3, count: AccessGrant.saltBytes)
        let items = (0..<GrantScope.itemsMax).map { String(repeating: "\($0)", count: GrantScope.itemBytesMax) }
        let scope = GrantScope(kinds: [.imaging], items: items, examsFrom: Timestamp(milliseconds: 1))
        let sealed = try PseudonymSealing.sealScope(scope, pseudonym: self.patient, salt: salt)
        #expect(sealed.count == AccessGrant.sealedScopeBytes)
        #expect(try PseudonymSealing.openScope(sealed, pseudonym: self.patient, salt: salt) == scope)
        let otherSalt = [UInt8](repeating: 4, count: AccessGrant.saltBytes)
        #expect(
            self.code { _ = try PseudonymSealing.openScope(sealed, pseudonym: self.patient, salt: otherSalt) }
                == .sealBroken
        )
        #expect(
            self.code { _ = try PseudonymSealing.openScope(sealed, pseudonym: self.other, salt: salt) } == .sealBroken
        )
        #expect(
            self.code { _ = try PseudonymSealing.openScope([], pseudonym: self.patient, salt: salt) } == .sealBroken
        )
        let many = GrantScope(items: (0..<40).map { "\($0)" + String(repeating: "x", count: 40) })
        #expect(
            self.code { _ = try PseudonymSealing.sealScope(many, pseudonym: self.patient, salt: salt) } == .tooLarge
        )
    }
}
