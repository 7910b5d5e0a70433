import Ledger
import LedgerStore
package import Primitives

/// Finds the state of the chain that counts at the time of an order.
package struct VerdictMoments: Sendable {
    /// A time in whole seconds, with the last block that had been made by then.
    package struct Moment: Sendable {
        package var time: Timestamp
        package var height: Height
        /// Whether it is looked back at.
        package var isPast: Bool
    }

    private let context: AgentContext

    package init(context: AgentContext) { self.context = context }

    /// `knownAt`: the block that was the last one when a verdict of that time was made.
    ///
    /// Several blocks are made in one second, so that the time alone does not tell what a verdict was made from.
    ///
    /// - Throws: ``AgentFailure`` `badRequest` for a time that has not come, and for a block that had not been made at the
    ///   time; errors of the store.
    package func moment(_ time: Timestamp?, knownAt: Height? = nil) throws -> Moment {
        let tip = self.context.board.tip
        guard let time else {
            guard knownAt == nil else { throw AgentFailure(.badRequest, "a block counts only with a time") }
            // A block may be a little ahead of this clock; what it holds is known all the same.
            let now = max(Clock.now, tip.block.header.time)
            return Moment(time: Self.whole(now, up: true), height: tip.height, isPast: false)
        }
        guard time <= Clock.now.advanced(byMilliseconds: 1000) else {
            throw AgentFailure(.badRequest, "the time of an order is not in the future")
        }
        let moment = Self.whole(time, up: false)
        if let height = knownAt {
            guard height <= tip.height, let block = try self.context.chain.block(at: height),
                block.header.time <= moment
            else { throw AgentFailure(.badRequest, "the block is not one that had been made at that time") }
            return Moment(time: moment, height: height, isPast: true)
        }
        return Moment(time: moment, height: try self.height(at: moment, tip), isPast: true)
    }

    private static func whole(_ time: Timestamp, up: Bool) -> Timestamp {
        let seconds = time.secondsDown + (up && time.milliseconds % 1000 != 0 ? 1 : 0)
        return Timestamp(milliseconds: seconds * 1000)
    }

    /// The last block that is not later; block times never go back.
    func height(at time: Timestamp, _ tip: ChainBoard.Tip) throws -> Height {
        if tip.block.header.time <= time { return tip.height }
        var (low, high) = (UInt64(0), tip.height.value)
        while low + 1 < high {
            let middle = low + (high - low) / 2
            guard let block = try self.context.chain.block(at: Height(middle)) else { break }
            if block.header.time <= time { low = middle } else { high = middle }
        }
        return Height(low)
    }
}
