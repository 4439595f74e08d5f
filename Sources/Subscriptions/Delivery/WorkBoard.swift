package import CityModel

/// What is to be done, by key: nothing is done twice at the same time, nothing that was asked for is forgotten, and what was
/// asked for first comes first. Decides and performs nothing.
package struct WorkBoard<Key: Hashable & Sendable>: Sendable {
    private var ready: [Key] = []
    private var isReady: Set<Key> = []
    private var running: Set<Key> = []
    /// Asked for again while they run.
    private var again: Set<Key> = []
    private var timers: [Key: Instant] = [:]
    private var clock = Backstep()

    package init() {}

    /// What is being done, can begin, or waits for its moment.
    package var count: Int { running.count + ready.count + timers.count }

    /// Asks for something at once.
    package mutating func wake(_ key: Key) {
        timers[key] = nil
        if running.contains(key) {
            again.insert(key)
        } else if isReady.insert(key).inserted {
            ready.append(key)
        }
    }

    /// Asks for something at a moment, unless it is asked for sooner.
    package mutating func wake(_ key: Key, at moment: Instant) {
        guard !isReady.contains(key), !again.contains(key) else { return }
        timers[key] = min(timers[key] ?? moment, moment)
    }

    /// Takes what can begin, so that no more than `runningCountMax` run.
    package mutating func take(at now: Instant, runningCountMax: Int) -> [Key] {
        let isAnew = clock.isBack(now)
        for (key, moment) in timers where isAnew || moment <= now { wake(key) }
        let count = min(max(0, runningCountMax - running.count), ready.count)
        guard count > 0 else { return [] }
        let taken = Array(ready[..<count])
        ready.removeFirst(count)
        isReady.subtract(taken)
        running.formUnion(taken)
        return taken
    }

    package mutating func finished(_ key: Key) {
        running.remove(key)
        if again.remove(key) != nil { wake(key) }
    }
}
