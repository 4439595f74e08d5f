import Broker
@testable import Cases
import CityModel
import OrderedCollections
import Query
import RandomEntities
import Services
import Store
import Testing
import Trust

/// Where everybody sees that a case is, where its service tells the street.
@Suite struct PublicPlaceTests {
    private static let (latitude, degreesPerMetre) = (43.61, 1 / 111_195.0)
    private static let degreesPerMetreEast = degreesPerMetre / 0.7240

    private static func city() async throws -> CaseCity { try await CaseCity { $0.replacing("place: exact", with: "place: street") } }

    /// A street from west to east.
    private static func street(
        _ id: String, metres: Double, north: Double = 0, name: String? = "Rue des Lilas", type: String = "RoadSegment", _ classification: Classification = .open, in city: CaseCity
    ) async throws {
        let (y, end) = (latitude + north * degreesPerMetre, 3.87 + metres * degreesPerMetreEast)
        var entity = Entity(id: IRI(known: "urn:ngsi-ld:\(type):\(id)"), types: [IRI.plain(type)])
        let line: JSON = ["type": "LineString", "coordinates": [[3.87, .number(y)], [.number(end), .number(y)]]]
        entity.attributes[.location] = [Attribute(kind: .geoProperty, value: line)]
        if let name { entity.attributes[IRI.plain("name")] = [Attribute(kind: .property, value: .string(name))] }
        try await city.broker.jointly(try await city.staff(), at: CaseCity.noon) { [entity] in try $0.create(entity, classification) }
    }

    /// A report so many metres along the street and beside it.
    private static func report(_ city: CaseCity, along: Double, north: Double = 8, address: String = "12 bis Rue Marker") async throws -> (request: Entity, dossier: Entity) {
        let access = try await city.gatekeeper.filing(CaseCity.alder, .none)
        let service = try await city.desk.catalogue.service("lamp", access.reading)
        let place = "\(latitude + north * degreesPerMetre),\(3.87 + along * degreesPerMetreEast)"
        let answers = try service.definition.answers(to: ["place": [place, address], "details": ["Dark"], "secret": ["Marker"]], today: .init(number: 20_000))
        let filed = try await city.desk.file(CaseReport(service: service, answers: answers, channel: .web, address: address), access, at: CaseCity.noon)
        let found = try await city.broker.retrieve([filed.reference.request, filed.reference.dossier], access.reading, at: CaseCity.noon)
        return (try #require(found.first { $0.id == filed.reference.request }), try #require(found.first { $0.id == filed.reference.dossier }))
    }

    private static func position(_ entity: Entity) throws -> (longitude: Double, latitude: Double) { try #require(entity.point).boundingBox.center }
    private static func metresEast(_ entity: Entity) throws -> Double { (try position(entity).longitude - 3.87) / degreesPerMetreEast }

    @Test func `all houses beside a stretch of a street are told as its middle, with its name`() async throws {
        let city = try await Self.city()
        try await Self.street("1", metres: 399, in: city)
        for (along, middle) in [(1.0, 99.75), (60, 99.75), (199, 99.75), (200, 299.25), (398, 299.25), (430, 299.25)] {
            let (request, dossier) = try await Self.report(city, along: along, north: along == 60 ? -12 : 8)
            #expect(abs(try Self.metresEast(request) - middle) < 0.5, "\(along)")
            #expect(abs(try Self.position(request).latitude - Self.latitude) < 1e-6)
            #expect(request.text(CaseTerm.address) == "Rue des Lilas" && request.text(CaseTerm.name) == "Street light, Rue des Lilas")
            #expect(abs(try Self.metresEast(dossier) - along) < 0.5 && dossier.text(CaseTerm.address) == "12 bis Rue Marker")
        }
        #expect(try city.files(with: "12 bis") == [], "it is sealed where it is kept")
    }

    @Test(arguments: [
        (metres: 300.0, north: 92.0, isTold: true), (metres: 300, north: 110, isTold: false), (metres: 49, north: 0, isTold: false), (metres: 51, north: 0, isTold: true),
    ])
    func `where no street is near, or it is short, the place is a square of 100 metres without an address`(metres: Double, north: Double, isTold: Bool) async throws {
        let city = try await Self.city()
        try await Self.street("1", metres: metres, north: north + 8, in: city)
        let (request, _) = try await Self.report(city, along: 30)
        #expect(request.text(CaseTerm.address) == (isTold ? "Rue des Lilas" : nil))
        let other = try await Self.report(city, along: 31).request
        #expect(try Self.position(request) == Self.position(other))
        if !isTold { #expect(abs(try Self.metresEast(request) - 30) <= 75 && request.text(CaseTerm.name) == "Street light") }
    }

    @Test func `of several streets the nearest is told, and none that is not everybody's to see`() async throws {
        let city = try await Self.city()
        try await Self.street("1", metres: 300, north: 40, name: "Far", type: "Road", in: city)
        try await Self.street("2", metres: 300, north: 20, name: "Near", type: "Street", in: city)
        try await Self.street("3", metres: 300, name: "Secret", .internalUse, in: city)
        #expect(try await Self.report(city, along: 30).request.text(CaseTerm.address) == "Near")
        try await Self.street("4", metres: 300, north: 9, name: nil, in: city)
        let (request, _) = try await Self.report(city, along: 30)
        #expect(request.text(CaseTerm.address) == nil)
        #expect(abs(try Self.metresEast(request) - 75) < 0.5, "a street without a name has a place")
    }

    @Test func `what is reported beside one stretch is likely the same`() async throws {
        let city = try await Self.city()
        try await Self.street("1", metres: 199, in: city)
        let (request, _) = try await Self.report(city, along: 5)
        let access = try await city.gatekeeper.filing(CaseCity.alder, .none).reading
        let definition = try await city.desk.catalogue.service("lamp", access).definition
        let answers = try definition.answers(to: ["place": ["\(Self.latitude),\(3.87 + 190 * Self.degreesPerMetreEast)"], "details": ["Dark"]], today: .init(number: 20_000))
        let point = try #require(try await city.desk.publicPoint(of: answers, definition, access, at: CaseCity.noon))
        #expect(try await city.desk.duplicates(of: "lamp", at: point, access, at: CaseCity.noon).map(\.id) == [request.id])
    }

    @Test(arguments: UInt64(0)..<50)
    func `every place beside a crooked street is told as the middle of its stretch, and of no more middles than stretches`(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        let corners = (0..<Int.random(in: 2...8, using: &generator)).map { _ in
            (longitude: 3.87 + .random(in: 0..<0.006, using: &generator), latitude: 43.61 + .random(in: 0..<0.005, using: &generator))
        }
        let whole = try #require(StreetLine(corners))
        let count = Int((whole.length / StreetLine.stretchMetresMax).rounded(.up))
        var middles: Set<JSON> = []
        for _ in 0..<200 {
            let corner = Int.random(in: 0..<corners.count - 1, using: &generator), part = Double.random(in: 0..<1, using: &generator)
            let (start, end) = (corners[corner], corners[corner + 1])
            let place = (longitude: start.longitude + part * (end.longitude - start.longitude), latitude: start.latitude + part * (end.latitude - start.latitude))
            let (distance, along) = whole.nearest(to: place)
            #expect(distance < 0.01)
            let middle = try #require(whole.middle(along: along))
            let center = middle.boundingBox.center
            middles.insert(middle.json)
            let away = GreatCircle.distance(fromLongitude: place.longitude, latitude: place.latitude, toLongitude: center.longitude, latitude: center.latitude)
            #expect(away <= StreetLine.stretchMetresMax / 2 + 0.5)
        }
        #expect(middles.count <= count)
    }
}
