public import CityModel

/// Gathers the numbers of a series by the hour of the week, as a zone's clocks show it: what is usual on a Monday at eight.
public struct WeekFold: Sendable {
    /// The hours of a week, from Monday at midnight on.
    public static let hourCount = 168

    private let zone: CivilZone
    private var hours = Array(repeating: ValueTally(), count: hourCount)
    public private(set) var count = 0
    /// What is kept in memory, in numbers.
    public private(set) var keptCount = 0
    /// Zones differ from UTC by whole quarters of an hour, and change at one: within a quarter the hour stays the same.
    private var last: (quarter: Int64, hour: Int)?

    public init(_ zone: CivilZone) { self.zone = zone }

    public mutating func add(_ value: Double, at moment: Instant) {
        let hour = hour(of: moment), before = hours[hour].keptCount
        hours[hour].add(value)
        keptCount += hours[hour].keptCount - before
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
        hours.indices.map { hour in
            let values = percents.compactMap { hours[hour].percentile($0) }
            return values.isEmpty ? nil : (values, hours[hour].count)
        }
    }
}

extension Int64 {
    fileprivate func floored(to step: Int64) -> Int64 { self - ((self % step) + step) % step }
}
