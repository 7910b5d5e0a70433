import Records

/// What one message holds.
package struct HL7v2Reading: Hashable, Sendable {
    package var exams: [ParsedExam] = []
    package var refused: [RefusedPiece] = []
    /// Type of a message that holds no results, such as `ADT^A01`; `nil` for one that does.
    package var skipped: String?

    package init() {}
}

/// Reads the exams of messages: one of each order.
///
/// Keeps what is costly to make from one message to the next. Not shared between threads: make one for each input.
package struct HL7v2MessageReader {
    private let decoders = HL7v2Decoders()

    package init() {}

    /// Reads one message; what is wrong with one order leaves the others as they are.
    package func read(_ raw: HL7v2RawMessage) -> HL7v2Reading {
        var reading = HL7v2Reading()
        do throws(HL7v2Fault) {
            let message = try HL7v2Message(raw.bytes, decoders: self.decoders)
            if let type = try Self.typeWithoutResults(message) {
                reading.skipped = type
                return reading
            }
            guard message.continuationPointer == nil, message.header.field(14).isEmpty else {
                throw HL7v2Fault(.continuationMissing, offset: 0, element: "MSH-14")
            }
            self.read(try HL7v2Order.orders(of: message), message, raw, into: &reading)
        } catch {
            reading.refused.append(RefusedPiece(error, range: raw.range, in: raw))
        }
        return reading
    }

    private func read(
        _ orders: [HL7v2Order],
        _ message: HL7v2Message,
        _ raw: HL7v2RawMessage,
        into reading: inout HL7v2Reading
    ) {
        var builder = HL7v2ExamBuilder(message)
        var names: [ExamSource: Int] = [:]
        var budget = max(HL7v2Limits.sharedBytesMin, message.bytes.count * HL7v2Limits.sharingFactorMax)
        for order in orders {
            let own = order.range(in: message)
            let range = raw.inputOffset(of: own.lowerBound)..<raw.inputOffset(of: own.upperBound)
            do throws(HL7v2Fault) {
                budget -= order.size
                guard budget >= 0 else { throw HL7v2Fault(.tooLarge, offset: own.lowerBound) }
                var built = try builder.build(order)
                let occurrence = names[built.exam.source, default: 0] + 1
                names[built.exam.source] = occurrence
                built.exam.source.number(occurrence)
                reading.exams.append(
                    ParsedExam(
                        format: .hl7v2,
                        exam: built.exam,
                        subject: built.subject,
                        parts: order.parts(of: message, occurrence: occurrence),
                        offset: raw.offset
                    )
                )
            } catch {
                reading.refused.append(RefusedPiece(error, range: range, in: raw))
            }
        }
    }

    /// The type of a message that never holds results of examinations; `nil` for ORU, OUL, and MDM with a document.
    ///
    /// - Throws: `messageTypeMissing`.
    static func typeWithoutResults(_ message: HL7v2Message) throws(HL7v2Fault) -> String? {
        guard let code = message.code, code.utf8.count == 3, code.utf8.allSatisfy(HL7v2SegmentID.isCapitalOrDigit)
        else { throw HL7v2Fault(.messageTypeMissing, offset: 0, element: "MSH-9") }
        // A word of the standard, not of the sender: it is shown in counts.
        let trigger = message.trigger.flatMap { trigger in
            trigger.utf8.count == 3 && trigger.utf8.allSatisfy(HL7v2SegmentID.isCapitalOrDigit) ? trigger : nil
        }
        switch (code, trigger) {
        case ("ORU", _), ("OUL", _): return nil
        case ("MDM", "T02"), ("MDM", "T04"), ("MDM", "T06"), ("MDM", "T08"), ("MDM", "T10"), ("MDM", "T11"): return nil
        default: return trigger.map { "\(code)^\($0)" } ?? code
        }
    }
}

extension ExamSource {
    /// Tells orders of one message apart that have the same name.
    mutating func number(_ occurrence: Int) {
        if occurrence > 1 { self.value += "#\(occurrence)" }
    }
}

extension RefusedPiece {
    init(_ fault: HL7v2Fault, range: Range<Int>, in raw: HL7v2RawMessage) {
        self.init(
            FormatRefusal(fault.refusal),
            element: fault.element,
            offset: raw.inputOffset(of: fault.offset),
            range: range
        )
    }
}
