import CityModel
import Query
import RandomEntities
import Testing

/// ISO 8601 durations and the periods they make (clause 4.5.19.1).
@Suite struct PeriodDurationTests {
    @Test(arguments: [
        ("P3Y6M4DT12H30M5S", 42, 4 * 86_400 + 12 * 3600 + 30 * 60 + 5), ("P1Y", 12, 0), ("P1M", 1, 0), ("PT1M", 0, 60), ("P2W", 0, 14 * 86_400),
        ("PT0S", 0, 0), ("P0D", 0, 0), ("PT36H", 0, 36 * 3600),
    ] as [(String, Int, Int64)])
    func `a duration has months and seconds`(text: String, months: Int, seconds: Int64) {
        #expect(PeriodDuration(text) == PeriodDuration(months: months, microseconds: seconds * 1_000_000))
    }

    @Test func `only seconds have a fraction`() {
        #expect(PeriodDuration("PT0.5S") == PeriodDuration(months: 0, microseconds: 500_000))
        #expect(PeriodDuration("PT1,25S") == PeriodDuration(months: 0, microseconds: 1_250_000))
        #expect(PeriodDuration("PT0.5H") == nil)
    }

    @Test(arguments: [
        "", "P", "PT", "P1", "1H", "PT1H1H", "PT1M1H", "P1D1M", "P1WT1H", "P1Y1W", "P1W1D", "PT1HT1M", "P1DT", "P-1D", "PT1h", "P2020-01-01",
        "PT9999999S", "P10001Y", "PT1.S", "PT.5S",
    ])
    func `what is no duration is nil`(text: String) { #expect(PeriodDuration(text) == nil) }

    @Test func `months are those of the calendar, counted from the start`() throws {
        let month = try #require(PeriodDuration("P1M"))
        let start = try instant("2024-01-31T06:00:00Z")
        let begins = (0...3).map { month.start(ofPeriod: $0, from: start).description }
        #expect(begins == ["2024-01-31T06:00:00Z", "2024-02-29T06:00:00Z", "2024-03-31T06:00:00Z", "2024-04-30T06:00:00Z"])
    }

    @Test(arguments: ["P1M", "P1Y", "P1M1D", "PT1H", "PT7M", "P1W", "P13M", "PT0.000007S"])
    func `a moment is in the period that begins at or before it and ends after it`(text: String) throws {
        let period = try #require(PeriodDuration(text))
        let start = try instant("2020-02-29T13:05:00Z")
        var generator = SplitMix(seed: 7)
        for _ in 0..<300 {
            let moment = Instant(microseconds: start.microseconds + Int64.random(in: -1_000_000_000_000_000...3_000_000_000_000_000, using: &generator))
            let index = period.period(of: moment, from: start)
            #expect(period.start(ofPeriod: index, from: start) <= moment)
            #expect(moment < period.start(ofPeriod: index + 1, from: start))
        }
    }

    @Test func `a duration of zero is one period that holds everything`() throws {
        #expect(PeriodDuration.wholeRange.period(of: try instant("2030-01-01T00:00:00Z"), from: try instant("2020-01-01T00:00:00Z")) == 0)
    }
}
