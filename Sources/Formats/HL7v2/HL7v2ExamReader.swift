package import Records

/// Reads an exam again from the original bytes it was read from.
package enum HL7v2ExamReader {
    /// Reads the exam of parts that together are a message with one order.
    ///
    /// The types of parts are the words of ``HL7v2Order/Role``; after the first stands the character set, where it was
    /// told from the whole message, and after the last the number among orders of the same name.
    package static func read(_ parts: [RecordContent.Part]) -> Result<ParsedExam, FormatRefusal> {
        do throws(HL7v2Fault) {
            return .success(try self.exam(parts))
        } catch {
            return .failure(FormatRefusal(error.refusal))
        }
    }

    private static func exam(_ parts: [RecordContent.Part]) throws(HL7v2Fault) -> ParsedExam {
        let fault = HL7v2Fault(.badParts, offset: 0)
        guard let first = parts.first, let last = parts.last, parts.count > 1, first.type.hasPrefix("Header"),
            last.type.hasPrefix("Order")
        else { throw fault }
        var set: CharacterSet?
        var occurrence = 1
        for (index, part) in parts.enumerated() {
            let words = part.type.split(separator: " ", omittingEmptySubsequences: false)
            guard let role = words.first, HL7v2Order.Role(rawValue: String(role)) != nil, words.count <= 2 else {
                throw fault
            }
            guard words.count == 2 else { continue }
            if index == 0, let named = CharacterSet(rawValue: String(words[1])) {
                set = named
            } else if index == parts.count - 1, let number = Int(words[1]), number > 1, "\(number)" == words[1] {
                occurrence = number
            } else {
                throw fault
            }
        }
        let message = try HL7v2Message(Array(parts.map(\.bytes).joined()), known: set, decoders: HL7v2Decoders())
        guard try HL7v2MessageReader.typeWithoutResults(message) == nil else { throw fault }
        let orders = try HL7v2Order.orders(of: message)
        guard orders.count == 1 else { throw fault }
        var builder = HL7v2ExamBuilder(message)
        var built = try builder.build(orders[0])
        built.exam.source.number(occurrence)
        return ParsedExam(format: .hl7v2, exam: built.exam, subject: built.subject, parts: parts, offset: 0)
    }
}
