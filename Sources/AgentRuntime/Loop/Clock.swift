import Dispatch
import Foundation
package import Primitives

/// The machine's clocks.
package enum Clock {
    /// Wall clock, which an operator or a time server may set.
    package static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Milliseconds since the machine was started, sleep included: never set, never back.
    package static var uptime: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Seconds east of UTC where the machine stands, at a time.
    package static func offset(at time: Timestamp) -> Int64 {
        var seconds = time_t(time.milliseconds / 1000)
        var local = tm()
        localtime_r(&seconds, &local)
        return Int64(local.tm_gmtoff)
    }

    /// Minutes since midnight where the machine stands.
    package static var minuteOfDay: Int {
        var seconds = time(nil)
        var local = tm()
        localtime_r(&seconds, &local)
        return Int(local.tm_hour) * 60 + Int(local.tm_min)
    }
}
