public import CityModel
public import Series

/// Folds the observations of series into periods. One series is read after the other, each in order of time.
///
/// Of a group of series the functions of observations take all of them together; `first` and `last` the earliest and the latest;
/// `timeAvg` is the mean of what the series have, and `increase` the sum.
public struct SeriesFold: Sendable {
    private let grid: PeriodGrid
    private let functions: [SeriesFunction]
    private let needs: FoldNeeds
    private let looksBack: Bool
    /// After it nothing is known yet: no value is held to last longer.
    private let end: Instant
    private var folds: [PeriodFold]
    private var hint = 0
    /// Observations that were added.
    public private(set) var observationCount = 0
    /// What is kept in memory for percentiles, in numbers.
    public private(set) var keptCount = 0
    private var state: SeriesState?

    /// - Parameter now: time that has not passed counts for nothing.
    public init(_ grid: PeriodGrid, _ functions: [SeriesFunction], now: Instant) {
        (self.grid, self.functions) = (grid, functions)
        (needs, looksBack) = (FoldNeeds(functions), functions.contains(where: \.looksBack))
        end = min(grid.interval.upperBound, max(now, grid.interval.lowerBound))
        folds = Array(repeating: PeriodFold(), count: grid.count)
    }

    /// Begins a series.
    /// - Parameter before: its last value before the interval, when it still held there.
    public mutating func begin(_ before: Double?) {
        hint = 0
        state = looksBack ? SeriesState(grid, before) : nil
    }

    /// - Parameter value: nil when the series ended there, to be resumed by the next.
    public mutating func add(_ value: Double?, at moment: Instant) {
        guard grid.interval.contains(moment) else { return }
        state?.pass(to: moment, value, grid)
        guard let value, let index = grid.index(of: moment, near: hint) else { return }
        hint = index
        observationCount += 1
        let kept = folds[index].keptCount
        folds[index].add(value, at: moment, needs)
        keptCount += folds[index].keptCount - kept
    }

    /// Observations in order of time.
    /// - Parameter times: in microseconds since 1970; as many as there are values, with the same indices.
    public mutating func add(_ values: ArraySlice<Double>, at times: ArraySlice<Int64>) {
        guard !looksBack else {
            for index in times.indices { add(values[index], at: Instant(microseconds: times[index])) }
            return
        }
        let (from, to) = (grid.interval.lowerBound.microseconds, grid.interval.upperBound.microseconds)
        var start = times.position(notBefore: from)
        let end = times.position(notBefore: to)
        observationCount += end - start
        while start < end, let index = grid.index(of: Instant(microseconds: times[start]), near: hint) {
            hint = index
            let next = times[start..<end].position(notBefore: grid.bounds[index + 1].microseconds)
            let kept = folds[index].keptCount
            folds[index].add(values[start..<next], from: times[start], to: times[next - 1], needs)
            keptCount += folds[index].keptCount - kept
            start = next
        }
    }

    /// Observations of one period, from the first of them to the last, for functions that take them together.
    public mutating func add(_ measures: Measures, first: (at: Instant, value: Double), last: (at: Instant, value: Double)) {
        guard let index = grid.index(of: first.at, near: hint) else { return }
        hint = index
        observationCount += measures.count
        folds[index].add(measures, first: first, last: last)
    }

    /// Takes what is left of numbers that are gone. Where they are no more than two, or all of one period, nothing is missing for
    /// functions that take observations together.
    /// - Parameter summary: in the order in which samples are added, where that matters.
    /// - Returns: whether something is missing that a function asks for.
    package mutating func add(_ summary: PeriodSummary) -> Bool {
        let (first, last) = (Instant(microseconds: summary.first.time), Instant(microseconds: summary.last.time))
        guard first < grid.interval.upperBound, last >= grid.interval.lowerBound else { return false }
        if let points = summary.points {
            for point in points { add(point.value, at: Instant(microseconds: point.time)) }
            return false
        }
        for point in [summary.first, summary.last] where grid.interval.contains(Instant(microseconds: point.time)) {
            state?.pass(to: Instant(microseconds: point.time), point.value, grid)
        }
        if grid.holdsTogether(first, last) {
            add(summary.measures, first: (first, summary.first.value), last: (last, summary.last.value))
            if let index = grid.index(of: first, near: hint) { folds[index].markSummed() }
            return functions.contains { !$0.takesTogether }
        }
        for index in indices(from: first, to: last) { folds[index].markGone() }
        return true
    }

    /// Says that of a time nothing is known.
    package mutating func forget(_ times: Range<Instant>) {
        guard times.lowerBound < grid.interval.upperBound, times.upperBound > grid.interval.lowerBound, !times.isEmpty else { return }
        for index in indices(from: times.lowerBound, to: Instant(microseconds: times.upperBound.microseconds - 1)) { folds[index].markGone() }
    }

    /// Periods that a span of moments, both ends included, reaches into.
    private func indices(from first: Instant, to last: Instant) -> ClosedRange<Int> {
        let end = Instant(microseconds: grid.interval.upperBound.microseconds - 1)
        let start = grid.index(of: min(max(first, grid.interval.lowerBound), end)) ?? 0
        return start...max(start, grid.index(of: min(max(last, grid.interval.lowerBound), end)) ?? start)
    }

    public mutating func finish() {
        guard var ended = state else { return }
        ended.pass(to: end, nil, grid)
        for (index, mean) in ended.timeMeans { folds[index].addTimeMean(mean) }
        for (index, growth) in ended.increases { folds[index].addIncrease(growth) }
        state = nil
    }

    /// What one function gives for the first period.
    public mutating func firstResult(_ function: SeriesFunction) -> Double? { folds.isEmpty ? nil : folds[0].result(function) }

    /// For each function a value for each period; nil where there is none. `count` and `increase` are not filled: what was not
    /// observed was not counted.
    public mutating func results(_ filling: GapFilling) -> [[Double?]] {
        functions.map { function in
            let values = folds.indices.map { folds[$0].result(function) }
            guard function != .count, function != .increase else { return values }
            return filling.fill(values, at: Array(grid.bounds.dropLast())) { !folds[$0].answers(function) }
        }
    }
}

/// What a series had last, and what it comes to over time.
private struct SeriesState: Sendable {
    private var value: Double?
    private var since: Instant
    private var areas: [Int: (area: Double, microseconds: Double)] = [:]
    private(set) var increases: [Int: Double] = [:]
    private var index = 0

    init(_ grid: PeriodGrid, _ before: Double?) { (value, since) = (before, grid.interval.lowerBound) }

    var timeMeans: [Int: Double] { areas.mapValues { $0.area / $0.microseconds } }

    /// The value held until now lasts to a moment, at which another takes its place.
    mutating func pass(to moment: Instant, _ next: Double?, _ grid: PeriodGrid) {
        if let value { hold(value, until: moment, grid) }
        if let value, let next, let index = grid.index(of: moment, near: index) {
            increases[index, default: 0] += next >= value ? next - value : next
        }
        (value, since) = (next, max(since, moment))
    }

    private mutating func hold(_ value: Double, until moment: Instant, _ grid: PeriodGrid) {
        while since < moment, let index = grid.index(of: since, near: index) {
            self.index = index
            let until = min(moment, grid.bounds[index + 1])
            let length = Double(until.microseconds - since.microseconds)
            let known = areas[index] ?? (0, 0)
            areas[index] = (known.area + value * length, known.microseconds + length)
            since = until
        }
    }
}

extension ArraySlice<Int64> {
    /// The first index, in a list in order, of what is not before `time`; the end when there is none. What is near the beginning is
    /// found soonest.
    fileprivate func position(notBefore time: Int64) -> Int {
        guard let first, first < time else { return startIndex }
        var (below, step) = (startIndex, 1)
        while below + step < endIndex, self[below + step] < time { (below, step) = (below + step, step * 2) }
        var above = Swift.min(below + step, endIndex)
        while above - below > 1 {
            let middle = (below + above) / 2
            if self[middle] < time { below = middle } else { above = middle }
        }
        return above
    }
}
