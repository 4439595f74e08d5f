import CityModel
import Sources
import Testing

struct TimeTests {
    private func time(_ text: String, _ settings: String, header: String = "t") throws -> String? {
        let run = try run(
            yaml(entity: "id: 'urn:x:1', type: T, observedAt: {\(settings)}"), "\(header)\n\(text)\n")
        return run.entities.first.map { $0.observedAt?.description ?? "-" } ?? run.rejections.first?.ruleID
    }

    @Test(arguments: [
        ("2024-02-29", "iso8601", "2024-02-29T00:00:00Z"), ("2024-02-29T12:30:15.25+01:00", "iso8601", "2024-02-29T11:30:15.250Z"),
        ("2024-02-29 12:30", "iso8601", "2024-02-29T12:30:00Z"), ("2024-02", "iso8601", "2024-02-01T00:00:00Z"),
        ("2024-02-30", "iso8601", "time"),
        ("2024-02-29T25:00:00Z", "iso8601", "time"), ("2024-02-29T", "iso8601", "time"),
        ("2024-02-29T12:30:00Zx", "iso8601", "time"),
        ("1400000000", "unix", "2014-05-13T16:53:20Z"), ("1400000000.5", "unix", "2014-05-13T16:53:20.500Z"),
        ("-1", "unix", "1969-12-31T23:59:59Z"),
        ("1400000000123", "unix-ms", "2014-05-13T16:53:20.123Z"), ("99999999999999999", "unix", "time"), ("soon", "unix", "time"),
        ("40347", "excel-serial", "2010-06-18T00:00:00Z"), ("40347.75", "excel-serial", "2010-06-18T18:00:00Z"),
        ("1", "excel-serial", "1900-01-01T00:00:00Z"),
        ("59", "excel-serial", "1900-02-28T00:00:00Z"), ("60", "excel-serial", "time"),
        ("61", "excel-serial", "1900-03-01T00:00:00Z"), ("0", "excel-serial", "time"),
        ("18/06/10", "%d/%m/%y", "2010-06-18T00:00:00Z"), ("18/06/69", "%d/%m/%y", "1969-06-18T00:00:00Z"),
        ("18/06/68", "%d/%m/%y", "2068-06-18T00:00:00Z"),
        ("1/2/2024 3:04", "%d/%m/%Y %H:%M", "2024-02-01T03:04:00Z"), ("20240229T0405", "%Y%m%dT%H%M", "2024-02-29T04:05:00Z"),
        ("29/02/2023", "%d/%m/%Y", "time"),
        ("Feb 5 2024 12:05 AM", "%b %d %Y %I:%M %p", "2024-02-05T00:05:00Z"),
        ("february 5 2024 1:05 pm", "%b %d %Y %I:%M %p", "2024-02-05T13:05:00Z"),
        ("2024-02-29T12:00:00/2024-03-01", "%FT%T/%*", "2024-02-29T12:00:00Z"),
        ("2024-02-29 12:00:00.123 +0200", "%F %T.%f %z", "2024-02-29T10:00:00.123Z"),
        ("2024-02-29 x", "%F", "time"), ("2024", "%Y", "2024-01-01T00:00:00Z"),
    ])
    func `a time is read as its format says`(text: String, format: String, expected: String) throws {
        #expect(try time(text, "field: t, format: '\(format)'") == expected)
    }

    /// In Paris clocks went from 02:00 to 03:00 on 2024-03-31 and from 03:00 to 02:00 on 2024-10-27.
    @Test(arguments: [
        ("2024-03-31 01:59:59", "earlier", "2024-03-31T00:59:59Z"), ("2024-03-31 02:00:00", "earlier", "time"),
        ("2024-03-31 02:59:59", "earlier", "time"),
        ("2024-03-31 03:00:00", "earlier", "2024-03-31T01:00:00Z"), ("2024-10-27 01:59:59", "earlier", "2024-10-26T23:59:59Z"),
        ("2024-10-27 02:00:00", "earlier", "2024-10-27T00:00:00Z"), ("2024-10-27 02:00:00", "later", "2024-10-27T01:00:00Z"),
        ("2024-10-27 02:59:59", "later", "2024-10-27T01:59:59Z"), ("2024-10-27 02:30:00", "reject", "time"),
        ("2024-10-27 03:00:00", "reject", "2024-10-27T02:00:00Z"), ("2024-07-01 00:00:00", "earlier", "2024-06-30T22:00:00Z"),
        ("2024-10-27 02:30:00+01:00", "reject", "2024-10-27T01:30:00Z"),
    ])
    func `clock changes are respected`(text: String, ambiguous: String, expected: String) throws {
        #expect(try time(text, "field: t, zone: Europe/Paris, ambiguous: \(ambiguous)") == expected)
    }

    @Test func `every hour of a year in Paris maps to its own moment or is skipped`() throws {
        var rows = "t\n"
        var start = CivilTime(year: 2024, month: 1, day: 1)
        for _ in 0..<(366 * 24) {
            rows += "\(start.year)-\(start.month)-\(start.day) \(start.hour)\n"
            start = Instant(utc: start).adding(seconds: 3600).utc
        }
        let run = try run(
            yaml(entity: "id: 'urn:x:1', type: T, observedAt: {field: t, format: '%Y-%m-%d %H', zone: Europe/Paris}"), rows,
            chunkByteCount: 4096)
        #expect(run.report.acceptedCount == 366 * 24 - 1)
        let times = run.entities.compactMap(\.observedAt)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `a time may be spread over several columns`() throws {
        #expect(
            try time("2013,3,1,0", "fields: [y, m, d, h], format: '%Y %m %d %H', zone: Asia/Shanghai", header: "y,m,d,h")
                == "2013-02-28T16:00:00Z")
        #expect(try time("2013,,1,0", "fields: [y, m, d, h], format: '%Y %m %d %H'", header: "y,m,d,h") == "time")
    }
}
