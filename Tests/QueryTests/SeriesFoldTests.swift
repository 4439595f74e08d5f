import CityModel
import Query
import Testing

@Suite struct SeriesFoldTests {
    private typealias Observed = (at: Instant, value: Double?)
    private static let functions = ["count", "sum", "avg", "min", "max", "stddev", "first", "last", "median", "p95", "timeAvg", "increase"]
    private let start = Instant("2026-06-01T00:00:00Z")!

    private func grid(hours: Int, every: String? = "PT1H") throws -> PeriodGrid {
        try PeriodGrid(
            start..<start.adding(seconds: Double(hours) * 3600), every: every.flatMap(PeriodDuration.init), zone: .utc, countMax: 1000)
    }

    private func at(_ minutes: Double) -> Instant { start.adding(seconds: minutes * 60) }

    private func fold(
        _ grid: PeriodGrid, _ names: [String], _ series: [(before: Double?, observed: [Observed])], now: Instant? = nil, fill: GapFilling = .none
    ) throws -> [String: [Double?]] {
        var fold = SeriesFold(grid, try names.map { try #require(SeriesFunction($0)) }, now: now ?? grid.interval.upperBound)
        for (before, observed) in series {
            fold.begin(before)
            for (moment, value) in observed { fold.add(value, at: moment) }
            fold.finish()
        }
        return Dictionary(uniqueKeysWithValues: zip(names, fold.results(fill)))
    }

    @Test(arguments: 0..<40)
    func `every function is what a naive computation gives`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let grid = try grid(hours: 6)
        let series = (0..<Int.random(in: 1...3, using: &random)).map { _ in
            (before: Bool.random(using: &random) ? Double.random(in: 0...50, using: &random).rounded() : nil, observed: observations(&random))
        }
        let results = try fold(grid, Self.functions, series)
        for period in 0..<grid.count {
            let naive = Naive(series: series.map { ($0.before, $0.observed.map { ($0.at, $0.value) }) }, from: grid.interval.lowerBound, bounds: grid.bounds[period]..<grid.bounds[period + 1])
            for name in Self.functions {
                let (found, expected) = (try #require(results[name])[period], naive.result(name))
                if let found, let expected {
                    #expect(abs(found - expected) <= 1e-9 * max(1, abs(expected)), "\(name) of period \(period)")
                } else {
                    #expect(found == nil && expected == nil, "\(name) of period \(period): \(String(describing: found)), \(String(describing: expected))")
                }
            }
        }
    }

    /// Numbers as sensors say them: of few digits or of many, close together or far apart, again and again or never the same.
    private static func numbers(_ random: inout SeededGenerator) -> [Double] {
        let makers: [(inout SeededGenerator) -> Double] = [
            { Double(Int.random(in: 0..<40, using: &$0)) }, { (Double.random(in: -20...40, using: &$0) * 10).rounded() / 10 },
            { (Double.random(in: 0...9000, using: &$0) * 1000).rounded() / 1000 }, { Double.random(in: -1...1, using: &$0) },
            { Double(Int.random(in: 0..<3, using: &$0)) * 1e9 }, { _ in -0.0 }, { Double.random(in: 1e14...1e17, using: &$0).rounded() },
        ]
        let chosen = (0..<Int.random(in: 1...3, using: &random)).map { _ in makers.randomElement(using: &random)! }
        return (0..<Int.random(in: 1...4000, using: &random)).map { _ in chosen.randomElement(using: &random)!(&random) }
    }

    @Test(arguments: 0..<60)
    func `many observations at once come to what they come to one by one, and percentiles are those of all in order`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let numbers = Self.numbers(&random)
        let times = numbers.indices.map { start.microseconds + Int64($0) * 7_000_000 - 60_000_000 }
        let grid = try grid(hours: 6)
        let functions = (Self.functions.dropLast(2) + ["p0", "p100", "p1", "p99.9"]).compactMap(SeriesFunction.init)
        var (single, many) = (SeriesFold(grid, functions, now: grid.interval.upperBound), SeriesFold(grid, functions, now: grid.interval.upperBound))
        for (index, number) in numbers.enumerated() { single.add(number, at: Instant(microseconds: times[index])) }
        var position = 0
        while position < numbers.count {
            let end = min(numbers.count, position + Int.random(in: 1...1024, using: &random))
            many.add(numbers[position..<end], at: times[position..<end])
            position = end
        }
        #expect(single.observationCount == many.observationCount && single.observationCount <= numbers.count)
        #expect(many.keptCount <= 6 * numbers.count + 200 * grid.count)
        let (expected, found) = (single.results(.none), many.results(.none))
        #expect(expected == found)
        for (period, bounds) in zip(grid.bounds, grid.bounds.dropFirst()).enumerated() {
            let within = zip(times, numbers).filter { (bounds.0.microseconds..<bounds.1.microseconds).contains($0.0) }.map(\.1).sorted()
            for (index, function) in functions.enumerated() {
                guard case .percentile(let percent) = function else { continue }
                guard !within.isEmpty else {
                    #expect(found[index][period] == nil)
                    continue
                }
                let rank = percent / 100 * Double(within.count - 1), below = Int(rank)
                let (lower, upper) = (within[below], within[min(below + 1, within.count - 1)])
                let wanted: Double = lower + (upper - lower) * (rank - Double(below))
                #expect(found[index][period] == wanted, "\(function.name) of period \(period)")
            }
        }
    }

    /// At odd moments, with pauses, some of them said by the end of the series.
    private func observations(_ random: inout SeededGenerator) -> [Observed] {
        var (moment, all): (Double, [Observed]) = (Double.random(in: 0...100, using: &random), [])
        while moment < 360 {
            all.append((at(moment), Int.random(in: 0..<12, using: &random) == 0 ? nil : Double.random(in: -20...50, using: &random).rounded()))
            moment += Double.random(in: 0.1...60, using: &random)
        }
        return all
    }

    @Test func `a mean over time counts how long a value held, from before the interval and not beyond now`() throws {
        let grid = try grid(hours: 2)
        let series = [(before: 10.0 as Double?, observed: [(at(30), 20), (at(45), nil), (at(90), 40)] as [Observed])]
        #expect(try fold(grid, ["timeAvg"], series)["timeAvg"] == [(10.0 * 30 + 20 * 15) / 45, 40])
        #expect(try fold(grid, ["timeAvg"], [(before: 10, observed: [])], now: at(30))["timeAvg"] == [10, nil])
        #expect(try fold(grid, ["timeAvg"], [(before: nil, observed: [])])["timeAvg"] == [nil, nil])
    }

    @Test func `a counter that falls has begun anew`() throws {
        let series = [(before: 90.0 as Double?, observed: [(at(10), 100), (at(50), 5), (at(70), 8)] as [Observed])]
        #expect(try fold(grid(hours: 2), ["increase"], series)["increase"] == [15, 3])
    }

    @Test func `of a group increases are added and means over time averaged`() throws {
        let series: [(before: Double?, observed: [Observed])] = [(10, [(at(30), 20)]), (100, [(at(30), 160)])]
        let results = try fold(grid(hours: 1), ["increase", "timeAvg", "avg", "last"], series)
        #expect(results == ["increase": [70], "timeAvg": [(15.0 + 130) / 2], "avg": [90], "last": [160]])
    }

    @Test func `gaps are filled where that is asked for, and counts never`() throws {
        let series: [(before: Double?, observed: [Observed])] = [(nil, [(at(70), 10), (at(250), 40)])]
        #expect(try fold(grid(hours: 6), ["avg"], series)["avg"] == [nil, 10, nil, nil, 40, nil])
        #expect(try fold(grid(hours: 6), ["avg"], series, fill: .last)["avg"] == [nil, 10, 10, 10, 40, 40])
        #expect(try fold(grid(hours: 6), ["avg"], series, fill: .linear)["avg"] == [nil, 10, 20, 30, 40, nil])
        #expect(try fold(grid(hours: 6), ["count"], series, fill: .last)["count"] == [0, 1, 0, 0, 1, 0])
    }

    @Test func `what is outside of the interval does not count, though its period does`() throws {
        let grid = try PeriodGrid(at(30)..<at(90), every: PeriodDuration("PT1H"), zone: .utc, countMax: 10)
        let series: [(before: Double?, observed: [Observed])] = [(nil, [(at(20), 1), (at(40), 2), (at(80), 3), (at(100), 4)])]
        #expect(try fold(grid, ["sum"], series)["sum"] == [2, 3])
    }

    @Test(arguments: ["", "mean", "p", "p101", "p-1", "p1e1000", "pNaN", "AVG"])
    func `what is no function is none`(text: String) { #expect(SeriesFunction(text) == nil) }

    @Test func `functions have the names that they are asked for by`() {
        for name in Self.functions where name != "median" { #expect(SeriesFunction(name)?.name == name) }
        #expect(SeriesFunction("median")?.name == "p50")
        #expect(SeriesFunction("p99.9")?.name == "p99.9")
    }
}

/// The same by looking at every second.
private struct Naive {
    let series: [(before: Double?, observed: [(at: Instant, value: Double?)])]
    let from: Instant
    let bounds: Range<Instant>

    private var values: [(at: Instant, value: Double)] {
        series.flatMap(\.observed).compactMap { one in one.value.map { (one.at, $0) } }.filter { bounds.contains($0.at) }
    }

    func result(_ name: String) -> Double? {
        let values = values
        let numbers = values.map(\.value)
        let sorted = numbers.sorted()
        func percentile(_ share: Double) -> Double? {
            guard !sorted.isEmpty else { return nil }
            let rank = share * Double(sorted.count - 1)
            return sorted[Int(rank)] * (1 - rank.truncatingRemainder(dividingBy: 1))
                + (Int(rank) + 1 < sorted.count ? sorted[Int(rank) + 1] * rank.truncatingRemainder(dividingBy: 1) : 0)
        }
        let mean = numbers.reduce(0, +) / Double(max(1, numbers.count))
        switch name {
        case "count": return Double(numbers.count)
        case "increase": return growth
        case "timeAvg": return overTime
        case _ where numbers.isEmpty: return nil
        case "sum": return numbers.reduce(0, +)
        case "avg": return mean
        case "min": return sorted.first
        case "max": return sorted.last
        case "stddev": return (numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count)).squareRoot()
        case "first": return values.min { $0.at < $1.at }?.value
        case "last": return values.max { $0.at < $1.at }?.value
        case "median": return percentile(0.5)
        case "p95": return percentile(0.95)
        default: return nil
        }
    }

    private var growth: Double? {
        var growth: Double?
        for (before, observed) in series {
            var known = before
            for (moment, value) in observed {
                if let known, let value, bounds.contains(moment) { growth = (growth ?? 0) + (value >= known ? value - known : value) }
                known = value
            }
        }
        return growth
    }

    private var overTime: Double? {
        let means = series.compactMap { before, observed -> Double? in
            // What holds between two changes of anything.
            let edges = Set([from, bounds.lowerBound, bounds.upperBound] + observed.map(\.at)).filter { $0 >= bounds.lowerBound && $0 <= bounds.upperBound }.sorted()
            var (area, length) = (0.0, 0.0)
            for (edge, next) in zip(edges, edges.dropFirst()) {
                let value = observed.last { $0.at <= edge }.map(\.value) ?? before
                guard let value else { continue }
                area += value * Double(next.microseconds - edge.microseconds)
                length += Double(next.microseconds - edge.microseconds)
            }
            return length > 0 ? area / length : nil
        }
        return means.isEmpty ? nil : means.reduce(0, +) / Double(means.count)
    }
}
