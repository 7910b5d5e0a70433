internal import GRDB

// Numbers that a service keeps across restarts, such as the height up to which it has read the chain.
extension CustodyStore {
    package func mark(_ name: String) throws(LedgerStoreError) -> UInt64? {
        try self.file.read { db in
            try db.first("SELECT value FROM marks WHERE name = ?", [name]) { try $0.uint64(0) }
        }
    }

    package func setMark(_ name: String, _ value: UInt64) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run("INSERT OR REPLACE INTO marks (name, value) VALUES (?, ?)", [name, value.column])
        }
    }
}
