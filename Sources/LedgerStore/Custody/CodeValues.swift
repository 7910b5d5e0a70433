package import Primitives

/// A version of the code map, as it was made: the whole catalogue, or one entry set by somebody.
///
/// A version is never changed and never deleted.
package struct CodeVersion: Hashable, Sendable {
    /// What changed.
    package enum Kind: Int64, Hashable, Sendable {
        /// `bytes` is a canonical code map.
        case catalogue = 1
        /// `bytes` is one canonical entry.
        case entry = 2
    }

    /// Counts from 1 without gaps.
    package var number: Int64
    package var version: String
    /// Of the whole map that is in force with this version.
    package var digest: Digest
    /// Who made it, as he names himself.
    package var author: String
    package var time: Timestamp
    package var kind: Kind
    package var bytes: [UInt8]

    package init(
        number: Int64,
        version: String,
        digest: Digest,
        author: String,
        time: Timestamp,
        kind: Kind,
        bytes: [UInt8]
    ) {
        self.number = number
        self.version = version
        self.digest = digest
        self.author = author
        self.time = time
        self.kind = kind
        self.bytes = bytes
    }
}

/// A code that exams were imported with and that somebody has to look at.
package struct ReviewedCode: Hashable, Sendable {
    /// Why.
    package enum Reason: Int64, Hashable, Sendable {
        /// The code map does not know it.
        case unmapped = 1
        /// The code map has several items for it.
        case ambiguous = 2
        /// It is mapped, and its unit cannot be converted into the item's.
        case unit = 3
    }

    package var source: String
    /// As the source names it; `nil` if it names none.
    package var system: String?
    package var code: String
    package var specimen: String?
    /// The source's own name.
    package var name: String?
    /// As it is written.
    package var unit: String?
    package var reason: Reason

    package init(
        source: String,
        system: String?,
        code: String,
        specimen: String?,
        name: String?,
        unit: String?,
        reason: Reason
    ) {
        self.source = source
        self.system = system
        self.code = code
        self.specimen = specimen
        self.name = name
        self.unit = unit
        self.reason = reason
    }

    // By bytes, as the store compares them: hashing by canonical equivalence decomposes every name.
    package static func == (left: ReviewedCode, right: ReviewedCode) -> Bool {
        left.reason == right.reason && Self.isSame(left.code, right.code) && Self.isSame(left.unit, right.unit)
            && Self.isSame(left.name, right.name) && Self.isSame(left.system, right.system)
            && Self.isSame(left.specimen, right.specimen) && Self.isSame(left.source, right.source)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.reason)
        for text in [self.code, self.unit, self.name, self.system, self.specimen] {
            var text = text ?? ""
            text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }

    private static func isSame(_ left: String?, _ right: String?) -> Bool {
        switch (left, right) {
        case (let left?, let right?): left.utf8.elementsEqual(right.utf8)
        case (nil, nil): true
        default: false
        }
    }
}

/// The codes of a batch that somebody has to look at, with how often they came.
package struct ReviewedCodes: Sendable {
    /// Far more distinct codes than one hospital has; what comes after is only counted.
    package static let codesMax = 10_000
    /// A longer code is only counted, and a longer name or unit left out: whoever sends it may not fill the disk.
    package static let textBytesMax = 256

    package private(set) var counts: [ReviewedCode: Int64] = [:]
    /// Results whose code is not in the list because the list is full or the code too long.
    package private(set) var others: Int64 = 0

    package init() {}

    package mutating func add(_ code: ReviewedCode) {
        if let known = self.counts[code] {
            self.counts[code] = known + 1
            return
        }
        guard [code.code, code.system, code.specimen].allSatisfy(Self.isShort) else {
            self.others += 1
            return
        }
        var code = code
        if !Self.isShort(code.name) { code.name = nil }
        if !Self.isShort(code.unit) { code.unit = nil }
        guard self.counts.count < Self.codesMax || self.counts[code] != nil else {
            self.others += 1
            return
        }
        self.counts[code, default: 0] += 1
    }

    private static func isShort(_ text: String?) -> Bool { (text?.utf8.count ?? 0) <= Self.textBytesMax }
}
