package import PeerLink
import Primitives
package import Records

/// Objects as they travel in the frames of a fetch: each frame is one byte, 1 if it ends an object and else 0, and then
/// bytes of the object's canonical form.
package enum ObjectWriter {
    /// Keeps a vote that shares the line from waiting long.
    static let frameBytes = 256 << 10

    package static func write(_ object: SealedObject, to response: FetchResponse) async throws {
        let bytes = object.canonicalBytes
        var start = 0
        repeat {
            let end = min(start + Self.frameBytes - 1, bytes.count)
            try await response.write([end == bytes.count ? 1 : 0] + bytes[start..<end])
            start = end
        } while start < bytes.count
    }
}

/// The other end of ``ObjectWriter``.
package enum ObjectReader {
    /// Bytes of one reply; 256 records of usual size are far below it.
    static let replyBytesMax = 96 << 20

    /// Reads objects until the fetch ends.
    ///
    /// Bytes that are no object end it with an error.
    package static func read(_ frames: FetchFrames, countMax: Int) async throws -> [SealedObject] {
        var objects: [SealedObject] = []
        var bytes: [UInt8] = []
        var total = 0
        for try await frame in frames {
            guard let last = frame.first, last <= 1 else { throw CanonicalError.invalid }
            total += frame.count
            guard total <= Self.replyBytesMax else { throw CanonicalError.overLimit }
            bytes += frame.dropFirst()
            guard last == 1 else { continue }
            guard objects.count < countMax else { throw CanonicalError.overLimit }
            objects.append(try SealedObject(canonicalBytes: bytes))
            bytes = []
        }
        guard bytes.isEmpty else { throw CanonicalError.truncated }
        return objects
    }
}
