package import Primitives

/// The keyed, consortium-wide name of a person (ISO 25237): 32 bytes that only a member who knows an identifier of the
/// person can form.
///
/// It never leaves an agent in the clear; everything public about a person is derived from it one way.
package struct PatientPseudonym: Hashable, Sendable {
    /// How a pseudonym is formed from an identifier; stands in every format that depends on it.
    package enum Scheme: UInt8, Sendable {
        // 1 was HMAC-SHA-256 under a key that every member's agent held.
        /// OPRF(ristretto255, SHA-512) with its key in shares (`Documentation/Protocol/Pseudonyms.md`).
        case thresholdOblivious = 2
    }

    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    /// The pseudonym that follows from the function's output for an identifier, `HMAC(output, "chain" ‖ epoch u32)`: the
    /// output itself is kept nowhere, and another epoch gives names that cannot be linked with these.
    package init(output: [UInt8], epoch: UInt32 = 0) {
        var encoder = CanonicalEncoder()
        encoder.encode(fixed: Array("chain".utf8))
        encoder.encode(epoch)
        self.digest = MessageAuthentication.code(key: output, message: encoder.bytes)
    }

    /// The search token of the `index`-th locator entry that `institution` published about this person.
    package func locatorTag(institution: InstitutionID, index: UInt64) -> LocatorTag {
        self.tag("locator/1", institution, index)
    }

    /// The key that seals that entry.
    ///
    /// Each entry has its own.
    package func locatorKey(institution: InstitutionID, index: UInt64) -> [UInt8] {
        self.derive("locator-key/1", institution, index).bytes
    }

    /// The search token of the `index`-th other name that `institution` published for this one.
    package func aliasTag(institution: InstitutionID, index: UInt64) -> LocatorTag {
        self.tag("alias/1", institution, index)
    }

    package func aliasKey(institution: InstitutionID, index: UInt64) -> [UInt8] {
        self.derive("alias-key/1", institution, index).bytes
    }

    /// The search token of the `index`-th receipt that `institution` published about this person.
    package func receiptTag(institution: InstitutionID, index: UInt64) -> LocatorTag {
        self.tag("receipt/1", institution, index)
    }

    package func receiptKey(institution: InstitutionID, index: UInt64) -> [UInt8] {
        self.derive("receipt-key/1", institution, index).bytes
    }

    /// The name under which a grant speaks of this person: without the pseudonym, two handles cannot be linked.
    package func handle(salt: [UInt8]) -> PatientHandle {
        PatientHandle(MessageAuthentication.code(key: self.digest.bytes, message: Array("handle/1".utf8) + salt))
    }

    /// One of 256 groups of people: lets a custodian compare a handle with a 256th of its patients in place of all.
    package var bucket: UInt8 {
        MessageAuthentication.code(key: self.digest.bytes, message: Array("bucket/1".utf8)).bytes[0]
    }

    /// The key under which a grant's scope is sealed for those who know the person.
    package func scopeKey(salt: [UInt8]) -> [UInt8] {
        MessageAuthentication.code(key: self.digest.bytes, message: Array("scope-key/1".utf8) + salt).bytes
    }

    /// The key under which what was said in an emergency is sealed for those who know the person.
    package func statementKey(salt: [UInt8]) -> [UInt8] {
        MessageAuthentication.code(key: self.digest.bytes, message: Array("statement-key/1".utf8) + salt).bytes
    }

    private func tag(_ use: String, _ institution: InstitutionID, _ index: UInt64) -> LocatorTag {
        LocatorTag(self.derive(use, institution, index))
    }

    private func derive(_ use: String, _ institution: InstitutionID, _ index: UInt64) -> Digest {
        var encoder = CanonicalEncoder()
        encoder.encode(use)
        encoder.encode(institution)
        encoder.encode(index)
        return MessageAuthentication.code(key: self.digest.bytes, message: encoder.bytes)
    }
}

/// A salted name of a person, as grants carry it.
package struct PatientHandle: Hashable, Comparable, Sendable, CanonicalCodable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package static func < (left: PatientHandle, right: PatientHandle) -> Bool { left.digest < right.digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}
