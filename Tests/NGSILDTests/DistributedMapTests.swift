internal import CityModel
internal import Door
@testable import Federation
internal import HTTPTypes
internal import OrderedCollections
internal import Synchronization
internal import Testing

/// Entity maps of what context sources have (clauses 4.3.6.7, 5.2.39, 5.5.9.3, 5.5.14 and 5.14.4).
@Suite struct DistributedMapTests {
    /// A source with buses that makes maps, or declines to, and notes what it was asked.
    private final class Buses: Sendable {
        struct State: Sendable {
            var ids: [String]
            var makesMaps = true
            var isAway = false
            var asked: [SourceRequest] = []
        }

        let state: Mutex<State>
        init(_ ids: [String], makesMaps: Bool = true) { state = Mutex(State(ids: ids, makesMaps: makesMaps)) }

        /// What was asked since this was asked last: the path, and the identifiers that it names.
        func takeAsked() -> [String] {
            state.withLock { state in
                defer { state.asked = [] }
                return state.asked.map { request in
                    [request.path, request.query.first { $0.name == "id" }?.value].compactMap { $0 }.joined(separator: " ")
                }
            }
        }

        func headers(_ name: String) -> [String] { state.withLock { $0.asked.flatMap { $0.headers.filter { $0.name == name }.map(\.value) } } }

        func answer(_ request: SourceRequest) -> SourceAnswer {
            state.withLock { state in
                state.asked.append(request)
                guard !state.isAway else { return .timedOut }
                let named = request.query.first { $0.name == "id" }?.value.split(separator: ",").map(String.init)
                if request.path == "entityMaps" {
                    guard state.makesMaps else { return .answer(status: 404, headers: [], body: []) }
                    let entries = state.ids.map { #""\#($0)":["@none"]"# }.joined(separator: ",")
                    return .answer(status: 201, headers: [], body: Array(#"{"id":"urn:map:s","type":"EntityMap","entityMap":{\#(entries)}}"#.utf8))
                }
                let one = request.path.split(separator: "/").dropFirst().first.map(String.init)
                let offset = request.query.first { $0.name == "offset" }.flatMap { Int($0.value) } ?? 0
                let limit = request.query.first { $0.name == "limit" }.flatMap { Int($0.value) } ?? 1
                let found = state.ids.filter { id in (named?.contains(id) ?? true) && (one.map { $0 == id } ?? true) }.dropFirst(offset).prefix(limit)
                let bodies = found.map { #"{"id":"\#($0)","type":"Bus","seats":{"type":"Property","value":9}}"# }
                if one != nil { return .answer(status: bodies.isEmpty ? 404 : 200, headers: [], body: Array((bodies.first ?? "").utf8)) }
                return .answer(status: 200, headers: [], body: Array("[\(bodies.joined(separator: ","))]".utf8))
            }
        }
    }

    private func register(_ city: Installation, _ number: Int = 1, _ more: String = "") async throws {
        let registration = #"{"id":"urn:x:r\#(number)","type":"ContextSourceRegistration","#
            + #""information":[{"entities":[{"type":"Bus"}]}],"endpoint":"http://source.example:1026"\#(more)}"#
        try #require(try await city.ask(.post, "csourceRegistrations", registration).status == 201)
    }

    private func makeMap(_ city: Installation, _ query: String = "type=Bus") async throws -> String {
        let answer = try await city.ask(.get, "entities?\(query)&entityMap=true")
        try #require(answer.status == 201, "\(answer.text)")
        return try #require(answer.headers[.ngsildEntityMap])
    }

    private func ids(_ answer: Answer) throws -> [String] { try answer.json.arrayValue?.compactMap { $0["id"]?.stringValue } ?? [] }

    @Test func `a source that gives the same page for ever is asked no more once nothing is new`() async throws {
        let source = Buses((0..<1000).map { "urn:x:\($0)" }, makesMaps: false)
        let city = try Installation { request in
            var first = request
            first.query.removeAll { $0.name == "offset" }
            return source.answer(first)
        }
        try await register(city)
        #expect(try await city.ask(.get, "entityMaps?type=Bus").json["entityMap"]?.objectValue?.count == 1000)
        #expect(source.takeAsked().filter { $0 == "entities" }.count == 2)
    }

    @Test func `an answer warns of fifty sources (clause 6.3.17)`() async throws {
        let city = try Installation { _ in .timedOut }
        for number in 0..<60 { try await register(city, number) }
        #expect(try await city.ask(.get, "entities?type=Bus").headers[values: HTTPField.Name("NGSILD-Warning")!].count == 50)
    }

    @Test func `all sources together name so many types and no more`() async throws {
        var limits = FederationLimits()
        limits.discoveredCountMax = 5
        let city = try Installation(limits: limits) { _ in
            .answer(status: 200, headers: [], body: Array(#"[{"typeName":"Bus","attributeNames":["a","b","c","d","e","f"]}]"#.utf8))
        }
        let operations = #","operations":["retrieveEntityTypeDetails"]"#
        for number in 0..<3 { try await register(city, number, operations) }
        let types = try await city.ask(.get, "types?details=true").json
        #expect(types.arrayValue?.first?["attributeNames"] == ["a", "b", "c", "d"])
    }

    @Test func `a map names the sources of each entity and the maps that they made (clauses 5.2.39 and 5.14.4.4)`() async throws {
        let source = Buses(["urn:x:1", "urn:x:2"])
        let city = try Installation(source: source.answer)
        try await city.create(#"{"id":"urn:x:0","type":"Bus"}"#)
        try await city.create(#"{"id":"urn:x:1","type":"Bus"}"#)
        try await register(city)
        let answer = try await city.ask(.get, "entityMaps?type=Bus")
        #expect(answer.status == 201)
        let map = try answer.json
        #expect(map["entityMap"] == ["urn:x:0": ["@none"], "urn:x:1": ["@none", "urn:x:r1"], "urn:x:2": ["urn:x:r1"]])
        #expect(map["linkedMaps"] == ["urn:x:r1": "urn:map:s"])
        let id = try #require(map["id"]?.stringValue)
        #expect(try await city.ask(.get, "entityMaps/\(id)").json["entityMap"] == map["entityMap"])
    }

    @Test func `only the sources that the map names are asked, for what they named (clauses 5.12 and 5.7.2.4)`() async throws {
        let source = Buses((1...4).map { "urn:x:\($0)" })
        let city = try Installation(source: source.answer)
        try await city.create(#"{"id":"urn:x:0","type":"Bus"}"#)
        try await register(city)
        let map = try await makeMap(city)
        try await register(city, 2)
        source.state.withLock { $0.ids += ["urn:x:5"] }
        _ = source.takeAsked()
        let first = try await city.ask(.get, "entities?type=Bus&limit=3", nil, [.ngsildEntityMap: map])
        #expect(try ids(first) == ["urn:x:0", "urn:x:1", "urn:x:2"])
        #expect(source.headers("NGSILD-EntityMap") == ["/ngsi-ld/v1/entityMaps/urn:map:s"])
        #expect(source.takeAsked() == ["entities urn:x:1,urn:x:2"])
        #expect(first.pageLinks.contains { $0.contains("offset=3") && $0.contains("next") })
        let second = try await city.ask(.get, "entities?type=Bus&limit=3&offset=3&count=true", nil, [.ngsildEntityMap: map])
        #expect(try ids(second) == ["urn:x:3", "urn:x:4"])
        #expect(second.headers[.ngsildResultsCount] == "5")
        #expect(!second.pageLinks.contains { $0.contains("next") })
        let narrow = try await city.ask(.get, "entities?type=Bus&id=urn:x:4,urn:x:5", nil, [.ngsildEntityMap: map])
        #expect(try ids(narrow) == ["urn:x:4"])
        #expect(source.takeAsked() == ["entities urn:x:3,urn:x:4", "entities urn:x:4"])
        // Nobody else is asked in the local scope.
        #expect(try ids(try await city.ask(.get, "entities?type=Bus&local=true", nil, [.ngsildEntityMap: map])) == ["urn:x:0"])
        #expect(source.takeAsked() == [])
    }

    @Test func `a source that makes no map is asked for its entities, page by page (clause 5.5.14)`() async throws {
        let source = Buses((1...1001).map { "urn:x:\($0)" }, makesMaps: false)
        let city = try Installation(source: source.answer)
        try await register(city)
        let map = try await makeMap(city)
        // The first page of the answer follows.
        #expect(source.takeAsked().prefix(3) == ["entityMaps", "entities", "entities"])
        let last = try await city.ask(.get, "entities?type=Bus&limit=10&offset=995", nil, [.ngsildEntityMap: map])
        #expect(try ids(last) == (996...1001).map { "urn:x:\($0)" })
        #expect(source.headers("NGSILD-EntityMap") == [])
    }

    @Test func `what a source has no more is taken out, what can't be asked for stays (clause 5.5.9.3)`() async throws {
        let source = Buses(["urn:x:1", "urn:x:2", "urn:x:3"])
        let city = try Installation(source: source.answer)
        try await register(city)
        let map = try await makeMap(city)
        source.state.withLock { $0.isAway = true }
        let away = try await city.ask(.get, "entities?type=Bus&limit=2", nil, [.ngsildEntityMap: map])
        #expect(try away.json == [])
        #expect(away.headers[HTTPField.Name("NGSILD-Warning")!]?.hasPrefix("199 ") ?? false)
        source.state.withLock { ($0.isAway, $0.ids) = (false, ["urn:x:1", "urn:x:3"]) }
        let page = try await city.ask(.get, "entities?type=Bus&limit=2&count=true", nil, [.ngsildEntityMap: map])
        #expect(try ids(page) == ["urn:x:1", "urn:x:3"])
        #expect(page.headers[.ngsildResultsCount] == "2")
        source.state.withLock { $0.ids = ["urn:x:1", "urn:x:2", "urn:x:3"] }
        #expect(try ids(try await city.ask(.get, "entities?type=Bus", nil, [.ngsildEntityMap: map])) == ["urn:x:1", "urn:x:3"])
    }

    @Test func `a source is not asked for attributes that it has none of, and what went wrong is said once (clause 6.3.17)`() async throws {
        let source = Buses(["urn:x:1"])
        let city = try Installation(source: source.answer)
        let information = #""information":[{"entities":[{"type":"Bus"}],"propertyNames":["seats"]}]"#
        let registration = #"{"id":"urn:x:r1","type":"ContextSourceRegistration",\#(information),"endpoint":"http://source.example:1026"}"#
        try #require(try await city.ask(.post, "csourceRegistrations", registration).status == 201)
        let map = try await makeMap(city)
        _ = source.takeAsked()
        #expect(try await city.ask(.get, "entities?type=Bus&attrs=line", nil, [.ngsildEntityMap: map]).json == [])
        #expect(source.takeAsked() == [])
        #expect(try ids(try await city.ask(.get, "entities?type=Bus&attrs=seats", nil, [.ngsildEntityMap: map])) == ["urn:x:1"])
        source.state.withLock { $0.isAway = true }
        let away = try await city.ask(.get, "entities?type=Bus&entityMap=true")
        #expect(away.headers[values: HTTPField.Name("NGSILD-Warning")!].count == 1)
    }

    @Test func `split entities are candidates, and filtered when they are whole (clauses 4.3.6.7 and 5.14.4.4)`() async throws {
        let source = Buses(["urn:x:1", "urn:x:2", "urn:x:3"])
        let city = try Installation(source: source.answer)
        for number in [1, 3] { try await city.create(#"{"id":"urn:x:\#(number)","type":"Bus","line":{"type":"Property","value":\#(number)}}"#) }
        try await register(city)
        let query = "type=Bus&q=line>2;seats==9&splitEntities=true"
        let map = try await makeMap(city, query)
        #expect(try ids(try await city.ask(.get, "entities?\(query)", nil, [.ngsildEntityMap: map])) == ["urn:x:3"])
        let left = try await city.ask(.get, String(map.dropFirst("/ngsi-ld/v1/".count))).json["entityMap"]
        #expect(left?.objectValue?.keys.elements == ["urn:x:3"])
        #expect(source.state.withLock { !$0.asked.contains { $0.query.contains { $0.name == "q" } } })
    }

    @Test func `a retrieval makes a map of its sources, and asks them alone the next time (clauses 4.3.6.7 and 5.7.1.4)`() async throws {
        let source = Buses(["urn:x:1"])
        let city = try Installation(source: source.answer)
        try await city.create(#"{"id":"urn:x:0","type":"Bus"}"#)
        try await register(city)
        let first = try await city.ask(.get, "entities/urn:x:1?entityMap=true")
        #expect(first.status == 200)
        let map = try #require(first.headers[.ngsildEntityMap])
        #expect(try await city.ask(.get, String(map.dropFirst("/ngsi-ld/v1/".count))).json["entityMap"] == ["urn:x:1": ["urn:x:r1"]])
        try await register(city, 2)
        _ = source.takeAsked()
        #expect(try await city.ask(.get, "entities/urn:x:1", nil, [.ngsildEntityMap: map]).status == 200)
        #expect(source.takeAsked() == ["entities/urn:x:1"])
        // What is not in the map is looked for here alone.
        #expect(try await city.ask(.get, "entities/urn:x:0", nil, [.ngsildEntityMap: map]).status == 200)
        #expect(source.takeAsked() == [])
    }

    @Test func `identifiers go out in addresses that are not too long`() async throws {
        let long = String(repeating: "x", count: 100)
        let source = Buses((1...100).map { "urn:x:\(long):\($0)" })
        let city = try Installation(source: source.answer)
        try await register(city)
        let map = try await makeMap(city)
        _ = source.takeAsked()
        #expect(try ids(try await city.ask(.get, "entities?type=Bus&limit=100", nil, [.ngsildEntityMap: map])).count == 100)
        let asked = source.takeAsked()
        #expect(asked.count == 2 && asked.allSatisfy { $0.utf8.count < 6200 })
    }
}
