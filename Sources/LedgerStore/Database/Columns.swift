internal import Foundation
internal import GRDB
internal import Primitives
internal import Records

extension Database {
    /// Runs one statement that gives no rows.
    ///
    /// The statement is compiled once per connection.
    func run(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
        try self.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    /// Calls `body` for each row until it returns `false`.
    ///
    /// `body` must not run the same `sql`.
    func forEach(
        _ sql: String,
        _ arguments: StatementArguments = StatementArguments(),
        _ body: (Row) throws -> Bool
    ) throws {
        let rows = try Row.fetchCursor(try self.cachedStatement(sql: sql), arguments: arguments)
        while let row = try rows.next() {
            guard try body(row) else { return }
        }
    }

    func all<Value>(
        _ sql: String,
        _ arguments: StatementArguments = StatementArguments(),
        _ map: (Row) throws -> Value
    ) throws -> [Value] {
        var values: [Value] = []
        try self.forEach(sql, arguments) { row in
            values.append(try map(row))
            return true
        }
        return values
    }

    func first<Value>(
        _ sql: String,
        _ arguments: StatementArguments = StatementArguments(),
        _ map: (Row) throws -> Value
    ) throws -> Value? {
        var value: Value?
        try self.forEach(sql, arguments) { row in
            value = try map(row)
            return false
        }
        return value
    }

    /// The row of a statement that changes at most one and returns it (`RETURNING`); runs the statement to its end.
    func only<Value>(_ sql: String, _ arguments: StatementArguments, _ map: (Row) throws -> Value) throws -> Value? {
        try self.all(sql, arguments, map).first
    }
}

/// `IN (?, ?, …)` lists of one length, so that one compiled statement serves every call.
enum KeyList {
    /// Below SQLite's smallest limit of 999 and long enough that compiling and stepping are shared by many keys.
    static let count = 128
    static let placeholders = Array(repeating: "?", count: count).joined(separator: ",")

    /// Calls `body` with lists of exactly ``count`` keys that together hold every key; the last is filled up with a
    /// repeated key, which finds nothing new.
    static func forEach(_ keys: [Int64], _ body: ([Int64]) throws -> Void) throws {
        let keys = Array(Set(keys)).sorted()
        for start in stride(from: 0, to: keys.count, by: Self.count) {
            var list = Array(keys[start..<min(start + Self.count, keys.count)])
            while list.count < Self.count { list.append(list[0]) }
            try body(list)
        }
    }
}

extension Row {
    /// The bytes of column `index`; no bytes for NULL.
    func bytes(_ index: Int) throws -> [UInt8] {
        try self.withUnsafeData(atIndex: index) { data in data.map { [UInt8]($0) } ?? [] }
    }

    func bytesIfPresent(_ index: Int) throws -> [UInt8]? {
        try self.withUnsafeData(atIndex: index) { data in data.map { [UInt8]($0) } }
    }

    func int64(_ index: Int) throws -> Int64 {
        guard let value = try self.int64IfPresent(index) else { throw Self.damaged }
        return value
    }

    func int64IfPresent(_ index: Int) throws -> Int64? {
        switch (self[index] as DatabaseValue).storage {
        case .int64(let value): value
        case .null: nil
        case .double, .string, .blob: throw Self.damaged
        }
    }

    /// A number that was stored by ``Swift/UInt64/column``.
    func uint64(_ index: Int) throws -> UInt64 { UInt64(bitPattern: try self.int64(index)) }

    func uint32(_ index: Int) throws -> UInt32 {
        guard let value = UInt32(exactly: try self.int64(index)) else { throw Self.damaged }
        return value
    }

    func uint8(_ index: Int) throws -> UInt8 {
        guard let value = UInt8(exactly: try self.int64(index)) else { throw Self.damaged }
        return value
    }

    func text(_ index: Int) throws -> String {
        guard case .string(let text) = (self[index] as DatabaseValue).storage else { throw Self.damaged }
        return text
    }

    func digest(_ index: Int) throws -> Digest { try Digest(canonicalBytes: try self.bytes(index)) }

    func address(_ index: Int) throws -> ContentAddress { ContentAddress(try self.digest(index)) }

    func height(_ index: Int) throws -> Height { Height(try self.uint64(index)) }

    func timestampIfPresent(_ index: Int) throws -> Timestamp? {
        try self.int64IfPresent(index).map(Timestamp.init(milliseconds:))
    }

    func institution(_ index: Int) throws -> InstitutionID {
        guard let institution = InstitutionID(try self.text(index)) else { throw Self.damaged }
        return institution
    }

    func flag(_ index: Int) throws -> Bool { try self.int64(index) != 0 }

    /// A row whose values cannot have been written by this program.
    static var damaged: LedgerStoreError {
        LedgerStoreError(.corrupt, "a row holds a value that was never written; restore the file from a copy")
    }
}

extension [UInt8] {
    /// As a BLOB.
    ///
    /// GRDB binds no bytes as NULL, so statements say `coalesce(?, x'')` where no bytes are a value.
    var column: Data { Data(self) }
}

extension Digest {
    var column: Data { Data(self.bytes) }
    /// The integer under which a digest is indexed: eight bytes find it, the rest is compared.
    var prefixColumn: Int64 { Int64(bitPattern: self.prefix64) }
}

extension ContentAddress {
    var column: Data { self.digest.column }
    var prefixColumn: Int64 { self.digest.prefixColumn }
}

extension UInt64 {
    /// The same 64 bits as SQLite's signed integer: equality survives, and order below 2^63.
    var column: Int64 { Int64(bitPattern: self) }
}

extension CountingNumber {
    /// Numbers beyond SQLite's become its largest, which no row has: a peer may ask for any.
    var column: Int64 { Int64(clamping: self.value) }
}
