import CityModel
import Policy
import Query
import Testing

struct PrecisionTests {
    @Test(arguments: [
        ("PT1H", "2026-03-29T14:59:59.5Z", "2026-03-29T14:00:00Z"), ("P1D", "2026-03-29T14:59:59Z", "2026-03-29T00:00:00Z"),
        ("P1W", "2026-11-26T12:00:00Z", "2026-11-23T00:00:00Z"), ("P1M", "2026-11-26T12:00:00Z", "2026-11-01T00:00:00Z"),
        ("P1Y", "1969-11-26T12:00:00Z", "1969-01-01T00:00:00Z"), ("PT15M", "1999-12-31T23:50:00Z", "1999-12-31T23:45:00Z"),
    ])
    func `a moment is told as the beginning of its period`(period: String, moment: String, told: String) throws {
        let length: PeriodDuration = try #require(PeriodDuration(period))
        let precision = Precision(placeMetres: nil, period: length)
        #expect(precision.rounded(try #require(Instant(moment))) == Instant(told))
        #expect(Precision.exact.rounded(try #require(Instant(moment))) == Instant(moment))
    }

    @Test(arguments: [100, 250, 1000, 20_000], [(3.8767, 43.6108), (-70.1, -54.8), (0, 0), (179.9999, 89.9), (-180, -90), (24.9, 60.2)])
    func `a place is told near where it is, and the same for all places of its square`(metres: Int, place: (Double, Double)) throws {
        let precision = Precision(placeMetres: metres, period: nil)
        let exact = try Geometry(longitude: place.0, latitude: place.1)
        let told = try #require(precision.rounded(exact))
        let distance = try PreparedGeometry(exact).distance(to: told)
        #expect(distance <= Double(metres) * 0.75, "\(distance) m")
        #expect(precision.rounded(told) == told)
    }

    @Test func `a line becomes a point`() throws {
        let line = try Geometry(typeName: "LineString", coordinates: [[3.8, 43.6], [3.9, 43.7]])
        #expect(Precision(placeMetres: 500, period: nil).rounded(line)?.kind == .point)
        #expect(Precision.exact.rounded(line) == line)
    }

    @Test func `people in one square are told apart by nothing`() throws {
        let precision = Precision(placeMetres: 1000, period: nil)
        let middle = try #require(precision.rounded(try Geometry(longitude: 3.8767, latitude: 43.6108))).boundingBox.center
        let told = try Set((-4...4).flatMap { east in
            try (-4...4).map { north in
                precision.rounded(try Geometry(longitude: middle.longitude + Double(east) * 0.001, latitude: middle.latitude + Double(north) * 0.001))
            }
        })
        #expect(told.count == 1)
    }

    @Test(arguments: ["P1Y2M", "P3D", "PT1H30M", "PT0.5S", "P1DT2H3M4.000001S", "P7D"])
    func `a duration is written as it is read`(text: String) throws { #expect(try #require(PeriodDuration(text)).description == text) }

    @Test func `attribute sets are sets`() {
        let names = ["a", "b", "c"].map(attribute)
        let sets: [AttributeSet] = [.all, .none, .only([names[0]]), .only([names[0], names[1]]), .except([names[1]]), .except([names[0], names[2]])]
        for left in sets {
            for right in sets {
                for name in names + [attribute("other")] {
                    #expect(left.union(right).contains(name) == (left.contains(name) || right.contains(name)))
                    #expect(left.intersection(right).contains(name) == (left.contains(name) && right.contains(name)))
                }
            }
            #expect(left.union(.none) == left && left.intersection(.all) == left)
        }
    }
}
