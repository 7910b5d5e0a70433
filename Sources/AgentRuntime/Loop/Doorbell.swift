import Dispatch
import Glibc

/// Wakes one waiting thread, at the latest at a deadline on a clock that is never set.
///
/// `DispatchSemaphore` waits on Linux by the wall clock: set back by an hour during a wait, it would sleep an hour longer.
///
/// Its own lock guards all of it, and the system's condition lives at a fixed address, as it must.
final class Doorbell: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var hasRung = false

    init() {
        let attributes = UnsafeMutablePointer<pthread_condattr_t>.allocate(capacity: 1)
        pthread_condattr_init(attributes)
        pthread_condattr_setclock(attributes, CLOCK_MONOTONIC)
        pthread_cond_init(self.condition, attributes)
        pthread_condattr_destroy(attributes)
        attributes.deallocate()
        pthread_mutex_init(self.mutex, nil)
    }

    deinit {
        pthread_cond_destroy(self.condition)
        pthread_mutex_destroy(self.mutex)
        self.condition.deallocate()
        self.mutex.deallocate()
    }

    /// Ends the wait that is going on, or else the next one.
    func ring() {
        pthread_mutex_lock(self.mutex)
        self.hasRung = true
        pthread_cond_signal(self.condition)
        pthread_mutex_unlock(self.mutex)
    }

    /// Waits for a ring until `deadline`.
    func wait(until deadline: DispatchTime) {
        pthread_mutex_lock(self.mutex)
        // DispatchTime counts on CLOCK_MONOTONIC.
        let seconds = deadline == .distantFuture ? Int(Int32.max) : Int(deadline.uptimeNanoseconds / 1_000_000_000)
        var end = timespec(tv_sec: seconds, tv_nsec: Int(deadline.uptimeNanoseconds % 1_000_000_000))
        while !self.hasRung {
            let result = pthread_cond_timedwait(self.condition, self.mutex, &end)
            if result == ETIMEDOUT { break }
        }
        self.hasRung = false
        pthread_mutex_unlock(self.mutex)
    }
}
