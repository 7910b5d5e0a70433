/// A value with exactly one byte form, the form that is hashed, signed, stored and sent.
///
/// The encoding is BCS (Binary Canonical Serialization, https://github.com/zefchain/bcs): little-endian fixed-width
/// integers, ULEB128 lengths and variant numbers, fields in declared order, no names and no padding.
package protocol CanonicalEncodable {
    /// Appends this value's fields, in declared order.
    func encode(into encoder: inout CanonicalEncoder)
}

/// A value that can be read back from its only byte form.
package protocol CanonicalDecodable {
    /// Reads this value's fields, in declared order, and refuses every encoding but the canonical one.
    init(from decoder: inout CanonicalDecoder) throws(CanonicalError)
}

package typealias CanonicalCodable = CanonicalEncodable & CanonicalDecodable

extension CanonicalEncodable {
    /// The canonical bytes of this value alone.
    package var canonicalBytes: [UInt8] {
        var encoder = CanonicalEncoder()
        self.encode(into: &encoder)
        return encoder.bytes
    }
}

extension CanonicalDecodable {
    /// Reads a value that takes up all of `bytes`.
    package init(canonicalBytes bytes: [UInt8]) throws(CanonicalError) {
        var decoder = CanonicalDecoder(bytes)
        self = try Self(from: &decoder)
        try decoder.finish()
    }
}

/// Writes BCS.
package struct CanonicalEncoder: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(reservingCapacity capacity: Int = 0) {
        self.bytes.reserveCapacity(capacity)
    }

    package mutating func encode(_ value: UInt8) { self.bytes.append(value) }
    package mutating func encode(_ value: UInt16) { self.encode(integer: value) }
    package mutating func encode(_ value: UInt32) { self.encode(integer: value) }
    package mutating func encode(_ value: UInt64) { self.encode(integer: value) }
    package mutating func encode(_ value: Int64) { self.encode(integer: UInt64(bitPattern: value)) }
    package mutating func encode(_ value: Bool) { self.bytes.append(value ? 1 : 0) }

    /// Appends bytes whose number both sides know: no length is written.
    package mutating func encode(fixed value: some Collection<UInt8>) { self.bytes.append(contentsOf: value) }

    /// Appends a length and that many bytes.
    package mutating func encode(bytes value: some Collection<UInt8>) {
        self.encode(length: value.count)
        self.bytes.append(contentsOf: value)
    }

    /// Appends a length in UTF-8 bytes and the text.
    package mutating func encode(_ value: String) {
        var value = value
        value.makeContiguousUTF8()
        self.encode(length: value.utf8.count)
        self.bytes.append(contentsOf: value.utf8)
    }

    package mutating func encode(_ value: some CanonicalEncodable) { value.encode(into: &self) }

    package mutating func encode(_ values: [some CanonicalEncodable]) {
        self.encode(length: values.count)
        // In a span nothing is copied to be looked at.
        let span = values.span
        for index in span.indices { span[index].encode(into: &self) }
    }

    package mutating func encode(_ values: [String]) {
        self.encode(length: values.count)
        for value in values { self.encode(value) }
    }

    package mutating func encode(_ value: (some CanonicalEncodable)?) {
        self.encode(value != nil)
        value?.encode(into: &self)
    }

    package mutating func encode(_ value: String?) {
        self.encode(value != nil)
        if let value { self.encode(value) }
    }

    package mutating func encode(_ value: UInt64?) {
        self.encode(value != nil)
        if let value { self.encode(value) }
    }

    package mutating func encode(_ value: UInt32?) {
        self.encode(value != nil)
        if let value { self.encode(value) }
    }

    /// Appends the number of the case of an enumeration.
    package mutating func encode(variant: UInt32) { self.encode(uleb128: variant) }

    /// Appends the number of elements that follow.
    package mutating func encode(length: Int) {
        precondition(length >= 0 && length <= CanonicalDecoder.lengthMax, "a canonical sequence is bounded")
        self.encode(uleb128: UInt32(length))
    }

    private mutating func encode(uleb128 value: UInt32) {
        var rest = value
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(rest))
    }

    private mutating func encode(integer value: some FixedWidthInteger & UnsignedInteger) {
        // At once: a byte at a time, each append asks whether the array is shared and has room.
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe self.bytes.append(contentsOf: $0) }
    }
}
