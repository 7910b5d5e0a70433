/// Why bytes are not the canonical form of a value.
package enum CanonicalError: Error, Hashable, Sendable {
    /// The bytes end inside the value.
    case truncated
    /// Bytes follow the value.
    case trailing
    /// The value could be read, but a shorter or ordered form of it exists.
    case notCanonical
    /// A length, depth or count is over the limit for its place.
    case overLimit
    /// The bytes are well formed, but no such value exists.
    case invalid
}

/// Reads BCS from untrusted bytes: never traps and never allocates more than the input's own size.
package struct CanonicalDecoder: Sendable {
    /// BCS allows lengths up to 2^31 - 1.
    package static let lengthMax = Int(Int32.max)

    private let bytes: [UInt8]
    /// Index of the next byte to be read.
    package private(set) var position: Int
    private let end: Int

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        self.position = 0
        self.end = bytes.count
    }

    package var remaining: Int { self.end - self.position }

    /// Succeeds if everything has been read.
    package func finish() throws(CanonicalError) {
        guard self.remaining == 0 else { throw .trailing }
    }

    package mutating func decode(_: UInt8.Type = UInt8.self) throws(CanonicalError) -> UInt8 {
        guard self.position < self.end else { throw .truncated }
        defer { self.position += 1 }
        return self.bytes[self.position]
    }

    package mutating func decode(_: UInt16.Type = UInt16.self) throws(CanonicalError) -> UInt16 {
        try self.integer()
    }

    package mutating func decode(_: UInt32.Type = UInt32.self) throws(CanonicalError) -> UInt32 {
        try self.integer()
    }

    package mutating func decode(_: UInt64.Type = UInt64.self) throws(CanonicalError) -> UInt64 {
        try self.integer()
    }

    package mutating func decode(_: Int64.Type = Int64.self) throws(CanonicalError) -> Int64 {
        Int64(bitPattern: try self.integer())
    }

    package mutating func decode(_: Bool.Type = Bool.self) throws(CanonicalError) -> Bool {
        switch try self.decode(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw .notCanonical
        }
    }

    package mutating func decode(fixed count: Int) throws(CanonicalError) -> [UInt8] {
        guard count <= self.remaining else { throw .truncated }
        defer { self.position += count }
        return Array(self.bytes[self.position..<self.position + count])
    }

    /// Reads a length and that many bytes, at most `max`.
    package mutating func decodeBytes(max: Int) throws(CanonicalError) -> [UInt8] {
        let count = try self.decodeLength(max: max)
        return try self.decode(fixed: count)
    }

    /// Reads UTF-8 text of at most `max` bytes; ill-formed UTF-8 is refused.
    package mutating func decodeString(max: Int) throws(CanonicalError) -> String {
        let bytes = try self.decodeBytes(max: max)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalid }
        return text
    }

    package mutating func decode<Value: CanonicalDecodable>(
        _: Value.Type = Value.self
    ) throws(CanonicalError) -> Value {
        try Value(from: &self)
    }

    /// Reads a sequence of at most `max` values.
    package mutating func decodeArray<Value: CanonicalDecodable>(
        of _: Value.Type = Value.self,
        max: Int
    ) throws(CanonicalError) -> [Value] {
        let count = try self.decodeLength(max: max)
        var values: [Value] = []
        values.reserveCapacity(Swift.min(count, 1024))
        for _ in 0..<count { values.append(try Value(from: &self)) }
        return values
    }

    package mutating func decodeStrings(max: Int, lengthMax: Int) throws(CanonicalError) -> [String] {
        let count = try self.decodeLength(max: max)
        var values: [String] = []
        for _ in 0..<count { values.append(try self.decodeString(max: lengthMax)) }
        return values
    }

    package mutating func decodeOptional<Value: CanonicalDecodable>(
        _: Value.Type = Value.self
    ) throws(CanonicalError) -> Value? {
        try self.decode(Bool.self) ? try Value(from: &self) : nil
    }

    package mutating func decodeOptionalString(max: Int) throws(CanonicalError) -> String? {
        try self.decode(Bool.self) ? try self.decodeString(max: max) : nil
    }

    package mutating func decodeOptionalUInt64() throws(CanonicalError) -> UInt64? {
        try self.decode(Bool.self) ? try self.decode(UInt64.self) : nil
    }

    package mutating func decodeOptionalUInt32() throws(CanonicalError) -> UInt32? {
        try self.decode(Bool.self) ? try self.decode(UInt32.self) : nil
    }

    /// Reads the number of the case of an enumeration that has `count` cases.
    package mutating func decodeVariant(count: UInt32) throws(CanonicalError) -> UInt32 {
        let variant = try self.uleb128()
        guard variant < count else { throw .invalid }
        return variant
    }

    /// Reads the number of elements that follow, at most `max`.
    package mutating func decodeLength(max: Int) throws(CanonicalError) -> Int {
        let length = Int(try self.uleb128())
        guard length <= max, length <= Self.lengthMax else { throw .overLimit }
        return length
    }

    private mutating func uleb128() throws(CanonicalError) -> UInt32 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 35, by: 7) {
            let byte = try self.decode(UInt8.self)
            value |= UInt64(byte & 0x7f) << shift
            guard byte & 0x80 == 0 else { continue }
            // A last byte of zero would be a longer form of the same number.
            guard byte != 0 || shift == 0, value <= UInt64(UInt32.max) else { throw .notCanonical }
            return UInt32(value)
        }
        throw .notCanonical
    }

    private mutating func integer<Integer: FixedWidthInteger & UnsignedInteger>() throws(CanonicalError) -> Integer {
        let count = Integer.bitWidth / 8
        guard count <= self.remaining else { throw .truncated }
        var value: Integer = 0
        for index in 0..<count {
            value |= Integer(truncatingIfNeeded: self.bytes[self.position + index]) << Integer(8 * index)
        }
        self.position += count
        return value
    }
}
