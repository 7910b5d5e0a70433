import Dispatch
import Synchronization

/// Work that is spread over all cores.
package enum Cores {
    /// Maps on all cores, keeping the order.
    ///
    /// `chunk`: inputs that one core takes at a time, enough that the work outweighs handing it out.
    package static func map<Input: Sendable, Output: Sendable>(
        _ inputs: [Input],
        chunk size: Int = 32,
        _ transform: @escaping @Sendable (Input) -> Output
    ) -> [Output] {
        let results = Mutex<[(Int, [Output])]>([])
        let chunks = (inputs.count + size - 1) / size
        DispatchQueue.concurrentPerform(iterations: chunks) { chunk in
            let range = chunk * size..<min((chunk + 1) * size, inputs.count)
            let outputs = inputs[range].map(transform)
            results.withLock { $0.append((chunk, outputs)) }
        }
        return results.withLock { $0 }.sorted { $0.0 < $1.0 }.flatMap(\.1)
    }
}
