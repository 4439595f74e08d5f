internal import CityModel
internal import Synchronization

/// Bounds what context sources tell at the same time: each of a copy of a subscription, and all together.
final class NotificationIntake: Sendable {
    private let underWay = Mutex<[String: Int]>([:])
    private static let copyCountMax = 2
    private static let countMax = 64

    /// `leave` has to follow.
    /// - Throws: `overloaded`; the source may tell it again.
    func enter(_ copy: String) throws(CityError) {
        let hasEntered = underWay.withLock { underWay in
            guard underWay[copy, default: 0] < Self.copyCountMax, underWay.values.reduce(0, +) < Self.countMax else { return false }
            underWay[copy, default: 0] += 1
            return true
        }
        guard hasEntered else { throw .overloaded("notifications of this source are being taken already") }
    }

    func leave(_ copy: String) {
        underWay.withLock { underWay in
            let count = underWay[copy, default: 1] - 1
            underWay[copy] = count > 0 ? count : nil
        }
    }
}
