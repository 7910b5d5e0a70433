package import Primitives
package import Records

/// What an exam leaves under one name, to be compared with later exams.
package struct NewTrace: Hashable, Sendable {
    /// HMAC of the name under a key of this home.
    package var tag: Digest
    /// Position of the exam among those of its batch.
    package var exam: Int
    /// ``ExamTrace/Statement``, sealed under a key of this home.
    package var sealed: [UInt8]

    package init(tag: Digest, exam: Int, sealed: [UInt8]) {
        self.tag = tag
        self.exam = exam
        self.sealed = sealed
    }
}

/// A trace with what is known about the exam that left it.
package struct StoredTrace: Hashable, Sendable {
    package var sealed: [UInt8]
    /// ``StoredExam/source`` of the exam.
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
    package var traces: [NewTrace]
    package var anomalies: [NewAnomaly]

    package init(traces: [NewTrace] = [], anomalies: [NewAnomaly] = []) {
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
