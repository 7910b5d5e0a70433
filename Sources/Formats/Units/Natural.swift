/// A whole number from 0, of any size.
///
/// Conversions are exact: no floating point, no rounding before the last step. Callers bound the size by what they let
/// in; nothing here traps on a value.
package struct Natural: Hashable, Sendable {
    /// Base 2^32, least significant first, without leading zeros; empty for 0.
    private(set) var limbs: [UInt32]

    package static let zero = Natural(limbs: [])
    package static let one = Natural(limbs: [1])

    private init(limbs: [UInt32]) { self.limbs = limbs }

    package init(_ value: UInt64) {
        self.init(trimming: [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)])
    }

    private init(trimming limbs: [UInt32]) {
        var limbs = limbs
        while limbs.last == 0 { limbs.removeLast() }
        self.limbs = limbs
    }

    /// 10 to the power of `exponent`, which is not negative.
    package static func powerOfTen(_ exponent: Int) -> Natural {
        var result = Natural.one
        var rest = exponent
        while rest >= 9 {
            result.multiply(by: 1_000_000_000, adding: 0)
            rest -= 9
        }
        for _ in 0..<rest { result.multiply(by: 10, adding: 0) }
        return result
    }

    package var isZero: Bool { self.limbs.isEmpty }
    package var isOdd: Bool { self.limbs.first.map { $0 & 1 == 1 } ?? false }
    package var bitCount: Int { self.limbs.count * 32 - (self.limbs.last?.leadingZeroBitCount ?? 0) }

    /// Decimal digits, without leading zeros; `0` for zero.
    package var decimalText: String {
        guard !self.isZero else { return "0" }
        var chunks: [UInt32] = []
        var rest = self
        while !rest.isZero { chunks.append(rest.divide(by: 1_000_000_000)) }
        var text = String(chunks.removeLast())
        for chunk in chunks.reversed() {
            let digits = String(chunk)
            text += String(repeating: "0", count: 9 - digits.count) + digits
        }
        return text
    }

    /// Multiplies and adds in place; for reading digits.
    package mutating func multiply(by factor: UInt32, adding addend: UInt32) {
        var carry = UInt64(addend)
        for index in self.limbs.indices {
            carry += UInt64(self.limbs[index]) * UInt64(factor)
            self.limbs[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { self.limbs.append(UInt32(carry)) }
        while self.limbs.last == 0 { self.limbs.removeLast() }
    }

    /// Divides in place and returns the remainder.
    private mutating func divide(by divisor: UInt32) -> UInt32 {
        var remainder: UInt64 = 0
        for index in self.limbs.indices.reversed() {
            let part = remainder << 32 | UInt64(self.limbs[index])
            self.limbs[index] = UInt32(part / UInt64(divisor))
            remainder = part % UInt64(divisor)
        }
        while self.limbs.last == 0 { self.limbs.removeLast() }
        return UInt32(remainder)
    }

    package static func + (left: Natural, right: Natural) -> Natural {
        var limbs: [UInt32] = []
        limbs.reserveCapacity(max(left.limbs.count, right.limbs.count) + 1)
        var carry: UInt64 = 0
        for index in 0..<max(left.limbs.count, right.limbs.count) {
            carry += index < left.limbs.count ? UInt64(left.limbs[index]) : 0
            carry += index < right.limbs.count ? UInt64(right.limbs[index]) : 0
            limbs.append(UInt32(truncatingIfNeeded: carry))
            carry >>= 32
        }
        limbs.append(UInt32(carry))
        return Natural(trimming: limbs)
    }

    /// The difference of the larger and the smaller.
    package func distance(to other: Natural) -> Natural {
        let (large, small) = self < other ? (other, self) : (self, other)
        var limbs = large.limbs
        var borrow: Int64 = 0
        for index in limbs.indices {
            var part = Int64(limbs[index]) - borrow - (index < small.limbs.count ? Int64(small.limbs[index]) : 0)
            borrow = part < 0 ? 1 : 0
            if part < 0 { part += 1 << 32 }
            limbs[index] = UInt32(part)
        }
        return Natural(trimming: limbs)
    }

    package static func * (left: Natural, right: Natural) -> Natural {
        guard !left.isZero, !right.isZero else { return .zero }
        var limbs = [UInt32](repeating: 0, count: left.limbs.count + right.limbs.count)
        for (index, limb) in left.limbs.enumerated() {
            var carry: UInt64 = 0
            for (other, factor) in right.limbs.enumerated() {
                carry += UInt64(limb) * UInt64(factor) + UInt64(limbs[index + other])
                limbs[index + other] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            limbs[index + right.limbs.count] = UInt32(carry)
        }
        return Natural(trimming: limbs)
    }

    /// Quotient and remainder; both zero if `divisor` is zero.
    ///
    /// Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D.
    package func divided(by divisor: Natural) -> (quotient: Natural, remainder: Natural) {
        guard !divisor.isZero else { return (.zero, .zero) }
        guard self >= divisor else { return (.zero, self) }
        if divisor.limbs.count == 1 {
            var quotient = self
            let remainder = quotient.divide(by: divisor.limbs[0])
            return (quotient, Natural(UInt64(remainder)))
        }
        // The divisor's first bit is set, so that the estimate of a digit is at most two too large.
        let shift = divisor.limbs[divisor.limbs.count - 1].leadingZeroBitCount
        let low = divisor.shiftedLeft(by: shift).limbs
        var rest = self.shiftedLeft(by: shift).limbs
        while rest.count <= self.limbs.count { rest.append(0) }
        let count = low.count
        var quotient = [UInt32](repeating: 0, count: rest.count - count)
        for position in quotient.indices.reversed() {
            let head = UInt64(rest[position + count]) << 32 | UInt64(rest[position + count - 1])
            var digit = head / UInt64(low[count - 1])
            var left = head % UInt64(low[count - 1])
            while digit >> 32 != 0 || digit * UInt64(low[count - 2]) > left << 32 | UInt64(rest[position + count - 2]) {
                digit -= 1
                left += UInt64(low[count - 1])
                if left >> 32 != 0 { break }
            }
            if Self.subtract(low, times: digit, from: &rest, at: position) {
                digit -= 1
                Self.add(low, to: &rest, at: position)
            }
            quotient[position] = UInt32(truncatingIfNeeded: digit)
        }
        return (Natural(trimming: quotient), Natural(trimming: rest).shiftedRight(by: shift))
    }

    /// Returns whether the difference is negative, in which case it stays as its two's complement.
    private static func subtract(
        _ low: [UInt32],
        times digit: UInt64,
        from rest: inout [UInt32],
        at position: Int
    ) -> Bool {
        var carry: UInt64 = 0
        var borrow: Int64 = 0
        for index in low.indices {
            carry += digit * UInt64(low[index])
            let part = Int64(rest[position + index]) - borrow - Int64(UInt32(truncatingIfNeeded: carry))
            rest[position + index] = UInt32(truncatingIfNeeded: part)
            borrow = part < 0 ? 1 : 0
            carry >>= 32
        }
        let part = Int64(rest[position + low.count]) - borrow - Int64(carry)
        rest[position + low.count] = UInt32(truncatingIfNeeded: part)
        return part < 0
    }

    private static func add(_ low: [UInt32], to rest: inout [UInt32], at position: Int) {
        var carry: UInt64 = 0
        for index in low.indices {
            carry += UInt64(rest[position + index]) + UInt64(low[index])
            rest[position + index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        rest[position + low.count] &+= UInt32(truncatingIfNeeded: carry)
    }

    /// `shift` is 0 to 31.
    private func shiftedLeft(by shift: Int) -> Natural {
        var limbs: [UInt32] = []
        limbs.reserveCapacity(self.limbs.count + 1)
        var carry: UInt64 = 0
        for limb in self.limbs {
            carry |= UInt64(limb) << UInt64(shift)
            limbs.append(UInt32(truncatingIfNeeded: carry))
            carry >>= 32
        }
        limbs.append(UInt32(carry))
        return Natural(trimming: limbs)
    }

    private func shiftedRight(by shift: Int) -> Natural {
        var limbs = self.limbs
        for index in limbs.indices {
            let high = index + 1 < limbs.count ? UInt64(limbs[index + 1]) << 32 : 0
            limbs[index] = UInt32(truncatingIfNeeded: (high | UInt64(limbs[index])) >> UInt64(shift))
        }
        return Natural(trimming: limbs)
    }

    /// Euclid's algorithm.
    package func greatestCommonDivisor(with other: Natural) -> Natural {
        var (large, small) = (self, other)
        while !small.isZero { (large, small) = (small, large.divided(by: small).remainder) }
        return large
    }
}

extension Natural: Comparable {
    package static func < (left: Natural, right: Natural) -> Bool {
        guard left.limbs.count == right.limbs.count else { return left.limbs.count < right.limbs.count }
        for index in left.limbs.indices.reversed() where left.limbs[index] != right.limbs[index] {
            return left.limbs[index] < right.limbs[index]
        }
        return false
    }
}
