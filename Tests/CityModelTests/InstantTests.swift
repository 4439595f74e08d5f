import CityModel
import Testing

@Suite struct InstantTests {
    /// Clause 4.6.3.
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2020-02-29T12:00:00Z", 1_582_977_600_000_000), ("1969-12-31T23:59:59.5Z", -500_000),
        ("2026-11-21T10:00:00+02:00", 1_795_248_000_000_000), ("2020-01-01T00:00:00,123456789Z", 1_577_836_800_123_456),
    ])
    func `a moment is read`(text: String, microseconds: Int64) {
        #expect(Instant(text)?.microseconds == microseconds)
    }

    /// Clause 4.6.3.
    @Test(arguments: ["", "2020-01-01", "2021-02-29T00:00:00Z", "2020-01-01T24:00:00Z", "2020-01-01T00:00:00", "2020-01-01T00:00:00.Z", "2020-01-01T00:00:00Zx"])
    func `what is no moment is refused`(text: String) {
        #expect(Instant(text) == nil)
    }

    @Test(arguments: ["2020-08-01T12:03:00Z", "2020-08-01T12:03:00.250Z", "1899-12-31T23:59:59.000001Z"])
    func `a moment is written as it was read`(text: String) {
        #expect(Instant(text)?.description == text)
    }

    @Test func `every day of four centuries has one number`() throws {
        var previous = try #require(Instant("1799-12-31T00:00:00Z")).microseconds
        for year in 1800..<2200 {
            for month in 1...12 {
                for day in 1...CivilTime.dayCount(year: year, month: month) {
                    let civil = CivilTime(year: year, month: month, day: day)
                    let instant = Instant(utc: civil)
                    #expect(instant.microseconds - previous == 86_400_000_000)
                    #expect(instant.utc == civil)
                    previous = instant.microseconds
                }
            }
        }
    }

    @Test func `moments beyond the years that ISO 8601 writes with four digits are written at its borders`() {
        #expect(Instant(microseconds: .min).description.hasPrefix("0000-"))
        #expect(Instant(microseconds: .max).description.hasPrefix("9999-"))
    }
}
