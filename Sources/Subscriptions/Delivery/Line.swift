internal import CityModel

/// First in, first out.
struct Line<Element: Sendable>: Sendable {
    private var elements: [Element] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        defer {
            head += 1
            // What was taken is let go of once it is the larger part.
            if head > 32, head * 2 > elements.count {
                elements.removeFirst(head)
                head = 0
            }
        }
        return elements[head]
    }
}

/// What is to happen at a moment, by key.
struct Timers<Key: Hashable & Sendable>: Sendable {
    private var moments: [Key: Instant] = [:]
    /// No moment is before this one, so that most looks are at nothing else.
    private var earliest: Instant?
    private var clock = Backstep()

    mutating func set(_ key: Key, _ moment: Instant) {
        moments[key] = moment
        earliest = min(earliest ?? moment, moment)
    }

    mutating func remove(_ key: Key) { moments[key] = nil }

    /// Takes what is due, in no order.
    mutating func take(at now: Instant) -> [Key] {
        let isAnew = clock.isBack(now)
        guard let earliest, isAnew || earliest <= now else { return [] }
        let due = moments.filter { isAnew || $0.value <= now }.map(\.key)
        for key in due { moments[key] = nil }
        self.earliest = moments.values.min()
        return due
    }
}

/// Notices that the clock was set back. What waits for a moment that was reckoned before would wait as much longer: who notices it looks at everything anew.
struct Backstep: Sendable {
    private var last: Instant?
    /// By less clocks are adjusted all the time.
    private static let toleranceSeconds = 1.0

    mutating func isBack(_ now: Instant) -> Bool {
        defer { last = now }
        return last.map { now.adding(seconds: Self.toleranceSeconds) < $0 } ?? false
    }
}
