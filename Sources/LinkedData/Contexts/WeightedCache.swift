/// A map that keeps the values used last, up to a total weight. A hit costs one hash; making room costs one pass over the
/// entries for each one dropped.
package struct WeightedCache<Key: Hashable, Value> {
    private struct Entry {
        var value: Value
        var weight: Int
        var lastUse: UInt64
    }

    private var entries: [Key: Entry] = [:]
    private var weight = 0
    private var clock: UInt64 = 0
    private let weightMax: Int

    package init(weightMax: Int) { self.weightMax = weightMax }

    package var count: Int { entries.count }

    package mutating func value(for key: Key) -> Value? {
        guard let index = entries.index(forKey: key) else { return nil }
        clock += 1
        entries.values[index].lastUse = clock
        return entries.values[index].value
    }

    /// Keeps `value`, unless it is heavier than the whole cache may be.
    package mutating func keep(_ value: Value, for key: Key, weight newWeight: Int) {
        remove(key)
        guard newWeight <= weightMax else { return }
        while weight + newWeight > weightMax, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })?.key {
            remove(oldest)
        }
        clock += 1
        weight += newWeight
        entries[key] = Entry(value: value, weight: newWeight, lastUse: clock)
    }

    package mutating func remove(_ key: Key) {
        if let entry = entries.removeValue(forKey: key) { weight -= entry.weight }
    }

    package mutating func remove(where isObsolete: (Value) -> Bool) {
        for key in entries.filter({ isObsolete($0.value.value) }).keys { remove(key) }
    }
}
