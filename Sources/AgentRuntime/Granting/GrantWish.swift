package import Primitives
package import Records

extension GrantDesk {
    /// What somebody asks to be granted.
    package struct Wish: Sendable {
        package var patient: String
        package var grantees: [String]
        package var groups: [String] = []
        package var custodians: [String]
        package var kinds: [String]
        package var items: [String]
        package var purpose: String
        package var examsFrom: Timestamp?
        package var examsUntil: Timestamp?
        package var notBefore: Timestamp?
        package var notAfter: Timestamp?
        package var leaseSeconds: UInt32
        package var records: [ContentAddress] = []
        package var usesMax: UInt32?
        package var sensitive: [String] = []
        /// `role:ROLE` or `person:INSTITUTION/CLINICIAN`.
        package var readers: [String] = []
        package var hidden: [String] = []
        package var referral: ReferralID?
        package var grantor: Grantor
    }
}

extension GrantDesk.Wish {
    /// The scope that the wish means; whoever signs a grant makes it again and compares.
    func scope(salt: [UInt8]) throws(AgentFailure) -> GrantScope {
        let purpose = try AgentHarness.purpose(self.purpose)
        for list in [self.items, self.hidden] {
            guard list.count <= GrantScope.itemsMax,
                list.allSatisfy({ (1...GrantScope.itemBytesMax).contains($0.utf8.count) })
            else {
                throw AgentFailure(
                    .badRequest,
                    "a grant names at most \(GrantScope.itemsMax) items, none over 48 bytes"
                )
            }
        }
        guard (1...GrantScope.leaseSecondsMax).contains(self.leaseSeconds) else {
            throw AgentFailure(.badRequest, "a lease is between a second and seven days")
        }
        guard self.records.count <= GrantScope.recordsMax, self.readers.count <= GrantScope.readersMax else {
            throw AgentFailure(
                .badRequest,
                "a grant names at most \(GrantScope.recordsMax) records and \(GrantScope.readersMax) readers"
            )
        }
        if let from = self.examsFrom, let until = self.examsUntil, from >= until {
            throw AgentFailure(
                .badRequest,
                "no exam is performed in the time named",
                hint: "Check --exams-from and --exams-until."
            )
        }
        if self.items.contains(where: self.hidden.contains) {
            throw AgentFailure(.badRequest, "an item is both granted and hidden", hint: "Check --items and --hide.")
        }
        let scope = GrantScope(
            kinds: try Self.kinds(self.kinds),
            items: self.items,
            examsFrom: self.examsFrom,
            examsUntil: self.examsUntil,
            purpose: purpose,
            leaseSeconds: self.leaseSeconds,
            records: self.records,
            usesMax: self.usesMax,
            sensitive: try Self.classes(self.sensitive),
            readers: try self.readers.map { text throws(AgentFailure) in try self.reader(text, salt) },
            hidden: self.hidden,
            referral: self.referral
        )
        guard scope.canonicalBytes.count <= GrantScope.paddedBytes else {
            throw AgentFailure(
                .badRequest,
                "the grant names more items, records and readers than fit together",
                hint: "Make two grants of it."
            )
        }
        return scope
    }

    private func reader(_ text: String, _ salt: [UInt8]) throws(AgentFailure) -> ReaderHandle {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        if parts.count == 2, parts[0] == "role" { return ReaderHandle(role: parts[1], salt: salt) }
        if parts.count == 2, parts[0] == "person" {
            let names = parts[1].split(separator: "/", maxSplits: 1).map(String.init)
            // Somebody at an institution that may not read would never match: a slip, not a wish.
            if names.count == 2, let institution = InstitutionID(names[0]),
                self.grantees.contains(names[0]) || !self.groups.isEmpty
            {
                return ReaderHandle(clinician: names[1], at: institution, salt: salt)
            }
        }
        throw AgentFailure(
            .badRequest,
            "a reader is not role:ROLE or person:INSTITUTION/CLINICIAN of an institution that may read"
        )
    }

    static func kinds(_ names: [String]) throws(AgentFailure) -> [ExamKind] {
        try names.map { name throws(AgentFailure) in
            guard let kind = ExamKind(rawValue: name) else {
                throw AgentFailure(
                    .badRequest,
                    "there is no kind of exam of this name",
                    hint: "Kinds: " + ExamKind.allCases.map(\.rawValue).joined(separator: ", ")
                )
            }
            return kind
        }
    }

    static func classes(_ names: [String]) throws(AgentFailure) -> [SensitiveClass] {
        try names.map { name throws(AgentFailure) in
            guard let found = SensitiveClass(name: name) else {
                throw AgentFailure(
                    .badRequest,
                    "there is no sensitive class of this name",
                    hint: "Classes: " + SensitiveClass.allCases.map(\.name).joined(separator: ", ")
                )
            }
            return found
        }
    }
}
