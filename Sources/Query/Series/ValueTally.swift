/// Numbers with how often each came, for exact percentiles. What sensors say has few digits: of a million numbers most are one of a
/// few hundred, and counting them takes no more room than those. Numbers of more digits, and those far apart, are kept one by one.
struct ValueTally: Sendable {
    /// Numbers are whole at this scale: 1, 10, 100 or 1000; 0 before the first.
    private var scale = 0.0
    /// The number times the scale that the first of `counts` stands for.
    private var base = 0
    private var counts: [UInt32] = []
    private var countedCount = 0
    private var others: [Double] = []
    private var areSorted = true

    private static let scales: [Double] = [1, 10, 100, 1000]
    /// Numbers that are looked at to choose the scale.
    private static let probeCount = 64
    private static let windowCountMax = 1 << 16
    /// A window is no wider than so many times what it has counted, or than the least one.
    private static let sparsityMax = 8
    private static let windowCountMin = 256
    /// Beyond it, doubles are not told apart by their digits.
    private static let scaledMax = 1e15

    var count: Int { countedCount + others.count }
    /// What this takes of memory, in numbers of eight bytes.
    var keptCount: Int { others.count + counts.count / 2 }

    mutating func add(_ value: Double) {
        if scale == 0 { chooseScale([value]) }
        if !tally(value) { keep(value) }
    }

    mutating func add(_ values: ArraySlice<Double>) {
        if scale == 0 { chooseScale(values.prefix(Self.probeCount)) }
        let (scale, base) = (scale, base)
        var start = values.startIndex
        while start < values.endIndex {
            // Those that the window holds, in a loop of their own; then the one that it does not.
            var position = start
            counts.withUnsafeMutableBufferPointer { counts in
                values.withUnsafeBufferPointer { numbers in
                    let first = values.startIndex
                    while position < values.endIndex {
                        let value = numbers[position - first]
                        let scaled = (value * scale).rounded(.toNearestOrEven)
                        guard scaled / scale == value, scaled.magnitude < Self.scaledMax else { break }
                        let index = Int(scaled) - base
                        guard index >= 0, index < counts.count, counts[index] < .max else { break }
                        counts[index] += 1
                        position += 1
                    }
                }
            }
            countedCount += position - start
            guard position < values.endIndex else { return }
            if !tally(values[position]) { keep(values[position]) }
            start = position + 1
            guard base == self.base else { return add(values[start...]) }
        }
    }

    private mutating func keep(_ value: Double) {
        others.append(value)
        areSorted = false
    }

    private mutating func chooseScale(_ values: ArraySlice<Double>) {
        scale = Self.scales.first { scale in values.allSatisfy { ($0 * scale).rounded(.toNearestOrEven) / scale == $0 } } ?? Self.scales[Self.scales.count - 1]
    }

    /// - Returns: false for a number that has more digits, or lies where the window does not reach.
    private mutating func tally(_ value: Double) -> Bool {
        let scaled = (value * scale).rounded(.toNearestOrEven)
        guard scaled / scale == value, scaled.magnitude < Self.scaledMax, reach(Int(scaled)) else { return false }
        let index = Int(scaled) - base
        guard counts[index] < .max else { return false }
        counts[index] += 1
        countedCount += 1
        return true
    }

    private mutating func reach(_ whole: Int) -> Bool {
        if counts.isEmpty { base = whole }
        let (low, high) = (min(base, whole), max(base + counts.count, whole + 1))
        guard high - low > counts.count else { return true }
        guard high - low <= min(Self.windowCountMax, max(Self.windowCountMin, Self.sparsityMax * count)) else { return false }
        // Some room, so that it does not grow with each number.
        let room = min((high - low) / 4 + 16, Self.windowCountMax - (high - low))
        if low < base {
            counts.insert(contentsOf: repeatElement(0, count: base - low + room), at: 0)
            base = low - room
        }
        if high > base + counts.count { counts.append(contentsOf: repeatElement(0, count: min(high + room - base, Self.windowCountMax) - counts.count)) }
        return base <= whole && whole < base + counts.count
    }

    /// Between the two numbers that the rank lies between (definition 7 of Hyndman and Fan, as spreadsheets have it).
    /// - Parameter percent: within 0 and 100.
    /// - Returns: nil without a number.
    mutating func percentile(_ percent: Double) -> Double? {
        guard count > 0 else { return nil }
        if !areSorted { others.sort() }
        areSorted = true
        let rank = percent / 100 * Double(count - 1)
        let below = Int(rank.rounded(.down))
        let (lower, upper) = values(at: below)
        guard let upper else { return lower }
        return lower + (upper - lower) * (rank - Double(below))
    }

    /// The number at a place in their order, and the one after it.
    private func values(at place: Int) -> (Double, Double?) {
        var (passed, other, lower) = (0, 0, nil as Double?)
        /// - Returns: the second number when it is reached.
        func pass(_ value: Double, _ times: Int) -> Double? {
            defer { passed += times }
            if lower == nil, passed + times > place {
                lower = value
                return passed + times > place + 1 ? value : nil
            }
            return lower == nil ? nil : value
        }
        for index in counts.indices where counts[index] > 0 {
            let value = Double(base + index) / scale
            while other < others.count, others[other] < value {
                if let upper = pass(others[other], 1) { return (lower ?? upper, upper) }
                other += 1
            }
            if let upper = pass(value, Int(counts[index])) { return (lower ?? upper, upper) }
        }
        // Of those that are left, each lies in the place that its index says.
        if lower == nil {
            let index = other + place - passed
            return (others[index], index + 1 < others.count ? others[index + 1] : nil)
        }
        return (lower ?? 0, other < others.count ? others[other] : nil)
    }
}
