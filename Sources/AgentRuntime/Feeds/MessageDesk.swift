import Formats
import Foundation
import ImportPipeline
import LedgerStore
import Primitives
import Records
import Synchronization
import Vault

/// Takes messages as they came over a connection, and answers them when everything that an answer promises is durable.
///
/// - AA: every exam of the message is durable here, now or before.
/// - AE: something in the message is refused. The whole message is in quarantine under its first refusal, and its other exams
///   are taken. Not quarantined, because nothing of it is taken: other content under a control id that was just used.
/// - AR: not looked at: no HL7 message, or not of a type, version or mode that is taken. Nothing of it is kept.
/// - No answer, and the connection closes, when the fault is not the message's (disk full, store damaged, stopping). Section
///   2.9.2 would allow AR, but many senders drop a message at any answer, and every sender keeps one that has none.
struct MessageDesk: Sendable {
    /// What came over a connection, in order.
    enum Incoming: Sendable {
        case message([UInt8])
        case unreadable(HL7v2Refusal)
    }

    /// Under which name messages stand in quarantine.
    static let source = "mllp"

    private let context: AgentContext
    private let writer: FeedWriter
    private let counts: FeedCounts
    private let memory = ControlIDMemory()
    private let answerIDs: AnswerIDs

    init(context: AgentContext, writer: FeedWriter, counts: FeedCounts) {
        self.context = context
        self.writer = writer
        self.counts = counts
        self.answerIDs = AnswerIDs(start: Clock.now)
    }

    /// An answer for each of `incoming`, in order, without MLLP's frame.
    ///
    /// - Throws: when something could not be made durable; then none of them may be answered.
    func answers(to incoming: [Incoming], _ reader: HL7v2MessageReader) async throws -> [[UInt8]] {
        let started = Clock.uptime
        var judged = incoming.map { self.judge($0, reader) }
        do {
            var outcomes = try await self.writer.write(judged.flatMap(\.items))[...]
            for index in judged.indices {
                judged[index].take(outcomes.prefix(judged[index].items.count))
                outcomes = outcomes.dropFirst(judged[index].items.count)
            }
            try self.context.custody.quarantine(judged.compactMap { self.quarantined($0) })
        } catch {
            for message in judged { self.release(message) }
            throw error
        }
        for message in judged where message.code != .accept { self.release(message) }
        self.count(judged, lag: Clock.uptime - started)
        return judged.map { message in
            HL7v2Acknowledgement.reply(
                to: message.bytes,
                HL7v2Acknowledgement.Answer(
                    code: message.code,
                    refusal: message.refusals.first?.refusal,
                    controlID: self.answerIDs.next(),
                    time: Self.time(Clock.now)
                )
            )
        }
    }

    // MARK: Judging

    /// A message, and what is known of it so far.
    private struct Judged {
        var bytes: [UInt8] = []
        /// AA until something is refused.
        var code = HL7v2Acknowledgement.Code.accept
        var refusals: [(refusal: FormatRefusal, offset: Int)] = []
        var items: [ExamWriter.Item] = []
        var isKept = true
        /// Exams of it that were not known.
        var written = 0
        var isNew: Bool { self.written > 0 }
        /// Its name, where it was claimed, and its content.
        var claim: (name: Digest, content: Digest)?

        mutating func refuse(_ refusal: FormatRefusal, at offset: Int = 0) {
            self.code = .error
            self.refusals.append((refusal, offset))
        }

        mutating func reject(_ refusal: HL7v2Refusal, _ code: HL7v2Acknowledgement.Code = .reject) {
            self.code = code
            self.isKept = false
            self.items = []
            self.refusals = [(FormatRefusal(refusal), 0)]
        }

        mutating func take(_ outcomes: ArraySlice<ExamWriter.Outcome>) {
            for outcome in outcomes {
                switch outcome {
                case .written: self.written += 1
                case .duplicate: break
                case .unidentified: self.refuse(FormatRefusal(SubjectRefusal.unidentified))
                case .tooLarge: self.refuse(FormatRefusal(HL7v2Refusal.tooLarge))
                }
            }
        }
    }

    private func judge(_ incoming: Incoming, _ reader: HL7v2MessageReader) -> Judged {
        var judged = Judged()
        guard case .message(let frame) = incoming else {
            if case .unreadable(let refusal) = incoming { judged.reject(refusal) }
            return judged
        }
        judged.bytes = frame
        // A mark before the header, which some senders set, is no part of the message.
        if frame.starts(with: [0xef, 0xbb, 0xbf]) { judged.bytes.removeFirst(3) }
        if frame.starts(with: [0xff, 0xfe]) || frame.starts(with: [0xfe, 0xff]) { judged.bytes.removeFirst(2) }
        guard let head = HL7v2Head(of: judged.bytes) else {
            judged.reject(judged.bytes.starts(with: Array("MSH".utf8)) ? .badDelimiters : .noHeader)
            return judged
        }
        if let refusal = head.refusal {
            judged.reject(refusal)
            return judged
        }
        let reading = reader.read(HL7v2RawMessage(judged.bytes))
        guard reading.skipped == nil else {
            judged.reject(.unsupportedType)
            return judged
        }
        if head.hasControlID {
            let claim = (name: Digest(hashing: head.name), content: Digest(hashing: judged.bytes))
            guard self.memory.claim(claim.name, content: claim.content, uptime: Clock.uptime) == .granted else {
                judged.reject(.controlIDReused, .error)
                return judged
            }
            judged.claim = claim
        }
        for piece in reading.refused { judged.refuse(piece.refusal, at: piece.offset) }
        for parsed in reading.exams {
            if let refusal = parsed.subject.refusal {
                judged.refuse(FormatRefusal(refusal), at: parsed.offset)
            } else if case .patient(let patient) = parsed.subject {
                judged.items.append(ExamWriter.Item(parsed, patient: patient))
            }
        }
        return judged
    }

    private func release(_ message: Judged) {
        if let claim = message.claim { self.memory.release(claim.name, content: claim.content) }
    }

    private func quarantined(_ message: Judged) -> QuarantinedInput? {
        guard message.isKept, let first = message.refusals.first else { return nil }
        // The message and not only the order at fault, which could not be imported without its header. One that is
        // larger than quarantine keeps is cut off: its sender has it still.
        let kept = Array(message.bytes.prefix(RefusedInput.bytesMax))
        return QuarantinedInput(
            job: 0,
            file: Self.source,
            position: UInt64(clamping: first.offset),
            code: first.refusal.code,
            message: first.refusal.message,
            sealed: self.context.secrets.sealInput(kept),
            digest: self.context.vault.localTag(Array("input".utf8) + message.bytes),
            time: Clock.now
        )
    }

    private func count(_ messages: [Judged], lag: Int64) {
        self.counts.add { counts in
            for message in messages {
                switch message.code {
                case .accept where message.isNew: counts.accepted += 1
                case .accept: counts.duplicate += 1
                case .error: counts.refused += 1
                case .reject: counts.rejected += 1
                }
            }
            counts.lagMillisecondsMax = max(counts.lagMillisecondsMax, lag)
        }
        self.context.feeds.count(
            .mllp,
            FeedBook.Counts(
                read: UInt64(messages.count { $0.code != .reject }),
                committed: UInt64(messages.reduce(0) { $0 + $1.written }),
                duplicate: UInt64(messages.count { $0.code == .accept && !$0.isNew }),
                quarantined: UInt64(messages.count { $0.code == .error && $0.isKept })
            )
        )
    }

    /// A time as HL7 writes it.
    static func time(_ timestamp: Timestamp) -> String {
        var seconds = time_t(timestamp.milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let numbers = [
            parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
        ]
        return numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined() + "+0000"
    }
}

/// Control ids of answers: of at most 20 letters and digits, and not those of the run before.
private final class AnswerIDs: Sendable {
    private let start: String
    private let last = Atomic<UInt64>(0)

    init(start: Timestamp) { self.start = String(UInt64(clamping: start.milliseconds), radix: 36, uppercase: true) }

    func next() -> String {
        let number = self.last.wrappingAdd(1, ordering: .relaxed).newValue
        return "E\(self.start)\(String(number, radix: 36, uppercase: true))"
    }
}
