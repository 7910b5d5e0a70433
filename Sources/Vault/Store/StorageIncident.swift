internal import Synchronization

/// Something the disk did that an operator should know about.
package struct StorageIncident: Hashable, Sendable, CustomStringConvertible {
    /// What happened.
    package enum Kind: String, Hashable, Sendable {
        /// Bytes of an unfinished write were set aside at the start. Expected after a crash.
        case tornTail
        /// Intact frames of a damaged segment were rewritten into a new one.
        case segmentRewritten
        /// The disk refused a write or a sync; nothing more is written to that file.
        case writeRefused
        /// A footer was damaged and the frames were scanned in its place.
        case footerDamaged
        /// A segment's first bytes are damaged; its frames are read all the same.
        case headerDamaged
        /// A frame was damaged; the object must be fetched again.
        case frameDamaged
        /// A segment file cannot be read; what it holds is missing until it can.
        case unreadable
        /// A segment file is gone.
        case segmentMissing
        /// A segment's footer is not signed by this institution or does not fit its frames.
        case footerInvalid
        /// A page of data keys is damaged.
        case keyPageDamaged
        /// The data key of one of the institution's own records is gone or does not fit it.
        case dataKeyMissing
        /// There is no room for the reserve file.
        case reserveMissing
    }

    package let kind: Kind
    /// The file's name inside the vault.
    package let file: String
    /// Where in the file, when one place is meant.
    package let offset: UInt64?

    package init(_ kind: Kind, file: String, offset: UInt64? = nil) {
        self.kind = kind
        self.file = file
        self.offset = offset
    }

    package var description: String {
        "\(self.kind.rawValue) in \(self.file)" + (self.offset.map { " at \($0)" } ?? "")
    }
}

/// The incidents since the start, each once.
final class IncidentLog: Sendable {
    /// More than this says nothing new about a failing disk.
    private static let incidentsMax = 1000
    private let incidents = Mutex<[StorageIncident]>([])

    func note(_ kind: StorageIncident.Kind, file: String, offset: UInt64? = nil) {
        let incident = StorageIncident(kind, file: file, offset: offset)
        self.incidents.withLock {
            guard $0.count < Self.incidentsMax, !$0.contains(incident) else { return }
            $0.append(incident)
        }
    }

    var all: [StorageIncident] { self.incidents.withLock { $0 } }
}
