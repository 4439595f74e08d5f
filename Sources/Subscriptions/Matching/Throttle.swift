package import CityModel

/// What must pass between two consecutive notifications of a subscription (`throttling`, table 5.2.12-1). A change within that time
/// is held back until it is over; clause 5.8.6 wants every change told, so none is let fall. It counts by the moments of the
/// changes, so that it decides the same after a restart.
package struct Throttle: Sendable {
    private let seconds: Double
    package private(set) var lastMatch: Instant?
    /// When what is held back already will be told.
    private var heldDue: Instant?

    package init(seconds: Double, lastMatch: Instant?, heldDue: Instant? = nil) {
        (self.seconds, self.lastMatch, self.heldDue) = (seconds, lastMatch, heldDue)
    }

    /// Nil when a change at this moment makes a notification; it is the last from now on. Else when it may be told.
    package mutating func heldUntil(_ moment: Instant) -> Instant? {
        // Nothing overtakes what is held back.
        if let heldDue { return heldDue }
        // What changed at one moment belongs together, however many notifications it takes (clause 5.8.6).
        if let lastMatch, moment != lastMatch, moment < lastMatch.adding(seconds: seconds) {
            // Never longer than once, also where the clock went back since.
            heldDue = min(lastMatch, moment).adding(seconds: seconds)
            return heldDue
        }
        lastMatch = moment
        return nil
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
