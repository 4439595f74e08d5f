internal import Broker
internal import CityModel
internal import Door
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import OrderedCollections
@testable internal import Site
internal import Store
internal import Synchronization
internal import Trust

/// An installation in a temporary folder, asked through its routes as the server asks them.
final class Installation: Sendable {
    static let now = Instant(seconds: 1_795_258_740)
    let folder: URL
    let store: Store
    let broker: Broker
    let gatekeeper: Gatekeeper
    let door: SiteDoor
    private let table: RouteTable

    /// - Parameter catalogueSeconds: how long catalogues are kept. As a rule tests look at once at what they have written.
    init(isOpen: Bool = false, limits: SiteLimits = .init(), tileURL: String? = nil, catalogueSeconds: Double = 0) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "conurb-site-\(UUID().uuidString)", directoryHint: .isDirectory)
        store = try Store(directory: folder.path)
        broker = Broker(store: store, configuration: BrokerConfiguration(createsMunicipalities: true))
        gatekeeper = Gatekeeper(store: store, isOpen: isOpen)
        var limits = limits
        (limits.catalogueSeconds, limits.outlineSeconds) = (catalogueSeconds, 0)
        let store = store
        door = SiteDoor(
            broker: broker, gatekeeper: gatekeeper,
            configuration: SiteConfiguration(name: "Valmère & Co", timeZone: "Europe/Paris", tileURL: tileURL, limits: limits) {
                try store.municipalities()
            })
        table = RouteTable(door.routes)
    }

    deinit {
        try? store.close()
        try? FileManager.default.removeItem(at: folder)
    }

    func write(_ entities: [Entity], in municipality: String = "valmere", _ classification: Classification = .open, run: Int64? = nil) async throws {
        let access = try await gatekeeper.writing(name(municipality), .program)
        let observations = entities.map { ObservedEntity(id: $0.id, types: $0.types, scopes: $0.scopes, attributes: $0.attributes) }
        _ = try await broker.record(observations, provenance: Provenance(classification: classification, run: run), access, at: Self.now)
    }

    func name(_ text: String) throws -> MunicipalityName {
        guard let name = MunicipalityName(text) else { throw CityError.invalidRequest(text) }
        return name
    }

    // MARK: - Asking

    func get(
        _ target: String, _ headers: HTTPFields = [:], method: HTTPRequest.Method = .get, as credential: Credential = .none
    ) async throws -> (response: Response, body: [UInt8]) {
        let path = target.prefix { $0 != "?" }
        guard case .route(let route, let parameters) = table.match(method, path) else { throw CityError.resourceNotFound(target) }
        let response = try await route.handler(try request(target, headers, parameters, method, credential))
        let sink = Sink()
        try await response.body.write(sink)
        return (response, sink.bytes)
    }

    func request(
        _ target: String, _ headers: HTTPFields = [:], _ parameters: [String: String] = [:], _ method: HTTPRequest.Method = .get,
        _ credential: Credential = .none
    ) throws -> DoorRequest {
        let path = target.prefix { $0 != "?" }
        return DoorRequest(
            method: method, path: String(path), headers: headers, authority: "localhost", query: try QueryParameters(target.dropFirst(path.count + 1)),
            pathParameters: parameters, credential: credential, now: Self.now, content: .collected(ByteBuffer()), logger: Logger(label: "test"))
    }

    func json(_ target: String) async throws -> JSON { try JSON(parsing: try await get(target).body) }
    func text(_ target: String, _ headers: HTTPFields = [:], as credential: Credential = .none) async throws -> String {
        String(decoding: try await get(target, headers, as: credential).body, as: UTF8.self)
    }

    /// A token that may read in a municipality.
    func token(in municipality: String) async throws -> Credential {
        let access = try await gatekeeper.administering(name(municipality), .program)
        return .bearer(try await gatekeeper.createToken(access, name: "reader", right: .read, now: Self.now).text)
    }
}

/// Gathers what a response writes.
final class Sink: ResponseBodyWriter, Sendable {
    private let gathered = Mutex<[UInt8]>([])
    var bytes: [UInt8] { gathered.withLock { $0 } }
    func write(_ buffer: ByteBuffer) { gathered.withLock { $0 += Array(buffer.readableBytesView) } }
    func finish(_ trailingHeaders: HTTPFields?) {}
}

enum Sample {
    static func iri(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }

    static func entity(
        _ type: String, _ code: String, name: String? = nil, at position: (Double, Double)? = nil, _ values: OrderedDictionary<String, JSON> = [:],
        observedAt: Instant? = nil
    ) -> Entity {
        var attributes: Attributes = [:]
        if let name { attributes[iri("name")] = [Attribute(kind: .property, value: .string(name))] }
        if let position {
            let point: JSON = ["type": "Point", "coordinates": [.number(position.0), .number(position.1)]]
            attributes[.location] = [Attribute(kind: .geoProperty, value: point)]
        }
        for (term, value) in values {
            attributes[iri(term)] = [Attribute(kind: .property, value: value, observedAt: observedAt, unitCode: term == "pm25" ? "GQ" : nil)]
        }
        return Entity(id: IRI(known: "urn:ngsi-ld:\(type):\(code)"), types: [iri(type)], attributes: attributes)
    }

    static func station(_ code: String, name: String, _ pm25: Double, at position: (Double, Double) = (3.2, 48.6), observedAt: Instant = Installation.now) -> Entity {
        entity("AirQualityObserved", code, name: name, at: position, ["pm25": .number(pm25)], observedAt: observedAt)
    }

    static func area(_ type: String, _ code: String, name: String, around position: (Double, Double), size: Double = 0.05) -> Entity {
        var area = entity(type, code, name: name)
        let (x, y) = position
        let ring: [(Double, Double)] = [(x - size, y - size), (x + size, y - size), (x + size, y + size), (x - size, y + size), (x - size, y - size)]
        let polygon: JSON = ["type": "Polygon", "coordinates": [.array(ring.map { [.number($0.0), .number($0.1)] })]]
        area.attributes[.location] = [Attribute(kind: .geoProperty, value: polygon)]
        return area
    }
}
