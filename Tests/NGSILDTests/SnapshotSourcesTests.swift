internal import Broker
internal import CityModel
internal import Door
@testable import Federation
internal import HTTPTypes
@testable import NGSILD
internal import OrderedCollections
internal import Synchronization
internal import Testing

/// Snapshots of what context sources have (clauses 5.16.1.4 and 5.7.2.4).
@Suite struct SnapshotSourcesTests {
    private func register(_ city: Installation, _ more: String = "") async throws {
        let registration = #"{"id":"urn:x:r","type":"ContextSourceRegistration","information":[{"entities":[{"type":"Bus"}]}],"#
            + #""endpoint":"http://source.example:1026"\#(more)}"#
        try #require(try await city.ask(.post, "csourceRegistrations", registration).status == 201)
    }

    private func make(_ city: Installation, _ queries: String) async throws -> JSON {
        let created = try await city.ask(.post, "snapshots", #"{"id":"urn:x:s","type":"Snapshot","snapshotQueries":[\#(queries)]}"#)
        try #require(created.status == 201, "\(created.text)")
        try await city.prepareSnapshots()
        return try await city.ask(.get, "snapshots/urn:x:s").json
    }

    private func frozen(_ city: Installation, _ target: String) async throws -> Answer {
        try await city.ask(.get, target, nil, [HTTPField.Name("NGSILD-Snapshot")!: "urn:x:s"])
    }

    private static func page(_ request: SourceRequest, of count: Int) -> SourceAnswer {
        let offset = request.query.first { $0.name == "offset" }.flatMap { Int($0.value) } ?? 0
        let limit = request.query.first { $0.name == "limit" }.flatMap { Int($0.value) } ?? 1
        let buses = (1...count).dropFirst(offset).prefix(limit).map { #"{"id":"urn:x:\#($0)","type":"Bus","seats":{"type":"Property","value":9}}"# }
        return .answer(status: 200, headers: [], body: Array("[\(buses.joined(separator: ","))]".utf8))
    }

    @Test func `a snapshot holds what sources have, put together with what is here (clause 5.16.1.4)`() async throws {
        let asked = Mutex<[SourceRequest]>([])
        let city = try Installation(limits: FederationLimits(gatheredCountMax: 10)) { request in
            asked.withLock { $0.append(request) }
            return Self.page(request, of: 15)
        }
        try await city.create(#"{"id":"urn:x:1","type":"Bus","line":{"type":"Property","value":7}}"#)
        try await city.create(#"{"id":"urn:x:0","type":"Bus"}"#)
        try await register(city)
        let snapshot = try await make(city, #"{"type":"Query","entities":[{"type":"Bus"}]},{"type":"Query","entities":[{"type":"Tram"}]}"#)
        #expect(snapshot["snapshotStatus"] == "partial")
        #expect(snapshot["snapshotQueriesDetails"] == [["resultStatus": "success"], ["resultStatus": "empty"]])
        #expect(asked.withLock { $0.count } == 2, "two pages of buses, and no trams")
        let both = try await frozen(city, "entities/urn:x:1").json
        #expect(both["line"]?["value"] == 7 && both["seats"]?["value"] == 9)
        #expect(try await frozen(city, "entities?type=Bus&count=true&limit=0").headers[.ngsildResultsCount] == "16")
        #expect(try await frozen(city, "entities?type=Bus&q=seats==9&limit=1&count=true").headers[.ngsildResultsCount] == "15")
        #expect(asked.withLock { $0.count } == 2, "a snapshot is local (clause 5.5.15)")
    }

    @Test func `split entities are frozen when they match as a whole (clause 5.7.2.4)`() async throws {
        let city = try Installation { Self.page($0, of: 3) }
        for number in [1, 3] { try await city.create(#"{"id":"urn:x:\#(number)","type":"Bus","line":{"type":"Property","value":\#(number)}}"#) }
        try await register(city)
        let snapshot = try await make(city, #"{"type":"Query","entities":[{"type":"Bus"}],"q":"line>2;seats==9","splitEntities":true}"#)
        #expect(snapshot["snapshotStatus"] == "success")
        #expect(try await frozen(city, "entities?type=Bus").json.arrayValue?.compactMap { $0["id"] } == ["urn:x:3"])
    }

    @Test func `a source that does not answer is named, and the rest is frozen (clauses 5.2.42 and 6.3.17)`() async throws {
        let city = try Installation { _ in .timedOut }
        try await city.create(#"{"id":"urn:x:1","type":"Bus"}"#)
        try await register(city)
        let snapshot = try await make(city, #"{"type":"Query","entities":[{"type":"Bus"}]}"#)
        #expect(snapshot["snapshotStatus"] == "success")
        let details = try #require(snapshot["snapshotQueriesDetails"]?.arrayValue?.first)
        #expect(details["resultStatus"] == "success")
        #expect(details["problemDetails"]?["detail"]?.stringValue?.contains("199 urn:x:r") ?? false)
        #expect(try await frozen(city, "entities/urn:x:1").status == 200)
    }

    @Test func `sources that have more than a snapshot holds fail the query`() async throws {
        let city = try Installation(limits: FederationLimits(gatheredCountMax: 10), snapshots: SnapshotLimits(entityCountMax: 20)) {
            Self.page($0, of: 30)
        }
        try await register(city)
        let snapshot = try await make(city, #"{"type":"Query","entities":[{"type":"Bus"}]},{"type":"Query","entities":[{"type":"Bus"}],"local":true}"#)
        #expect(snapshot["snapshotStatus"] == "empty")
        let problem = snapshot["snapshotQueriesDetails"]?.arrayValue?.first?["problemDetails"]
        #expect(problem?["type"]?.stringValue?.hasSuffix("/TooManyResults") ?? false)
    }

    @Test func `a municipality has one turn at a time, and leaves room for others`() throws {
        let line = SnapshotLine(countMax: 2)
        let (a, b, c) = (try #require(MunicipalityName("a")), try #require(MunicipalityName("b")), try #require(MunicipalityName("c")))
        #expect(line.begin(adding: [a]) == [a])
        #expect(line.begin(adding: [a]) == [], "its turn is not over")
        #expect(line.begin(adding: [b, c]) == [b])
        line.end(a)
        #expect(line.begin(adding: []) == [a])
        line.end(b)
        #expect(line.begin(adding: [b]) == [c], "who was there first comes first")
        line.end(a)
        #expect(line.begin(adding: []) == [b])
    }
}
