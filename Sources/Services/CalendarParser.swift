internal import CityModel
internal import Declarations
internal import Query

/// Reads when an office works.
struct CalendarParser {
    static let holidayCountMax = 200, hoursCountMax = 6
    /// Days before and after Easter Sunday.
    static let easterOffsets = -100...100

    func calendar(_ value: YAMLValue) throws(DeclarationError) -> WorkingCalendar {
        let part = try value.part(keys: ServiceKeys.calendar)
        let zone = try part.required("zone")
        guard CivilZone(try zone.text()) != nil else {
            throw zone.failure("\(zone.scalar ?? "") is not the IANA name of a time zone, such as Europe/Paris")
        }
        let hours = try hours(part.required("hours"))
        var holidays: [WorkingCalendar.Holiday] = []
        for element in try part["holidays"]?.elements(countMax: Self.holidayCountMax) ?? [] {
            let holiday = try holiday(element)
            guard !holidays.contains(holiday) else { throw element.failure("\(element.scalar ?? "") stands here already") }
            holidays.append(holiday)
        }
        return WorkingCalendar(zone: try zone.text(), hours: hours, holidays: holidays)
    }

    /// `weekdays` stands for Monday to Friday, unless one of these says something else.
    private func hours(_ value: YAMLValue) throws(DeclarationError) -> [WorkingCalendar.Weekday: [WorkingCalendar.Hours]] {
        let part = try value.part(keys: ServiceKeys.hours)
        let weekdays = try part["weekdays"].map { value throws(DeclarationError) in try day(value) } ?? []
        var hours: [WorkingCalendar.Weekday: [WorkingCalendar.Hours]] = [:]
        for weekday in WorkingCalendar.Weekday.allCases {
            if let value = part[weekday.rawValue] {
                hours[weekday] = try day(value)
            } else if weekday != .saturday, weekday != .sunday {
                hours[weekday] = weekdays
            }
        }
        hours = hours.filter { !$0.value.isEmpty }
        guard !hours.isEmpty else { throw value.failure("at least one day of the week needs hours, such as weekdays: 08:30-17:00") }
        return hours
    }

    /// - Returns: in order and apart; empty for `closed`.
    private func day(_ value: YAMLValue) throws(DeclarationError) -> [WorkingCalendar.Hours] {
        if value.scalar == "closed" { return [] }
        var hours: [WorkingCalendar.Hours] = []
        for element in try value.elements(countMax: Self.hoursCountMax) {
            let ends = try element.text().split(separator: "-", omittingEmptySubsequences: false).map(Self.minute)
            guard ends.count == 2, let begin = ends[0], let end = ends[1], begin < end else {
                throw element.failure("hours such as 08:30-12:00 are needed here, the end after the beginning, or closed")
            }
            if let last = hours.last, last.end >= begin { throw element.failure("hours stand in order, and a pause is between them") }
            hours.append(.init(begin: begin, end: end))
        }
        guard !hours.isEmpty else { throw value.failure("hours such as 08:30-12:00, or closed, are needed here") }
        return hours
    }

    /// `08:30` in minutes since midnight; `24:00` is the end of the day.
    private static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (48...57).contains($0) } }), let hour = Int(parts[0]),
            let minute = Int(parts[1]), (0...59).contains(minute), hour * 60 + minute <= 1440
        else { return nil }
        return hour * 60 + minute
    }

    /// `12-25`, `2026-12-24`, `easter`, `easter+1`, `easter-2`.
    private func holiday(_ value: YAMLValue) throws(DeclarationError) -> WorkingCalendar.Holiday {
        let text = try value.text()
        if text.hasPrefix("easter") {
            let rest = text.dropFirst(6).filter { $0 != " " }
            if let offset = rest.isEmpty ? 0 : (rest.hasPrefix("+") || rest.hasPrefix("-") ? Int(rest) : nil), Self.easterOffsets.contains(offset) {
                return .easter(dayOffset: offset)
            }
        } else if let day = CivilDay(text) {
            return .once(year: day.civilDate.year, month: day.civilDate.month, day: day.civilDate.day)
        } else if let leap = CivilDay("2000-" + text) {
            return .yearly(month: leap.civilDate.month, day: leap.civilDate.day)
        }
        throw value.failure("\(text) is not a day of every year such as 12-25, one day such as 2026-12-24, nor easter, easter+1 (Easter Monday) or easter-2")
    }
}
