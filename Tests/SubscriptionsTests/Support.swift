import Broker
import CityModel
import Foundation
import LinkedData
import OrderedCollections
import Query
import Store
import Subscriptions
import Synchronization
import Testing
import Trust

let noon = Instant("2026-06-01T12:00:00Z")!

/// The name that the core context alone gives a term.
func name(_ term: String) -> IRI { IRI(known: IRI.defaultContextNamespace + term) }

/// One delivery as its receiver saw it.
struct Received: Sendable {
    let uri: String
    let headers: [String: String]
    let notification: JSON

    var data: [JSON] { notification["data"]?.arrayValue ?? [] }
    /// The value of an attribute of the first entity.
    func value(_ attribute: String) -> JSON? { data.first?[attribute]?["value"] }
}

/// Receivers that record what they are sent and answer as they are told.
final class Receivers: Sendable {
    private struct State {
        var received: [Received] = []
        var failures: [String: Int] = [:]
        var shut: Set<String> = []
        var attempts: [String: Int] = [:]
        var refusals: [String: String] = [:]
    }

    private let state = Mutex(State())

    /// Lets the next deliveries to an endpoint fail.
    func fail(_ uri: String, count: Int) { state.withLock { $0.failures[uri] = count } }
    /// Lets deliveries to an endpoint hang until it is opened.
    func shut(_ uri: String) { state.withLock { _ = $0.shut.insert(uri) } }
    func open(_ uri: String) { state.withLock { _ = $0.shut.remove(uri) } }
    /// Lets an endpoint refuse for good whatever has this value of the header `X-Key`.
    func refuse(_ uri: String, key: String) { state.withLock { $0.refusals[uri] = key } }
    var received: [Received] { state.withLock { $0.received } }
    func attempts(_ uri: String) -> Int { state.withLock { $0.attempts[uri] ?? 0 } }

    func send(_ endpoint: Endpoint, _ headers: [(name: String, value: String)], _ body: [UInt8]) async -> DeliveryResult {
        state.withLock { $0.attempts[endpoint.uri, default: 0] += 1 }
        while state.withLock({ $0.shut.contains(endpoint.uri) }) {
            if Task.isCancelled { return .interrupted }
            await Task.yield()
        }
        return state.withLock { state in
            if let key = state.refusals[endpoint.uri], headers.contains(where: { $0.name == "X-Key" && $0.value == key }) { return .refused }
            if let left = state.failures[endpoint.uri], left > 0 {
                state.failures[endpoint.uri] = left - 1
                return .failed
            }
            let pairs = Dictionary(headers.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
            state.received.append(Received(uri: endpoint.uri, headers: pairs, notification: (try? JSON(parsing: body)) ?? .null))
            return .accepted
        }
    }

    /// What was received once there are so many deliveries. The test's time limit catches the wait that never ends.
    func wait(for count: Int) async throws -> [Received] {
        while true {
            let received = received
            if received.count >= count { return received }
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

/// A fault of a municipality's file, as far as the service can tell one.
typealias FileFault = CancellationError

/// A clock that tests move.
final class TestClock: Sendable {
    private let moment = Mutex(noon)
    var now: Instant { moment.withLock { $0 } }
    func advance(seconds: Double) { moment.withLock { $0 = $0.adding(seconds: seconds) } }
}

final class PassedOverList: Sendable {
    private let number = Mutex(0)
    var count: Int { number.withLock { $0 } }
    func add() { number.withLock { $0 += 1 } }
}

/// A broker with subscriptions and a running service, on a data directory of its own.
final class City: Sendable {
    let path: String
    let store: Store
    let broker: Broker
    let gatekeeper: Gatekeeper
    let contexts: ContextLibrary
    let subscriptions: SubscriptionLibrary
    let receivers: Receivers
    let clock: TestClock
    let service: NotificationService
    /// What was passed over.
    let passedOver: PassedOverList
    private let run: Task<Void, any Error>

    init(
        path: String? = nil, receivers: Receivers = Receivers(), clock: TestClock = TestClock(), limits: NotificationLimits = .init(),
        openFileCountMax: Int = 64, tellOfSources: @escaping TellOfSources = { _, _, _ in false },
        download: @escaping ContextLibrary.Download = { url in throw CityError.contextNotAvailable("no network in tests: \(url)") }
    ) throws {
        self.path = path ?? FileManager.default.temporaryDirectory.appending(path: "conurb-subs-\(UUID().uuidString)").path
        store = try Store(directory: self.path, limits: StoreLimits(openFileCountMax: openFileCountMax))
        broker = Broker(store: store, configuration: BrokerConfiguration(createsMunicipalities: true))
        gatekeeper = Gatekeeper(store: store, isOpen: true)
        contexts = ContextLibrary(broker: broker, overrides: [:], now: { clock.now }, download: download)
        subscriptions = SubscriptionLibrary(broker: broker, contexts: contexts, countMax: 100)
        (self.receivers, self.clock, passedOver) = (receivers, clock, PassedOverList())
        service = NotificationService(
            store: store, gatekeeper: gatekeeper, contexts: contexts, limits: limits, now: { clock.now }, tellOfSources: tellOfSources, send: receivers.send,
            report: { [passedOver] municipality, error in
                if error is PassedOver || error is FileFault { passedOver.add() } else { Issue.record("\(municipality): \(error)") }
            })
        let service = service
        run = Task { try await service.run() }
    }

    /// Ends the service alone.
    func stop() async throws {
        service.stop()
        try await run.value
    }

    /// Ends as the program does.
    func close(removing: Bool = true) async throws {
        try await stop()
        try store.close()
        if removing { try? FileManager.default.removeItem(atPath: path) }
    }

    func access(_ municipality: MunicipalityName = .standard) async throws -> WriteAccess { try await gatekeeper.writing(municipality, .program) }

    /// A snapshot of everything.
    func snapshot(_ id: String) async throws -> WriteAccess {
        let (access, now) = (try await access(), clock.now)
        var record = SnapshotRecord(
            id: id, body: [:], classificationMax: .special, priority: 5, createdAt: now, expiresAt: now.adding(seconds: 600))
        try await broker.createSnapshot(record, access, at: now)
        record = try await broker.snapshot(IRI(known: id), access, at: now)
        let all = SnapshotQuery(filter: EntityFilter(), view: EntityView(projection: .everything, context: .core))
        record.status = try await broker.freeze(record, [.success(all)], [], access.reading, at: now).status
        try await broker.finishSnapshot(record, access)
        return try await gatekeeper.writing(access, snapshot: id, at: now)
    }

    @discardableResult
    func subscribe(_ document: String, in municipality: MunicipalityName = .standard) async throws -> IRI {
        let members = try #require(try JSON(parsing: Array(document.utf8)).objectValue)
        let id = try await subscriptions.create(
            members, .core, contextAddress: { "http://localhost/contexts/\($0)" }, access(municipality), at: clock.now)
        return try #require(IRI(id))
    }

    /// Creates or changes an entity; `level` is its one property.
    func set(
        _ id: String, type: String = "Lamp", level: JSON, classification: Classification? = nil, in municipality: MunicipalityName = .standard
    ) async throws {
        let access = try await access(municipality)
        let observed = ObservedEntity(
            id: try #require(IRI(id)), types: [name(type)], attributes: [name("level"): [Attribute(kind: .property, value: level)]])
        _ = try await broker.record([observed], provenance: .init(classification: classification), access, at: clock.now)
    }

    func record(of id: IRI) async throws -> SubscriptionRecord {
        guard case .made(let record) = try await subscriptions.retrieve(id, access()) else { throw CityError.resourceNotFound(id.text) }
        return record
    }

    func state(of id: IRI) async throws -> DeliveryState { try await record(of: id).delivery }
}

func subscription(_ more: String = "", uri: String = "http://a.example/n", endpoint: String = "") -> String {
    """
    {"id":"urn:ngsi-ld:Subscription:\(uri.hashValue.magnitude)\(more.hashValue.magnitude)\(endpoint.hashValue.magnitude)","type":"Subscription",
     "entities":[{"type":"Lamp"}]\(more.isEmpty ? "" : "," + more),"notification":{"endpoint":{"uri":"\(uri)"\(endpoint.isEmpty ? "" : "," + endpoint)}}}
    """
}
