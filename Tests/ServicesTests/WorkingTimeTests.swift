import CityModel
import Foundation
import Query
import RandomEntities
import Services
import Testing

/// Reckoning in working hours is held against counting minute by minute.
struct WorkingTimeTests {
    private static let paris = WorkingCalendar(
        zone: "Europe/Paris",
        hours: Dictionary(uniqueKeysWithValues: [.monday, .tuesday, .wednesday, .thursday, .friday].map { ($0, [.init(begin: 510, end: 720), .init(begin: 810, end: 1020)]) }),
        holidays: [.yearly(month: 1, day: 1), .easter(dayOffset: 1), .yearly(month: 5, day: 1), .once(year: 2026, month: 12, day: 24), .yearly(month: 12, day: 25)])

    @Test(arguments: [
        // A Thursday at 10:00 in Paris: two hours are over at noon, the third an hour and a half after it begins to run again.
        ("2026-11-26T09:00:00Z", WorkingSpan.hours(2), "2026-11-26T11:00:00Z"), ("2026-11-26T09:00:00Z", .hours(3), "2026-11-26T13:30:00Z"),
        ("2026-11-26T09:00:00Z", .hours(7), "2026-11-27T09:00:00Z"),
        // Friday evening and Saturday are before Monday morning.
        ("2026-11-27T20:00:00Z", .hours(1), "2026-11-30T08:30:00Z"), ("2026-11-28T12:00:00Z", .hours(1), "2026-11-30T08:30:00Z"),
        ("2026-11-26T09:00:00Z", .days(1), "2026-11-27T16:00:00Z"), ("2026-11-28T12:00:00Z", .days(1), "2026-11-30T16:00:00Z"),
        ("2026-11-26T22:59:59Z", .days(1), "2026-11-27T16:00:00Z"), ("2026-11-26T23:00:00Z", .days(1), "2026-11-30T16:00:00Z"),
        // Good Friday is a working day here, Easter Monday is not.
        ("2026-04-02T09:00:00Z", .days(1), "2026-04-03T15:00:00Z"), ("2026-04-03T09:00:00Z", .days(1), "2026-04-07T15:00:00Z"),
        // Clocks were set forward in the night to Sunday.
        ("2026-03-27T15:30:00Z", .hours(1), "2026-03-30T07:00:00Z"), ("2026-12-23T15:00:00Z", .hours(2), "2026-12-28T08:30:00Z"),
    ] as [(String, WorkingSpan, String)])
    func `a span ends when it should`(begin: String, span: WorkingSpan, end: String) throws {
        #expect(Self.paris.due(after: try instant(begin), span)?.description == end)
    }

    @Test(arguments: [
        (2008, 3, 23), (2011, 4, 24), (2019, 4, 21), (2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2027, 3, 28), (2038, 4, 25), (1943, 4, 25), (1818, 3, 22), (2285, 3, 22), (2000, 4, 23),
    ])
    func `Easter is when it is`(year: Int, month: Int, day: Int) {
        let everyDay = Dictionary(uniqueKeysWithValues: WorkingCalendar.Weekday.allCases.map { ($0, [WorkingCalendar.Hours(begin: 0, end: 1440)]) })
        let calendar = WorkingCalendar(zone: "UTC", hours: everyDay, holidays: [.easter(dayOffset: 0)])
        let noon = Instant(utc: CivilTime(year: year, month: month, day: day, hour: 12))
        #expect(calendar.workingSeconds(from: noon.adding(seconds: -86_400), to: noon.adding(seconds: 86_400)) == 86_400)
        #expect(calendar.due(after: noon, .hours(1)) == Instant(utc: CivilTime(year: year, month: month, day: day + 1, hour: 1)))
    }

    @Test func `a day begins at midnight where the office is`() throws {
        #expect(Self.paris.day(of: try instant("2026-11-26T22:59:59Z")) == CivilDay(year: 2026, month: 11, day: 26))
        #expect(Self.paris.day(of: try instant("2026-11-26T23:00:00Z")) == CivilDay(year: 2026, month: 11, day: 27))
    }

    @Test func `what is too far ahead has no end`() throws {
        let free = WorkingCalendar(zone: "UTC", hours: [:])
        #expect(free.due(after: try instant("2026-01-01T00:00:00Z"), .hours(1)) == nil)
        #expect(free.due(after: try instant("2026-01-01T00:00:00Z"), .days(1)) == nil)
        #expect(free.workingSeconds(from: try instant("2026-01-01T00:00:00Z"), to: try instant("2027-01-01T00:00:00Z")) == 0)
        let rare = WorkingCalendar(zone: "UTC", hours: [.monday: [.init(begin: 0, end: 60)]])
        #expect(rare.due(after: try instant("2026-01-01T00:00:00Z"), .hours(520))?.description == "2035-12-17T01:00:00Z")
        #expect(rare.due(after: try instant("2026-01-01T00:00:00Z"), .hours(530)) == nil)
    }

    @Test func `a period that ends before it begins has no working time, and one of all times ends`() throws {
        #expect(Self.paris.workingSeconds(from: try instant("2026-11-27T09:00:00Z"), to: try instant("2026-11-26T09:00:00Z")) == 0)
        let century = Self.paris.workingSeconds(from: try instant("0001-01-01T00:00:00Z"), to: try instant("9999-12-31T00:00:00Z"))
        #expect((650_000_000...700_000_000).contains(century))
    }

    /// Nights in which clocks are changed, one of them over midnight; and the day that Samoa left out.
    private static let nights = [
        ("Europe/Paris", "2026-03-29T01:00:00Z"), ("Europe/Paris", "2026-10-25T01:00:00Z"), ("America/New_York", "2026-03-08T07:00:00Z"),
        ("America/New_York", "2026-11-01T06:00:00Z"), ("America/St_Johns", "2010-11-07T02:31:00Z"), ("Pacific/Apia", "2011-12-30T10:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"), ("Asia/Kolkata", "2026-05-01T00:00:00Z"),
    ]

    @Test(arguments: UInt64(0)..<160)
    func `reckoning agrees with counting minutes`(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        let (zone, night) = Self.nights[Int(seed) % Self.nights.count]
        let change = try instant(night)
        let calendar = Self.calendar(zone, around: change, &generator)
        let begin = change.adding(seconds: Double(60 * Int.random(in: -3000...1500, using: &generator)))
        let minutes = MinuteCount(calendar, from: begin, count: 12_000)
        for span in [WorkingSpan.hours(Int.random(in: 1...30, using: &generator)), .days(Int.random(in: 1...4, using: &generator))] {
            // What lies beyond the minutes that were counted is not compared.
            guard let expected = minutes.due(span) else { continue }
            #expect(calendar.due(after: begin, span) == expected, "\(span) after \(begin) in \(calendar)")
        }
        let length = Int.random(in: 0...12_000, using: &generator)
        #expect(calendar.workingSeconds(from: begin, to: begin.adding(seconds: Double(60 * length))) == 60 * minutes.working(within: length), "\(begin), \(length) in \(calendar)")
    }

    @Test(arguments: UInt64(0)..<100)
    func `hours that are over are as many as were asked for, to the second`(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        let (zone, night) = Self.nights[Int(seed) % Self.nights.count]
        let calendar = Self.calendar(zone, around: try instant(night), &generator)
        let begin = Instant(microseconds: try instant(night).microseconds + Int64.random(in: -400_000_000_000...400_000_000_000, using: &generator))
        let hours = Int.random(in: 1...200, using: &generator)
        let end = try #require(calendar.due(after: begin, .hours(hours)))
        #expect(calendar.workingSeconds(from: begin, to: end) == hours * 3600)
        #expect(calendar.workingSeconds(from: begin, to: Instant(microseconds: end.microseconds - 1)) < hours * 3600)
    }

    private static func calendar(_ zone: String, around moment: Instant, _ generator: inout SplitMix) -> WorkingCalendar {
        var hours: [WorkingCalendar.Weekday: [WorkingCalendar.Hours]] = [:]
        for weekday in WorkingCalendar.Weekday.allCases where Int.random(in: 0..<4, using: &generator) > 0 {
            var ends = Set((0..<2 * Int.random(in: 1...3, using: &generator)).map { _ in Int.random(in: 0...1440, using: &generator) }).sorted()
            if Bool.random(using: &generator) { ends = [0, 150] + ends.filter { $0 > 150 } }
            if Bool.random(using: &generator) { ends = ends.filter { $0 < 1380 } + [1380, 1440] }
            hours[weekday] = stride(from: 0, to: ends.count - 1, by: 2).map { .init(begin: ends[$0], end: ends[$0 + 1]) }
        }
        // So that some time is working whatever the rest came to.
        hours[.tuesday] = [.init(begin: 90, end: 1000)]
        let near = moment.adding(seconds: Double(86_400 * Int.random(in: -3...6, using: &generator))).utc
        let holidays: [WorkingCalendar.Holiday] = [.once(year: near.year, month: near.month, day: near.day), .yearly(month: near.month, day: max(1, near.day - 1)), .easter(dayOffset: 1)]
        return WorkingCalendar(zone: zone, hours: hours, holidays: Bool.random(using: &generator) ? holidays : [])
    }
}

/// Each minute by itself, as Foundation's calendar shows it: slow, and plain to see that it is right.
private struct MinuteCount {
    private let begin: Instant
    /// Of each minute: whether it is working, and the day that clocks show, as a number that grows.
    private let minutes: [(isWorking: Bool, day: Int)]
    init(_ calendar: WorkingCalendar, from begin: Instant, count: Int) {
        self.begin = begin
        let zone = TimeZone(identifier: calendar.zone)!
        minutes = (0..<count).map { index in
            let moment = Date(timeIntervalSince1970: TimeInterval(begin.seconds) + TimeInterval(60 * index))
            let shown = Int(moment.timeIntervalSince1970) + zone.secondsFromGMT(for: moment)
            let (day, minute) = (Int((Double(shown) / 86_400).rounded(.down)), (shown % 86_400) / 60)
            let date = Instant(seconds: Int64(day) * 86_400).utc
            let isHoliday = calendar.holidays.contains { holiday in
                switch holiday {
                case .yearly(let month, let day): (date.month, date.day) == (month, day)
                case .once(let year, let month, let day): (date.year, date.month, date.day) == (year, month, day)
                // Of the years that the nights lie in.
                case .easter: [(2010, 4, 5), (2011, 4, 25), (2026, 4, 6)].contains { $0 == (date.year, date.month, date.day) }
                }
            }
            let weekday = WorkingCalendar.Weekday.allCases[(day + 3) % 7]
            let isWorking = !isHoliday && (calendar.hours[weekday] ?? []).contains { $0.begin <= minute && minute < $0.end }
            return (isWorking, day)
        }
    }

    func working(within length: Int) -> Int { minutes.prefix(length).count { $0.isWorking } }

    func due(_ span: WorkingSpan) -> Instant? {
        switch span {
        case .hours(let hours):
            var left = hours * 60
            for (index, minute) in minutes.enumerated() where minute.isWorking {
                left -= 1
                if left == 0 { return end(of: index) }
            }
            return nil
        case .days(let count):
            guard let today = minutes.first?.day, let horizon = minutes.last?.day else { return nil }
            let days = Set(minutes.filter { $0.isWorking && $0.day > today && $0.day < horizon - 1 }.map(\.day)).sorted()
            guard days.count >= count, let last = minutes.lastIndex(where: { $0.isWorking && $0.day == days[count - 1] }) else { return nil }
            return end(of: last)
        }
    }

    private func end(of index: Int) -> Instant { begin.adding(seconds: Double(60 * (index + 1))) }
}
