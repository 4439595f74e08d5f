package import CityModel

/// A context document as it was downloaded, and for how long its origin lets it be used (clause 6.3.16).
package struct DownloadedContext: Sendable {
    package let document: JSON
    /// From the download on; nil where the origin does not say.
    package let lifetimeSeconds: Double?

    package init(document: JSON, lifetimeSeconds: Double? = nil) { (self.document, self.lifetimeSeconds) = (document, lifetimeSeconds) }

    /// For documents whose origin does not say.
    private static let heuristicLifetimeSeconds: Double = 86_400
    /// An origin that wants to be asked every time is asked once a minute: no request waits for another server each time.
    private static let lifetimeSecondsMin: Double = 60
    private static let lifetimeSecondsMax: Double = 31_536_000

    func expiry(from now: Instant) -> Instant {
        now.adding(seconds: min(max(lifetimeSeconds ?? Self.heuristicLifetimeSeconds, Self.lifetimeSecondsMin), Self.lifetimeSecondsMax))
    }
}

/// When the copies of context documents that are in use expire. Asking costs one comparison until one does.
struct ContextExpiries {
    private var moments: [String: Instant] = [:]
    /// No later than the first of them.
    private var next: Instant?

    /// So many are remembered of one municipality.
    static let countMax = 5_000

    /// Whether there is room for one more.
    func hasRoom(for url: String) -> Bool { moments.count < Self.countMax || moments[url] != nil }

    mutating func note(_ url: String, _ moment: Instant?) {
        moments[url] = moment
        if let moment { next = min(next ?? moment, moment) }
    }

    /// The documents whose time has passed, which are forgotten here.
    mutating func passed(at now: Instant) -> [String] {
        guard let next, next <= now else { return [] }
        let passed = moments.filter { $0.value <= now }.map(\.key)
        for url in passed { moments[url] = nil }
        self.next = moments.values.min()
        return passed
    }
}

/// Documents that could not be had and took long to fail: for a while nobody waits for them again.
struct UnavailableContexts {
    private var errors: [String: (error: CityError, until: Instant)] = [:]

    /// A failure that took less is no burden to those who try again.
    private static let slowSeconds: Double = 1
    private static let pauseSeconds: Double = 30
    private static let countMax = 1_000

    mutating func note(_ url: String, _ error: CityError, from start: Instant, to end: Instant) {
        guard end >= start.adding(seconds: Self.slowSeconds) else { return }
        errors = errors.filter { $0.value.until > end }
        if errors.count < Self.countMax { errors[url] = (error, end.adding(seconds: Self.pauseSeconds)) }
    }

    func error(_ url: String, at now: Instant) -> CityError? {
        guard let known = errors[url], known.until > now else { return nil }
        return known.error
    }

    mutating func forget(_ url: String) { errors[url] = nil }
}
