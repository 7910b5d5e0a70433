package import Primitives

extension RecognitionFact: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(UInt8(1))
        encoder.encode(self.content)
        encoder.encode(self.time)
        encoder.encode(self.branch)
        encoder.encode(self.department)
        encoder.encode(self.detail)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(UInt8.self) == 1 else { throw .invalid }
        self.content = try decoder.decode()
        self.time = try decoder.decode()
        self.branch = try decoder.decodeString(max: Self.branchBytesMax)
        self.department = try decoder.decode()
        self.detail = try decoder.decode()
    }
}

extension RecognitionFact.Content: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .match(let match):
            encoder.encode(variant: 0)
            encoder.encode(match)
        case .view(let match, let items):
            encoder.encode(variant: 1)
            encoder.encode(match)
            encoder.encode(bytes: items)
        case .closed(let match):
            encoder.encode(variant: 2)
            encoder.encode(match)
        case .decision(let decision):
            encoder.encode(variant: 3)
            encoder.encode(decision)
        case .undo(let match, let decision):
            encoder.encode(variant: 4)
            encoder.encode(match)
            encoder.encode(decision)
        case .citation(let items):
            encoder.encode(variant: 5)
            encoder.encode(items)
        case .void(let record, let reason):
            encoder.encode(variant: 6)
            encoder.encode(record)
            encoder.encode(reason)
        case .production(let day):
            encoder.encode(variant: 7)
            encoder.encode(day)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 8) {
        case 0: self = .match(try decoder.decode())
        case 1: self = .view(try decoder.decode(), items: try decoder.decodeBytes(max: RecognitionMatch.itemsMax))
        case 2: self = .closed(try decoder.decode())
        case 3: self = .decision(try decoder.decode())
        case 4: self = .undo(try decoder.decode(), decision: try decoder.decode())
        case 5: self = .citation(try decoder.decodeArray(max: RecognitionMatch.itemsMax))
        case 6: self = .void(try decoder.decode(), try decoder.decode())
        default: self = .production(try decoder.decode())
        }
    }
}

extension RecognitionMatch: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.id)
        encoder.encode(self.verdict)
        encoder.encode(self.policy)
        encoder.encode(self.items)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.id = try decoder.decode()
        self.verdict = try decoder.decode()
        self.policy = try decoder.decode()
        self.items = try decoder.decodeArray(max: Self.itemsMax)
    }
}

extension RecognitionMatch.Item: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.code)
        encoder.encode(self.itemClass)
        encoder.encode(self.eligibility)
        encoder.encode(self.candidate)
        encoder.encode(self.source)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.code = try decoder.decodeString(max: Self.codeBytesMax)
        self.itemClass = try decoder.decode()
        self.eligibility = try decoder.decode()
        self.candidate = try decoder.decode()
        self.source = try decoder.decode()
    }
}

extension RecognitionDecision: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.match)
        encoder.encode(self.number)
        encoder.encode(self.outcomes)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.match = try decoder.decode()
        self.number = try decoder.decode()
        self.outcomes = try decoder.decodeArray(max: RecognitionMatch.itemsMax)
    }
}

extension RecognitionDecision.Outcome: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.item)
        encoder.encode(self.isAdopted)
        encoder.encode(self.reason)
        encoder.encode(self.text)
        encoder.encode(self.amount)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.item = try decoder.decode()
        self.isAdopted = try decoder.decode()
        self.reason = try decoder.decodeOptionalString(max: RecognitionDecision.Outcome.reasonBytesMax)
        self.text = try decoder.decodeOptional()
        self.amount = try decoder.decodeOptional()
    }
}

extension CitedItem: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.match)
        encoder.encode(self.item)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.match = try decoder.decode()
        self.item = try decoder.decode()
    }
}

extension ProductionDay: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(UInt32(bitPattern: self.day))
        encoder.encode(self.produced)
        encoder.encode(self.committed)
        encoder.encode(self.lagSeconds)
        encoder.encode(self.late)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.day = Int32(bitPattern: try decoder.decode(UInt32.self))
        self.produced = try decoder.decode()
        self.committed = try decoder.decode()
        self.lagSeconds = try decoder.decode()
        self.late = try decoder.decode()
    }
}
