package import Primitives

/// The number of a contract module: a set of rules with its own place in the state.
package struct ModuleID: Hashable, Sendable, CanonicalCodable {
    /// The chain's own marks; no transaction calls it.
    package static let chain = ModuleID(0)
    package static let institutions = ModuleID(1)
    package static let commitments = ModuleID(2)
    package static let grants = ModuleID(3)
    package static let receipts = ModuleID(4)
    package static let anomalies = ModuleID(5)
    package static let policies = ModuleID(6)
    package static let recognition = ModuleID(7)
    package static let pseudonymKeys = ModuleID(8)
    package static let delegations = ModuleID(9)
    package static let identities = ModuleID(10)
    package static let emergency = ModuleID(11)
    package static let erasures = ModuleID(12)

    package let number: UInt16

    package init(_ number: UInt16) { self.number = number }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.number) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode(UInt16.self))
    }
}

/// A call of one of the modules: the decoded payload of a transaction.
package enum LedgerCall: Hashable, Sendable {
    /// The version of every module: a chain that needs another version activates it for all.
    package static let version: UInt16 = 1

    case institutions(InstitutionsCall)
    case commitments(CommitmentsCall)
    case grants(GrantsCall)
    case receipts(ReceiptsCall)
    case anomalies(AnomaliesCall)
    case policies(PoliciesCall)
    case recognition(RecognitionCall)
    case pseudonymKeys(PseudonymKeysCall)
    case delegations(DelegationsCall)
    case identities(IdentitiesCall)
    case emergency(EmergencyCall)
    case erasures(ErasuresCall)

    package var module: ModuleID {
        switch self {
        case .institutions: .institutions
        case .commitments: .commitments
        case .grants: .grants
        case .receipts: .receipts
        case .anomalies: .anomalies
        case .policies: .policies
        case .recognition: .recognition
        case .pseudonymKeys: .pseudonymKeys
        case .delegations: .delegations
        case .identities: .identities
        case .emergency: .emergency
        case .erasures: .erasures
        }
    }

    package var payload: [UInt8] {
        switch self {
        case .institutions(let call): call.canonicalBytes
        case .commitments(let call): call.canonicalBytes
        case .grants(let call): call.canonicalBytes
        case .receipts(let call): call.canonicalBytes
        case .anomalies(let call): call.canonicalBytes
        case .policies(let call): call.canonicalBytes
        case .recognition(let call): call.canonicalBytes
        case .pseudonymKeys(let call): call.canonicalBytes
        case .delegations(let call): call.canonicalBytes
        case .identities(let call): call.canonicalBytes
        case .emergency(let call): call.canonicalBytes
        case .erasures(let call): call.canonicalBytes
        }
    }

    /// Reads the payload of a transaction.
    package init(of body: TransactionBody) throws(TransactionRefusal) {
        guard body.moduleVersion == Self.version else { throw TransactionRefusal(.unknownModule) }
        switch body.module {
        case .institutions: self = .institutions(try Self.decode(body.payload))
        case .commitments: self = .commitments(try Self.decode(body.payload))
        case .grants: self = .grants(try Self.decode(body.payload))
        case .receipts: self = .receipts(try Self.decode(body.payload))
        case .anomalies: self = .anomalies(try Self.decode(body.payload))
        case .policies: self = .policies(try Self.decode(body.payload))
        case .recognition: self = .recognition(try Self.decode(body.payload))
        case .pseudonymKeys: self = .pseudonymKeys(try Self.decode(body.payload))
        case .delegations: self = .delegations(try Self.decode(body.payload))
        case .identities: self = .identities(try Self.decode(body.payload))
        case .emergency: self = .emergency(try Self.decode(body.payload))
        case .erasures: self = .erasures(try Self.decode(body.payload))
        default: throw TransactionRefusal(.unknownModule)
        }
    }

    private static func decode<Call: CanonicalDecodable>(_ payload: [UInt8]) throws(TransactionRefusal) -> Call {
        do {
            return try Call(canonicalBytes: payload)
        } catch {
            throw TransactionRefusal(.badPayload)
        }
    }

    /// Carries out the call, or refuses it and leaves the context to be thrown away.
    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .institutions(let call): try call.execute(in: &context)
        case .commitments(let call): try call.execute(in: &context)
        case .grants(let call): try call.execute(in: &context)
        case .receipts(let call): try call.execute(in: &context)
        case .anomalies(let call): try call.execute(in: &context)
        case .policies(let call): try call.execute(in: &context)
        case .recognition(let call): try call.execute(in: &context)
        case .pseudonymKeys(let call): try call.execute(in: &context)
        case .delegations(let call): try call.execute(in: &context)
        case .identities(let call): try call.execute(in: &context)
        case .emergency(let call): try call.execute(in: &context)
        case .erasures(let call): try call.execute(in: &context)
        }
    }
}
