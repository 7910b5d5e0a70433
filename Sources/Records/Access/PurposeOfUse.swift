package import Primitives

/// Why somebody reads (HL7 v3 PurposeOfUse).
package enum PurposeOfUse: UInt8, CaseIterable, Sendable, CanonicalCodable {
    case treatment = 1
    case payment = 2
    case research = 3
    case publicHealth = 4
    /// Break-glass: in an emergency, without a grant, under review.
    case emergency = 5

    package var code: String {
        switch self {
        case .treatment: "TREAT"
        case .payment: "HPAYMT"
        case .research: "HRESCH"
        case .publicHealth: "PUBHLTH"
        case .emergency: "BTG"
        }
    }

    package init?(code: some StringProtocol) {
        guard let purpose = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = purpose
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let purpose = PurposeOfUse(rawValue: try decoder.decode()) else { throw .invalid }
        self = purpose
    }
}
