internal import CityModel
internal import HTTPTypes
internal import OrderedCollections
internal import Broker
internal import Hummingbird
internal import Testing
@testable internal import Site
internal import Store

@Suite struct LiveTests {
    private let hourAgo = Installation.now.adding(seconds: -3600)

    @Test func `a layer has a label, a scale and a unit in words`() async throws {
        let installation = try Installation()
        try await installation.write([
            Sample.station("1", name: "A", 10), Sample.entity("Streetlight", "1", at: (3.2, 48.6), ["powerState": "on"]),
            Sample.entity("OwnThing", "1", at: (3.2, 48.6), ["depth": 12]), Sample.entity("Unplaced", "1", ["depth": 12]),
        ])
        let layers = try await installation.json("/live/layers?lang=fr")["layers"]?.arrayValue ?? []
        #expect(layers.map { $0["key"] } == ["AirQualityObserved", "Streetlight", "OwnThing"])
        #expect(layers[0]["label"] == "Qualité de l’air" && layers[0]["scale"]?["unit"] == "µg/m³" && layers[0]["scale"]?["max"] == 50.0)
        #expect(layers[1]["scale"]?["kind"] == "state")
        #expect(layers[2]["label"] == "Own thing" && layers[2]["scale"]?["attribute"] == "depth")
    }

    @Test func `the map of a box has what is in it, with values`() async throws {
        let installation = try Installation()
        try await installation.write([Sample.station("1", name: "In", 10.5), Sample.station("2", name: "Out", 20, at: (5, 50))])
        let map = try await installation.json("/live/map?bbox=3,48,4,49&zoom=12&types=AirQualityObserved")
        #expect(map["total"] == 1)
        let feature = try #require(map["features"]?.arrayValue?.first?.arrayValue)
        #expect(feature == [0, 0, "urn:ngsi-ld:AirQualityObserved:1", "In", 3.2, 48.6, 10.5, .integer(Installation.now.milliseconds)])
        #expect(try await installation.json("/live/map?types=")["total"] == 0)
        #expect(try await installation.json("/live/map?types=Vehicle")["total"] == 0)
    }

    @Test(arguments: ["bbox=1,2,3", "bbox=4,4,1,1", "bbox=a,b,c,d", "zoom=99", "at=yesterday", "at=2020-01-01T00:00:00Z", "municipality=nowhere"])
    func `a parameter that cannot be read is named`(query: String) async throws {
        let installation = try Installation()
        let error = await #expect(throws: CityError.self) { try await installation.get("/live/map?\(query)") }
        #expect(error?.detail.hasPrefix(String(query.prefix { $0 != "=" })) == true)
    }

    @Test func `the past shows what was observed last before it`() async throws {
        let installation = try Installation()
        for (minutes, value) in [(-120.0, 1.0), (-70, 2), (-10, 3)] {
            try await installation.write([Sample.station("1", name: "A", value, observedAt: Installation.now.adding(seconds: minutes * 60))])
        }
        let now = try await installation.json("/live/map")["features"]?.arrayValue?.first?.arrayValue
        #expect(now?[6] == 3.0)
        let then = try await installation.json("/live/map?at=\(hourAgo)")["features"]?.arrayValue?.first?.arrayValue
        #expect(then?[6] == 2.0)
        #expect(then?[7] == .integer(Installation.now.adding(seconds: -4200).milliseconds))
        let before = try await installation.json("/live/map?at=\(Installation.now.adding(seconds: -9000))")["features"]?.arrayValue?.first?.arrayValue
        #expect(before?[6] == JSON.null)
        let panel = try await installation.json("/live/entity?municipality=valmere&id=urn:ngsi-ld:AirQualityObserved:1&at=\(hourAgo)")
        #expect(panel["attributes"]?.arrayValue?.first { $0["key"] == "pm25" }?["value"] == 2.0)
    }

    @Test func `a vehicle of the past is where it was`() async throws {
        let installation = try Installation()
        func bus(_ place: (Double, Double), _ seconds: Double) -> Entity {
            var bus = Sample.entity("Vehicle", "1", name: "Bus", at: place, ["speed": 30], observedAt: Installation.now.adding(seconds: seconds))
            bus.attributes[.location]?[0].observedAt = Installation.now.adding(seconds: seconds)
            return bus
        }
        try await installation.write([bus((3.1, 48.5), -7000)])
        try await installation.write([bus((3.9, 48.9), -100)])
        let west = "bbox=3,48.4,3.2,48.6"
        #expect(try await installation.json("/live/map?\(west)")["total"] == 0)
        #expect(try await installation.json("/live/map?\(west)&at=\(hourAgo)")["total"] == 1)
    }

    @Test func `history is averaged into no more points than asked for`() async throws {
        let installation = try Installation()
        try await installation.write((0..<200).map { Sample.station("1", name: "A", Double($0 % 10), observedAt: Installation.now.adding(seconds: -Double(200 - $0) * 60)) })
        let base = "/live/history?municipality=valmere&id=urn:ngsi-ld:AirQualityObserved:1&attribute=pm25&from=\(Installation.now.adding(seconds: -86_000))"
        let few = try await installation.json("\(base)&to=\(Installation.now)&points=20")["points"]?.arrayValue ?? []
        #expect((2...20).contains(few.count))
        let all = try await installation.json("\(base)&to=\(Installation.now)&points=500")["points"]?.arrayValue ?? []
        #expect(all.count == 200)
        #expect(all.compactMap { $0.arrayValue?.first?.integerValue } == all.compactMap { $0.arrayValue?.first?.integerValue }.sorted())
        await #expect(throws: CityError.self) { try await installation.get("\(base)&to=\(Installation.now.adding(seconds: 40 * 86_400))") }
    }

    @Test func `search finds by a part of the name whatever its accents, beginnings first`() async throws {
        let installation = try Installation()
        try await installation.write([
            Sample.station("1", name: "Place de l’Église", 1), Sample.station("2", name: "Eglise Saint-Jean", 2), Sample.station("3", name: "Gare", 3),
        ])
        try await installation.write([Sample.entity("OwnThing", "1", name: "ÉGLISE neuve")], in: "hautbois")
        let found = try await installation.json("/live/search?q=église")
        #expect(found["total"] == 3)
        #expect(found["results"]?.arrayValue?.map { $0["name"] } == ["ÉGLISE neuve", "Eglise Saint-Jean", "Place de l’Église"])
        #expect(found["results"]?.arrayValue?.first?["municipalityName"] == "Hautbois")
        #expect(try await installation.json("/live/search?limit=2")["results"]?.arrayValue?.count == 2)
        #expect(try await installation.json("/live/search?q=gare&bbox=0,0,1,1")["total"] == 0)
        #expect(try await installation.json("/live/search?q=gare&municipality=hautbois")["total"] == 0)
    }

    @Test func `a place says where its values come from and what it belongs to`() async throws {
        let installation = try Installation()
        let file = try installation.store.file(try installation.name("valmere"), creating: true)
        let run = try await file.write { transaction in
            let definition: JSON = [
                "title": "Car parks", "classification": "open", "steward": "Mobility", "attribution": "© Valmère",
                "licence": ["name": "CC BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/"],
            ]
            try transaction.put(.source, "car-parks", definition, at: Installation.now)
            return try transaction.beginImportRun(source: "car-parks", version: "1", at: Installation.now)
        }
        try await installation.write([Sample.entity("Operator", "1", name: "Parcus")], in: "hautbois")
        var park = Sample.entity(
            "OffStreetParking", "1", name: "Rue Haute", at: (3.2, 48.6),
            ["availableSpotNumber": 12, "status": "open", "address": ["streetAddress": "3 rue Haute", "addressLocality": "Valmère"]])
        park.scopes = [Scope("Mobility/Parking")].compactMap { $0 }
        park.attributes[Sample.iri("operator")] = [Attribute(kind: .relationship, value: "urn:ngsi-ld:Operator:1")]
        try await installation.write([park], run: run)
        let panel = try await installation.json("/live/entity?municipality=valmere&id=\(park.id)&lang=en")
        #expect(panel["source"]?["name"] == "Car parks" && panel["source"]?["anchor"] == "valmere-car-parks")
        #expect(panel["source"]?["licence"]?["url"] == "https://creativecommons.org/licenses/by/4.0/")
        #expect(panel["scope"] == [["Mobility", "Parking"]])
        let rows = OrderedDictionary(panel["attributes"]?.arrayValue?.compactMap { row in row["key"]?.stringValue.map { ($0, row) } } ?? [], uniquingKeysWith: { a, _ in a })
        #expect(rows.keys.first == "availableSpotNumber" && rows["name"] == nil && rows["location"] == nil)
        #expect(rows["status"]?["value"] == "open")
        #expect(rows["address"]?["text"] == "3 rue Haute, Valmère")
        #expect(rows["operator"]?["entity"] == ["municipality": "hautbois", "id": "urn:ngsi-ld:Operator:1", "name": "Parcus"])
    }

    @Test func `the ground is areas and lines, and can be asked for again cheaply`() async throws {
        let installation = try Installation()
        var river = Sample.entity("River", "1", name: "Aure")
        river.attributes[.location] = [Attribute(kind: .geoProperty, value: ["type": "LineString", "coordinates": [[3.1, 48.5], [3.3, 48.7]]])]
        try await installation.write([river, Sample.area("Municipality", "v", name: "Valmère", around: (3.2, 48.6)), Sample.station("1", name: "A", 1)])
        let (response, body) = try await installation.get("/live/outlines")
        let outlines = try JSON(parsing: body)["outlines"]?.arrayValue ?? []
        #expect(outlines.map { $0["kind"] } == ["municipality", "water"])
        let tag = try #require(response.headers[.eTag])
        #expect(try await installation.get("/live/outlines", [.ifNoneMatch: tag]).response.status == .notModified)
        #expect(try await installation.json("/live/layers")["layers"]?.arrayValue?.map { $0["key"] } == ["AirQualityObserved"])
    }

    @Test func `twelve thousand entities come as clusters that add up`() async throws {
        let installation = try Installation()
        let side = 110
        try await installation.write(
            (0..<12_000).map { Sample.station("\($0)", name: "S\($0)", 1, at: (3 + Double($0 % side) / 500, 48 + Double($0 / side) / 500)) })
        _ = try await installation.json("/live/map?zoom=11")
        let start = ContinuousClock.now
        let map = try await installation.json("/live/map?zoom=11")
        let duration = ContinuousClock.now - start
        let grouped = (map["clusters"]?.arrayValue ?? []).reduce(0) { $0 + ($1.arrayValue?[2].integerValue ?? 0) }
        #expect(Int64(map["features"]?.arrayValue?.count ?? 0) + grouped == 12_000)
        #expect(map["total"] == 12_000)
        print("clusters of 12,000 entities: \(duration)")
    }
}
