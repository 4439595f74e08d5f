internal import Synchronization

/// What one distributed request may take: its time, and the bytes of all answers together.
package final class Allowance: Sendable {
    /// Of a request that comes of another one within this program: that one's.
    @TaskLocal package static var inheritedDeadline: ContinuousClock.Instant?

    private let deadline: ContinuousClock.Instant
    private let byteCount = Mutex(byteCountMax)
    private static let byteCountMax = 64 << 20
    private static let duration: Duration = .seconds(30)

    init() {
        let own = ContinuousClock.now.advanced(by: Self.duration)
        deadline = Self.inheritedDeadline.map { min($0, own) } ?? own
    }

    /// Nil when the time is up.
    var secondsLeft: Double? {
        let left = ContinuousClock.now.duration(to: deadline)
        return left > .zero ? left / .seconds(1) : nil
    }

    var isSpent: Bool { secondsLeft == nil || bytesLeft == 0 }
    var bytesLeft: Int { byteCount.withLock { max(0, $0) } }
    func spend(bytes: Int) { byteCount.withLock { $0 -= bytes } }
}
