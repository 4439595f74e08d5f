import CityModel
import Query
import Testing

@Suite struct WeekFoldTests {
    private let paris = CivilZone("Europe/Paris")!

    private func hours(_ zone: CivilZone, _ moments: [String]) throws -> [Int] {
        var fold = WeekFold(zone)
        for text in moments { fold.add(1, at: try #require(Instant(text))) }
        #expect(fold.count == moments.count)
        return fold.percentiles([50]).enumerated().flatMap { hour, found in Array(repeating: hour, count: found?.count ?? 0) }
    }

    @Test func `hours are those of the zone, from Monday at midnight on`() throws {
        // 2026-03-02 and 2026-03-09 are Mondays.
        #expect(try hours(paris, ["2026-03-01T23:00:00Z"]) == [0])
        #expect(try hours(paris, ["2026-03-01T22:59:59.999Z"]) == [167])
        #expect(try hours(.utc, ["2026-03-02T00:00:00Z", "2026-03-09T00:59:59Z", "2026-03-03T13:30:00Z"]) == [0, 0, 37])
        #expect(try hours(CivilZone("Asia/Kathmandu")!, ["2026-03-02T02:14:59Z", "2026-03-02T02:15:00Z"]) == [7, 8])
        #expect(try hours(.utc, ["1969-12-29T00:30:00Z"]) == [0])
    }

    @Test func `the clock that is set forward leaves an hour out, the one set back gives it twice`() throws {
        #expect(try hours(paris, ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"]) == [6 * 24 + 1, 6 * 24 + 3])
        #expect(try hours(paris, ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]) == [6 * 24 + 2, 6 * 24 + 2])
    }

    @Test func `percentiles lie between the numbers of an hour`() throws {
        var fold = WeekFold(.utc)
        let monday = try #require(Instant("2026-03-02T08:00:00Z"))
        for value in [4.0, 1, 3, 2] { fold.add(value, at: monday.adding(seconds: value * 60)) }
        let found = fold.percentiles([0, 25, 50, 100])
        #expect(found[8]?.values == [1, 1.75, 2.5, 4])
        #expect(found[8]?.count == 4)
        #expect(found.count { $0 != nil } == 1)
        #expect(found.count == 168)
    }

    @Test(arguments: [(seconds: 10, every: "PT1S"), (3600, "PT1M"), (86_400, "PT15M"), (7 * 86_400, "PT3H"), (30 * 86_400, "PT6H"), (365 * 86_400, "P1W"), (20 * 366 * 86_400, "P3M")])
    func `a chart has the shortest usual periods that fit`(seconds: Int, every: String) throws {
        let start = try #require(Instant("2026-03-02T08:17:11Z"))
        let (grid, length) = try PeriodGrid.charting(start..<start.adding(seconds: Double(seconds)), countMax: 122, zone: paris)
        #expect(length == every)
        #expect(grid.count <= 122)
        #expect(grid.bounds[0] <= start && grid.bounds[grid.count] >= start.adding(seconds: Double(seconds)))
    }

    @Test(arguments: 2...40) func `no chart has more points than asked for`(countMax: Int) throws {
        let start = try #require(Instant("2026-03-28T23:59:59Z"))
        for seconds in [1, 59, 3599, 86_399, 5_000_000, 80_000_000] {
            guard let (grid, _) = try? PeriodGrid.charting(start..<start.adding(seconds: Double(seconds)), countMax: countMax, zone: paris) else { continue }
            #expect(grid.count <= countMax)
        }
    }
}
