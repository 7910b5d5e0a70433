package import Primitives
package import Records

/// What one exam is compared by with later ones.
package struct NewTraces: Hashable, Sendable {
    /// HMACs, under a key of this home, of the names under which others may meet it.
    package var tags: [Digest]
    /// What the exam says under them, sealed under a key of this home.
    package var sealed: [UInt8]

    package init(tags: [Digest], sealed: [UInt8]) {
        self.tags = tags
        self.sealed = sealed
    }
}

/// What an earlier exam is compared by.
package struct StoredTraces: Hashable, Sendable {
    package var exam: ExamNumber
    package var sealed: [UInt8]
    /// ``StoredExam/source``.
    package var source: Digest
    package var record: ContentAddress
    /// ``Patient/tag`` of its patient.
    package var patientTag: Digest
}

/// An anomaly to be stored with the batch that gave rise to it.
package struct NewAnomaly: Hashable, Sendable {
    package var anomaly: Anomaly
    /// Salt and detail, sealed under a key of this home.
    package var sealed: [UInt8]

    package init(anomaly: Anomaly, sealed: [UInt8]) {
        self.anomaly = anomaly
        self.sealed = sealed
    }
}

/// What a batch is to be checked against later, and what the checks found in it.
package struct BatchChecks: Sendable {
    /// One for each exam of the batch, in their order; none at all if nothing was checked.
    package var traces: [NewTraces]
    package var anomalies: [NewAnomaly]

    package init(traces: [NewTraces] = [], anomalies: [NewAnomaly] = []) {
        self.traces = traces
        self.anomalies = anomalies
    }
}

/// An anomaly of this institution.
package struct StoredAnomaly: Hashable, Sendable {
    package var number: Int64
    package var anomaly: Anomaly
    package var sealed: [UInt8]
    /// The report that carries it and the position in it; `nil` while it waits.
    package var place: Place?

    /// The report that carries an anomaly, and where in it.
    package struct Place: Hashable, Sendable {
        package var report: UInt64
        package var index: UInt32
    }
}

/// A report of this institution and the transaction that carries it.
package struct StoredAnomalyReport: Hashable, Sendable {
    package var number: UInt64
    package var transactionID: Digest
    package var transaction: [UInt8]
    /// The block that holds it, once final.
    package var height: Height?

    package init(number: UInt64, transactionID: Digest, transaction: [UInt8], height: Height? = nil) {
        self.number = number
        self.transactionID = transactionID
        self.transaction = transaction
        self.height = height
    }
}
