internal import Broker
internal import CityModel
internal import Door
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Store
internal import Synchronization
internal import Trust

/// All event streams: how many there are, and what they read together.
final class EventStreams: Sendable {
    private struct State {
        var openCount = 0
        var windows: [Scene: ChangeWindow] = [:]
    }

    /// Who may see the same shares what is read.
    private struct Scene: Hashable {
        let incarnation: UInt64
        let sight: Sight
    }

    let city: City
    let limits: SiteLimits
    private let state = Mutex(State())

    init(city: City, limits: SiteLimits) { (self.city, self.limits) = (city, limits) }

    var hasRoom: Bool { state.withLock { $0.openCount < limits.streamCountMax } }

    /// - Returns: whether there was room for one more.
    func open() -> Bool {
        state.withLock { state in
            guard state.openCount < limits.streamCountMax else { return false }
            state.openCount += 1
            return true
        }
    }

    func close() { state.withLock { $0.openCount -= 1 } }

    func window(_ access: ReadAccess, position: Int64) throws -> ChangeWindow {
        let scene = Scene(incarnation: try city.broker.incarnation(access), sight: access.sight)
        return state.withLock { state in
            if let window = state.windows[scene] { return window }
            let window = ChangeWindow(broker: city.broker, position: position)
            if state.windows.count > limits.streamCountMax { state.windows = [:] }
            state.windows[scene] = window
            return window
        }
    }
}

extension SiteDoor {
    /// `/live/events`.
    func eventsAnswer(_ request: DoorRequest) async throws -> Response {
        guard streams.hasRoom else {
            return Problem.own("too-many-streams", "Too many event streams", status: 503, "please try again later").response(headers: [.retryAfter: "10"])
        }
        let catalogue = try await city.catalogue(request)
        let followed = try city.municipalities(request.query["municipality"], in: catalogue).prefix(EventPosition.countMax)
        let after = request.headers[.lastEventID] ?? request.query["after"].flatMap { $0.isEmpty ? nil : $0 }
        let keys = request.query["types"].map { Set($0.split(separator: ",").prefix(200).map(String.init)) }
        let reader = EventReader(
            streams: streams, catalogue: catalogue, credential: request.credential, terms: request.terms, followed: followed.map { catalogue.municipalities[$0].access },
            keys: keys, after: after)
        let headers: HTTPFields = [
            .contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no", .xContentTypeOptions: "nosniff",
        ]
        return Response(status: .ok, headers: headers, body: .init { writer in try await reader.run(&writer) })
    }
}

extension HTTPField.Name {
    static let lastEventID = HTTPField.Name("Last-Event-ID")!
}
