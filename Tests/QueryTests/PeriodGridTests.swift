import CityModel
import Foundation
import Query
import Testing

@Suite struct PeriodGridTests {
    private func grid(_ from: String, _ to: String, _ every: String, _ zone: String = "Europe/Paris") throws -> PeriodGrid {
        try PeriodGrid(
            #require(Instant(from))..<#require(Instant(to)), every: PeriodDuration(every), zone: #require(CivilZone(zone)), countMax: 10_000)
    }

    private func texts(_ grid: PeriodGrid, _ zone: String = "Europe/Paris") throws -> [String] {
        let zone = try #require(CivilZone(zone))
        return grid.bounds.map(zone.text)
    }

    @Test func `days have the length that the clocks of the zone give them`() throws {
        let days = try grid("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", "P1D")
        #expect(
            try texts(days) == ["2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", "2026-03-31T00:00:00+02:00"])
        #expect(zip(days.bounds, days.bounds.dropFirst()).map { ($1.seconds - $0.seconds) / 3600 } == [24, 23, 24])
        #expect(try grid("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "PT1H").count == 25)
    }

    @Test func `a day whose midnight the clocks skip begins when they do`() throws {
        #expect(
            try texts(grid("2018-11-03T12:00:00Z", "2018-11-05T12:00:00Z", "P1D", "America/Sao_Paulo"), "America/Sao_Paulo")
                == ["2018-11-03T00:00:00-03:00", "2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00", "2018-11-06T00:00:00-02:00"])
        // Samoa had no 30th of December.
        #expect(
            try texts(grid("2011-12-29T12:00:00Z", "2011-12-31T12:00:00Z", "P1D", "Pacific/Apia"), "Pacific/Apia")
                == ["2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00", "2012-01-02T00:00:00+14:00"])
    }

    @Test func `weeks begin on Monday, quarters with the year, and hours at midnight`() throws {
        #expect(try texts(grid("2026-11-26T10:00:00Z", "2026-12-01T10:00:00Z", "P1W")).first == "2026-11-23T00:00:00+01:00")
        #expect(
            try texts(grid("2026-02-10T10:00:00Z", "2026-07-01T10:00:00Z", "P3M"))
                == ["2026-01-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00", "2026-07-01T00:00:00+02:00", "2026-10-01T00:00:00+02:00"])
        #expect(try texts(grid("2026-02-10T10:00:00Z", "2027-02-01T00:00:00Z", "P1Y")).count == 3)
        #expect(try texts(grid("2026-02-10T10:10:00Z", "2026-02-10T11:00:00Z", "PT4H", "Asia/Kathmandu"), "Asia/Kathmandu").first == "2026-02-10T12:00:00+05:45")
    }

    @Test(arguments: ["Europe/Paris", "America/St_Johns", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
    func `many moments have the texts that each has for itself`(name: String) throws {
        var random = SeededGenerator(seed: 5)
        let zone = try #require(CivilZone(name))
        for step in [Int64(300), 1800, 3600, 86_400, 2_000_000] {
            // Some of them across a change of clocks, and the day that Samoa left out.
            let start = [Int64(1_774_656_000), 1_792_800_000, 1_325_150_000, .random(in: 0...1_900_000_000, using: &random)].randomElement(using: &random)!
            let moments = (0..<400).map { Instant(seconds: start + $0 * step) }
            var found: [String] = []
            zone.forEachText(of: moments) { found.append(String(decoding: $0, as: UTF8.self)) }
            #expect(found == moments.map(zone.text))
        }
        zone.forEachText(of: []) { _ in Issue.record("there is none") }
    }

    @Test func `days, months and years are those of Foundation's calendar`() throws {
        var random = SeededGenerator(seed: 11)
        let zones = ["Europe/Paris", "America/Sao_Paulo", "Asia/Beirut", "Australia/Lord_Howe", "UTC", "America/St_Johns", "Africa/Cairo"]
        for _ in 0..<300 {
            let zone = zones.randomElement(using: &random)!
            let from = Instant(seconds: .random(in: 0...1_900_000_000, using: &random))
            let (every, component) = [("P1D", Calendar.Component.day), ("P1M", .month), ("P1Y", .year)].randomElement(using: &random)!
            let grid = try PeriodGrid(
                from..<from.adding(seconds: 1), every: PeriodDuration(every), zone: #require(CivilZone(zone)), countMax: 10)
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = try #require(TimeZone(identifier: zone))
            let expected = try #require(calendar.dateInterval(of: component, for: Date(timeIntervalSince1970: Double(from.seconds))))
            #expect(grid.bounds.first?.seconds == Int64(expected.start.timeIntervalSince1970), "\(zone) \(from) \(every)")
            #expect(grid.bounds[1].seconds == Int64(expected.end.timeIntervalSince1970), "\(zone) \(from) \(every)")
        }
    }

    @Test func `a moment is in the period that it is found in, and in none outside`() throws {
        let grid = try grid("2026-03-28T12:00:00Z", "2026-04-30T12:00:00Z", "PT7H")
        for index in 0..<grid.count {
            #expect(grid.index(of: grid.bounds[index]) == index)
            #expect(grid.index(of: Instant(microseconds: grid.bounds[index + 1].microseconds - 1)) == index)
        }
        #expect(grid.index(of: Instant(microseconds: grid.bounds[0].microseconds - 1)) == nil)
        #expect(grid.index(of: grid.bounds[grid.count]) == nil)
    }

    @Test(arguments: ["P1M1D", "PT0.5S", "P1DT1H30M"])
    func `a period is of the calendar or of time, and not too short`(every: String) throws {
        if every == "P1DT1H30M" { return #expect(try grid("2026-03-28T12:00:00Z", "2026-04-02T12:00:00Z", every).count == 6) }
        #expect(throws: CityError.self) { try grid("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", every) }
    }

    @Test func `more periods than there may be are refused`() throws {
        let error = #expect(throws: CityError.self) { try grid("2000-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "PT1H") }
        #expect(error?.detail.hasPrefix("every: ") ?? false)
    }
}
