package import Primitives
package import Records

/// A patient's row in this institution's own file.
package struct PatientNumber: Hashable, Comparable, Sendable {
    package let value: Int64

    package init(_ value: Int64) { self.value = value }

    package static func < (left: PatientNumber, right: PatientNumber) -> Bool { left.value < right.value }
}

/// An exam's row in this institution's own file; later imports have larger numbers.
package struct ExamNumber: Hashable, Comparable, Sendable {
    package let value: Int64

    package init(_ value: Int64) { self.value = value }

    package static func < (left: ExamNumber, right: ExamNumber) -> Bool { left.value < right.value }
}

/// A person known here: only what finds the sealed pseudonym again, and the counters of published search tokens.
package struct Patient: Hashable, Sendable {
    package var number: PatientNumber
    /// HMAC of the pseudonym under a key of this home.
    package var tag: Digest
    /// The pseudonym, sealed under a key of this home.
    package var sealedPseudonym: [UInt8]
    /// ``PatientPseudonym/bucket``.
    package var bucket: UInt8
    /// Indexes below these may have been published and are never used again.
    package var nextLocator: UInt64
    package var nextAlias: UInt64
    package var nextReceipt: UInt64
}

/// A person as a batch leaves it: new, or known with higher counters.
package struct PatientChange: Hashable, Sendable {
    package var tag: Digest
    package var sealedPseudonym: [UInt8]
    package var bucket: UInt8
    package var nextLocator: UInt64
    package var nextAlias: UInt64

    package init(tag: Digest, sealedPseudonym: [UInt8], bucket: UInt8, nextLocator: UInt64, nextAlias: UInt64) {
        self.tag = tag
        self.sealedPseudonym = sealedPseudonym
        self.bucket = bucket
        self.nextLocator = nextLocator
        self.nextAlias = nextAlias
    }
}

/// An exam that this institution has committed or is about to.
package struct StoredExam: Hashable, Sendable {
    package var number: ExamNumber
    /// HMAC of the source's own identity of the exam under a key of this home.
    package var source: Digest
    /// HMAC of the plaintext under a key of this home: tells a repetition from a new version.
    package var content: Digest
    package var record: ContentAddress
    package var patient: PatientNumber
    package var kind: ExamKind
    package var itemCode: String
    package var examTime: Timestamp?
    /// Number of the commitment batch.
    package var batch: UInt64
    /// Position among the batch's leaves.
    package var index: UInt32
    package var supersededBy: ExamNumber?
}

/// An exam to be stored with its batch, in the order of the leaves.
package struct NewExam: Hashable, Sendable {
    package var source: Digest
    package var content: Digest
    package var record: ContentAddress
    /// ``Patient/tag`` of a patient among the batch's changes.
    package var patientTag: Digest
    package var kind: ExamKind
    package var itemCode: String
    package var examTime: Timestamp?
    /// When this version of the report was released; `nil` where nothing tells.
    package var release: ExamRelease?
    /// The version that this one replaces.
    package var supersedes: ExamNumber?

    package init(
        source: Digest,
        content: Digest,
        record: ContentAddress,
        patientTag: Digest,
        kind: ExamKind,
        itemCode: String,
        examTime: Timestamp?,
        release: ExamRelease? = nil,
        supersedes: ExamNumber? = nil
    ) {
        self.source = source
        self.content = content
        self.record = record
        self.patientTag = patientTag
        self.kind = kind
        self.itemCode = itemCode
        self.examTime = examTime
        self.release = release
        self.supersedes = supersedes
    }
}

/// The part of a commitment or receipt batch that goes on chain, with the transaction that carries it.
package struct BatchCommitment: Hashable, Sendable {
    package var number: UInt64
    package var root: Digest
    package var manifest: ContentAddress
    package var transactionID: Digest
    package var transaction: [UInt8]

    package init(
        number: UInt64,
        root: Digest,
        manifest: ContentAddress,
        transactionID: Digest,
        transaction: [UInt8]
    ) {
        self.number = number
        self.root = root
        self.manifest = manifest
        self.transactionID = transactionID
        self.transaction = transaction
    }
}

/// A batch of this institution and how far it has come.
package struct StoredBatch: Hashable, Sendable {
    /// How far a batch has come.
    package enum State: Int64, Hashable, Sendable {
        /// Durable here; can become `submitted`.
        case prepared = 1
        /// Handed to the chain; can become `final`.
        case submitted = 2
        /// In a final block.
        case final = 3
    }

    package var kind: ManifestKind
    package var number: UInt64
    package var root: Digest
    package var count: UInt32
    package var manifest: ContentAddress
    package var transactionID: Digest
    package var state: State
    /// The block that holds the transaction, once final.
    package var height: Height?
}

/// A transaction of this institution that the chain has not settled.
package struct OutgoingTransaction: Hashable, Sendable {
    package var id: Digest
    package var bytes: [UInt8]

    package init(id: Digest, bytes: [UInt8]) {
        self.id = id
        self.bytes = bytes
    }
}

/// One `import` run.
package struct ImportJob: Hashable, Sendable {
    /// How an import run stands.
    package enum State: Int64, Hashable, Sendable {
        /// Can become any other.
        case running = 1
        case finished = 2
        case failed = 3
    }

    package var number: Int64
    /// Digest of what was asked to be imported: the same question continues the same job.
    package var inputs: Digest
    /// Position and counts, in the importer's own encoding.
    package var progress: [UInt8]
    package var state: State
    package var startedAt: Timestamp
}

/// An input that could not be imported.
package struct QuarantinedInput: Hashable, Sendable {
    /// Whether an input still waits for somebody to look at it.
    package enum State: Int64, Hashable, Sendable {
        /// Can become any other.
        case open = 1
        /// Imported after correction.
        case resolved = 2
        case dismissed = 3
    }

    package var number: Int64
    package var job: Int64
    /// As it was given on the command line.
    package var file: String
    /// Byte offset in the file.
    package var position: UInt64
    /// The line of that byte, from 1; 0 where lines mean nothing.
    package var line: UInt64
    package var code: String
    package var message: String
    /// The input itself, sealed under a key of this home.
    package var sealed: [UInt8]
    /// HMAC of the input under a key of this home: another input at the same place is another row.
    package var digest: Digest
    package var time: Timestamp
    package var state: State

    package init(
        number: Int64 = 0,
        job: Int64,
        file: String,
        position: UInt64,
        line: UInt64 = 0,
        code: String,
        message: String,
        sealed: [UInt8],
        digest: Digest,
        time: Timestamp,
        state: State = .open
    ) {
        self.number = number
        self.job = job
        self.file = file
        self.position = position
        self.line = line
        self.code = code
        self.message = message
        self.sealed = sealed
        self.digest = digest
        self.time = time
        self.state = state
    }
}

/// A grant that this institution plays a part in.
package struct KnownGrant: Hashable, Sendable {
    package var id: GrantID
    /// This institution's exams are covered.
    package var isCustodian: Bool
    /// This institution may read.
    package var isGrantee: Bool
    /// The patient here whose handle the grant carries, if one was recognised.
    package var patient: PatientNumber?
    package var notBefore: Timestamp
    package var notAfter: Timestamp
    package var isRevoked: Bool
    /// The pseudonym sealed under a key of this home, if it is known without being a patient's here.
    package var sealedPseudonym: [UInt8]?
    /// Number of the next envelope page that this custodian publishes.
    package var nextPage: UInt32

    package init(
        id: GrantID,
        isCustodian: Bool,
        isGrantee: Bool,
        patient: PatientNumber? = nil,
        notBefore: Timestamp,
        notAfter: Timestamp,
        isRevoked: Bool = false,
        sealedPseudonym: [UInt8]? = nil,
        nextPage: UInt32 = 0
    ) {
        self.id = id
        self.isCustodian = isCustodian
        self.isGrantee = isGrantee
        self.patient = patient
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.isRevoked = isRevoked
        self.sealedPseudonym = sealedPseudonym
        self.nextPage = nextPage
    }
}

/// Where a record's wrapped key stands.
package struct EnvelopePlace: Hashable, Sendable {
    package var grant: GrantID
    package var custodian: InstitutionID
    package var page: UInt32
    /// The page's object.
    package var object: ContentAddress
    /// Position among the page's entries.
    package var index: UInt32
}

/// What `find` learned about a record, so that a later `fetch` needs only its address.
package struct FinderNote: Hashable, Sendable {
    package var record: ContentAddress
    package var institution: InstitutionID
    /// The pseudonym by which it was found, sealed under a key of this home.
    package var sealedPseudonym: [UInt8]
    package var time: Timestamp

    package init(record: ContentAddress, institution: InstitutionID, sealedPseudonym: [UInt8], time: Timestamp) {
        self.record = record
        self.institution = institution
        self.sealedPseudonym = sealedPseudonym
        self.time = time
    }
}

/// A fetch receipt of this institution.
package struct StoredReceipt: Hashable, Sendable {
    package var number: Int64
    package var patient: PatientNumber
    /// Index of the search token under which it is published.
    package var index: UInt64
    package var leafHash: Digest
    /// The receipt, sealed under a key of this home.
    package var sealed: [UInt8]
    /// The receipt batch that commits it and the position in it; `nil` while it waits.
    package var place: Place?

    /// The batch that commits a receipt, and where in it.
    package struct Place: Hashable, Sendable {
        package var batch: UInt64
        package var index: UInt32
    }
}
