internal import Primitives
internal import Records

/// What is fetched in one request.
enum FetchKey: Hashable, Sendable {
    case object(ContentAddress)
    case pages(GrantID, InstitutionID)
}

/// A place in a queue.
///
/// It counts only while the want still has this ticket, so that leaving a queue needs no search.
struct Ticket: Sendable {
    var key: FetchKey
    var number: UInt64
}

/// First in, first out.
struct TicketQueue: Sendable {
    private var items: [Ticket] = []
    private var head = 0

    var isEmpty: Bool { self.head == self.items.count }
    var first: Ticket? { self.isEmpty ? nil : self.items[self.head] }

    mutating func append(_ ticket: Ticket) { self.items.append(ticket) }

    mutating func removeFirst() {
        self.head += 1
        guard self.head * 2 > self.items.count else { return }
        self.items.removeFirst(self.head)
        self.head = 0
    }
}

/// Wants of one priority that share their sources: whether one can be asked for depends on the sources only.
struct Lane: Sendable {
    /// `queues[i]` waits for `sources[i]`, everyone before having been asked in this round.
    var queues: [TicketQueue]

    init(sourceCount: Int) { self.queues = Array(repeating: TicketQueue(), count: sourceCount) }

    var isEmpty: Bool { self.queues.allSatisfy(\.isEmpty) }
}

/// Wants that wait for a time, earliest first.
struct DelayedTickets: Sendable {
    private struct Item: Sendable {
        var due: Timestamp
        var ticket: Ticket
    }

    /// A binary heap.
    private var items: [Item] = []

    var first: (due: Timestamp, ticket: Ticket)? { self.items.first.map { ($0.due, $0.ticket) } }
    var tickets: [Ticket] { self.items.map(\.ticket) }

    mutating func insert(_ ticket: Ticket, due: Timestamp) {
        self.items.append(Item(due: due, ticket: ticket))
        var child = self.items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.precedes(child, parent) else { return }
            self.items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() {
        self.items.swapAt(0, self.items.count - 1)
        self.items.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < self.items.count {
                if self.precedes(child, least) { least = child }
            }
            guard least != parent else { return }
            self.items.swapAt(least, parent)
            parent = least
        }
    }

    /// Tickets are numbered once, so the order is total.
    private func precedes(_ left: Int, _ right: Int) -> Bool {
        (self.items[left].due, self.items[left].ticket.number)
            < (self.items[right].due, self.items[right].ticket.number)
    }
}
