package import CityModel
package import Query

/// Whole days of the city's calendar: from the first on, and before the end.
package struct DaySpan: Hashable, Sendable {
    package let first: CivilDay
    package let end: CivilDay

    /// Empty where the end is not after the first.
    package init(_ first: CivilDay, _ end: CivilDay) { (self.first, self.end) = (first, max(first, end)) }

    package var dayCount: Int { end.number - first.number }
    package var isEmpty: Bool { dayCount == 0 }
    package var last: CivilDay { end.adding(-1) }
    package func contains(_ day: CivilDay) -> Bool { first <= day && day < end }
    func cut(before day: CivilDay) -> DaySpan { DaySpan(first, min(end, day)) }
    func common(with other: DaySpan) -> DaySpan { DaySpan(max(first, other.first), min(end, other.end)) }

    /// Half-open.
    package func interval(_ zone: CivilZone) -> Range<Instant> { zone.start(ofDay: first)..<zone.start(ofDay: end) }
}

/// The days that are compared for a measure: as many after it took effect as before, as far as they are over.
package struct MeasureWindows: Hashable, Sendable {
    package let effectiveOn: CivilDay
    /// Of the reports that the measure answers.
    package let reportsBefore: DaySpan
    /// From the day on which it took effect, as many; what of them is not over is cut.
    package let reportsAfter: DaySpan
    /// How many there are to be of them.
    package let reportDayCount: Int
    /// Of the sensors; nil without an indicator.
    package let indicatorBefore: DaySpan?
    package let indicatorAfter: DaySpan?

    /// Fewer days say nothing of what is usual.
    package static let dayCountMin = 7

    /// - Parameter today: is not over, so not counted.
    package init(_ measure: Measure, today: CivilDay) {
        let day = measure.effectiveOn
        let wave = DaySpan(measure.reportsFrom, measure.reportsTo.adding(1))
        (effectiveOn, reportDayCount) = (day, wave.dayCount)
        reportsBefore = wave.cut(before: today)
        reportsAfter = DaySpan(day, day.adding(wave.dayCount)).cut(before: today)
        let length = measure.indicator?.dayCount
        indicatorBefore = length.map { DaySpan(day.adding(-$0), day).cut(before: today) }
        indicatorAfter = length.map { DaySpan(day, day.adding($0)).cut(before: today) }
    }

    /// Seven days from the one on which the measure took effect, or so many weeks before or after that.
    package struct Week: Hashable, Sendable {
        /// 0 is the first with the measure, -1 the last without.
        package let number: Int
        /// Those of its days that are counted; fewer than seven at the ends.
        package let days: DaySpan
    }

    package func weekNumber(of day: CivilDay) -> Int {
        let distance = day.number - effectiveOn.number
        return (distance - ((distance % 7) + 7) % 7) / 7
    }

    /// The weeks of both spans of reports, in order.
    package var weeks: [Week] {
        [reportsBefore, reportsAfter].flatMap { span in
            guard !span.isEmpty else { return [Week]() }
            return (weekNumber(of: span.first)...weekNumber(of: span.last)).map { number in
                let start = effectiveOn.adding(number * 7)
                return Week(number: number, days: DaySpan(start, start.adding(7)).common(with: span))
            }
        }
    }

    /// In 30 days, at the rate of these; nil where they are too few to say.
    package static func perThirtyDays(_ count: Int, in days: DaySpan) -> Double? {
        days.dayCount >= dayCountMin ? Double(count) * 30 / Double(days.dayCount) : nil
    }
}

extension Measure {
    /// Whether a report is one of those that the measure answers.
    /// - Parameter district: the name of the one that it lies in.
    package func answers(_ report: CountedCase, at place: Geometry?, _ zone: CivilZone) -> Bool {
        guard services.contains(report.code), DaySpan(reportsFrom, reportsTo.adding(1)).contains(zone.day(of: report.requestedAt)) else { return false }
        return includes(place, district: report.district)
    }

    private func includes(_ reported: Geometry?, district: String?) -> Bool {
        switch area {
        case .municipality: return true
        case .district(let name): return district == name
        case .around(let metres):
            guard let place, let reported, let center = try? PreparedGeometry(place) else { return false }
            return center.isWithinDistance(metres, of: reported)
        }
    }
}
