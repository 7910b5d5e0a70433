package import Primitives
package import Records

/// What an institution found wrong about its exams, several at a time.
///
/// Reports of one institution are numbered from 0 without a gap and each names the one before, so that none can be left
/// out or changed later.
package struct AnomalyReport: Hashable, Sendable {
    /// Of the largest anomalies these are less than 10 KiB: a transaction that every chain but the tightest takes.
    package static let anomaliesMax = 32

    package var institution: InstitutionID
    package var number: UInt64
    /// ``digest`` of the report before; zero for report 0.
    package var previous: Digest
    package var anomalies: [Anomaly]

    package init(institution: InstitutionID, number: UInt64, previous: Digest, anomalies: [Anomaly]) {
        self.institution = institution
        self.number = number
        self.previous = previous
        self.anomalies = anomalies
    }

    /// `H("entente/anomalies/1\0" ‖ report)`: what the next report names.
    package var digest: Digest { Digest(hashing: Array("entente/anomalies/1\0".utf8) + self.canonicalBytes) }
}

extension AnomalyReport: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.institution)
        encoder.encode(self.number)
        encoder.encode(self.previous)
        encoder.encode(self.anomalies)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.institution = try decoder.decode()
        self.number = try decoder.decode()
        self.previous = try decoder.decode()
        // More than are allowed, so that one too many is a refusal by its own code.
        self.anomalies = try decoder.decodeArray(max: 2 * Self.anomaliesMax)
    }
}

/// A report as it stands in the state: where to find it, and its digest.
///
/// The anomalies themselves stay in their block: the state lives in memory, and nothing in it is needed to add more.
package struct AnomalyReportState: Hashable, Sendable, CanonicalCodable {
    package var digest: Digest
    package var count: UInt32
    package var transaction: TransactionID
    package var height: Height
    package var time: Timestamp

    package init(digest: Digest, count: UInt32, transaction: TransactionID, height: Height, time: Timestamp) {
        self.digest = digest
        self.count = count
        self.transaction = transaction
        self.height = height
        self.time = time
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.digest)
        encoder.encode(self.count)
        encoder.encode(self.transaction)
        encoder.encode(self.height)
        encoder.encode(self.time)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.digest = try decoder.decode()
        self.count = try decoder.decode()
        self.transaction = try decoder.decode()
        self.height = try decoder.decode()
        self.time = try decoder.decode()
    }
}
