internal import CityModel
internal import Series

/// What the observations of one period come to, of one series or of several.
struct PeriodFold: Sendable {
    private(set) var moments = Measures()
    private var first: (at: Instant, value: Double)?
    private var last: (at: Instant, value: Double)?
    private var kept: [Double] = []
    /// Of each series the mean over time, and how many series have one.
    private var timeMeans = (sum: 0.0, count: 0)
    private var increase: Double?

    mutating func add(_ value: Double, at moment: Instant, keeping: Bool) {
        moments.add(value)
        if keeping { kept.append(value) }
        if first.map({ moment < $0.at }) ?? true { first = (moment, value) }
        if last.map({ moment >= $0.at }) ?? true { last = (moment, value) }
    }

    mutating func add(_ measures: Measures, first: (at: Instant, value: Double), last: (at: Instant, value: Double)) {
        moments.add(measures)
        if self.first.map({ first.at < $0.at }) ?? true { self.first = first }
        if self.last.map({ last.at >= $0.at }) ?? true { self.last = last }
    }

    mutating func addTimeMean(_ mean: Double) { timeMeans = (timeMeans.sum + mean, timeMeans.count + 1) }
    mutating func addIncrease(_ growth: Double) { increase = (increase ?? 0) + growth }

    mutating func result(_ function: SeriesFunction) -> Double? {
        switch function {
        case .count: return Double(moments.count)
        case .sum: return moments.ifAny?.sum.value
        case .avg: return moments.ifAny?.mean
        case .min: return moments.ifAny?.min
        case .max: return moments.ifAny?.max
        case .stddev: return moments.ifAny?.standardDeviation
        case .first: return first?.value
        case .last: return last?.value
        case .percentile(let percent): return percentile(percent)
        case .timeAvg: return timeMeans.count == 0 ? nil : timeMeans.sum / Double(timeMeans.count)
        case .increase: return increase
        }
    }

    private mutating func percentile(_ percent: Double) -> Double? {
        guard !kept.isEmpty else { return nil }
        kept.sort()
        return Percentile.of(kept, percent)
    }
}
