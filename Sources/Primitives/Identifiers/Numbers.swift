/// A number that counts one kind of thing and is never mixed with another.
package protocol CountingNumber: Hashable, Comparable, Sendable, CanonicalCodable, CustomStringConvertible {
    var value: UInt64 { get }
    init(_ value: UInt64)
}

extension CountingNumber {
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    /// The next number.
    ///
    /// Traps at 2^64 - 1: the core checks numbers from peers against a window first.
    package var next: Self { Self(self.value + 1) }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.value) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode(UInt64.self))
    }

    package var description: String { String(self.value) }
}

/// A block's position in the chain; genesis is 0.
package struct Height: CountingNumber {
    package let value: UInt64
    package init(_ value: UInt64) { self.value = value }
}

/// A consensus attempt inside an epoch; the first is 1, and 0 stands for the epoch's genesis block.
package struct View: CountingNumber {
    package let value: UInt64
    package init(_ value: UInt64) { self.value = value }
}

/// The term of one validator set; the first is 0.
package struct Epoch: CountingNumber {
    package let value: UInt64
    package init(_ value: UInt64) { self.value = value }
}

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
package struct Timestamp: Hashable, Comparable, Sendable, CanonicalCodable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// Stops at the ends of the range in place of trapping: times come from peers and files.
    package func advanced(byMilliseconds delta: Int64) -> Timestamp {
        let (sum, overflow) = self.milliseconds.addingReportingOverflow(delta)
        guard overflow else { return Timestamp(milliseconds: sum) }
        return Timestamp(milliseconds: delta < 0 ? .min : .max)
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.milliseconds) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(milliseconds: try decoder.decode(Int64.self))
    }
}
