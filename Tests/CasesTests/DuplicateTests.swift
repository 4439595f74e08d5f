import Foundation
import OrderedCollections
import Broker
import Cases
import CityModel
import Foundation
import RandomEntities
import Store
import Testing
import Trust

/// `CaseDesk.duplicates` and its figures over a random city, against models that look at every case.
@Suite struct DuplicateTests {
    private static let now = Instant("2026-06-15T12:00:00Z")!
    private static let alder = MunicipalityName("alder")!

    private struct Sample {
        let key: String
        let service: String
        let status: String
        let longitude: Double
        let latitude: Double
        let requestedAt: Instant
    }

    /// A few hundred metres around one corner, ten days.
    private static func city(seed: UInt64) -> [Sample] {
        var generator = SplitMix(state: seed)
        return (0..<300).map { number in
            Sample(
                key: "C\(number)", service: ["pothole", "light"].randomElement(using: &generator) ?? "", status: ["open", "inProgress", "closed"].randomElement(using: &generator) ?? "",
                longitude: 3.87 + .random(in: 0..<0.004, using: &generator), latitude: 43.61 + .random(in: 0..<0.003, using: &generator),
                requestedAt: now.adding(seconds: -.random(in: 0..<864_000, using: &generator).rounded()))
        }
    }

    private static func entity(_ sample: Sample) -> ObservedEntity {
        var attributes: Attributes = [:]
        for (name, value) in [
            (CaseTerm.serviceCode, sample.service), (CaseTerm.status, sample.status), (CaseTerm.requestedAt, sample.requestedAt.description),
        ] { attributes[name] = [Attribute(kind: .property, value: .string(value))] }
        let point: JSON = ["type": "Point", "coordinates": [.number(sample.longitude), .number(sample.latitude)]]
        attributes[.location] = [Attribute(kind: .geoProperty, value: point)]
        return ObservedEntity(id: CaseType.request.id(sample.key), types: [CaseType.request.iri], scopes: [], attributes: attributes)
    }

    /// Metres between two points a few hundred metres apart, on a plane: right to some millimetres there.
    private static func metres(_ sample: Sample, _ longitude: Double, _ latitude: Double) -> Double {
        let perDegree = 6_371_008.8 * Double.pi / 180
        let (x, y) = ((sample.longitude - longitude) * cos(latitude * .pi / 180) * perDegree, (sample.latitude - latitude) * perDegree)
        return (x * x + y * y).squareRoot()
    }

    @Test(arguments: UInt64(0)..<4)
    func `likely duplicates are the open ones of the service within 50 m and 7 days, the nearest first`(seed: UInt64) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "conurb-cases-\(UUID().uuidString)").path
        let store = try Store(directory: folder)
        defer {
            try? store.close()
            try? FileManager.default.removeItem(atPath: folder)
        }
        let broker = Broker(store: store, configuration: BrokerConfiguration(createsMunicipalities: true))
        let gatekeeper = Gatekeeper(store: store, isOpen: false)
        let samples = Self.city(seed: seed)
        let writing = try await gatekeeper.writing(Self.alder, .program)
        _ = try await broker.record(samples.map(Self.entity), provenance: Provenance(classification: .open, run: nil), writing, at: Self.now)
        let desk = CaseDesk(broker: broker, catalogue: ServiceCatalogue(broker: broker))
        let everybody = try await gatekeeper.reading(Self.alder, .none)
        var foundCount = 0
        for sample in samples.prefix(60) {
            let place = try Geometry(["type": "Point", "coordinates": [.number(sample.longitude), .number(sample.latitude)]])
            let found = try await desk.duplicates(of: sample.service, at: place, everybody, limit: 50, at: Self.now)
            let expected = samples.filter {
                $0.service == sample.service && $0.status != "closed" && $0.requestedAt >= Self.now.adding(seconds: -7 * 86_400)
                    && Self.metres($0, sample.longitude, sample.latitude) <= 50
            }.sorted { Self.metres($0, sample.longitude, sample.latitude) < Self.metres($1, sample.longitude, sample.latitude) }
            #expect(found.map { CaseType.request.key(of: $0.id) } == expected.map(\.key))
            foundCount += found.count
        }
        #expect(foundCount > 60)
        let interval = CaseInterval(start: Self.now.adding(seconds: -5 * 86_400), end: Self.now)
        let figures = try await desk.figures(interval, everybody, at: Self.now).cases
        for service in ["pothole", "light"] {
            let counted = samples.filter { $0.service == service && $0.requestedAt >= interval.start && $0.requestedAt < interval.end }
            #expect(figures.service(service)?.whole.count == counted.count)
            #expect(figures.service(service)?.whole.closedCount == counted.count { $0.status == "closed" })
        }
    }
}
