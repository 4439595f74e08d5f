internal import CityModel
internal import Door
internal import HTTPTypes
internal import Testing

/// The temporal interface (clauses 5.6.11 to 5.6.16, 5.7.3, 5.7.4, 6.18 to 6.24).
struct TemporalTests {
    private static let bus = "urn:ngsi-ld:Bus:1"
    private static let evolution = """
        {"id": "\(bus)", "type": "Bus", "speed": [
            {"type": "Property", "value": 30, "unitCode": "KMH", "observedAt": "2026-03-01T12:00:00Z"},
            {"type": "Property", "value": 50, "unitCode": "KMH", "observedAt": "2026-03-01T12:30:00Z"},
            {"type": "Property", "value": 40, "unitCode": "KMH", "observedAt": "2026-03-01T13:10:00Z"}],
         "line": {"type": "Relationship", "object": "urn:x:7", "observedAt": "2026-03-01T12:00:00Z"}}
        """

    private func city() async throws -> Installation {
        let city = try Installation()
        #expect(try await city.ask(.post, "temporal/entities", Self.evolution).status == 201)
        return city
    }

    private func values(_ answer: Answer, _ name: String = "speed") throws -> [JSON] {
        try answer.json[name]?.arrayValue?.compactMap { $0["value"] ?? $0["object"] } ?? []
    }

    // MARK: - Provision

    /// Clauses 5.2.20, 5.6.11, 5.6.16, 6.18.3.1, 6.19.3.2.
    @Test func `an evolution is created, added to and erased, and makes no entity`() async throws {
        let city = try await city()
        let more = #"{"id": "urn:ngsi-ld:Bus:1", "type": ["Bus", "Tram"], "speed": {"value": 60, "observedAt": "2026-03-01T14:00:00Z"}}"#
        #expect(try await city.ask(.post, "temporal/entities", more).status == 204)
        let answer = try await city.ask(.get, "temporal/entities/\(Self.bus)")
        #expect(try values(answer) == [30, 50, 40, 60])
        #expect(try answer.json["type"] == ["Bus", "Tram"])
        #expect(try await city.ask(.get, "entities/\(Self.bus)").status == 404)
        #expect(try await city.ask(.delete, "temporal/entities/\(Self.bus)").status == 204)
        #expect(try await city.ask(.get, "temporal/entities/\(Self.bus)").problem == "ResourceNotFound")
        #expect(try await city.ask(.delete, "temporal/entities/\(Self.bus)").problem == "ResourceNotFound")
    }

    /// Clauses 4.5.6, 4.5.7, 4.8, 5.7.3, 6.3.11.
    @Test func `what happens to an entity is its evolution, beyond its end`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:ngsi-ld:Bus:1", "type": "Bus", "scope": "/A", "speed": {"type": "Property", "value": 1}}"#)
        _ = try await city.ask(.patch, "entities/\(Self.bus)/attrs/speed", #"{"value": 2}"#, seconds: 1)
        _ = try await city.ask(.delete, "entities/\(Self.bus)", seconds: 2)
        let answer = try await city.ask(.get, "temporal/entities/\(Self.bus)?options=sysAttrs", seconds: 3)
        #expect(try values(answer) == [1, 2, .string(Attribute.nullText)])
        let instances = try answer.json["speed"]?.arrayValue ?? []
        #expect(instances.map { $0["deletedAt"] != nil } == [false, false, true])
        #expect(instances.map { $0["createdAt"] != nil } == [true, true, false])
        #expect(try answer.json["deletedAt"] != nil)
        #expect(try answer.json["scope"]?.arrayValue?.count == 2)
        let byModification = try await city.ask(
            .get, "temporal/entities/\(Self.bus)?timerel=after&timeAt=2000-01-01T00:00:00Z&timeproperty=modifiedAt&format=temporalValues", seconds: 3)
        #expect(try byModification.json["speed"]?["values"]?.arrayValue?.map { $0.arrayValue?[0] } == [1, 2])
    }

    /// Clauses 5.6.14, 5.6.15, 6.22.3.1, 6.22.3.2.
    @Test func `instances are replaced and erased by their identifier`() async throws {
        let city = try await city()
        let first = try await city.ask(.get, "temporal/entities/\(Self.bus)").json["speed"]?.arrayValue?.first
        let id = try #require(first?["instanceId"]?.stringValue)
        let target = "temporal/entities/\(Self.bus)/attrs/speed/\(id)"
        let changed = #"{"type": "Property", "value": 33, "observedAt": "2026-03-01T11:00:00Z"}"#
        #expect(try await city.ask(.patch, target, changed, seconds: 9).status == 204)
        let answer = try await city.ask(.get, "temporal/entities/\(Self.bus)?options=sysAttrs")
        #expect(try values(answer) == [33, 50, 40])
        let replaced = try answer.json["speed"]?.arrayValue?.first
        #expect(replaced?["instanceId"] == .string(id))
        #expect(replaced?["createdAt"] == .string(Installation.start.description))
        #expect(replaced?["modifiedAt"] == .string(Installation.start.adding(seconds: 9).description))
        #expect(try await city.ask(.patch, "temporal/entities/\(Self.bus)/attrs/line/\(id)", changed).problem == "ResourceNotFound")
        #expect(try await city.ask(.delete, target).status == 204)
        #expect(try await city.ask(.delete, target).problem == "ResourceNotFound")
        #expect(try values(try await city.ask(.get, "temporal/entities/\(Self.bus)")) == [50, 40])
    }

    /// Clauses 5.6.11, 6.18.3.1.
    @Test func `an observation of a moment that is known corrects it and keeps its identifier`() async throws {
        let city = try await city()
        let before = try await city.ask(.get, "temporal/entities/\(Self.bus)").json["speed"]?.arrayValue?.first?["instanceId"]
        let correction = """
            {"id": "\(Self.bus)", "type": "Bus", "speed": [{"value": 31, "observedAt": "2026-03-01T12:00:00Z"},
                {"value": 50, "unitCode": "KMH", "observedAt": "2026-03-01T12:30:00Z"}]}
            """
        #expect(try await city.ask(.post, "temporal/entities", correction, seconds: 5).status == 204)
        let answer = try await city.ask(.get, "temporal/entities/\(Self.bus)?options=sysAttrs")
        #expect(try values(answer) == [31, 50, 40])
        let instances = try answer.json["speed"]?.arrayValue ?? []
        #expect(instances.first?["instanceId"] == before)
        let (start, later) = (Installation.start.description, Installation.start.adding(seconds: 5).description)
        #expect(instances.map { $0["createdAt"]?.stringValue } == [start, start, start])
        #expect(instances.map { $0["modifiedAt"]?.stringValue } == [later, start, start])
    }

    /// Clauses 4.5.7, 4.5.9, 5.6.5.
    @Test func `deleting from an entity that is history alone adds the trace`() async throws {
        let city = try await city()
        #expect(try await city.ask(.delete, "entities/\(Self.bus)/attrs/speed", seconds: 5).status == 204)
        #expect(try await city.ask(.delete, "entities/\(Self.bus)/attrs/speed", seconds: 6).problem == "ResourceNotFound")
        #expect(try await city.ask(.delete, "entities/\(Self.bus)", seconds: 6).problem == "ResourceNotFound")
        let answer = try await city.ask(.get, "temporal/entities/\(Self.bus)?timeproperty=deletedAt&format=temporalValues")
        #expect(try answer.json == JSON(parsing: """
            {"id": "\(Self.bus)", "type": "Bus",
             "speed": {"type": "Property", "values": [["urn:ngsi-ld:null", "\(Installation.start.adding(seconds: 5))"]]}}
            """))
    }

    /// Clause 4.22.
    @Test func `what was recorded of an attribute that expired is not answered, of an entity that expired it is`() async throws {
        let city = try Installation()
        let expiry = Installation.start.adding(seconds: 10)
        try await city.create(
            #"{"id": "urn:ngsi-ld:Bus:1", "type": "Bus", "speed": 1, "flash": {"value": 2, "expiresAt": "\#(expiry)"}}"#)
        try await city.create(#"{"id": "urn:ngsi-ld:Bus:2", "type": "Bus", "speed": 1, "expiresAt": "\#(expiry)"}"#)
        for (seconds, hasFlash) in [(9, true), (10, false)] as [(Int64, Bool)] {
            let answer = try await city.ask(.get, "temporal/entities/\(Self.bus)?timeproperty=createdAt", seconds: seconds)
            #expect(try values(answer) == [1])
            #expect((try answer.json["flash"] != nil) == hasFlash)
        }
        #expect(try values(try await city.ask(.get, "temporal/entities/urn:ngsi-ld:Bus:2", seconds: 20)) == [1])
    }

    /// Clauses 4.6.4, 5.6.13.
    @Test(arguments: ["invalid(name", "..", "1st"])
    func `a name that is none is wrong rather than missing`(name: String) async throws {
        let city = try await city()
        #expect(try await city.ask(.delete, "temporal/entities/\(Self.bus)/attrs/\(name)").problem == "BadRequestData")
        #expect(try await city.ask(.delete, "temporal/entities/\(Self.bus)/attrs/name").problem == "ResourceNotFound")
    }

    /// Clauses 5.6.12, 5.6.13, 6.20.3.1, 6.21.3.1.
    @Test func `an attribute is erased for one dataset or for all`() async throws {
        let city = try await city()
        let fragment = #"{"speed": [{"value": 7, "datasetId": "urn:x:d", "observedAt": "2026-03-01T12:00:00Z"}]}"#
        #expect(try await city.ask(.post, "temporal/entities/\(Self.bus)/attrs", fragment).status == 204)
        #expect(try await city.ask(.delete, "temporal/entities/\(Self.bus)/attrs/speed").status == 204)
        #expect(try values(try await city.ask(.get, "temporal/entities/\(Self.bus)")) == [7])
        #expect(try await city.ask(.delete, "temporal/entities/\(Self.bus)/attrs/speed").problem == "ResourceNotFound")
        #expect(try await city.ask(.delete, "temporal/entities/\(Self.bus)/attrs/speed?deleteAll=true").status == 204)
        #expect(try values(try await city.ask(.get, "temporal/entities/\(Self.bus)")).isEmpty)
    }

    /// Clauses 5.6.11, 4.6.3.
    @Test(arguments: [
        "{}", #"{"type": "Bus", "speed": []}"#, #"{"id": "x", "type": "Bus"}"#, #"{"id": "urn:ngsi-ld:Bus:2"}"#,
        #"{"id": "urn:ngsi-ld:Bus:2", "type": "Bus", "expiresAt": "urn:ngsi-ld:null"}"#,
        #"{"id": "urn:ngsi-ld:Bus:2", "type": "Bus", "speed": [{"value": 1, "observedAt": "2026-03-01T02:00:00+03:00"}]}"#,
        #"{"id": "urn:ngsi-ld:Bus:2", "type": "Bus", "scope": [{"type": "Property", "value": "/A", "unitCode": "CEL"}]}"#,
    ])
    func `what is no evolution is refused and leaves nothing behind`(body: String) async throws {
        let city = try Installation()
        #expect(try await city.ask(.post, "temporal/entities", body).status == 400)
        #expect(try await city.ask(.get, "temporal/entities/urn:ngsi-ld:Bus:2").status == 404)
    }

    // MARK: - Consumption

    /// Clauses 4.11, 5.7.3.4, 6.19.3.1.
    @Test(arguments: [
        ("timerel=after&timeAt=2026-03-01T12:30:00Z", [50, 40]), ("timerel=before&timeAt=2026-03-01T12:30:00Z", [30]),
        ("timerel=between&timeAt=2026-03-01T12:00:00Z&endTimeAt=2026-03-01T12:30:00Z", [30]), ("lastN=2", [50, 40]),
        ("timerel=before&timeAt=2026-03-01T13:00:00Z&lastN=1", [50]),
    ] as [(String, [JSON])])
    func `a retrieval keeps to its interval`(query: String, expected: [JSON]) async throws {
        let answer = try await city().ask(.get, "temporal/entities/\(Self.bus)?\(query)")
        #expect(answer.status == 200)
        #expect(try values(answer) == expected)
    }

    /// Clauses 5.7.3.4, 5.7.4.4.
    @Test func `an interval without instances is not found, and not in a query`() async throws {
        let city = try await city()
        let window = "timerel=before&timeAt=2020-01-01T00:00:00Z"
        #expect(try await city.ask(.get, "temporal/entities/\(Self.bus)?\(window)").problem == "ResourceNotFound")
        #expect(try await city.ask(.get, "temporal/entities?type=Bus&\(window)").json == [])
    }

    /// Clauses 4.5.9, 6.3.12.
    @Test func `pairs of value and time are a representation of their own`() async throws {
        let answer = try await city().ask(.get, "temporal/entities/\(Self.bus)?format=temporalValues")
        #expect(try answer.json["speed"] == [
            "type": "Property",
            "values": [[30, "2026-03-01T12:00:00Z"], [50, "2026-03-01T12:30:00Z"], [40, "2026-03-01T13:10:00Z"]],
        ])
        #expect(try answer.json["line"] == ["type": "Relationship", "objects": [["urn:x:7", "2026-03-01T12:00:00Z"]]])
    }

    /// Clauses 4.5.2.3, 4.5.7, 4.21.
    @Test func `a concise answer leaves out the kind and stays unambiguous`() async throws {
        let answer = try await city().ask(.get, "temporal/entities/\(Self.bus)?format=concise&lastN=1&pick=id,speed")
        let speed = try answer.json["speed"]?.arrayValue?.first
        #expect(speed?["type"] == nil)
        #expect(speed?["value"] == 40)
        #expect(speed?["instanceId"] != nil)
        #expect(try answer.json["line"] == nil)
    }

    /// Clauses 4.5.19, 5.2.44, 6.3.12.
    @Test func `aggregates are of periods from the beginning of the interval`() async throws {
        let city = try await city()
        let target = "temporal/entities/\(Self.bus)?format=aggregatedValues&pick=id,type,speed&aggrPeriodDuration=PT1H"
        let answer = try await city.ask(.get, target + "&aggrMethods=avg,totalCount&timerel=after&timeAt=2026-03-01T10:00:00Z")
        #expect(try answer.json["speed"] == [
            "type": "Property",
            "avg": [[40.0, "2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"], [40.0, "2026-03-01T13:00:00Z", "2026-03-01T14:00:00Z"]],
            "totalCount": [[2, "2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"], [1, "2026-03-01T13:00:00Z", "2026-03-01T14:00:00Z"]],
        ])
        #expect(try await city.ask(.get, target).problem == "BadRequestData")
        #expect(try await city.ask(.get, target + "&aggrMethods=median").problem == "BadRequestData")
        let line = "temporal/entities/\(Self.bus)?format=aggregatedValues&aggrMethods=sum&pick=line"
        #expect(try await city.ask(.get, line).problem == "InvalidRequest")
    }

    /// Clause 6.3.10.
    @Test func `an answer that would be too long ends at one moment for all and says so`() async throws {
        let city = try Installation(instanceCountMax: 2)
        #expect(try await city.ask(.post, "temporal/entities", Self.evolution).status == 201)
        let forwards = try await city.ask(.get, "temporal/entities/\(Self.bus)?timerel=after&timeAt=2026-03-01T00:00:00Z")
        #expect(forwards.status == 206)
        #expect(try values(forwards) == [30, 50])
        #expect(forwards.headers[.contentRange] == "date-time 2026-03-01T00:00:00Z-2026-03-01T12:30:00Z/*")
        let backwards = try await city.ask(.get, "temporal/entities/\(Self.bus)?lastN=3")
        #expect(backwards.status == 206)
        #expect(try values(backwards) == [50, 40])
        #expect(try values(backwards, "line").isEmpty)
        #expect(try backwards.json["line"] == [])
        #expect(backwards.headers[.contentRange] == "date-time 2026-03-01T13:10:00Z-2026-03-01T12:30:00Z/3")
        #expect(try await city.ask(.get, "temporal/entities/\(Self.bus)?lastN=2").status == 200)
    }

    /// Clause 6.3.10.
    @Test(arguments: [1, 2, 3, 7])
    func `a client that goes on where an answer ended misses nothing`(instanceCountMax: Int) async throws {
        let city = try Installation(instanceCountMax: instanceCountMax)
        func instances(_ seconds: [Int64]) -> String {
            seconds.map { #"{"value": \#($0), "observedAt": "\#(Installation.start.adding(seconds: Double($0)))"}"# }.joined(separator: ",")
        }
        let (fast, slow) = (Array(Int64(0)..<12), [Int64(3), 4, 11, 20])
        let body = #"{"id": "\#(Self.bus)", "type": "Bus", "fast": [\#(instances(fast))], "slow": [\#(instances(slow))]}"#
        #expect(try await city.ask(.post, "temporal/entities", body).status == 201)
        var (begin, found) = (Installation.start.description, ["fast": Set<Int64>(), "slow": Set<Int64>()])
        for _ in 0..<40 {
            let answer = try await city.ask(.get, "temporal/entities/\(Self.bus)?timerel=after&timeAt=\(begin)")
            for name in found.keys { found[name]?.formUnion(try values(answer, name).compactMap(\.integerValue)) }
            guard answer.status == 206, let range = answer.headers[.contentRange] else { break }
            // The last moment that was answered stands before the size; from the microsecond after it all is new.
            let last = range.prefix { $0 != "/" }.suffix(20)
            begin = try #require(Instant(String(last))).adding(seconds: 0.000001).description
        }
        #expect(found == ["fast": Set(fast), "slow": Set(slow)])
    }

    /// Clauses 5.7.4.4, 6.18.3.2.
    @Test(arguments: [
        ("q=speed>45", true), ("q=speed>55", false), ("q=speed>45&timerel=before&timeAt=2026-03-01T12:30:00Z", false),
        ("q=line==%22urn:x:7%22", true), ("idPattern=.*Bus.*", true), ("id=urn:ngsi-ld:Bus:2", false), ("attrs=line", true), ("attrs=colour", false),
    ])
    func `a query holds for what was within the interval`(query: String, isFound: Bool) async throws {
        let city = try await city()
        let window = query.contains("timerel") ? "" : "&timerel=after&timeAt=2026-03-01T00:00:00Z"
        let answer = try await city.ask(.get, "temporal/entities?type=Bus&\(query)\(window)&count=true")
        #expect(answer.status == 200)
        #expect(try answer.json.arrayValue?.count == (isFound ? 1 : 0))
        #expect(answer.headers[.ngsildResultsCount] == (isFound ? "1" : "0"))
    }

    /// Clauses 4.18, 4.19.
    @Test func `scopes hold from when they are set until others are`() async throws {
        let city = try Installation()
        let tram = """
            {"id": "urn:ngsi-ld:Tram:1", "type": "Tram", "scope": [
                {"type": "Property", "value": "/R", "observedAt": "2026-03-01T10:00:00Z"},
                {"type": "Property", "value": "/S", "observedAt": "2026-03-01T12:30:00Z"}],
             "speed": [{"value": 1, "observedAt": "2026-03-01T12:15:00Z"}, {"value": 2, "observedAt": "2026-03-01T12:45:00Z"}]}
            """
        #expect(try await city.ask(.post, "temporal/entities", tram).status == 201)
        let window = "timerel=between&timeAt=2026-03-01T12:00:00Z&endTimeAt=2026-03-01T13:00:00Z"
        for (scope, expected) in [("/R", [1]), ("/S", [2]), ("/T", nil)] as [(String, [JSON]?)] {
            let found = try await city.ask(.get, "temporal/entities?type=Tram&scopeQ=\(scope)&\(window)").json.arrayValue?.first
            #expect(found?["speed"]?.arrayValue?.compactMap { $0["value"] } == expected)
        }
        let answer = try await city.ask(.get, "temporal/entities/urn:ngsi-ld:Tram:1?\(window)&format=temporalValues")
        #expect(try answer.json["scope"] == [
            "type": "Property", "values": [["/R", "2026-03-01T10:00:00Z"], ["/S", "2026-03-01T12:30:00Z"]],
        ])
    }

    /// Clauses 5.5.9.1, 5.7.4.
    @Test func `pages of entities have no gaps, whether the entities are still there or not`() async throws {
        let city = try Installation()
        for number in 1...3 {
            try await city.create(#"{"id": "urn:ngsi-ld:Bus:\#(number)", "type": "Bus", "speed": {"value": 1, "observedAt": "2026-03-01T12:00:00Z"}}"#)
        }
        _ = try await city.ask(.delete, "entities/urn:ngsi-ld:Bus:1", seconds: 1)
        var found: [String] = []
        for offset in 0...3 {
            let answer = try await city.ask(
                .get, "temporal/entities?type=Bus&timerel=after&timeAt=2026-01-01T00:00:00Z&orderBy=id&limit=1&offset=\(offset)", seconds: 2)
            found += try answer.json.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            #expect(answer.pageLinks.contains { $0.contains("rel=\"next\"") } == (offset < 2))
        }
        #expect(found == (1...3).map { "urn:ngsi-ld:Bus:\($0)" })
    }

    /// Clauses 5.7.4.4, 6.18.3.2.
    @Test(arguments: [
        "type=Bus", "timerel=after&timeAt=2026-03-01T00:00:00Z", "type=Bus&timerel=after", "type=Bus&timerel=after&timeAt=2026-03-01T00:00:00Z&lastN=0",
        "type=Bus&timerel=after&timeAt=2026-03-01T00:00:00Z&orderBy=speed", "type=Bus&timerel=after&timeAt=2026-03-01T00:00:00Z&pick=line{speed}",
        "timerel=after&timeAt=2026-03-01T00:00:00Z&attrs=createdAt", "type=Bus&timerel=after&timeAt=2026-03-01T00:00:00Z&format=keyValues",
        "type=Bus&timerel=after&timeAt=2026-03-01T00:00:00Z&aggrPeriodDuration=1H", "type=Bus&timerel=after&timeAt=2026-03-01T00:00:00Z&join=flat",
    ])
    func `a query that is wrong or too wide is refused`(query: String) async throws {
        #expect(try await city().ask(.get, "temporal/entities?\(query)").status == 400)
    }

    /// Clauses 5.2.21, 5.2.23, 5.7.4, 6.24.
    @Test func `a query by POST says the same in its body`() async throws {
        let city = try await city()
        let body = """
            {"type": "Query", "entities": [{"type": "Bus"}, {"type": "Tram"}], "temporalQ": {
                "timerel": "after", "timeAt": "2026-03-01T12:10:00Z", "lastN": 1}}
            """
        let answer = try await city.ask(.post, "temporal/entityOperations/query", body)
        #expect(try answer.json.arrayValue?.first?["speed"]?.arrayValue?.compactMap { $0["value"] } == [40])
        #expect(try await city.ask(.post, "temporal/entityOperations/query", #"{"type": "Query", "entities": [{"type": "Bus"}]}"#).status == 400)
    }
}
