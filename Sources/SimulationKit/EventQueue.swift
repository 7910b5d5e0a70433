/// Events by time, and by order of arrival at equal times: a total order, so that a run can be repeated.
struct EventQueue<Event: Sendable>: Sendable {
    private struct Entry: Sendable {
        let time: Int64
        let order: UInt64
        let event: Event

        func precedes(_ other: Entry) -> Bool { (self.time, self.order) < (other.time, other.order) }
    }

    private var heap: [Entry] = []
    private var order: UInt64 = 0

    var nextTime: Int64? { self.heap.first?.time }

    mutating func insert(_ event: Event, at time: Int64) {
        self.order += 1
        self.heap.append(Entry(time: time, order: self.order, event: event))
        var child = self.heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.heap[child].precedes(self.heap[parent]) else { return }
            self.heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> Event? {
        guard let first = self.heap.first, let last = self.heap.popLast() else { return nil }
        guard !self.heap.isEmpty else { return first.event }
        self.heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < self.heap.count {
                if self.heap[child].precedes(self.heap[least]) { least = child }
            }
            guard least != parent else { return first.event }
            self.heap.swapAt(parent, least)
            parent = least
        }
    }
}
