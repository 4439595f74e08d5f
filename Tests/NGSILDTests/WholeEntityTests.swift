internal import CityModel
internal import HTTPTypes
internal import Testing

/// Operations on whole entities, one or many.
struct WholeEntityTests {
    private func city() async throws -> Installation {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:1", "type": "T", "a": 1, "b": 2}"#)
        return city
    }

    private func simplified(_ city: Installation, _ id: String = "urn:x:1") async throws -> JSON {
        try await city.ask(.get, "entities/\(id)?format=simplified").json
    }

    /// Clauses 5.6.18, 6.5.3.3.
    @Test func `a replaced entity keeps its identifier and nothing else`() async throws {
        let city = try await city()
        #expect(try await city.ask(.put, "entities/urn:x:1", #"{"id": "urn:x:1", "type": "T", "c": 3}"#).status == 204)
        #expect(try await simplified(city) == ["id": "urn:x:1", "type": "T", "c": 3])
        #expect(try await city.ask(.put, "entities/urn:x:2", #"{"id": "urn:x:2", "type": "T"}"#).problem == "ResourceNotFound")
    }

    /// Clauses 5.6.19, 6.7.3.3.
    @Test func `a replaced attribute keeps nothing of the old one`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:1", "type": "T", "a": {"type": "Property", "value": 1, "unitCode": "CEL"}}"#)
        #expect(try await city.ask(.put, "entities/urn:x:1/attrs/a", #"{"type": "Property", "value": 2}"#).status == 204)
        #expect(try await city.ask(.get, "entities/urn:x:1").json["a"] == ["type": "Property", "value": 2])
        #expect(try await city.ask(.put, "entities/urn:x:1/attrs/b", #"{"type": "Property", "value": 2}"#).problem == "ResourceNotFound")
    }

    /// Clauses 5.6.21, 6.4.3.3.
    @Test(arguments: [
        ("type=T&q=a==1", nil), ("type=T&drop=a", ["id": "urn:x:1", "type": "T", "b": 2]), ("type=T&keep=a", ["id": "urn:x:1", "type": "T", "a": 1]),
        ("type=T&q=a==2", ["id": "urn:x:1", "type": "T", "a": 1, "b": 2]),
    ] as [(String, JSON?)])
    func `a purge takes what matches, whole or in part`(query: String, left: JSON?) async throws {
        let city = try await city()
        #expect(try await city.ask(.delete, "entities?\(query)").status == 204)
        if let left { #expect(try await simplified(city) == left) } else { #expect(try await city.ask(.get, "entities/urn:x:1").status == 404) }
    }

    /// Clause 5.6.21.4.
    @Test(arguments: ["", "type=T&drop=a&keep=b"])
    func `a purge that is too wide or contradicts itself takes nothing`(query: String) async throws {
        let city = try await city()
        #expect(try await city.ask(.delete, "entities?\(query)").problem == "BadRequestData")
        #expect(try await simplified(city)["b"] == 2)
    }

    /// Clauses 5.6.20, 5.5.11.5, 6.31.3.1.
    @Test func `a batch merge goes through its entries in their order`() async throws {
        let city = try await city()
        let answer = try await city.ask(
            .post, "entityOperations/merge", #"[{"id": "urn:x:1", "a": 5}, {"id": "urn:x:1", "a": 6, "b": "urn:ngsi-ld:null"}]"#)
        #expect(answer.status == 204)
        #expect(try await simplified(city) == ["id": "urn:x:1", "type": "T", "a": 6])
    }

    /// Clauses 4.6.6, 5.5.11.2, 5.6.8.
    @Test(arguments: [("replace", ["id": "urn:x:9", "type": "T", "b": 2]), ("update", ["id": "urn:x:9", "type": "T", "a": 1, "b": 2])] as [(String, JSON)])
    func `of several entries of one entity the first creates and the others change it`(option: String, expected: JSON) async throws {
        let city = try await city()
        let entries = #"[{"id": "urn:x:9", "type": "T", "a": 1}, {"id": "urn:x:9", "type": "T", "b": 2}]"#
        #expect(try await city.ask(.post, "entityOperations/upsert?options=\(option)", entries).status == 201)
        #expect(try await simplified(city, "urn:x:9") == expected)
    }

    /// Clauses 4.5.17, 6.3.7.
    @Test func `simplified features have values as their properties`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:1", "type": "T", "a": 1, "location": {"type": "Point", "coordinates": [3, 43]}}"#)
        let geoJSON: HTTPFields = [.accept: "application/geo+json"]
        let feature = try await city.ask(.get, "entities/urn:x:1?format=simplified", nil, geoJSON).json
        #expect(feature["type"] == "Feature")
        #expect(feature["properties"]?["a"] == 1)
        #expect(feature["geometry"] == ["type": "Point", "coordinates": [3, 43]])
        let collection = try await city.ask(.get, "entities?type=T&format=simplified", nil, geoJSON).json
        #expect(collection["type"] == "FeatureCollection")
        #expect(collection["features"]?.arrayValue?.first?["properties"]?["a"] == 1)
    }

    /// Clauses 4.6.1, 4.6.5.
    @Test(arguments: [
        (#"{"languageMap": {"fr": "été", "@none": "夏"}}"#, true), (#"{"languageMap": {"fr": ["a", "b"]}}"#, true),
        (#"{"languageMap": {"fr": 5}}"#, false), (#"{"languageMap": {"not a language": "x"}}"#, false),
    ])
    func `a language map has languages and texts`(attribute: String, isAccepted: Bool) async throws {
        let city = try Installation()
        let answer = try await city.ask(.post, "entities", #"{"id": "urn:x:1", "type": "T", "n": \#(attribute)}"#)
        #expect(answer.status == (isAccepted ? 201 : 400))
        if isAccepted { #expect(try await city.ask(.get, "entities/urn:x:1?format=concise").json["n"] == JSON(parsing: attribute)) }
    }
}
