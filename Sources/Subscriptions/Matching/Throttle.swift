package import CityModel

/// What must pass between two consecutive notifications of a subscription (`throttling`). A change within that time makes
/// no notification. It counts by the moments of the changes, so that it decides the same after a restart.
package struct Throttle: Sendable {
    private let seconds: Double?
    package private(set) var lastMatch: Instant?

    package init(seconds: Double?, lastMatch: Instant?) { (self.seconds, self.lastMatch) = (seconds, lastMatch) }

    /// Whether a change at this moment makes a notification; if so it is the last from now on.
    package mutating func admits(_ moment: Instant) -> Bool {
        // What changed at one moment belongs together, however many notifications it takes (clause 5.8.6).
        if let seconds, let lastMatch, moment != lastMatch, moment < lastMatch.adding(seconds: seconds) { return false }
        lastMatch = moment
        return true
    }
}

/// When a subscription with a `timeInterval` is told the next time.
package struct Period: Sendable {
    private let seconds: Double

    /// - Parameter seconds: less than one counts as one: every round is a search and a flush to disk.
    package init(seconds: Double) { self.seconds = max(1, seconds) }

    /// One period after the moment that was due; when that is past already, for the program stood still, one from now on.
    package func next(after due: Instant, now: Instant) -> Instant {
        let next = due.adding(seconds: seconds)
        return next > now ? next : now.adding(seconds: seconds)
    }
}
