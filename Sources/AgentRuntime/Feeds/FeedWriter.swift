import Synchronization

/// Writes the exams of many messages together: while one batch is made durable, those that come gather for the next.
///
/// Making a batch durable costs some milliseconds whatever it holds, so a feed is as fast as its batches are full. Messages
/// are written in the order in which they came here.
package final class FeedWriter: Sendable {
    package typealias Write = @Sendable ([ExamWriter.Item]) async throws -> [ExamWriter.Outcome]

    /// The exams of one call, and what became of them.
    private final class Ticket: Sendable {
        let items: [ExamWriter.Item]
        let result = Mutex<Result<[ExamWriter.Outcome], any Error>?>(nil)

        init(_ items: [ExamWriter.Item]) { self.items = items }

        var isDone: Bool { self.result.withLock { $0 != nil } }
    }

    private let batchMax: Int
    private let writeBatch: Write
    private let gate = AsyncGate()
    private let waiting = Mutex<[Ticket]>([])

    /// `write`: makes up to `batchMax` exams durable.
    package init(batchMax: Int = ExamWriter.batchMax, write: @escaping Write) {
        self.batchMax = batchMax
        self.writeBatch = write
    }

    /// Returns what became of each exam, when all of them are durable.
    package func write(_ items: [ExamWriter.Item]) async throws -> [ExamWriter.Outcome] {
        guard !items.isEmpty else { return [] }
        let ticket = Ticket(items)
        self.waiting.withLock { $0.append(ticket) }
        await self.gate.through {
            // Mostly whoever passed before has written these too.
            while !ticket.isDone { await self.writeNext() }
        }
        guard let result = ticket.result.withLock({ $0 }) else { preconditionFailure("written above") }
        return try result.get()
    }

    /// Writes what waits, as much of it as fits into one batch.
    private func writeNext() async {
        let group = self.waiting.withLock { waiting in
            var (count, exams) = (0, 0)
            while count < waiting.count, count == 0 || exams + waiting[count].items.count <= self.batchMax {
                exams += waiting[count].items.count
                count += 1
            }
            defer { waiting.removeFirst(count) }
            return Array(waiting.prefix(count))
        }
        let items = group.flatMap(\.items)
        do {
            var outcomes: [ExamWriter.Outcome] = []
            // More than one batch only where a single call has more exams than one holds.
            while outcomes.count < items.count {
                let batch = items[outcomes.count...].prefix(self.batchMax)
                outcomes += try await self.writeBatch(Array(batch))
            }
            var rest = outcomes[...]
            for ticket in group {
                let own = Array(rest.prefix(ticket.items.count))
                rest = rest.dropFirst(own.count)
                ticket.result.withLock { $0 = .success(own) }
            }
        } catch {
            for ticket in group { ticket.result.withLock { $0 = .failure(error) } }
        }
    }
}
