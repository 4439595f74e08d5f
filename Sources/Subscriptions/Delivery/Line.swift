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

    mutating func set(_ key: Key, _ moment: Instant) {
        moments[key] = moment
        earliest = min(earliest ?? moment, moment)
    }

    mutating func remove(_ key: Key) { moments[key] = nil }

    /// Takes what is due, in no order.
    mutating func take(at now: Instant) -> [Key] {
        guard let earliest, earliest <= now else { return [] }
        let due = moments.filter { $0.value <= now }.map(\.key)
        for key in due { moments[key] = nil }
        self.earliest = moments.values.min()
        return due
    }
}
