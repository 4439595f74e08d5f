internal import CityModel
internal import HTTPTypes
internal import Hummingbird
internal import OrderedCollections
internal import Testing
@testable internal import Site
internal import Store

@Suite struct ExploreTests {
    private static let station = "series=valmere%20pm25%20urn:ngsi-ld:AirQualityObserved:1"
    private let asked = "municipality=valmere&attribute=pm25&id=urn:ngsi-ld:AirQualityObserved:1"

    private func moment(_ minutesAgo: Int) -> Instant { Installation.now.adding(seconds: -Double(minutesAgo) * 60) }

    /// A value each minute of the last 1,000, all 10 but one spike.
    private func installation(_ classification: Classification = .open) async throws -> Installation {
        let installation = try Installation()
        try await installation.write(
            (1...1000).reversed().map { Sample.station("1", name: "Rue <Haute>", $0 == 500 ? 99 : 10, observedAt: moment($0)) }, classification)
        return installation
    }

    private func points(_ answer: JSON) -> [[Double]] { (answer["points"]?.arrayValue ?? []).map { ($0.arrayValue ?? []).compactMap(\.doubleValue) } }

    @Test func `a spike stays visible where many observations become one point`() async throws {
        let installation = try await installation()
        let answer = try await installation.json("/live/series?\(asked)&from=\(moment(1001))&points=40")
        let points = points(answer)
        #expect(answer["every"] == "PT1H" && answer["count"] == 1000)
        #expect(points.count <= 40 && points.allSatisfy { $0.count == 4 && $0[2] <= $0[1] && $0[1] <= $0[3] })
        #expect(points.count { $0[3] == 99 } == 1)
        #expect(points.filter { $0[3] == 99 }.allSatisfy { $0[1] < 13 && $0[2] == 10 })
        #expect(answer["unit"] == "µg/m³" && answer["name"] == "Rue <Haute>" && answer["attribute"]?["label"] == "Fine dust (PM2.5)")
    }

    @Test func `few observations are shown as they are`() async throws {
        let answer = try await installation().json("/live/series?\(asked)&from=\(moment(510))&to=\(moment(490))&points=40")
        #expect(answer["every"] == JSON.null)
        #expect(points(answer).map { $0[0] } == (491...510).reversed().map { Double(moment($0).milliseconds) })
        #expect(points(answer).count { $0[1] == 99 } == 1 && points(answer).allSatisfy { $0.count == 2 })
    }

    @Test func `a line crosses a span between two observations, which it does not count`() async throws {
        let installation = try await installation()
        func between(_ from: Double, _ to: Double) async throws -> JSON {
            let interval = [from, to].map { Installation.now.adding(seconds: -$0 * 60) }
            return try await installation.json("/live/series?\(asked)&from=\(interval[0])&to=\(interval[1])&points=40")
        }
        func outside(_ answer: JSON, _ member: String) -> [[Double]] { (answer[member]?.arrayValue ?? []).map { ($0.arrayValue ?? []).compactMap(\.doubleValue) } }
        let answer = try await between(499.75, 499.25)
        #expect(points(answer).isEmpty && answer["count"] == 0 && answer["every"] == JSON.null)
        #expect(outside(answer, "before") == [(502, 10), (501, 10), (500, 99)].map { [Double(moment($0.0).milliseconds), $0.1] })
        #expect(outside(answer, "after") == [499, 498, 497].map { [Double(moment($0).milliseconds), 10] })
        let within = try await between(499.5, 498.5)
        #expect(within["count"] == 1 && outside(within, "before").count == 3 && outside(within, "after").first?.first == Double(moment(498).milliseconds))
        let recent = try await between(0.75, 0.25)
        #expect(outside(recent, "before").count == 3 && outside(recent, "after").isEmpty)
        // Periods stand for themselves.
        #expect(try await between(900, 100)["before"] == nil)
        let text = try await installation.text("/explore.csv?\(Self.station)&from=\(moment(500).adding(seconds: 15))&to=\(moment(500).adding(seconds: 45))")
        #expect(text.split(separator: "\r\n").count == 1)
    }

    @Test func `the usual week has what was measured at each hour`() async throws {
        let answer = try await installation().json("/live/week?\(asked)&from=\(moment(1001))")
        let hours = answer["hours"]?.arrayValue ?? []
        #expect(hours.count == 168 && answer["count"] == 1000)
        let counts = hours.compactMap { $0.arrayValue?.last?.doubleValue }
        #expect(counts.reduce(0, +) == 1000 && (17...18).contains(counts.count))
        #expect(hours.compactMap { $0.arrayValue?[2] }.allSatisfy { $0 == 10.0 })
    }

    @Test func `the download has the same points, escaped`() async throws {
        let installation = try await installation()
        let (response, body) = try await installation.get("/explore.csv?\(Self.station)&from=\(moment(1001))&points=40")
        #expect(response.headers[.contentType]?.hasPrefix("text/csv") == true)
        let lines = String(decoding: body, as: UTF8.self).split(separator: "\r\n")
        #expect(lines[0] == "time,municipality,id,name,attribute,unitCode,mean,min,max,period")
        #expect(lines.count == points(try await installation.json("/live/series?\(asked)&from=\(moment(1001))&points=40")).count + 1)
        #expect(lines.count { $0.contains(",10.0,99.0,PT1H") || $0.contains(",10,99,PT1H") } == 1)
    }

    @Test func `the download of a usual week has its hours`() async throws {
        let installation = try await installation()
        let text = try await installation.text("/explore.csv?\(Self.station)&from=\(moment(1001))&show=week")
        let lines = text.split(separator: "\r\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(lines[0].joined(separator: ",") == "weekday,hour,municipality,id,name,attribute,unitCode,p10,p25,p50,p75,p90,count")
        let hours = try await installation.json("/live/week?\(asked)&from=\(moment(1001))")["hours"]?.arrayValue ?? []
        let expected = hours.enumerated().filter { $0.element != .null }.map { [$0.offset / 24 + 1, $0.offset % 24, Int($0.element.arrayValue?.last?.integerValue ?? 0)] }
        #expect(lines.dropFirst().map { [Int($0[0]), Int($0[1]), $0.last.flatMap { Int($0) }] } == expected.map { $0.map(Optional.some) })
        #expect(lines.dropFirst().allSatisfy { $0[2] == "valmere" && $0[5] == "pm25" && Double($0[9]) == 10 } && lines.count > 17)
    }

    @Test(arguments: [
        ("/explore.csv", "series"), ("/explore.csv?series=valmere%20pm25%20urn:a&show=month", "show"), ("/explore.csv?series=valmere%20pm25", "series"), ("/explore.csv?series=valmere%20pm25%20urn:a&points=5", "points"),
        ("/live/series?attribute=pm25&id=urn:a", "municipality"), ("/live/series?municipality=valmere&attribute=pm25&id=urn:ngsi-ld:AirQualityObserved:1&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
        ("/live/series?municipality=valmere&attribute=pm25&id=urn:ngsi-ld:AirQualityObserved:1&from=1700-01-01T00:00:00Z", "from"),
        ("/live/series?municipality=valmere&attribute=nothing&id=urn:ngsi-ld:AirQualityObserved:1", "attribute"), ("/live/week?municipality=nowhere&attribute=a&id=urn:a", "municipality"),
    ])
    func `what can't be read is named`(target: String, field: String) async throws {
        let installation = try await installation()
        let error = await #expect(throws: CityError.self) { try await installation.get(target) }
        #expect(error?.detail.hasPrefix("\(field):") == true)
    }

    @Test func `more series than can be told apart are refused`() async throws {
        let installation = try await installation()
        let most = Array(repeating: Self.station, count: 8).joined(separator: "&")
        #expect(try await installation.get("/explore.csv?\(most)").response.status == .ok)
        await #expect(throws: CityError.self) { try await installation.get("/explore.csv?\(most)&\(Self.station)") }
    }

    @Test func `what may not be seen is in no chart, no week and no download`() async throws {
        let installation = try await installation(.internalUse)
        for target in ["/live/series?\(asked)", "/live/week?\(asked)", "/explore.csv?\(Self.station)"] {
            await #expect(throws: CityError.self) { try await installation.get(target) }
        }
        let token = try await installation.token(in: "valmere")
        #expect(try await installation.text("/explore.csv?\(Self.station)&from=\(moment(1001))", as: token).contains("99"))
    }

    @Test func `the page offers what is measured`() async throws {
        let installation = try await installation()
        try await installation.write([Sample.entity("Streetlight", "1", at: (3.2, 48.6), ["powerState": "on"])])
        let text = try await installation.text("/explore?lang=en")
        #expect(text.contains("<option value=\"AirQualityObserved\">Air quality</option>"))
        #expect(!text.contains("<option value=\"Streetlight\""))
        #expect(try await Installation().text("/explore", [:]).contains("Nothing is measured here yet."))
    }
}
