internal import CityModel
internal import Series

/// What of observations the functions of a question need.
struct FoldNeeds: Sendable {
    let measures: Bool
    let squares: Bool
    let ends: Bool
    let all: Bool

    init(_ functions: [SeriesFunction]) {
        all = functions.contains(where: \.keepsAll)
        ends = functions.contains { $0 == .first || $0 == .last }
        squares = functions.contains(.stddev)
        measures = functions.contains { [.count, .sum, .avg, .min, .max, .stddev].contains($0) }
    }
}

/// What the observations of one period come to, of one series or of several.
struct PeriodFold: Sendable {
    private var moments = Measures()
    private var first: (at: Instant, value: Double)?
    private var last: (at: Instant, value: Double)?
    private var tally = ValueTally()
    /// Of each series the mean over time, and how many series have one.
    private var timeMeans = (sum: 0.0, count: 0)
    private var increase: Double?
    /// Whether numbers of the period are gone that can't be told from those of others, so that nothing can be said of it.
    private(set) var isGone = false
    /// Whether numbers of it were summed up: each of them, and their order, are not known.
    private(set) var isSummed = false

    mutating func markGone() { isGone = true }
    mutating func markSummed() { isSummed = true }
    func answers(_ function: SeriesFunction) -> Bool { !isGone && (function.takesTogether || !isSummed) }

    /// What this keeps of memory for percentiles, in numbers.
    var keptCount: Int { tally.keptCount }

    mutating func add(_ value: Double, at moment: Instant, _ needs: FoldNeeds) {
        if needs.measures { moments.add(value) }
        if needs.all { tally.add(value) }
        if needs.ends { take((moment, value), (moment, value)) }
    }

    /// Observations in order of time, at least one.
    mutating func add(_ values: ArraySlice<Double>, from start: Int64, to end: Int64, _ needs: FoldNeeds) {
        if needs.measures { moments.add(values, squaring: needs.squares) }
        if needs.all { tally.add(values) }
        if needs.ends, let first = values.first, let last = values.last {
            take((Instant(microseconds: start), first), (Instant(microseconds: end), last))
        }
    }

    mutating func add(_ measures: Measures, first: (at: Instant, value: Double), last: (at: Instant, value: Double)) {
        moments.add(measures)
        take(first, last)
    }

    private mutating func take(_ first: (at: Instant, value: Double), _ last: (at: Instant, value: Double)) {
        if self.first.map({ first.at < $0.at }) ?? true { self.first = first }
        if self.last.map({ last.at >= $0.at }) ?? true { self.last = last }
    }

    mutating func addTimeMean(_ mean: Double) { timeMeans = (timeMeans.sum + mean, timeMeans.count + 1) }
    mutating func addIncrease(_ growth: Double) { increase = (increase ?? 0) + growth }

    mutating func result(_ function: SeriesFunction) -> Double? {
        guard answers(function) else { return nil }
        switch function {
        case .count: return Double(moments.count)
        case .sum: return moments.ifAny?.sum.value
        case .avg: return moments.ifAny?.mean
        case .min: return moments.ifAny?.min
        case .max: return moments.ifAny?.max
        case .stddev: return moments.ifAny?.standardDeviation
        case .first: return first?.value
        case .last: return last?.value
        case .percentile(let percent): return tally.percentile(percent)
        case .timeAvg: return timeMeans.count == 0 ? nil : timeMeans.sum / Double(timeMeans.count)
        case .increase: return increase
        }
    }
}
