package import Primitives

/// The rules of mutual recognition of one consortium from one day to another: signed, versioned data.
///
/// Catalogue, windows, marks, levels and reasons stand here and never in code. The order of lists is part of the pack:
/// of rules that could apply, the first one does.
package struct PolicyPack: Hashable, Sendable {
    package static let schema: UInt8 = 1
    /// Of a pack that attests something of its members.
    package static let attestedSchema: UInt8 = 2
    /// The canonical bytes of a pack; a catalogue of a few thousand items stays far below.
    package static let bytesMax = 4 << 20
    package static let itemsMax = 8192
    package static let rulesMax = 4096
    package static let pactsMax = 64
    package static let listMax = 256
    package static let textBytesMax = 512
    package static let nameBytesMax = Scope.nameBytesMax

    /// Name of the series of packs that replace one another.
    package var name: String
    package var version: UInt32
    /// First and last second in which orders are judged by this pack, in seconds since 1970-01-01T00:00:00Z.
    package var effectiveFrom: Int64
    package var effectiveTo: Int64?
    /// Whether the pack says of itself that it is an example and no one's rules.
    package var isExample: Bool
    /// How far clocks may be apart before a time counts as lying in the future, in seconds.
    package var clockSkewSeconds: UInt32
    /// How old the knowledge of a source that cannot be reached may be, in seconds.
    package var staleAfterSeconds: UInt32
    /// How long after a decision it may still be taken back, in minutes.
    package var undoMinutes: UInt32
    package var items: [Item]
    package var conversions: [Conversion]
    /// Spellings of qualitative results, each with what it stands for.
    package var ordinals: [Ordinal]
    package var pacts: [Pact]
    package var authorities: [Authority]
    package var windows: [Window]
    package var levels: [LevelRule]
    package var negatives: [NegativeRule]
    package var labels: [LabelRule]
    package var flags: [FlagRule]
    package var texts: [ReasonText]
    package var reasonMaps: [ReasonMap]
    package var marks: [MemberMark]
    package var assessments: [MemberAssessment]

    package init(
        name: String,
        version: UInt32,
        effectiveFrom: Int64,
        effectiveTo: Int64?,
        isExample: Bool,
        clockSkewSeconds: UInt32,
        staleAfterSeconds: UInt32,
        undoMinutes: UInt32
    ) {
        self.name = name
        self.version = version
        self.effectiveFrom = effectiveFrom
        self.effectiveTo = effectiveTo
        self.isExample = isExample
        self.clockSkewSeconds = clockSkewSeconds
        self.staleAfterSeconds = staleAfterSeconds
        self.undoMinutes = undoMinutes
        (self.items, self.conversions, self.ordinals, self.pacts, self.authorities) = ([], [], [], [], [])
        (self.windows, self.levels, self.negatives, self.labels) = ([], [], [], [])
        (self.flags, self.texts, self.reasonMaps) = ([], [], [])
        (self.marks, self.assessments) = ([], [])
    }

    private var isAttested: Bool { !self.marks.isEmpty || !self.assessments.isEmpty }

    /// `H("entente/policy/1\0" ‖ canonical bytes)`: what verdicts name and what is signed.
    package var hash: Digest { Digest(hashing: Array("entente/policy/1\0".utf8) + self.canonicalBytes) }

    /// Whether orders of that second are judged by this pack.
    package func isInForce(at time: Int64) -> Bool {
        self.effectiveFrom <= time && time <= (self.effectiveTo ?? .max)
    }
}

extension PolicyPack: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.isAttested ? Self.attestedSchema : Self.schema)
        encoder.encode(self.name)
        encoder.encode(self.version)
        encoder.encode(self.effectiveFrom)
        encoder.encode(self.effectiveTo.map(UInt64.init(bitPattern:)))
        encoder.encode(self.isExample)
        encoder.encode(self.clockSkewSeconds)
        encoder.encode(self.staleAfterSeconds)
        encoder.encode(self.undoMinutes)
        encoder.encode(self.items)
        encoder.encode(self.conversions)
        encoder.encode(self.ordinals)
        encoder.encode(self.pacts)
        encoder.encode(self.authorities)
        encoder.encode(self.windows)
        encoder.encode(self.levels)
        encoder.encode(self.negatives)
        encoder.encode(self.labels)
        encoder.encode(self.flags)
        encoder.encode(self.texts)
        encoder.encode(self.reasonMaps)
        guard self.isAttested else { return }
        encoder.encode(self.marks)
        encoder.encode(self.assessments)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard decoder.remaining <= Self.bytesMax else { throw .overLimit }
        let schema = try decoder.decode(UInt8.self)
        guard schema == Self.schema || schema == Self.attestedSchema else { throw .invalid }
        self.name = try decoder.decodeString(max: Self.nameBytesMax)
        self.version = try decoder.decode()
        self.effectiveFrom = try decoder.decode()
        self.effectiveTo = try decoder.decodeOptionalUInt64().map(Int64.init(bitPattern:))
        self.isExample = try decoder.decode()
        self.clockSkewSeconds = try decoder.decode()
        self.staleAfterSeconds = try decoder.decode()
        self.undoMinutes = try decoder.decode()
        self.items = try decoder.decodeArray(max: Self.itemsMax)
        self.conversions = try decoder.decodeArray(max: Self.itemsMax)
        self.ordinals = try decoder.decodeArray(max: Self.listMax)
        self.pacts = try decoder.decodeArray(max: Self.pactsMax)
        self.authorities = try decoder.decodeArray(max: Self.listMax)
        self.windows = try decoder.decodeArray(max: Self.rulesMax)
        self.levels = try decoder.decodeArray(max: Self.listMax)
        self.negatives = try decoder.decodeArray(max: Self.rulesMax)
        self.labels = try decoder.decodeArray(max: Self.listMax)
        self.flags = try decoder.decodeArray(max: Self.listMax)
        self.texts = try decoder.decodeArray(max: Self.listMax)
        self.reasonMaps = try decoder.decodeArray(max: Self.listMax)
        (self.marks, self.assessments) = ([], [])
        guard schema == Self.attestedSchema else { return }
        self.marks = try decoder.decodeArray(max: Self.rulesMax)
        self.assessments = try decoder.decodeArray(max: Self.rulesMax)
        // One pack has one form.
        guard self.isAttested else { throw .notCanonical }
    }
}
