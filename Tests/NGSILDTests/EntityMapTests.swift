internal import CityModel
internal import Door
internal import HTTPTypes
internal import OrderedCollections
internal import Testing

/// Entity maps over HTTP (clauses 5.5.9.3, 5.5.14, 5.14, 6.32, 6.34, 6.35).
@Suite struct EntityMapTests {
    private func city(lamps count: Int) async throws -> Installation {
        let city = try Installation()
        for number in 0..<count { try await city.create(lamp(number, level: 50)) }
        return city
    }

    private func lamp(_ number: Int, level: Int) -> String {
        #"{"id":"urn:ngsi-ld:Lamp:\#(number)","type":"Lamp","level":{"type":"Property","value":\#(level)}}"#
    }

    private func ids(_ answer: Answer) throws -> [String] {
        try #require(try answer.json.arrayValue).compactMap { $0["id"]?.stringValue?.split(separator: ":").last.map(String.init) }
    }

    private func map(_ answer: Answer) throws -> HTTPFields { [.ngsildEntityMap: try #require(answer.headers[.ngsildEntityMap])] }

    /// The target of the link to the page after.
    private func next(_ answer: Answer) throws -> String {
        let link = try #require(answer.pageLinks.first { $0.contains("rel=\"next\"") })
        return String(try #require(link.split(separator: ">").first).dropFirst("</ngsi-ld/v1/".count))
    }

    @Test func `a query makes a map where it is asked to, and says where it is (clauses 5.2.39, 5.7.2.4)`() async throws {
        let city = try await city(lamps: 2)
        let answer = try await city.ask(.get, "entities?type=Lamp&entityMap=true")
        #expect(answer.status == 201)
        #expect(try ids(answer) == ["0", "1"])
        let location = try #require(answer.headers[.ngsildEntityMap])
        #expect(location.hasPrefix("/ngsi-ld/v1/entityMaps/urn:ngsi-ld:EntityMap:"))
        let retrieved = try await city.ask(.get, String(location.dropFirst("/ngsi-ld/v1/".count)))
        #expect(retrieved.status == 200)
        #expect(try retrieved.json["type"] == "EntityMap")
        #expect(try retrieved.json["entityMap"] == ["urn:ngsi-ld:Lamp:0": ["@none"], "urn:ngsi-ld:Lamp:1": ["@none"]])
        #expect(try await city.ask(.get, "entities?type=Lamp").headers[.ngsildEntityMap] == nil)
    }

    @Test func `a page leaves nothing out and repeats nothing while entities come and go (clause 5.5.9.3)`() async throws {
        let city = try await city(lamps: 5)
        let first = try await city.ask(.get, "entities?type=Lamp&limit=2&entityMap=true")
        #expect(try ids(first) == ["0", "1"])
        #expect(try await city.ask(.delete, "entities/urn:ngsi-ld:Lamp:0").status == 204)
        try await city.create(lamp(9, level: 50))
        let second = try await city.ask(.get, next(first), nil, map(first))
        #expect(second.status == 200)
        #expect(try ids(second) == ["2", "3"])
        let third = try await city.ask(.get, next(second), nil, map(first))
        #expect(try ids(third) == ["4"])
        #expect(third.pageLinks.count == 1)
        #expect(third.pageLinks.first?.contains("offset=2") ?? false)
    }

    @Test func `what matches no more is taken out, and pages are filled from what follows (clause 5.5.9.3)`() async throws {
        let city = try await city(lamps: 5)
        let made = try await city.ask(.get, "entities?type=Lamp&q=level%3E10&limit=2&entityMap=true")
        #expect(try await city.ask(.patch, "entities/urn:ngsi-ld:Lamp:1", #"{"level":5}"#).status == 204)
        let page = try await city.ask(.get, "entities?type=Lamp&q=level%3E10&limit=2", nil, map(made))
        #expect(try ids(page) == ["0", "2"])
        #expect(try next(page).contains("offset=3"))
        let location = try #require(made.headers[.ngsildEntityMap]).dropFirst("/ngsi-ld/v1/".count)
        let left = try await city.ask(.get, String(location)).json["entityMap"]?.objectValue
        #expect(left?.keys.contains("urn:ngsi-ld:Lamp:1") == false)
        #expect(left?.count == 4)
        // It matches again, but was taken out.
        _ = try await city.ask(.patch, "entities/urn:ngsi-ld:Lamp:1", #"{"level":50}"#)
        let counted = try await city.ask(.get, "entities?type=Lamp&q=level%3E10&limit=2&count=true", nil, map(made))
        #expect(counted.headers[.ngsildResultsCount] == "4")
        #expect(try ids(counted) == ["0", "2"])
    }

    @Test func `identifiers may narrow a later request, which takes nothing out of the map (clause 5.5.14)`() async throws {
        let city = try await city(lamps: 3)
        let made = try await city.ask(.get, "entities?type=Lamp&entityMap=true")
        #expect(try ids(await city.ask(.get, "entities?type=Lamp&id=urn:ngsi-ld:Lamp:1", nil, map(made))) == ["1"])
        #expect(try ids(await city.ask(.get, "entities?type=Lamp", nil, map(made))) == ["0", "1", "2"])
    }

    @Test func `the order is that of the query that made the map`() async throws {
        let city = try Installation()
        for (number, level) in [3, 1, 2].enumerated() { try await city.create(lamp(number, level: level)) }
        let made = try await city.ask(.get, "entities?type=Lamp&orderBy=level&limit=1&local=true&entityMap=true")
        #expect(try ids(made) == ["1"])
        _ = try await city.ask(.patch, "entities/urn:ngsi-ld:Lamp:2", #"{"level":9}"#)
        #expect(try ids(await city.ask(.get, next(made), nil, map(made))) == ["2"])
    }

    @Test(arguments: ["urn:ngsi-ld:EntityMap:gone", "/ngsi-ld/v1/entityMaps/none", "no identifier"])
    func `in the place of a map that can't be used a new one is made (clause 5.5.14)`(reference: String) async throws {
        let city = try await city(lamps: 1)
        let answer = try await city.ask(.get, "entities?type=Lamp", nil, [.ngsildEntityMap: reference])
        #expect(answer.status == 201)
        #expect(try #require(answer.headers[.ngsildEntityMap]) != reference)
        let one = try await city.ask(.get, "entities/urn:ngsi-ld:Lamp:0", nil, [.ngsildEntityMap: reference])
        #expect(one.status == 200)
        #expect(one.headers[.ngsildEntityMap]?.hasPrefix("/ngsi-ld/v1/entityMaps/") ?? false)
    }

    @Test func `a map expires within its limits, and only its expiry can be changed (clauses 5.14.2.4, 6.34.3.1)`() async throws {
        let city = try await city(lamps: 1)
        let long = try await city.ask(.get, "entityMaps?type=Lamp&entityMapLifetime=P3650D")
        #expect(long.status == 201)
        #expect(try long.json["expiresAt"]?.stringValue.flatMap { Instant($0) } == Installation.start.adding(seconds: 3600))
        let short = try await city.ask(.get, "entityMaps?type=Lamp&entityMapLifetime=PT10S")
        let path = "entityMaps/" + (try #require(try short.json["id"]?.stringValue))
        #expect(try await city.ask(.get, path, seconds: 9).status == 200)
        #expect(try await city.ask(.get, path, seconds: 10).status == 404)

        let other = try await city.ask(.get, "entityMaps?type=Lamp")
        let map = "entityMaps/" + (try #require(try other.json["id"]?.stringValue))
        let fragment = #"{"expiresAt":"2099-01-01T00:00:00Z","entityMap":{"urn:ngsi-ld:Lamp:7":["@none"]}}"#
        #expect(try await city.ask(.patch, map, fragment).status == 204)
        #expect(try await city.ask(.get, map).json["entityMap"] == ["urn:ngsi-ld:Lamp:0": ["@none"]])
        #expect(try await city.ask(.get, map, seconds: 3599).status == 200)
        #expect(try await city.ask(.patch, map, #"{"expiresAt":"tomorrow"}"#).status == 400)
        #expect(try await city.ask(.patch, map, #"{"expiresAt":"2000-01-01T00:00:00Z"}"#).status == 204)
        #expect(try await city.ask(.get, map).status == 404)
    }

    @Test func `a deleted map is gone, and a municipality does not know another's (clause 5.14.3.4)`() async throws {
        let city = try await city(lamps: 1)
        let path = "entityMaps/" + (try #require(try await city.ask(.get, "entityMaps?type=Lamp").json["id"]?.stringValue))
        try await city.create(lamp(1, level: 1), [.ngsildTenant: "elsewhere"])
        #expect(try await city.ask(.get, path, nil, [.ngsildTenant: "elsewhere"]).status == 404)
        #expect(try await city.ask(.delete, path, nil, [.ngsildTenant: "elsewhere"]).status == 404)
        #expect(try await city.ask(.delete, path).status == 204)
        #expect(try await city.ask(.delete, path).problem == "ResourceNotFound")
    }

    @Test(arguments: [
        ("entityMaps?id=urn:ngsi-ld:Lamp:0", "BadRequestData"), ("entityMaps?type=Lamp&entityMapLifetime=1hour", "BadRequestData"),
        ("entities?type=Lamp&entityMapLifetime=PT0S", "BadRequestData"), ("entityMaps/not%20a%20uri", "BadRequestData"),
        ("temporal/entityMaps?type=Lamp", "BadRequestData"), ("entityMaps?type=Lamp&unknown=1", "InvalidRequest"),
    ])
    func `what a request says wrongly is refused (clauses 5.14.1.4, 5.14.4.4, 5.14.5.4)`(target: String, problem: String) async throws {
        let answer = try await city(lamps: 1).ask(.get, target)
        #expect(answer.status == 400)
        #expect(answer.problem == problem)
    }

    @Test func `a Query makes a map too, in its own way and beside a query's answer (clauses 6.34.3.2, 6.23)`() async throws {
        let city = try await city(lamps: 2)
        let body = #"{"type":"Query","entities":[{"type":"Lamp","id":"urn:ngsi-ld:Lamp:1"}],"entityMap":true}"#
        let made = try await city.ask(.post, "entityMaps", body)
        #expect(made.status == 201)
        #expect(try made.json["entityMap"]?.objectValue?.keys.elements == ["urn:ngsi-ld:Lamp:1"])
        let answer = try await city.ask(.post, "entityOperations/query", body)
        #expect(answer.status == 201)
        #expect(answer.headers[.ngsildEntityMap] != nil)
    }

    @Test func `a purge keeps to a map, and without the map purges nothing (clause 6.4.3.3)`() async throws {
        let city = try await city(lamps: 3)
        let made = try await city.ask(.get, "entities?type=Lamp&id=urn:ngsi-ld:Lamp:1&entityMap=true")
        let gone = try await city.ask(.delete, "entities?type=Lamp", nil, [.ngsildEntityMap: "urn:ngsi-ld:EntityMap:gone"])
        #expect(gone.status == 404)
        #expect(try ids(await city.ask(.get, "entities?type=Lamp")).count == 3)
        #expect(try await city.ask(.delete, "entities?type=Lamp", nil, map(made)).headers[.ngsildEntityMap] != nil)
        #expect(try ids(await city.ask(.get, "entities?type=Lamp")) == ["0", "2"])
    }

    @Test func `temporal evolutions are paged through a map, at other times too (clauses 5.7.4.4, 5.14.5)`() async throws {
        let city = try await city(lamps: 4)
        let window = "timerel=after&timeAt=2000-01-01T00:00:00Z&timeproperty=createdAt"
        let made = try await city.ask(.get, "temporal/entities?type=Lamp&limit=1&entityMap=true&\(window)")
        #expect(made.status == 201)
        #expect(try ids(made) == ["0"])
        // Its evolution stays: it is answered where it stood.
        #expect(try await city.ask(.delete, "entities/urn:ngsi-ld:Lamp:1", seconds: 1).status == 204)
        #expect(try await city.ask(.delete, "temporal/entities/urn:ngsi-ld:Lamp:2").status == 204)
        let second = try await city.ask(.get, next(made), nil, map(made), seconds: 2)
        #expect(second.status == 200)
        #expect(try ids(second) == ["1"])
        let third = try await city.ask(.get, next(second), nil, map(made), seconds: 2)
        #expect(try ids(third) == ["3"])
        #expect(third.pageLinks.contains { $0.contains("rel=\"next\"") } == false)
        let later = "timerel=after&timeAt=2999-01-01T00:00:00Z&timeproperty=createdAt"
        #expect(try ids(await city.ask(.get, "temporal/entities?type=Lamp&\(later)", nil, map(made), seconds: 2)) == [])
        #expect(try ids(await city.ask(.get, "temporal/entities?type=Lamp&\(window)", nil, map(made), seconds: 2)) == ["0", "1", "3"])
        let empty = try await city.ask(.get, "temporal/entityMaps?type=Lamp&\(later)")
        #expect(empty.status == 201)
        #expect(try empty.json["entityMap"] == [:])
    }
}
