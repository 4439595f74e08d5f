import CityModel
import LinkedData
import OrderedCollections
import Testing

@Suite(.enabled(if: SharedData.hasSmartDataModels))
struct SmartDataModelsContextTests {
    private static let defaults = "https://uri.etsi.org/ngsi-ld/default-context/"
    private static let files = [
        "common-context", "dataModel.Environment-context", "dataModel.IssueTracking-context", "dataModel.Parking-context",
        "dataModel.Streetlighting-context", "dataModel.Transportation-context", "dataModel.UrbanMobility-context",
        "dataModel.WasteManagement-context", "dataModel.Weather-context", "smart-data-models-context",
    ]

    private static func document(_ file: String) throws -> JSON {
        try SharedData.json("ngsi-ld-smart-data-models/_contexts/\(file).jsonld")
    }

    @Test(arguments: files)
    func `the context loads, its terms mean what it says and IRIs survive compaction`(file: String) async throws {
        let document = try Self.document(file)
        let context = try await ContextResolver.finding(["https://a.example/c": document]).resolve(url: "https://a.example/c")
        let members = try #require(document["@context"]?.objectValue)
        for (name, definition) in members where !name.hasPrefix("@") && Context.core.keyword(name) == nil {
            let written = definition.stringValue ?? definition["@id"]?.stringValue
            let iri = try #require(context.expand(name), "\(name)")
            if CoreContext.document(for: CoreContext.url)?["@context"]?[name] != nil {
                #expect(iri == Context.core.expand(name))
            } else if let written, written.contains("://") {
                #expect(iri.text == written, "\(name)")
            }
            #expect(context.expand(context.compact(iri)) == iri, "\(name)")
        }
    }

    /// Clauses 4.4, 5.5.7.
    @Test(arguments: [
        ("dataModel.Environment-context", "AirQualityObserved", "https://smartdatamodels.org/dataModel.Environment/AirQualityObserved"),
        ("dataModel.Environment-context", "typeOfLocation", defaults + "typeOfLocation"),
        ("dataModel.Environment-context", "location", "https://uri.etsi.org/ngsi-ld/location"),
        ("dataModel.IssueTracking-context", "open311:type", "https://smartdatamodels.org/dataModel.IssueTracking/open311:type"),
        ("dataModel.Parking-context", "OffStreetParking", defaults + "OffStreetParking"),
        ("dataModel.Streetlighting-context", "Streetlight", defaults + "Streetlight"),
        ("dataModel.WasteManagement-context", "WasteContainer", defaults + "WasteContainer"),
        ("dataModel.WasteManagement-context", "location", "https://uri.etsi.org/ngsi-ld/location"),
        ("dataModel.WasteManagement-context", "features", "https://purl.org/geojson/vocab#features"),
        ("smart-data-models-context", "location", "https://uri.etsi.org/ngsi-ld/location"),
        ("smart-data-models-context", "title", "http://purl.org/dc/terms/title"),
    ])
    func `names expand to the known IRI`(file: String, name: String, iri: String) async throws {
        let context = try await ContextResolver.finding(["https://a.example/c": Self.document(file)]).resolve(url: "https://a.example/c")
        #expect(context.expand(name)?.text == iri)
    }

    @Test(arguments: [
        ("AirQualityObserved", "dataModel.Environment-context"), ("NoiseLevelObserved", "dataModel.Environment-context"),
        ("TrafficFlowObserved", "dataModel.Transportation-context"), ("EVChargingStation", "dataModel.Transportation-context"),
        ("OffStreetParking", "dataModel.Parking-context"), ("Streetlight", "dataModel.Streetlighting-context"),
        ("WasteContainer", "dataModel.WasteManagement-context"), ("Open311ServiceRequest", "dataModel.IssueTracking-context"),
    ])
    func `every name of an example entity expands and comes back`(model: String, file: String) async throws {
        let example = try SharedData.json("ngsi-ld-smart-data-models/\(model)/example-normalized.jsonld")
        let context = try await ContextResolver.finding(["https://a.example/c": Self.document(file)]).resolve(url: "https://a.example/c")
        let members = try #require(example.objectValue)
        for name in members.keys where name != "@context" && context.keyword(name) == nil {
            let iri = try #require(context.expand(name), "\(name)")
            #expect(context.expand(context.compact(iri)) == iri, "\(name)")
        }
        let type = try #require(members["type"]?.stringValue)
        #expect(context.compact(try #require(context.expand(type))) == type)
    }
}
