package import Primitives

/// What a consortium attests of its members, so that nobody has to take an institution's own word for it.
extension PolicyPack {
    /// A mark of mutual recognition (HR) that an institution has for some of its items.
    package struct MemberMark: Hashable, Sendable {
        package var institution: String
        /// Who gave it, by its name in the pack.
        package var authority: String
        package var scope: Scope
        /// Codes of the catalogue; empty for all items of the institution.
        package var items: [String]
        /// First and last second of exams that carry it, both included.
        package var validFrom: Int64
        package var validTo: Int64

        package init(
            institution: String,
            authority: String,
            scope: Scope,
            items: [String],
            validFrom: Int64,
            validTo: Int64
        ) {
            self.institution = institution
            self.authority = authority
            self.scope = scope
            self.items = items
            self.validFrom = validFrom
            self.validTo = validTo
        }
    }

    /// A round of external quality assessment (EQA) that an institution took part in.
    package struct MemberAssessment: Hashable, Sendable {
        package var institution: String
        package var scheme: String
        /// Codes of the catalogue; never empty.
        package var items: [String]
        /// First and last second that the round speaks for, both included.
        package var from: Int64
        package var to: Int64
        package var passed: Bool

        package init(institution: String, scheme: String, items: [String], from: Int64, to: Int64, passed: Bool) {
            self.institution = institution
            self.scheme = scheme
            self.items = items
            self.from = from
            self.to = to
            self.passed = passed
        }
    }
}

extension PolicyPack.MemberMark: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.institution)
        encoder.encode(self.authority)
        encoder.encode(self.scope)
        encoder.encode(self.items)
        encoder.encode(self.validFrom)
        encoder.encode(self.validTo)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.institution = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.authority = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.scope = try decoder.decode()
        self.items = try decoder.decodeStrings(max: PolicyPack.itemsMax, lengthMax: ItemReference.codeBytesMax)
        self.validFrom = try decoder.decode()
        self.validTo = try decoder.decode()
    }
}

extension PolicyPack.MemberAssessment: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.institution)
        encoder.encode(self.scheme)
        encoder.encode(self.items)
        encoder.encode(self.from)
        encoder.encode(self.to)
        encoder.encode(self.passed)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.institution = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.scheme = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.items = try decoder.decodeStrings(max: PolicyPack.itemsMax, lengthMax: ItemReference.codeBytesMax)
        self.from = try decoder.decode()
        self.to = try decoder.decode()
        self.passed = try decoder.decode()
    }
}
