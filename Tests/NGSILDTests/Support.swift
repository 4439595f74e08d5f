internal import Broker
internal import CityModel
internal import Door
internal import Federation
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NGSILD
internal import NIOCore
internal import Store
internal import Subscriptions
internal import Synchronization
internal import Testing
internal import Trust

/// An answer with its body read.
struct Answer {
    let status: Int
    let headers: HTTPFields
    let bytes: [UInt8]

    var json: JSON { get throws { try JSON(parsing: bytes) } }
    var text: String { String(decoding: bytes, as: UTF8.self) }
    /// The last part of the problem's type.
    var problem: String? { (try? json["type"]?.stringValue)?.split(separator: "/").last.map(String.init) }
    /// The `Link` values that do not name the context.
    var pageLinks: [String] { headers[values: .link].filter { !$0.contains("json-ld#context") } }
}

/// An open installation in a temporary folder, asked through its routes as the server asks them.
final class Installation: Sendable {
    static let start = Instant(seconds: 1_795_258_740)
    static let transport = "https://city.example/transport.jsonld"

    private let folder: URL
    private let store: Store
    private let table: RouteTable
    private let snapshots: SnapshotService
    private let outgoing: Outgoing
    private let broker: Broker
    private let gatekeeper: Gatekeeper

    /// A message to an endpoint of a snapshot.
    struct Message {
        let uri: String
        let headers: [(name: String, value: String)]
        let body: JSON
    }

    /// What snapshots told their endpoints.
    var sent: [Message] { outgoing.messages.withLock { $0 } }

    /// Does what the server does in the background.
    func prepareSnapshots() async throws { try await snapshots.work(in: .standard) }

    /// - Parameter instanceCountMax: instances of one attribute in one answer about history.
    /// - Parameter batchCountMax: entries of one batch.
    /// - Parameter source: answers for all context sources.
    init(
        instanceCountMax: Int = 1000, batchCountMax: Int = 10_000,
        source: @escaping @Sendable (SourceRequest) -> SourceAnswer = { _ in .failed("no network in tests") }
    ) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "conurb-ngsild-\(UUID().uuidString)", directoryHint: .isDirectory)
        store = try Store(directory: folder.path)
        let broker = Broker(store: store, configuration: BrokerConfiguration(createsMunicipalities: true, batchCountMax: batchCountMax))
        let documents: [String: JSON] = [
            Self.transport: ["@context": ["Bus": "https://city.example/Bus", "line": "https://city.example/line"]]
        ]
        let contexts = ContextLibrary(broker: broker, overrides: documents, startedAt: Self.start) { url in
            throw CityError.contextNotAvailable("no network in tests: \(url)")
        }
        let gatekeeper = Gatekeeper(store: store, isOpen: true)
        (self.broker, self.gatekeeper) = (broker, gatekeeper)
        let outgoing = Outgoing()
        self.outgoing = outgoing
        let federation = Federation(broker: broker, contexts: contexts) { request, _ in source(request) }
        snapshots = SnapshotService(
            broker: broker, gatekeeper: gatekeeper, contexts: contexts, federation: federation, now: { Self.start }
        ) { endpoint, headers, body in
            outgoing.messages.withLock { $0.append(Message(uri: endpoint.uri, headers: headers, body: (try? JSON(parsing: body)) ?? .null)) }
            return .accepted
        } report: { _, _ in }
        let door = NGSILDDoor(
            broker: broker, gatekeeper: gatekeeper, contexts: contexts,
            federation: federation, limits: NGSILDLimits(evolution: EvolutionLimits(instanceCountMax: instanceCountMax)), startedAt: Self.start)
        table = RouteTable(door.routes)
    }

    deinit {
        try? store.close()
        try? FileManager.default.removeItem(at: folder)
    }

    /// - Parameter target: below `/ngsi-ld/v1/`.
    func ask(
        _ method: HTTPRequest.Method, _ target: String, _ body: String? = nil, _ headers: HTTPFields = [:], seconds: Int64 = 0
    ) async throws -> Answer {
        let whole = "/ngsi-ld/v1/" + target
        let path = whole.prefix { $0 != "?" }
        guard case .route(let route, let parameters) = table.match(method, path) else {
            return Answer(status: 404, headers: [:], bytes: [])
        }
        var headers = headers
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        do {
            let request = DoorRequest(
                method: method, path: String(path), headers: headers, authority: "localhost",
                query: try QueryParameters(whole.dropFirst(path.count + 1)), pathParameters: parameters, credential: .none,
                now: Instant(seconds: Self.start.seconds + seconds), content: .collected(ByteBuffer(string: body ?? "")),
                logger: Logger(label: "test"))
            return try await answer(try await route.handler(request))
        } catch let error as CityError {
            return try await answer(Problem(error).response())
        } catch let problem as Problem {
            return try await answer(problem.response())
        }
    }

    private func answer(_ response: Response) async throws -> Answer {
        let sink = Sink()
        try await response.body.write(sink)
        return Answer(status: response.status.code, headers: response.headers, bytes: sink.bytes)
    }

    /// Leaves of a subscription's document what nobody can read, as a fault of the disk or of an earlier version may.
    func damage(subscription id: String) async throws {
        try await store.file(.standard, creating: true).write { transaction in
            var record = try #require(try transaction.subscription(id))
            record.body = "damaged"
            try transaction.update(record)
        }
    }

    /// Creates an entity, which has to succeed.
    func create(_ json: String, _ headers: HTTPFields = [:]) async throws {
        let answer = try await ask(.post, "entities", json, headers)
        try #require(answer.status == 201, "\(answer.text)")
    }

    /// An entity of the type Bus as a source of that classification brings it.
    func record(_ id: String, _ classification: Classification) async throws {
        let bus = Entity(id: IRI(known: id), types: [IRI(known: IRI.defaultContextNamespace + "Bus")])
        try await broker.create(
            bus, gatekeeper.writing(.standard, .program), at: Self.start, provenance: .init(classification: classification))
    }

    static func link(_ url: String) -> HTTPFields {
        [.link: "<\(url)>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""]
    }
}

private final class Outgoing: Sendable {
    let messages = Mutex<[Installation.Message]>([])
}

/// Collects what a response writes.
private final class Sink: ResponseBodyWriter, Sendable {
    private let gathered = Mutex<[UInt8]>([])
    var bytes: [UInt8] { gathered.withLock { $0 } }

    func write(_ buffer: ByteBuffer) { gathered.withLock { $0 += Array(buffer.readableBytesView) } }
    func finish(_ trailingHeaders: HTTPFields?) {}
}
