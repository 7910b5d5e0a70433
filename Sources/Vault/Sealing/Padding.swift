/// Sizes that hide how long a record is (Documentation/Protocol/SealedRecord.md).
package enum Padding {
    static let smallBytesMax = 4096
    static let smallStep = 256

    /// The padded size of `count` bytes: up to 4 KiB the next multiple of 256, above it Padmé (Nikitin et al.,
    /// Reducing Metadata Leakage from Encrypted Files, PETS 2019), which adds at most 12 %.
    package static func size(_ count: Int) -> Int {
        guard count > Self.smallBytesMax else {
            return max(Self.smallStep, (count + Self.smallStep - 1) / Self.smallStep * Self.smallStep)
        }
        let exponent = Int.bitWidth - 1 - count.leadingZeroBitCount
        let kept = Int.bitWidth - exponent.leadingZeroBitCount
        let mask = (1 << (exponent - kept)) - 1
        return (count + mask) & ~mask
    }
}
