package import CityModel

/// Decides what follows a failed delivery, and performs nothing.
package struct DeliveryPlan: Sendable {
    package enum Action: Hashable, Sendable {
        case again(at: Instant)
        case giveUp
    }

    private let attemptCountMax: Int
    private static let pauseSecondsMax = 900.0
    /// Older notifications are not tried any more.
    private static let ageSecondsMax = 86_400.0

    package init(attemptCountMax: Int) { self.attemptCountMax = attemptCountMax }

    /// Whether a message waits no more. No pause is longer than the longest: one that seems so was reckoned before the clock went back, and is over.
    package func isDue(_ due: Instant, cooldownSeconds: Double?, at now: Instant) -> Bool {
        due <= now || due > now.adding(seconds: max(Self.pauseSecondsMax, cooldownSeconds ?? 0))
    }

    /// From when on the age of a message counts at an attempt. Where another attempt was due long ago the program stood still or the clock jumped ahead: in that time nobody
    /// tried, and it does not count.
    /// - Parameter attemptCount: attempts before this one.
    package func began(createdAt: Instant, attemptCount: Int, due: Instant, at now: Instant) -> Instant {
        guard attemptCount > 0, now > due.adding(seconds: Self.pauseSecondsMax) else { return createdAt }
        return createdAt.adding(seconds: Double(now.microseconds - due.microseconds) / 1_000_000)
    }

    /// - Parameter attemptCount: attempts so far, with the one that failed now.
    /// - Parameter cooldownSeconds: the pause that the endpoint asks for at least (clause 5.2.15).
    package func failed(attemptCount: Int, createdAt: Instant, cooldownSeconds: Double?, at now: Instant) -> Action {
        guard attemptCount < attemptCountMax, now < createdAt.adding(seconds: Self.ageSecondsMax) else { return .giveUp }
        let doubled = Double(1 << min(max(attemptCount, 1) - 1, 20))
        return .again(at: now.adding(seconds: max(min(doubled, Self.pauseSecondsMax), cooldownSeconds ?? 0)))
    }
}
