internal import CityModel
internal import Door
internal import HTTPTypes
internal import Testing

struct ContextTests {
    private static let core = "https:%2F%2Furi.etsi.org%2Fngsi-ld%2Fv1%2Fngsi-ld-core-context-v1.6.jsonld"
    private static let body = #"{"@context": {"Secret": "urn:x:secret"}}"#

    /// Clauses 5.13.1, 5.13.2, 5.13.3, 5.13.4, 5.13.5, 6.29, 6.30.
    @Test func `a stored context is served, listed, used and deleted`() async throws {
        let city = try Installation()
        let location = try #require(try await city.ask(.post, "jsonldContexts", Self.body).headers[.location])
        let id = try #require(location.split(separator: "/").last)
        let served = try await city.ask(.get, "jsonldContexts/\(id)")
        #expect(served.headers[.contentType] == "application/json")
        #expect(try served.json == JSON(parsing: Self.body))
        #expect(try await city.ask(.get, "jsonldContexts/\(id)", nil, [.accept: "application/ld+json"]).headers[.contentType] == "application/ld+json")
        #expect(try await city.ask(.get, "jsonldContexts/\(id)?details=true").json["kind"] == "Hosted")
        #expect(try await city.ask(.get, "jsonldContexts?kind=Hosted").json == [.string("http://localhost" + location)])
        let link = Installation.link("http://localhost" + location)
        try await city.create(#"{"id": "urn:x:1", "type": "Secret"}"#, link)
        #expect(try await city.ask(.get, "entities/urn:x:1").json["type"] == "urn:x:secret")
        #expect(try await city.ask(.delete, "jsonldContexts/\(id)").status == 204)
        #expect(try await city.ask(.get, "jsonldContexts/\(id)").problem == "ResourceNotFound")
        #expect(try await city.ask(.get, "entities/urn:x:1", nil, link).problem == "LdContextNotAvailable")
    }

    /// Clauses 5.5.10, 5.13.3, 6.3.14.
    @Test func `a context of one municipality is none of another's`() async throws {
        let city = try Installation()
        let (one, other): (HTTPFields, HTTPFields) = ([.ngsildTenant: "one"], [.ngsildTenant: "other"])
        let location = try #require(try await city.ask(.post, "jsonldContexts", Self.body, one).headers[.location])
        let target = String(location.dropFirst("/ngsi-ld/v1/".count))
        #expect(try await city.ask(.get, target, nil, other).status == 404)
        #expect(try await city.ask(.get, "jsonldContexts?details=true", nil, other).json == [])
        #expect(try await city.ask(.get, target, nil, one).status == 200)
    }

    /// Clauses 5.13.2, 6.29.3.1.
    @Test(arguments: [
        ("{}", "InvalidRequest"), ("[]", "InvalidRequest"), (#"{"@context": 5}"#, "BadRequestData"),
        (#"{"@context": ["https://nowhere.example/", 5]}"#, "BadRequestData"), (#"{"@context": "https://nowhere.example/"}"#, "LdContextNotAvailable"),
        (#"{"@context": {"a": 5}}"#, "BadRequestData"),
    ])
    func `what is no context is not stored`(body: String, problem: String) async throws {
        let city = try Installation()
        #expect(try await city.ask(.post, "jsonldContexts", body).problem == problem)
        #expect(try await city.ask(.get, "jsonldContexts").json == [])
    }

    /// Clauses 5.13.4, 5.13.5, 6.30.
    @Test func `the core contexts are there and stay`() async throws {
        let city = try Installation()
        #expect(try await city.ask(.get, "jsonldContexts/\(Self.core)?details=true").json["kind"] == "Cached")
        #expect(try await city.ask(.delete, "jsonldContexts/\(Self.core)").problem == "BadRequestData")
        #expect(try await city.ask(.delete, "jsonldContexts/\(Self.core)?reload=true").status == 204)
        #expect(try await city.ask(.delete, "jsonldContexts/none?reload=true").problem == "BadRequestData")
        #expect(try await city.ask(.delete, "jsonldContexts/none").problem == "ResourceNotFound")
    }

    /// Clauses 5.2.40, 5.15.1, 6.33.
    @Test func `each municipality has an alias of its own, which stays`() async throws {
        let city = try Installation()
        func identity(_ headers: HTTPFields = [:]) async throws -> JSON {
            try await city.ask(.get, "info/sourceIdentity", nil, headers, seconds: 90_065).json
        }
        let standard = try await identity()
        #expect(standard["type"] == "ContextSourceIdentity")
        #expect(standard["contextSourceUptime"] == "P1DT1H1M5S")
        #expect(try await identity()["contextSourceAlias"] == standard["contextSourceAlias"])
        #expect(try await identity([.ngsildTenant: "one"])["contextSourceAlias"] != standard["contextSourceAlias"])
    }
}
