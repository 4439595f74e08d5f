public import CityModel

extension PeriodGrid {
    /// Lengths of periods that people read a chart by, with how long each lasts at least.
    private static let chartLengths: [(every: String, seconds: Int64)] = [
        ("PT1S", 1), ("PT5S", 5), ("PT15S", 15), ("PT1M", 60), ("PT5M", 300), ("PT15M", 900), ("PT1H", 3600), ("PT3H", 10_800), ("PT6H", 21_600),
        ("P1D", 82_800), ("P1W", 601_200), ("P1M", 2_415_600), ("P3M", 7_776_000), ("P1Y", 31_536_000), ("P10Y", 315_360_000),
    ]

    /// The shortest usual periods of which no more than `countMax` cover an interval; the longest where none does.
    /// - Parameter countMax: at least 2; the first and the last period may lie in part outside of the interval.
    /// - Returns: the periods, and their length in ISO 8601.
    /// - Throws: `tooComplexQuery` for more than `countMax` of the longest.
    public static func charting(_ interval: Range<Instant>, countMax: Int, zone: CivilZone) throws(CityError) -> (grid: PeriodGrid, every: String) {
        let seconds = (interval.upperBound.microseconds - interval.lowerBound.microseconds) / 1_000_000
        let length = chartLengths.first { seconds / $0.seconds + 2 <= countMax } ?? chartLengths[chartLengths.count - 1]
        return (try PeriodGrid(interval, every: PeriodDuration(length.every), zone: zone, countMax: countMax), length.every)
    }
}
