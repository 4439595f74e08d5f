public import CityModel

/// Gathers the numbers of a series by the hour of the week, as a zone's clocks show it: what is usual on a Monday at eight.
public struct WeekFold: Sendable {
    /// The hours of a week, from Monday at midnight on.
    public static let hourCount = 168

    private let zone: CivilZone
    private var kept: [[Double]] = Array(repeating: [], count: hourCount)
    public private(set) var count = 0
    /// Zones differ from UTC by whole quarters of an hour, and change at one: within a quarter the hour stays the same.
    private var last: (quarter: Int64, hour: Int)?

    public init(_ zone: CivilZone) { self.zone = zone }

    public mutating func add(_ value: Double, at moment: Instant) {
        kept[hour(of: moment)].append(value)
        count += 1
    }

    private mutating func hour(of moment: Instant) -> Int {
        let quarter = moment.seconds.floored(to: 900)
        if let last, last.quarter == quarter { return last.hour }
        let shown = quarter + Int64(zone.offsetSeconds(at: Instant(seconds: quarter)))
        // 1970-01-01 was a Thursday.
        let hours = shown.floored(to: 3600) / 3600 + 72
        let hour = Int(hours - hours.floored(to: Int64(Self.hourCount)))
        last = (quarter, hour)
        return hour
    }

    /// For each hour of the week the percentiles that are asked for, exact, and how many numbers there are; nil where there is none.
    /// - Parameter percents: each within 0 and 100.
    public mutating func percentiles(_ percents: [Double]) -> [(values: [Double], count: Int)?] {
        kept.indices.map { hour in
            guard !kept[hour].isEmpty else { return nil }
            kept[hour].sort()
            return (percents.map { Percentile.of(kept[hour], $0) }, kept[hour].count)
        }
    }
}

enum Percentile {
    /// Between the two numbers that the rank lies between (definition 7 of Hyndman and Fan, as spreadsheets have it).
    /// - Parameter sorted: at least one number.
    static func of(_ sorted: [Double], _ percent: Double) -> Double {
        let rank = percent / 100 * Double(sorted.count - 1)
        let below = Int(rank.rounded(.down))
        guard below + 1 < sorted.count else { return sorted[below] }
        return sorted[below] + (sorted[below + 1] - sorted[below]) * (rank - Double(below))
    }
}

extension Int64 {
    fileprivate func floored(to step: Int64) -> Int64 { self - ((self % step) + step) % step }
}
