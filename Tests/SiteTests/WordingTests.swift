internal import CityModel
internal import Broker
internal import Hummingbird
internal import OrderedCollections
internal import Store
internal import Testing
@testable internal import Site

/// What people read: no identifiers, codes or shares of one.
@Suite struct WordingTests {
    @Test func `every layer has a mark of its own, a known type the same everywhere`() async throws {
        let installation = try Installation()
        let types = ["WaterConsumptionObserved", "Aquarium", "ACMeasurement", "Zoo", "AirQualityObserved"]
        try await installation.write(types.map { Sample.entity($0, "1", at: (3.2, 48.6), ["depth": 1]) })
        let layers = try await installation.json("/live/layers")["layers"]?.arrayValue ?? []
        let shapes = Dictionary(layers.map { ($0["key"] ?? .null, $0["shape"]?.stringValue ?? "") }, uniquingKeysWith: { first, _ in first })
        #expect(shapes["WaterConsumptionObserved"] == "drop" && shapes["ACMeasurement"] == "bolt" && shapes["AirQualityObserved"] == "circle")
        #expect(Set(shapes.values).count == types.count)
        let known = KnownType.all.map(\.shape)
        #expect(Set(known).count == known.count)
    }

    @Test func `the scripts draw every mark`() throws {
        let script = try #require(SiteFiles.text("js/shapes.js"))
        for shape in LayerShape.allCases { #expect(script.contains("\n  \(shape.rawValue):") || script.contains("\n  \(shape.rawValue),"), "\(shape)") }
    }

    @Test func `a share of one is shown in percent, and stays what it is in the data`() async throws {
        let installation = try Installation()
        try await installation.write([Sample.entity("WasteContainer", "1", name: "C", at: (3.2, 48.6), ["fillingLevel": 0.625])])
        let scale = try await installation.json("/live/layers")["layers"]?.arrayValue?.first?["scale"]
        #expect(scale?["unit"] == "%" && scale?["factor"] == 100.0 && scale?["max"] == 1.0)
        let panel = try await installation.json("/live/entity?municipality=valmere&id=urn:ngsi-ld:WasteContainer:1")
        let row = panel["attributes"]?.arrayValue?.first
        #expect(row?["value"] == 0.625 && row?["unit"] == "%" && row?["factor"] == 100.0)
        let table = try await installation.text("/table?type=WasteContainer")
        #expect(table.contains("<span class=\"figure\">62.5</span> <span class=\"unit\">%</span></bdi>"))
        #expect(try await installation.text("/table.csv?type=WasteContainer").contains(",0.625\r\n"))
    }

    @Test(arguments: [("P1", "occupancy", "%", 1.0), ("", "occupancy", "%", 100), ("µg/m³", "no2", "µg/m³", 1), ("", "intensity", "", 1)])
    func `only a share without a unit is multiplied`(symbol: String, attribute: String, shown: String, factor: Double) {
        let unit = ShownUnit(symbol: symbol == "P1" ? "%" : symbol, of: attribute)
        #expect(unit.symbol == shown && unit.factor == factor)
    }

    @Test func `an entity without a name is called by what it is`() async throws {
        let installation = try Installation()
        try await installation.write([Sample.entity("Tree", "4711", at: (3.2, 48.6), ["height": 12])])
        let feature = try await installation.json("/live/map?lang=fr&types=Tree")["features"]?.arrayValue?.first?.arrayValue
        #expect(feature?[3] == "Arbre 4711")
        #expect(try await installation.json("/live/search?lang=en")["results"]?.arrayValue?.first?["name"] == "Tree 4711")
        #expect(try await installation.json("/live/entity?lang=en&municipality=valmere&id=urn:ngsi-ld:Tree:4711")["name"] == "Tree 4711")
        #expect(try await installation.text("/table").contains(">Tree 4711<"))
        #expect(try await installation.text("/table.csv").contains("urn:ngsi-ld:Tree:4711,Tree,,3.2,48.6"))
    }

    @Test func `an attribute can mean something else for one type, a value for one attribute`() throws {
        let english = try #require(Languages.standard["en"])
        #expect(english.attribute("occupancy", of: "OffStreetParking") != english.attribute("occupancy", of: "TrafficFlowObserved"))
        #expect(english.value("low", of: "severity") != english.value("low", of: "powerState"))
        #expect(english.value("outOfOrderSince", of: "anything") == "Out of order since")
        #expect(english.value("bicycle_parking", of: "anything") == "Bicycle parking")
        #expect(english.value("Rue Haute", of: "anything") == "Rue Haute" && english.value("oak", of: "anything") == "oak")
    }

    @Test func `a number that stands for a word is said without its unit`() async throws {
        let installation = try Installation()
        try await installation.write([Sample.entity("Vehicle", "1", name: "Bus", at: (3.2, 48.6), ["speed": 0, "heading": -1])])
        #expect(try await installation.text("/table?type=Vehicle").contains("<bdi><span class=\"figure\">Standing</span></bdi></span>"))
    }

    @Test func `days and moments are written as people write them`() async throws {
        let installation = try Installation()
        try await installation.write([
            Sample.entity("Tree", "1", at: (3.2, 48.6), ["dateLastSurvey": "1989-03-01", "dateOfPlanting": "1970-02-03T10:00:00Z", "note": "1989-3-1"])
        ])
        let rows = try await installation.json("/live/entity?lang=fr&municipality=valmere&id=urn:ngsi-ld:Tree:1")["attributes"]?.arrayValue ?? []
        #expect(rows.map { $0["text"] ?? $0["value"] } == ["1 mars 1989", "3 févr. 1970, 11:00", "1989-3-1"])
    }
}
