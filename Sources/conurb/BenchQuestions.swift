import Broker
import CityModel
import Query

/// What a city asks its history, six times, of the benchmark's days.
enum BenchQuestion: CaseIterable {
    case lastInBox, hourlyOfDistrict, topTen, percentiles, filled, lastHour

    var title: String {
        switch self {
        case .lastInBox: "Q1 last value in a box"
        case .hourlyOfDistrict: "Q2 hourly mean of a district, 7 days"
        case .topTen: "Q3 top ten by mean, a day"
        case .percentiles: "Q4 95th percentile by kind and day"
        case .filled: "Q5 a sensor each 5 minutes, gaps filled"
        case .lastHour: "Q6 all of the last hour"
        }
    }

    /// The middle of the city, a little larger than a district.
    static let box = [3.2, 43.55, 3.31, 43.66]
    static let district = 7

    /// - Parameter end: after the last sample.
    func question(days: Int, end: Instant) throws -> SeriesQuestion {
        let day = Instant(microseconds: end.microseconds - 86_400_000_000)
        let all = Instant(microseconds: BenchSensor.start)..<end
        switch self {
        case .lastInBox:
            return try ask(last(hours: 1, end), [.last], geo: BenchCity.area(Self.box), limit: 1000)
        case .hourlyOfDistrict:
            return try ask(last(hours: min(days, 7) * 24, end), [.avg], every: "PT1H", geo: BenchCity.area(BenchCity.box(ofDistrict: Self.district)), .all)
        case .topTen: return try ask(day..<end, [.avg], limit: 10, order: (0, true))
        case .percentiles: return try ask(all, [.percentile(95)], every: "P1D", .type)
        case .filled: return try ask(all, [.avg], every: "PT5M", ids: [BenchCity.id(0)], filling: .linear)
        case .lastHour: return try ask(last(hours: 1, end), [.max], limit: 10_000)
        }
    }

    private func last(hours: Int, _ end: Instant) -> Range<Instant> { Instant(microseconds: end.microseconds - Int64(hours) * 3_600_000_000)..<end }

    private func ask(
        _ interval: Range<Instant>, _ functions: [SeriesFunction], every: String? = nil, ids: Set<IRI>? = nil, geo: Geometry? = nil,
        _ grouping: SeriesGrouping = .entity, filling: GapFilling = .none, limit: Int = 1000, order: (function: Int, isDescending: Bool)? = nil
    ) throws -> SeriesQuestion {
        var filter = EntityFilter(ids: ids, types: .or(BenchSensor.Kind.allCases.map { .type(BenchCity.type($0)) }))
        filter.geo = try geo.map { GeoQuery(relation: .intersects, reference: try PreparedGeometry($0)) }
        return SeriesQuestion(
            filter: filter, attributes: [BenchCity.level],
            grid: try PeriodGrid(interval, every: every.flatMap { PeriodDuration($0) }, zone: .utc, countMax: 100_000), functions: functions, filling: filling,
            grouping: grouping, order: order, limit: limit)
    }
}
