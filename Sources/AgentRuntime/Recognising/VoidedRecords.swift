package import Primitives
import Synchronization

/// Which records their sources declared void, and when, as the book of facts has it.
package final class VoidedRecords: Sendable {
    private let records = Mutex<[ContentAddress: Timestamp]>([:])

    package init() {}

    package func isVoid(_ record: ContentAddress, at time: Timestamp) -> Bool {
        self.records.withLock { $0[record] }.map { $0 <= time } ?? false
    }

    func set(_ records: [ContentAddress: Timestamp]) { self.records.withLock { $0 = records } }
}
