package import Oblivious
package import Primitives
internal import Records

/// How many evaluations an evaluator served to one institution on one day, all in all.
package struct PseudonymServed: Hashable, Sendable, CanonicalCodable {
    package var requester: InstitutionID
    package var day: UInt32
    package var total: UInt64

    package init(requester: InstitutionID, day: UInt32, total: UInt64) {
        self.requester = requester
        self.day = day
        self.total = total
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.requester)
        encoder.encode(self.day)
        encoder.encode(self.total)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.requester = try decoder.decode()
        self.day = try decoder.decode()
        self.total = try decoder.decode()
    }
}

/// Sharing the pseudonym key, sharing it anew, and counting what its holders serve.
///
/// Each call is signed by the institution that it names and by nobody else.
package enum PseudonymKeysCall: Hashable, Sendable {
    /// Each entry writes one place; a transaction may write 16.
    package static let servedMax = 12

    /// Names the institution's key for ceremony `number`. The first one of a chain without a key begins the ceremony.
    case join(InstitutionID, number: UInt32, key: HolderKey)
    /// Begins ceremony `number`, which moves the key to new shares.
    case reshare(InstitutionID, number: UInt32)
    case deal(InstitutionID, number: UInt32, dealing: Dealing)
    /// Proves that the dealer gave the institution a wrong share.
    case complain(InstitutionID, number: UInt32, dealer: InstitutionID, complaint: Complaint)
    /// Says that the institution got a right share by every dealing that is not disqualified.
    case confirm(InstitutionID, number: UInt32)
    /// Says that a window has passed: the ceremony goes on without those who did not answer.
    case advance(InstitutionID, number: UInt32)
    /// Says how much the institution served to others.
    case served(InstitutionID, [PseudonymServed])

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        try context.require(signers: [.institution(self.institution)], else: .pseudonymsWrongSigner)
        switch self {
        case .join(let id, let number, let key): try Self.join(id, number, key, in: &context)
        case .reshare(_, let number): try Self.reshare(number, in: &context)
        case .deal(let id, let number, let dealing): try Self.deal(id, number, dealing, in: &context)
        case .complain(let id, let number, let dealer, let complaint):
            try Self.complain(id, number, dealer, complaint, in: &context)
        case .confirm(let id, let number): try Self.confirm(id, number, in: &context)
        case .advance(_, let number):
            let ceremony = try Self.ceremony(number, in: &context)
            guard ceremony.due(at: context.time, window: Self.window(context)) != nil else {
                throw TransactionRefusal(.pseudonymsNothingDue)
            }
            try Self.save(ceremony, in: &context)
        case .served(let id, let entries): try Self.count(entries, by: id, in: &context)
        }
    }

    package var institution: InstitutionID {
        switch self {
        case .join(let id, _, _), .reshare(let id, _), .deal(let id, _, _), .complain(let id, _, _, _),
            .confirm(let id, _), .advance(let id, _), .served(let id, _):
            id
        }
    }

    static func window(_ context: ExecutionContext) -> Int64 {
        Int64(context.parameters.pseudonymWindowMilliseconds)
    }
}

extension PseudonymKeysCall: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        let variant: UInt32 =
            switch self {
            case .join: 0
            case .reshare: 1
            case .deal: 2
            case .complain: 3
            case .confirm: 4
            case .advance: 5
            case .served: 6
            }
        encoder.encode(variant: variant)
        encoder.encode(self.institution)
        switch self {
        case .join(_, let number, let key):
            encoder.encode(number)
            encoder.encode(key)
        case .deal(_, let number, let dealing):
            encoder.encode(number)
            encoder.encode(dealing)
        case .complain(_, let number, let dealer, let complaint):
            encoder.encode(number)
            encoder.encode(dealer)
            encoder.encode(complaint)
        case .reshare(_, let number), .confirm(_, let number), .advance(_, let number): encoder.encode(number)
        case .served(_, let entries): encoder.encode(entries)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let variant = try decoder.decodeVariant(count: 7)
        let id: InstitutionID = try decoder.decode()
        switch variant {
        case 0: self = .join(id, number: try decoder.decode(), key: try decoder.decode())
        case 1: self = .reshare(id, number: try decoder.decode())
        case 2: self = .deal(id, number: try decoder.decode(), dealing: try decoder.decode())
        case 3:
            self = .complain(
                id,
                number: try decoder.decode(),
                dealer: try decoder.decode(),
                complaint: try decoder.decode()
            )
        case 4: self = .confirm(id, number: try decoder.decode())
        case 5: self = .advance(id, number: try decoder.decode())
        // More than are allowed, so that one too many is a refusal by its own code.
        default: self = .served(id, try decoder.decodeArray(max: 2 * Self.servedMax))
        }
    }
}
