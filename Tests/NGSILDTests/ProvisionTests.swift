internal import CityModel
internal import HTTPTypes
internal import Testing

struct ProvisionTests {
    private static let bus = #"{"id": "urn:ngsi-ld:Bus:1", "type": "Bus", "speed": {"type": "Property", "value": 30, "unitCode": "KMH"}}"#

    /// Clauses 5.6.1, 5.6.6, 5.7.1, 6.4.3.1, 6.5.3.1, 6.5.3.2.
    @Test func `an entity is created once, answered, and deleted`() async throws {
        let city = try Installation()
        let created = try await city.ask(.post, "entities", Self.bus)
        #expect(created.status == 201)
        #expect(created.headers[.location] == "/ngsi-ld/v1/entities/urn:ngsi-ld:Bus:1")
        #expect(try await city.ask(.post, "entities", Self.bus).problem == "AlreadyExists")
        #expect(try await city.ask(.get, "entities/urn:ngsi-ld:Bus:1").json == JSON(parsing: Self.bus))
        #expect(try await city.ask(.delete, "entities/urn:ngsi-ld:Bus:1").status == 204)
        #expect(try await city.ask(.get, "entities/urn:ngsi-ld:Bus:1").problem == "ResourceNotFound")
    }

    /// Clauses 4.6.4, 5.2.4, 5.5.2, 5.5.3, 5.5.4, 5.6.1, 6.3.3.
    @Test(arguments: [
        ("", "InvalidRequest"), ("{", "InvalidRequest"), ("[]", "InvalidRequest"), ("5", "InvalidRequest"), ("{}", "BadRequestData"),
        (#"{"id": "urn:x:1"}"#, "BadRequestData"), (#"{"id": "x", "type": "T"}"#, "BadRequestData"),
        (#"{"id": "urn:x:\u202e1", "type": "T"}"#, "BadRequestData"), (#"{"id": "urn:x:1", "type": "T", "scope": "/a-b"}"#, "BadRequestData"),
        (#"{"id": "urn:x:1", "type": "T", "@context": "https://a.example/"}"#, "BadRequestData"),
        (String(repeating: "[", count: 70), "InvalidRequest"),
    ])
    func `a body that is no entity is refused and nothing is created`(body: String, problem: String) async throws {
        let city = try Installation()
        let answer = try await city.ask(.post, "entities", body)
        #expect(answer.status == 400)
        #expect(answer.problem == problem)
        #expect(answer.headers[.contentType] == "application/problem+json")
        #expect(try await city.ask(.get, "entities/urn:x:1").status == 404)
    }

    /// Clauses 4.17, 5.6.2, 5.6.3, 5.6.4, 5.6.5, 5.6.6, 5.6.17, 5.6.18, 5.6.19.
    @Test(arguments: [
        (HTTPRequest.Method.delete, "", nil), (.get, "", nil), (.patch, "", #"{"speed": 5}"#), (.patch, "/attrs", #"{"speed": 5}"#),
        (.post, "/attrs", #"{"speed": 5}"#), (.patch, "/attrs/speed", #"{"value": 5}"#), (.put, "/attrs/speed", #"{"value": 5}"#),
        (.delete, "/attrs/speed", nil), (.put, "", bus),
    ] as [(HTTPRequest.Method, String, String?)])
    func `a selection of types hides an entity that it does not match`(
        method: HTTPRequest.Method, path: String, body: String?
    ) async throws {
        let city = try Installation()
        try await city.create(Self.bus)
        let target = "entities/urn:ngsi-ld:Bus:1" + path
        #expect(try await city.ask(method, target + "?type=Tram", body).problem == "ResourceNotFound")
        #expect(try await city.ask(.get, "entities/urn:ngsi-ld:Bus:1").json == JSON(parsing: Self.bus))
        #expect(try await city.ask(method, target + "?type=Tram,Bus", body).status < 300)
    }

    /// Clauses 5.2.18, 5.2.19, 5.4, 5.5.8, 5.6.2, 6.6.3.2.
    @Test func `an update replaces attributes, removes nulls and says what it could not do`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:1", "type": "T", "a": {"type": "Property", "value": 1, "unitCode": "CEL"}, "b": 2}"#)
        let answer = try await city.ask(.patch, "entities/urn:x:1/attrs", #"{"a": 5, "b": "urn:ngsi-ld:null", "c": 6, "scope": "/x"}"#)
        #expect(answer.status == 207)
        #expect(try answer.json["notUpdated"] == [["attributeName": "https://uri.etsi.org/ngsi-ld/scope", "reason": "the entity has no scope that could be updated"]])
        let expected = #"{"id": "urn:x:1", "type": "T", "a": {"type": "Property", "value": 5}, "c": {"type": "Property", "value": 6}}"#
        #expect(try await city.ask(.get, "entities/urn:x:1").json == JSON(parsing: expected))
    }

    /// Clauses 5.5.8, 5.5.12, 5.6.4, 5.6.17, 6.5.3.4, 6.7.3.1.
    @Test func `a partial update keeps what it does not name, a merge goes into values`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:1", "type": "T", "a": {"type": "Property", "value": {"x": 1, "y": 2}, "unitCode": "CEL"}}"#)
        #expect(try await city.ask(.patch, "entities/urn:x:1", #"{"a": {"value": {"x": "urn:ngsi-ld:null", "z": 3}}}"#).status == 204)
        #expect(try await city.ask(.get, "entities/urn:x:1").json["a"] == ["type": "Property", "value": ["y": 2, "z": 3], "unitCode": "CEL"])
        #expect(try await city.ask(.patch, "entities/urn:x:1/attrs/a", #"{"value": 7}"#).status == 204)
        #expect(try await city.ask(.get, "entities/urn:x:1").json["a"] == ["type": "Property", "value": 7, "unitCode": "CEL"])
        #expect(try await city.ask(.patch, "entities/urn:x:1/attrs/a", #"{"type": "Relationship", "object": "urn:x:2"}"#).problem == "BadRequestData")
    }

    /// Clauses 5.6.2, 5.6.17.
    @Test(arguments: ["entities//attrs", "entities/no-uri/attrs", "entities/"])
    func `a missing or impossible identifier is bad data`(target: String) async throws {
        #expect(try await Installation().ask(.patch, target, #"{"a": 1}"#).problem == "BadRequestData")
    }

    /// Clauses 5.2.16, 5.2.17, 5.6.7, 6.14.3.1.
    @Test func `a batch says entry by entry what happened`() async throws {
        let city = try Installation()
        let linked: HTTPFields = [.contentType: "application/ld+json"]
        let answer = try await city.ask(
            .post, "entityOperations/create",
            #"""
            [{"id": "urn:x:1", "type": "T", "@context": []}, {"id": "urn:x:1", "type": "T", "@context": []},
             {"id": "urn:x:2", "type": "T", "@context": "https://nowhere.example/"}, {"id": "urn:x:3", "@context": []}]
            """#, linked)
        #expect(answer.status == 207)
        #expect(try answer.json["success"] == ["urn:x:1"])
        let errors = try #require(try answer.json["errors"]?.arrayValue)
        #expect(errors.compactMap { $0["entityId"]?.stringValue } == ["urn:x:2", "urn:x:3", "urn:x:1"])
        #expect(errors.compactMap { $0["error"]?["status"]?.integerValue } == [504, 400, 409])
    }

    /// Clauses 5.5.11.3, 5.6.9, 6.16.3.1.
    @Test func `a batch update that may not overwrite keeps the new attributes and reports the entry`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:1", "type": "T", "a": 1}"#)
        let answer = try await city.ask(.post, "entityOperations/update?options=noOverwrite", #"[{"id": "urn:x:1", "a": 2, "b": 3}]"#)
        #expect(answer.status == 207)
        #expect(try answer.json["success"] == [])
        let entity = try await city.ask(.get, "entities/urn:x:1?options=keyValues").json
        #expect(entity == ["id": "urn:x:1", "type": "T", "a": 1, "b": 3])
    }

    /// Clauses 4.22, 5.5.12, 5.6.17.
    @Test func `a merge takes the expiry of an entity away with null`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:ngsi-ld:Bus:1", "type": "Bus", "expiresAt": "2099-01-01T00:00:00Z"}"#)
        let null = #"{"expiresAt": "urn:ngsi-ld:null"}"#
        #expect(try await city.ask(.patch, "entities/urn:ngsi-ld:Bus:1", null).status == 204)
        #expect(try await city.ask(.get, "entities/urn:ngsi-ld:Bus:1?options=sysAttrs").json["expiresAt"] == nil)
        let created = #"{"id": "urn:ngsi-ld:Bus:2", "type": "Bus", "expiresAt": "urn:ngsi-ld:null"}"#
        #expect(try await city.ask(.post, "entities", created).problem == "BadRequestData")
    }
}
