public import CityModel

/// The periods that an interval is divided into: hours or minutes counted from midnight, or whole days, weeks, months and years as
/// a zone's calendar has them, with the 23 and 25 hours of the days on which its clocks change.
///
/// Days are counted from midnight, weeks from Monday, months from the first, several months from January (so that three are a
/// quarter), several days or weeks from 1970. What is shorter than a day is counted from midnight before the interval on, in time
/// that passes. The first period may begin before the interval, and the last end after it; what is looked at is within it.
public struct PeriodGrid: Hashable, Sendable {
    /// Where each period begins, and at last where the last one ends; in order.
    public let bounds: [Instant]
    public let interval: Range<Instant>
    public var count: Int { bounds.count - 1 }

    /// - Parameter every: nil makes the whole interval one period.
    /// - Throws: `badRequestData` that names `every`, `tooComplexQuery` for more than `countMax` periods.
    public init(_ interval: Range<Instant>, every: PeriodDuration?, zone: CivilZone, countMax: Int) throws(CityError) {
        self.interval = interval
        guard let every, !every.isWholeRange else {
            bounds = [interval.lowerBound, interval.upperBound]
            return
        }
        let step = try Step(every, zone)
        var bounds = [step.first(before: interval.lowerBound)]
        var index = 1
        while let last = bounds.last, last < interval.upperBound {
            guard bounds.count <= countMax else { throw .tooComplexQuery("every: more than \(countMax) periods; ask for longer ones or a shorter interval") }
            let next = step.bound(index, from: bounds[0])
            index += 1
            // A day that the calendar of the zone left out has no length.
            if next > last { bounds.append(next) }
        }
        self.bounds = bounds
    }

    /// The period that a moment is in; nil outside of them all.
    public func index(of moment: Instant) -> Int? {
        guard let first = bounds.first, let last = bounds.last, moment >= first, moment < last else { return nil }
        var (low, high) = (0, count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if bounds[middle] <= moment { low = middle } else { high = middle }
        }
        return low
    }

    /// Whether two moments, the second not before the first, are of one period and within the interval.
    public func holdsTogether(_ first: Instant, _ last: Instant) -> Bool {
        guard interval.contains(first), interval.contains(last), let index = index(of: first) else { return false }
        return last < bounds[index + 1]
    }

    /// The same, tried first at `hint` and after it: moments that come in order are found at once.
    func index(of moment: Instant, near hint: Int) -> Int? {
        if hint < count, moment >= bounds[hint] {
            if moment < bounds[hint + 1] { return hint }
            if hint + 1 < count, moment < bounds[hint + 2] { return hint + 1 }
        }
        return index(of: moment)
    }
}

/// How one comes from one bound to the next.
private enum Step {
    case months(Int, CivilZone)
    case days(Int, CivilZone)
    case time(Int64, CivilZone)

    private static let dayMicroseconds: Int64 = 86_400_000_000
    private static let shortest: Int64 = 1_000_000

    init(_ every: PeriodDuration, _ zone: CivilZone) throws(CityError) {
        switch (every.months, every.microseconds) {
        case (1..., 0): self = .months(every.months, zone)
        case (0, Self.dayMicroseconds...) where every.microseconds % Self.dayMicroseconds == 0:
            self = .days(Int(every.microseconds / Self.dayMicroseconds), zone)
        case (0, Self.shortest...): self = .time(every.microseconds, zone)
        case (0, _): throw .badRequestData("every: is shorter than a second")
        default: throw .badRequestData("every: is months and years, or days and weeks, or less; not both")
        }
    }

    /// The last bound at or before a moment.
    func first(before moment: Instant) -> Instant {
        switch self {
        case .months(let length, let zone):
            let civil = zone.day(of: moment).civil
            return zone.start(ofMonth: (civil.year * 12 + civil.month - 1).floored(to: length))
        case .days(let length, let zone):
            // 1970-01-01 was a Thursday: weeks are counted from the Monday before.
            let monday = length % 7 == 0 ? 3 : 0
            return zone.start(ofDay: CivilDay(number: (zone.day(of: moment).number + monday).floored(to: length) - monday))
        case .time(let length, let zone):
            let midnight = zone.start(ofDay: zone.day(of: moment))
            return Instant(microseconds: midnight.microseconds + (moment.microseconds - midnight.microseconds) / length * length)
        }
    }

    /// The bound so many steps after the first.
    func bound(_ index: Int, from first: Instant) -> Instant {
        switch self {
        case .months(let length, let zone):
            let civil = zone.day(of: first).civil
            return zone.start(ofMonth: civil.year * 12 + civil.month - 1 + length * index)
        case .days(let length, let zone): return zone.start(ofDay: CivilDay(number: zone.day(of: first).number + length * index))
        case .time(let length, _): return Instant(microseconds: first.microseconds + length * Int64(index))
        }
    }
}

extension CivilZone {
    /// - Parameter number: months since year 0.
    fileprivate func start(ofMonth number: Int) -> Instant {
        start(ofDay: CivilDay(year: number.floored(to: 12) / 12, month: number - number.floored(to: 12) + 1))
    }
}

extension Int {
    fileprivate func floored(to step: Int) -> Int { self - ((self % step) + step) % step }
}
