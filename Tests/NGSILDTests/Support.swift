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
internal import OrderedCollections
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

    /// What was reported as passed over.
    var passedOver: [String] { outgoing.passedOver.withLock { $0 } }

    /// Does what the server does in the background.
    func prepareSnapshots() async throws { try await snapshots.work(in: .standard) }

    /// - Parameter instanceCountMax: instances of one attribute in one answer about history.
    /// - Parameter batchCountMax: entries of one batch.
    /// - Parameter source: answers for all context sources.
    init(
        instanceCountMax: Int = 1000, batchCountMax: Int = 10_000, limits: FederationLimits = .init(), notifications: NotificationLimits = .init(),
        snapshots: SnapshotLimits = .init(),
        source: @escaping @Sendable (SourceRequest) -> SourceAnswer = { _ in .failed("no network in tests") }
    ) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "conurb-ngsild-\(UUID().uuidString)", directoryHint: .isDirectory)
        store = try Store(directory: folder.path)
        var configuration = BrokerConfiguration(createsMunicipalities: true, batchCountMax: batchCountMax)
        configuration.snapshotLimits = snapshots
        let broker = Broker(store: store, configuration: configuration)
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
        let federation = Federation(
            broker: broker, contexts: contexts, limits: limits, notifications: notifications,
            passedOver: { _, passed in outgoing.passedOver.withLock { $0.append("\(passed)") } }
        ) { request, _ in source(request) }
        self.snapshots = SnapshotService(
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

    /// - Parameter target: below `/ngsi-ld/v1/`, unless it begins with a slash.
    func ask(
        _ method: HTTPRequest.Method, _ target: String, _ body: String? = nil, _ headers: HTTPFields = [:], seconds: Int64 = 0,
        as credential: Credential = .none, reuse: AnswerReuse? = nil
    ) async throws -> Answer {
        let whole = target.hasPrefix("/") ? target : "/ngsi-ld/v1/" + target
        let path = whole.prefix { $0 != "?" }
        guard case .route(let route, let parameters) = table.match(method, path) else {
            return Answer(status: 404, headers: [:], bytes: [])
        }
        var headers = headers
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        do {
            var request = DoorRequest(
                method: method, path: String(path), headers: headers, authority: "localhost",
                query: try QueryParameters(whole.dropFirst(path.count + 1)), pathParameters: parameters, credential: credential,
                now: Instant(seconds: Self.start.seconds + seconds), content: .collected(ByteBuffer(string: body ?? "")),
                logger: Logger(label: "test"))
            request.reuse = reuse
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

    /// Puts into a registration's document what no request may put there.
    func damage(registration id: String, _ member: String, _ value: JSON) async throws {
        try await store.file(.standard, creating: true).write { transaction in
            var record = try #require(try transaction.registration(id))
            var body = try #require(record.body.objectValue)
            var document = try #require(body["document"]?.objectValue)
            document[member] = value
            body["document"] = .object(document)
            record.body = .object(body)
            try transaction.put(record)
        }
    }

    /// A subscription as it is after it was passed on to the source of a registration.
    func passOn(_ subscription: String, to registration: String, id: String, token: String) async throws {
        try await store.file(.standard, creating: true).write { transaction in
            let source = try #require(try transaction.registration(registration)).body
            try transaction.put(PassedOnRecord(id: id, token: token, subscription: subscription, registration: registration, source: source))
        }
    }

    /// The notifications that wait for a subscription.
    func queue(of subscription: String) async throws -> [JSON] {
        try await store.file(.standard, creating: true).read { snapshot in
            try snapshot.outbox(of: subscription, limit: 1000, byteCountMax: 1 << 20).map { try JSON(parsing: $0.body) }
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
    let passedOver = Mutex<[String]>([])
}

/// Collects what a response writes.
private final class Sink: ResponseBodyWriter, Sendable {
    private let gathered = Mutex<[UInt8]>([])
    var bytes: [UInt8] { gathered.withLock { $0 } }

    func write(_ buffer: ByteBuffer) { gathered.withLock { $0 += Array(buffer.readableBytesView) } }
    func finish(_ trailingHeaders: HTTPFields?) {}
}
