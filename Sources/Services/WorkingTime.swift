package import CityModel
package import Query

/// Reckoning in the hours of a working calendar. A moment counts when the zone's clocks show one of the hours of a day that is no holiday: an hour that
/// clocks show twice counts twice, one that they skip not at all.
extension WorkingCalendar {
    /// How far ahead `due` looks.
    package static let yearCountMax = 10
    private static let dayCountMax = yearCountMax * 366

    /// The end of a span that begins at a moment. Of hours: the first moment by which so many have passed. Of days: the end of the last hours of the
    /// day that is so many working days after the day of the moment.
    /// - Returns: nil when that is more than 10 years ahead.
    package func due(after moment: Instant, _ span: WorkingSpan) -> Instant? {
        let days = WorkingDays(self)
        return switch span {
        case .hours(let count): days.end(ofSeconds: count * 3600, after: moment, dayCountMax: Self.dayCountMax)
        case .days(let count): days.end(ofDay: count, after: moment, dayCountMax: Self.dayCountMax)
        }
    }

    /// How much working time lies between two moments, in whole seconds; 0 where the second is not after the first. What lies more than 100
    /// years after the first is not counted.
    package func workingSeconds(from begin: Instant, to end: Instant) -> Int {
        let last = min(end, begin.adding(seconds: 100 * 366 * 86_400))
        guard begin < last else { return 0 }
        let days = WorkingDays(self)
        let range = days.number(of: begin) - 1...days.number(of: last) + 1
        let microseconds = range.reduce(Int64(0)) { sum, day in
            days.parts(ofDay: day).reduce(sum) { $0 + max(0, min($1.end, last).microseconds - max($1.begin, begin).microseconds) }
        }
        return Int(microseconds / 1_000_000)
    }

    /// The civil day that a moment lies in: what is today where the office is.
    package func day(of moment: Instant) -> CivilDay { CivilDay(number: WorkingDays(self).number(of: moment)) }
}

/// The days of a calendar as parts of time.
private struct WorkingDays {
    struct Part {
        let begin: Instant
        let end: Instant
    }

    let calendar: WorkingCalendar
    let zone: CivilZone

    /// A zone that is not known counts as UTC; the parser lets none pass.
    init(_ calendar: WorkingCalendar) { (self.calendar, zone) = (calendar, CivilZone(calendar.zone) ?? .utc) }

    /// Days are counted from 1970-01-01.
    func number(of moment: Instant) -> Int { zone.day(of: moment).number }

    static func civil(_ number: Int) -> CivilTime { CivilDay(number: number).civilDate }

    // MARK: Walking

    /// Days lie one after the other, but where clocks are set back over midnight the end of one comes after the beginning of the next: so the end is looked
    /// for among the neighbours of the day by which enough has passed.
    func end(ofSeconds count: Int, after moment: Instant, dayCountMax: Int) -> Instant? {
        let first = number(of: moment) - 1
        let needed = Int64(count) * 1_000_000
        var (before, last) = (Int64(0), Int64(0))
        for day in first...first + dayCountMax {
            let today = Self.length(parts(ofDay: day), after: moment)
            if before + last + today >= needed {
                let near = (day - 1...day + 1).flatMap(parts(ofDay:)).sorted { $0.begin < $1.begin }
                return Self.end(of: needed - before, in: near, after: moment)
            }
            (before, last) = (before + last, today)
        }
        return nil
    }

    private static func length(_ parts: [Part], after moment: Instant) -> Int64 {
        parts.reduce(0) { $0 + max(0, $1.end.microseconds - max($1.begin, moment).microseconds) }
    }

    /// - Parameter parts: in order.
    private static func end(of needed: Int64, in parts: [Part], after moment: Instant) -> Instant? {
        var left = needed
        for part in parts where part.end > moment {
            let begin = max(part.begin, moment)
            let length = part.end.microseconds - begin.microseconds
            if length >= left { return Instant(microseconds: begin.microseconds + left) }
            left -= length
        }
        return nil
    }

    func end(ofDay count: Int, after moment: Instant, dayCountMax: Int) -> Instant? {
        let today = number(of: moment)
        var left = count
        for day in today + 1...today + dayCountMax {
            guard let end = parts(ofDay: day).map(\.end).max() else { continue }
            left -= 1
            if left <= 0 { return end }
        }
        return nil
    }

    // MARK: One day

    /// When clocks show the hours of a day, in order; empty for a day that is free.
    func parts(ofDay number: Int) -> [Part] {
        let weekday = WorkingCalendar.Weekday.allCases[((number + 3) % 7 + 7) % 7]  // 1970-01-01 was a Thursday
        guard let hours = calendar.hours[weekday], !hours.isEmpty, !isHoliday(number) else { return [] }
        let midnight = Int64(number) * 86_400
        let window = (begin: midnight - 86_400, end: midnight + 2 * 86_400)
        let (early, late) = (offset(window.begin), offset(window.end))
        guard early != late else { return hours.map { part($0, midnight - early) } }
        let change = change(from: window.begin, to: window.end)
        let before = hours.map { clip(part($0, midnight - early), to: .init(seconds: window.begin)..<change) }
        let after = hours.map { clip(part($0, midnight - late), to: change..<Instant(seconds: window.end)) }
        return (before + after).filter { $0.begin < $0.end }
    }

    private func part(_ hours: WorkingCalendar.Hours, _ midnight: Int64) -> Part {
        Part(begin: Instant(seconds: midnight + Int64(hours.begin) * 60), end: Instant(seconds: midnight + Int64(hours.end) * 60))
    }

    private func clip(_ part: Part, to range: Range<Instant>) -> Part {
        Part(begin: max(part.begin, range.lowerBound), end: min(part.end, range.upperBound))
    }

    private func offset(_ seconds: Int64) -> Int64 { Int64(zone.offsetSeconds(at: Instant(seconds: seconds))) }

    /// The first second of the later offset. Clocks are not changed twice within three days.
    private func change(from begin: Int64, to end: Int64) -> Instant {
        let late = offset(end)
        var (low, high) = (begin, end)
        while high - low > 1 {
            let middle = (low + high) / 2
            if offset(middle) == late { high = middle } else { low = middle }
        }
        return Instant(seconds: high)
    }

    private func isHoliday(_ number: Int) -> Bool {
        let date = Self.civil(number)
        var easter: Int?
        return calendar.holidays.contains { holiday in
            switch holiday {
            case .yearly(let month, let day): return (date.month, date.day) == (month, day)
            case .once(let year, let month, let day): return (date.year, date.month, date.day) == (year, month, day)
            case .easter(let offset):
                let sunday = easter ?? Self.easterSunday(date.year)
                easter = sunday
                return number == sunday + offset
            }
        }
    }

    /// Of the Gregorian calendar (the anonymous algorithm of 1876, after J. Meeus).
    private static func easterSunday(_ year: Int) -> Int {
        let golden = year % 19, century = year / 100, inCentury = year % 100
        let correction = (century - (century + 8) / 25 + 1) / 3
        let epact = (19 * golden + century - century / 4 - correction + 15) % 30
        let weekday = (32 + 2 * (century % 4) + 2 * (inCentury / 4) - epact - inCentury % 4) % 7
        let shift = (golden + 11 * epact + 22 * weekday) / 451
        let days = epact + weekday - 7 * shift + 114
        return CivilDay(year: year, month: days / 31, day: days % 31 + 1).number
    }
}

extension CivilDay {
    var civilDate: CivilTime { Instant(seconds: Int64(number) * 86_400).utc }
}
