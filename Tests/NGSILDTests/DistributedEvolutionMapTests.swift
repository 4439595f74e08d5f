internal import CityModel
internal import Door
@testable import Federation
internal import HTTPTypes
internal import OrderedCollections
internal import Synchronization
internal import Testing

/// Entity maps of the histories that context sources have (clauses 4.3.6.7, 5.5.9.3, 5.5.14, 5.7.3, 5.7.4 and 5.14.5).
@Suite struct DistributedEvolutionMapTests {
    /// A source with histories of buses that makes maps, or declines to, and notes what it was asked.
    private final class Rides: Sendable {
        struct State: Sendable {
            var ids: [String]
            var makesMaps = true
            var isAway = false
            /// Evolutions of one answer; where there are more it names the next page.
            var pageCountMax = Int.max
            var map = "urn:map:s"
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

        func parameters(_ name: String) -> [String] { state.withLock { $0.asked.flatMap { $0.query.filter { $0.name == name }.map(\.value) } } }
        func maps() -> [String] { state.withLock { $0.asked.flatMap { $0.headers.filter { $0.name == "NGSILD-EntityMap" }.map(\.value) } } }

        func answer(_ request: SourceRequest) -> SourceAnswer {
            state.withLock { state in
                state.asked.append(request)
                guard !state.isAway else { return .timedOut }
                let named = request.query.first { $0.name == "id" }?.value.split(separator: ",").map(String.init)
                if request.path == "temporal/entityMaps" {
                    guard state.makesMaps else { return .answer(status: 404, headers: [], body: []) }
                    let entries = state.ids.map { #""\#($0)":["@none"]"# }.joined(separator: ",")
                    return .answer(status: 201, headers: [], body: Array(#"{"id":"urn:map:s","type":"EntityMap","entityMap":{\#(entries)}}"#.utf8))
                }
                let one = request.path.split(separator: "/").dropFirst(2).first.map(String.init)
                let offset = request.query.first { $0.name == "offset" }.flatMap { Int($0.value) } ?? 0
                let limit = min(request.query.first { $0.name == "limit" }.flatMap { Int($0.value) } ?? 1, state.pageCountMax)
                let matching = state.ids.filter { id in (named?.contains(id) ?? true) && (one.map { $0 == id } ?? true) }
                let found = matching.dropFirst(offset).prefix(limit)
                let bodies = found.map {
                    #"{"id":"\#($0)","type":"Bus","seats":[{"type":"Property","value":9,"observedAt":"2026-05-01T00:00:00Z"}]}"#
                }
                var headers: [(name: String, value: String)] = []
                if matching.count > offset + found.count { headers.append(("Link", "<x>; rel=\"next\"")) }
                // Whether it was asked for or not, it says which map it used.
                if request.headers.contains(where: { $0.name == "NGSILD-EntityMap" }) {
                    headers.append(("NGSILD-EntityMap", "/ngsi-ld/v1/entityMaps/" + state.map))
                }
                if one != nil { return .answer(status: bodies.isEmpty ? 404 : 200, headers: headers, body: Array((bodies.first ?? "").utf8)) }
                let status = state.map == "urn:map:s" ? 200 : 201
                return .answer(status: status, headers: headers, body: Array("[\(bodies.joined(separator: ","))]".utf8))
            }
        }
    }

    private static let all = "timerel=after&timeAt=2020-01-01T00:00:00Z"
    private static let offers = #""queryTemporal","retrieveTemporal","createEntityMapQueryTemporal""#

    private func register(_ city: Installation, _ number: Int = 1, offers: String = offers) async throws {
        let registration = #"{"id":"urn:x:r\#(number)","type":"ContextSourceRegistration","information":[{"entities":[{"type":"Bus"}]}],"#
            + #""endpoint":"http://source.example:1026","operations":[\#(offers)]}"#
        try #require(try await city.ask(.post, "csourceRegistrations", registration).status == 201)
    }

    private func record(_ city: Installation, _ id: String, _ name: String = "line", _ value: Int = 1) async throws {
        let body = #"{"id":"\#(id)","type":"Bus","\#(name)":[{"type":"Property","value":\#(value),"observedAt":"2026-05-02T00:00:00Z"}]}"#
        try #require([201, 204].contains(try await city.ask(.post, "temporal/entities?local=true", body).status))
    }

    private func makeMap(_ city: Installation, _ query: String = "type=Bus&\(all)") async throws -> String {
        let answer = try await city.ask(.get, "temporal/entities?\(query)&entityMap=true")
        try #require(answer.status == 201, "\(answer.text)")
        return try #require(answer.headers[.ngsildEntityMap])
    }

    private func ids(_ answer: Answer) throws -> [String] { try answer.json.arrayValue?.compactMap { $0["id"]?.stringValue } ?? [] }

    private func entries(_ city: Installation, _ map: String) async throws -> JSON {
        try await city.ask(.get, String(map.dropFirst("/ngsi-ld/v1/".count))).json
    }

    @Test func `a map of histories names the sources of each and the maps that they made (clause 5.14.5.4)`() async throws {
        let source = Rides(["urn:x:1", "urn:x:2"])
        let city = try Installation(source: source.answer)
        for id in ["urn:x:0", "urn:x:1"] { try await record(city, id) }
        try await register(city)
        for answer in [
            try await city.ask(.get, "temporal/entityMaps?type=Bus&\(Self.all)&entityMapLifetime=PT5M"),
            try await city.ask(
                .post, "temporal/entityMaps",
                #"{"type":"Query","entities":[{"type":"Bus"}],"temporalQ":{"timerel":"after","timeAt":"2020-01-01T00:00:00Z"}}"#),
        ] {
            #expect(answer.status == 201)
            let map = try answer.json
            #expect(map["entityMap"] == ["urn:x:0": ["@none"], "urn:x:1": ["@none", "urn:x:r1"], "urn:x:2": ["urn:x:r1"]])
            #expect(map["linkedMaps"] == ["urn:x:r1": "urn:map:s"])
        }
        #expect(source.parameters("entityMapLifetime") == ["PT5M"])
        #expect(source.parameters("timerel") == ["after", "after"])
        #expect(source.takeAsked() == ["temporal/entityMaps", "temporal/entityMaps"])
        let ordered = try await city.ask(.get, "temporal/entityMaps?type=Bus&\(Self.all)&orderBy=id")
        #expect(ordered.status == 400)
    }

    @Test func `pages of a map ask only the sources that it names, for what they named (clauses 5.5.9.3 and 5.7.4.4)`() async throws {
        let source = Rides((1...4).map { "urn:x:\($0)" })
        let city = try Installation(source: source.answer)
        for id in ["urn:x:0", "urn:x:1"] { try await record(city, id) }
        try await register(city)
        let map = try await makeMap(city)
        try await register(city, 2)
        source.state.withLock { $0.ids += ["urn:x:5"] }
        _ = source.takeAsked()
        let target = "temporal/entities?type=Bus&\(Self.all)&limit=3&count=true"
        let first = try await city.ask(.get, target, nil, [.ngsildEntityMap: map])
        #expect(first.status == 200)
        #expect(try ids(first) == ["urn:x:0", "urn:x:1", "urn:x:2"])
        let both = try first.json.arrayValue?[1]
        #expect(both?["line"] != nil && both?["seats"] != nil)
        #expect(source.maps() == ["/ngsi-ld/v1/entityMaps/urn:map:s"])
        #expect(source.takeAsked() == ["temporal/entities urn:x:1,urn:x:2"])
        #expect(first.pageLinks.contains { $0.contains("offset=3") && $0.contains("next") })
        #expect(first.headers[.ngsildResultsCount] == "5")
        let second = try await city.ask(.get, target + "&offset=3", nil, [.ngsildEntityMap: map])
        #expect(try ids(second) == ["urn:x:3", "urn:x:4"])
        #expect(!second.pageLinks.contains { $0.contains("next") })
        #expect(second.headers[.ngsildEntityMap] == map)
        let narrow = try await city.ask(.get, target + "&id=urn:x:4,urn:x:5", nil, [.ngsildEntityMap: map])
        #expect(try ids(narrow) == ["urn:x:4"])
        #expect(source.takeAsked() == ["temporal/entities urn:x:3,urn:x:4", "temporal/entities urn:x:4"])
        #expect(try ids(try await city.ask(.get, target + "&local=true", nil, [.ngsildEntityMap: map])) == ["urn:x:0", "urn:x:1"])
        #expect(source.takeAsked() == [])
    }

    @Test(arguments: [DistributedEvolutionMapTests.offers, #""queryTemporal""#])
    func `a source that makes no map is asked for its histories, page by page (clause 5.5.14)`(offers: String) async throws {
        let source = Rides((1...1001).map { "urn:x:\($0)" }, makesMaps: false)
        let city = try Installation(source: source.answer)
        try await register(city, offers: offers)
        source.state.withLock { $0.pageCountMax = 600 }
        let map = try await city.ask(.get, "temporal/entityMaps?type=Bus&\(Self.all)&lastN=7")
        #expect(try map.json["entityMap"]?.objectValue?.count == 1001)
        #expect(try map.json["linkedMaps"] == [:])
        #expect(source.parameters("offset") == ["600"])
        #expect(source.parameters("lastN").suffix(2) == ["1", "1"])
        let asked = source.takeAsked()
        #expect(asked.filter { $0 == "temporal/entities" }.count == 2)
        #expect(asked.contains("temporal/entityMaps") == (offers == Self.offers))
        let header = try #require(map.headers[.ngsildEntityMap])
        let last = try await city.ask(.get, "temporal/entities?type=Bus&\(Self.all)&limit=10&offset=995", nil, [.ngsildEntityMap: header])
        #expect(try ids(last) == (996...1001).map { "urn:x:\($0)" })
        #expect(source.maps() == [])
    }

    @Test func `a page ends where a source ends its own, and the next one goes on there (clauses 5.5.9.3 and 6.3.10)`() async throws {
        let source = Rides((1...5).map { "urn:x:\($0)" })
        let city = try Installation(source: source.answer)
        try await record(city, "urn:x:0")
        try await register(city)
        let map = try await makeMap(city)
        source.state.withLock { $0.pageCountMax = 2 }
        var (seen, target) = ([String](), "temporal/entities?type=Bus&\(Self.all)&limit=6")
        for _ in 0..<6 {
            let page = try await city.ask(.get, target, nil, [.ngsildEntityMap: map])
            seen += try ids(page)
            guard let link = page.pageLinks.first(where: { $0.contains("rel=\"next\"") })?.split(separator: ">").first else { break }
            target = String(link.dropFirst("</ngsi-ld/v1/".count))
        }
        #expect(seen == (0...5).map { "urn:x:\($0)" })
    }

    @Test func `the temporal query of a later request may be another, and takes nothing out (clause 5.5.14)`() async throws {
        let source = Rides(["urn:x:1"])
        let city = try Installation(source: source.answer)
        try await record(city, "urn:x:0")
        try await register(city)
        let map = try await makeMap(city)
        let later = "temporal/entities?type=Bus&timerel=after&timeAt=2026-05-01T12:00:00Z"
        #expect(try ids(try await city.ask(.get, later, nil, [.ngsildEntityMap: map])) == ["urn:x:0"])
        source.state.withLock { $0.isAway = true }
        let away = try await city.ask(.get, "temporal/entities?type=Bus&\(Self.all)", nil, [.ngsildEntityMap: map])
        #expect(try ids(away) == ["urn:x:0"])
        #expect(away.headers[HTTPField.Name("NGSILD-Warning")!]?.hasPrefix("199 ") ?? false)
        source.state.withLock { $0.isAway = false }
        #expect(try ids(try await city.ask(.get, "temporal/entities?type=Bus&\(Self.all)", nil, [.ngsildEntityMap: map])) == ["urn:x:0", "urn:x:1"])
    }

    @Test func `a map that is gone at the source is another one from then on, and one that is gone here is made anew (clause 5.7.4.4)`() async throws {
        let source = Rides(["urn:x:1"])
        let city = try Installation(source: source.answer)
        try await register(city)
        let map = try await makeMap(city)
        source.state.withLock { $0.map = "urn:map:new" }
        let target = "temporal/entities?type=Bus&\(Self.all)"
        #expect(try ids(try await city.ask(.get, target, nil, [.ngsildEntityMap: map])) == ["urn:x:1"])
        #expect(try await entries(city, map)["linkedMaps"] == ["urn:x:r1": "urn:map:new"])
        let location = String(map.dropFirst("/ngsi-ld/v1/".count))
        #expect(try await city.ask(.patch, location, #"{"expiresAt":"2020-01-01T00:00:00Z"}"#).status == 204)
        let anew = try await city.ask(.get, target, nil, [.ngsildEntityMap: map])
        #expect(anew.status == 201)
        #expect(try ids(anew) == ["urn:x:1"])
        #expect(anew.headers[.ngsildEntityMap] != nil && anew.headers[.ngsildEntityMap] != map)
    }

    @Test func `split histories are candidates, and filtered when they are whole (clauses 4.3.6.7 and 5.14.5.4)`() async throws {
        let source = Rides(["urn:x:1", "urn:x:2", "urn:x:3"])
        let city = try Installation(source: source.answer)
        for number in [1, 3] { try await record(city, "urn:x:\(number)", "line", number) }
        try await register(city)
        let query = "type=Bus&\(Self.all)&q=line>2;seats==9&splitEntities=true"
        let map = try await makeMap(city, query)
        #expect(try await entries(city, map)["entityMap"]?.objectValue?.count == 3)
        let page = try await city.ask(.get, "temporal/entities?\(query)&limit=1", nil, [.ngsildEntityMap: map])
        #expect(try ids(page) == ["urn:x:3"])
        #expect(source.parameters("q") == [])
    }

    @Test func `aggregates over a map are made of what was put together (clauses 4.5.19 and 5.7.4.4)`() async throws {
        let source = Rides(["urn:x:1"])
        let city = try Installation(source: source.answer)
        try await record(city, "urn:x:1", "seats", 5)
        try await register(city)
        let map = try await makeMap(city)
        let window = "timerel=between&timeAt=2026-05-01T00:00:00Z&endTimeAt=2026-05-03T00:00:00Z"
        let page = try await city.ask(
            .get, "temporal/entities?type=Bus&\(window)&format=aggregatedValues&aggrMethods=avg", nil, [.ngsildEntityMap: map])
        #expect(try page.json.arrayValue?.first?["seats"]?["avg"]?.arrayValue?.first?.arrayValue?.first?.doubleValue == 7)
        #expect(source.parameters("aggrMethods") == [])
    }

    @Test func `a retrieval of a history makes a map of its sources, and asks them alone the next time (clause 5.7.3.4)`() async throws {
        let source = Rides(["urn:x:1"])
        let city = try Installation(source: source.answer)
        try await record(city, "urn:x:0")
        try await register(city)
        let first = try await city.ask(.get, "temporal/entities/urn:x:1?\(Self.all)&entityMap=true")
        #expect(first.status == 200)
        let map = try #require(first.headers[.ngsildEntityMap])
        #expect(try await entries(city, map)["entityMap"] == ["urn:x:1": ["urn:x:r1"]])
        try await register(city, 2)
        _ = source.takeAsked()
        #expect(try await city.ask(.get, "temporal/entities/urn:x:1?\(Self.all)", nil, [.ngsildEntityMap: map]).status == 200)
        #expect(source.takeAsked() == ["temporal/entities/urn:x:1"])
        // What is not in the map is looked for here alone.
        #expect(try await city.ask(.get, "temporal/entities/urn:x:0?\(Self.all)", nil, [.ngsildEntityMap: map]).status == 200)
        #expect(source.takeAsked() == [])
    }
}
