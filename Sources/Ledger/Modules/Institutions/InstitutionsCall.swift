package import Primitives
internal import Records

/// What an institution may change about itself.
///
/// Signed by the institution alone.
package enum InstitutionsCall: Hashable, Sendable {
    /// A week of one block a second: long enough for every peer to follow, short enough for a stolen key to die.
    package static let overlapBlocksMax: UInt64 = 7 * 24 * 3600

    /// Makes `digest` the current transport key; the one before stays accepted up to `oldUntil`.
    case rotateTransportKey(InstitutionID, digest: Digest, oldUntil: Height)
    /// Says where the agent is reached, as `HOST:PORT`.
    case changeAddress(InstitutionID, address: String)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .rotateTransportKey(let id, let digest, let oldUntil):
            var institution = try Self.institution(id, in: &context)
            try Self.rotate(&institution, to: digest, oldUntil: oldUntil, in: &context)
            try context.write(institution, at: .institution(id))
            context.emit(.institutionChanged(id))
        case .changeAddress(let id, let address):
            var institution = try Self.institution(id, in: &context)
            guard Self.isAddress(address) else { throw TransactionRefusal(.institutionBadAddress) }
            institution.card.address = address
            try context.write(institution, at: .institution(id))
            context.emit(.institutionChanged(id))
        }
    }

    private static func institution(
        _ id: InstitutionID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) -> InstitutionState {
        try context.require(signers: [.institution(id)], else: .institutionWrongSigner)
        guard let institution: InstitutionState = try context.value(at: .institution(id)) else {
            throw TransactionRefusal(.institutionUnknown)
        }
        return institution
    }

    private static func rotate(
        _ institution: inout InstitutionState,
        to digest: Digest,
        oldUntil: Height,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        guard try !context.exists(.transportKeyOwner(digest)) else {
            throw TransactionRefusal(.institutionTransportKeyInUse)
        }
        guard oldUntil >= context.height, oldUntil.value - context.height.value <= Self.overlapBlocksMax else {
            throw TransactionRefusal(.institutionBadOverlap)
        }
        var kept: [TransportKey] = []
        for key in institution.transportKeys {
            if key.isAccepted(at: context.height) {
                kept.append(TransportKey(digest: key.digest, until: key.until ?? oldUntil))
            } else {
                try context.remove(.transportKeyOwner(key.digest))
            }
        }
        guard kept.count < InstitutionState.transportKeysMax else {
            throw TransactionRefusal(.institutionTooManyTransportKeys)
        }
        institution.transportKeys = kept + [TransportKey(digest: digest)]
        try context.write(institution.card.id, at: .transportKeyOwner(digest))
    }

    /// A host of letters, digits, `.`, `-`, or an IPv6 address in brackets, and a port.
    package static func isAddress(_ address: String) -> Bool {
        let bytes = Array(address.utf8)
        guard bytes.count <= InstitutionCard.addressBytesMax, let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else {
            return false
        }
        let host = bytes[..<colon]
        let port = bytes[(colon + 1)...]
        guard (1...5).contains(port.count), port.first != UInt8(ascii: "0"), port.allSatisfy(Self.isDigit),
            let number = UInt32(String(decoding: port, as: UTF8.self)), number <= 65535
        else { return false }
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]"), host.count > 2 {
            return host.dropFirst().dropLast().allSatisfy { Self.isHexDigit($0) || $0 == UInt8(ascii: ":") }
        }
        return !host.isEmpty && host.allSatisfy(Self.isHostByte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        Self.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        Self.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }
}

extension InstitutionsCall: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .rotateTransportKey(let id, let digest, let oldUntil):
            encoder.encode(variant: 0)
            encoder.encode(id)
            encoder.encode(digest)
            encoder.encode(oldUntil)
        case .changeAddress(let id, let address):
            encoder.encode(variant: 1)
            encoder.encode(id)
            encoder.encode(address)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 2) {
        case 0:
            self = .rotateTransportKey(
                try decoder.decode(),
                digest: try decoder.decode(),
                oldUntil: try decoder.decode()
            )
        default:
            self = .changeAddress(
                try decoder.decode(),
                address: try decoder.decodeString(max: InstitutionCard.addressBytesMax)
            )
        }
    }
}
