import Records

/// Checks the counts of batch and file headers and trailers (section 2.10.3) against what came between them.
struct HL7v2Envelope: Sendable {
    private var isFileOpen = false
    private var isBatchOpen = false
    private var batches = 0
    private var messages = 0

    mutating func messageBegan() { self.messages += 1 }

    /// Takes an envelope segment; `count` is the first field of a trailer.
    ///
    /// - Returns: what is wrong.
    mutating func take(_ id: HL7v2SegmentID, count: Int?) -> HL7v2Refusal? {
        switch id {
        case "FHS":
            defer { (self.isFileOpen, self.isBatchOpen, self.batches, self.messages) = (true, false, 0, 0) }
            return self.isFileOpen || self.isBatchOpen ? .batchOpen : nil
        case "BHS":
            defer { (self.isBatchOpen, self.messages) = (true, 0) }
            return self.isBatchOpen ? .batchOpen : nil
        case "BTS":
            defer { (self.isBatchOpen, self.messages, self.batches) = (false, 0, self.batches + 1) }
            guard self.isBatchOpen else { return .batchOpen }
            return count == nil || count == self.messages ? nil : .batchCount
        default:
            defer { self = HL7v2Envelope() }
            guard self.isFileOpen, !self.isBatchOpen else { return .batchOpen }
            // A file without batches has nothing to count.
            return count == nil || self.batches == 0 || count == self.batches ? nil : .batchCount
        }
    }

    /// Whether a trailer is missing at the end.
    var isOpen: Bool { self.isFileOpen || self.isBatchOpen }
}
