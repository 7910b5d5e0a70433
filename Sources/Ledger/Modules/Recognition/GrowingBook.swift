package import Primitives
package import Records

/// A book that is kept up with the chain while manifests arrive in any order.
///
/// Batches count in the chain's order. Up to the first whose manifest is missing the book is as it will stay; what lies
/// behind is read again when the missing one has come. So a member that withholds a manifest holds up nothing but what
/// stands in it, and whoever holds the same manifests has the same book.
package struct GrowingBook: Sendable {
    /// Gives the object at an address; `nil` if it is not here.
    package typealias Objects = (ContentAddress) throws -> SealedObject?

    /// What the book says, and what it lacks.
    package struct Reading: Sendable {
        package var book: RecognitionBook
        package var gaps: [PlacedBatch.Gap]
    }

    /// What became of the facts of a batch.
    package struct Judged: Sendable {
        package var batch: PlacedBatch
        package var outcomes: [FactOutcome]
    }

    /// Everything before ``queue``.
    private var solid: RecognitionBook
    private var wrong: [PlacedBatch.Gap] = []
    /// From the first batch on whose manifest is missing.
    private var queue: [PlacedBatch] = []
    /// ``solid`` with what is here of ``queue``; `nil` where that has to be made again.
    private var whole: Reading?
    private var judged: [Judged] = []

    package init(policies: PolicyTimeline) { self.solid = RecognitionBook(policies: policies) }

    /// Sets the packs that the chain has adopted, at least up to the batch that comes next.
    package mutating func adopt(_ policies: PolicyTimeline) {
        self.solid.policies = policies
        self.whole?.book.policies = policies
    }

    /// Takes the next batch of the chain.
    package mutating func append(_ batch: PlacedBatch, _ objects: Objects) throws {
        guard self.queue.isEmpty else {
            self.queue.append(batch)
            guard var whole = self.whole else { return }
            // Not held twice while it changes: a copy of a large book takes long.
            self.whole = nil
            try self.take(batch, into: &whole, objects)
            self.whole = whole
            return
        }
        guard let object = try objects(batch.anchor.manifest) else {
            self.queue = [batch]
            return
        }
        self.take(batch, object)
    }

    /// Takes what follows the solid part and has come.
    package mutating func advance(_ objects: Objects) throws {
        var count = 0
        defer {
            if count > 0 {
                self.queue.removeFirst(count)
                self.whole = nil
            }
        }
        while count < self.queue.count, let object = try objects(self.queue[count].anchor.manifest) {
            self.take(self.queue[count], object)
            count += 1
        }
    }

    /// Notes that manifests have come, whichever.
    package mutating func manifestsCame() { if !self.queue.isEmpty { self.whole = nil } }

    /// The book with everything that is here.
    package mutating func reading(_ objects: Objects) throws -> Reading {
        if self.queue.isEmpty { return Reading(book: self.solid, gaps: self.wrong) }
        if let whole { return whole }
        var reading = Reading(book: self.solid, gaps: self.wrong)
        for batch in self.queue { try self.take(batch, into: &reading, objects) }
        self.whole = reading
        return reading
    }

    /// What became of facts since this was last asked; of some more than once, and then the last counts.
    package mutating func takeJudged() -> [Judged] {
        defer { self.judged = [] }
        return self.judged
    }

    private mutating func take(_ batch: PlacedBatch, _ object: SealedObject) {
        switch self.solid.take(batch, object) {
        case .taken(let outcomes): self.note(batch, outcomes)
        case .gap(let gap): self.wrong.append(gap)
        }
    }

    private mutating func take(_ batch: PlacedBatch, into reading: inout Reading, _ objects: Objects) throws {
        switch reading.book.take(batch, try objects(batch.anchor.manifest)) {
        case .taken(let outcomes): self.note(batch, outcomes)
        case .gap(let gap): reading.gaps.append(gap)
        }
    }

    private mutating func note(_ batch: PlacedBatch, _ outcomes: [FactOutcome]) {
        if !outcomes.isEmpty { self.judged.append(Judged(batch: batch, outcomes: outcomes)) }
    }
}
