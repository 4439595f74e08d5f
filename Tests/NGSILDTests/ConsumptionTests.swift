internal import CityModel
internal import Door
internal import HTTPTypes
internal import Testing

struct ConsumptionTests {
    private static let geoJSON: HTTPFields = [.accept: "application/geo+json"]
    private static let linkedData: HTTPFields = [.accept: "application/ld+json"]

    /// Clauses 4.5.23, 4.21, 5.7.1, 6.5.3.1.
    @Test func `linked entities are shown as the braces of pick and omit say`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:house", "type": "House", "n": "h", "in": {"object": "urn:x:town"}}"#)
        try await city.create(#"{"id": "urn:x:town", "type": "Town", "n": "t", "p": 5, "in": {"object": "urn:x:land"}}"#)
        try await city.create(#"{"id": "urn:x:land", "type": "Land", "n": "l", "p": 6}"#)
        func house(_ parameters: String) async throws -> JSON {
            try await city.ask(.get, "entities/urn:x:house?format=simplified&\(parameters)").json
        }
        #expect(
            try await house("join=inline&joinLevel=2&pick=id,in%7Bid,n,in%7Bp%7D%7D")
                == ["id": "urn:x:house", "in": ["id": "urn:x:town", "n": "t", "in": ["p": 6]]])
        #expect(
            try await house("join=inline&joinLevel=2&omit=type,in%7Bid,type,p,in%7D")
                == ["id": "urn:x:house", "n": "h", "in": ["n": "t"]])
        #expect(
            try await house("join=flat&joinLevel=2&pick=id,in%7Bid,n%7D")
                == [["id": "urn:x:house", "in": "urn:x:town"], ["id": "urn:x:town", "n": "t"]])
        #expect(try await city.ask(.get, "entities/urn:x:house?pick=in%7Bn%7D").problem == "BadRequestData")
    }

    /// Clauses 4.12, 4.13, 5.5.9.1, 6.3.10, 6.3.13, 6.4.3.2.
    @Test func `pages link to the ones before and after`() async throws {
        let city = try Installation()
        for number in 1...3 { try await city.create(#"{"id": "urn:x:\#(number)", "type": "T"}"#) }
        let answer = try await city.ask(.get, "entities/?type=T&offset=1&limit=1&idPattern=urn.*&count=true")
        #expect(answer.headers[.ngsildResultsCount] == "3")
        #expect(
            answer.pageLinks == [
                #"</ngsi-ld/v1/entities?count=true&idPattern=urn.*&limit=1&offset=0&type=T>; rel="prev"; type="application/json""#,
                #"</ngsi-ld/v1/entities?count=true&idPattern=urn.*&limit=1&offset=2&type=T>; rel="next"; type="application/json""#,
            ])
    }

    /// Clauses 5.2.23, 5.7.2, 6.23.
    @Test(arguments: [
        #"{"type": "Query", "entities": []}"#, #"{"type": "Query", "entities": [{"type": "T"}], "attrs": []}"#,
        #"{"type": "Query", "entities": [{"type": "T"}], "temporalQ": {}}"#, #"{"type": "Query", "entities": [{"id": "urn:x:1"}]}"#,
        #"{"type": "Query", "entities": [{"type": "T"}], "ordering": {"orderBy": ["id"], "geometry": 5}}"#,
        #"{"type": "Query", "entities": [{"type": "T"}], "csf": "))"}"#, #"{"type": "Question"}"#, #"{"type": "Query", "nosuch": 1}"#,
    ])
    func `a query body with a fault is bad data`(body: String) async throws {
        #expect(try await Installation().ask(.post, "entityOperations/query", body).problem == "BadRequestData")
    }

    /// Clauses 4.5.5, 5.7.2.
    @Test func `an entity without an instance of the wanted data set keeps its place without attributes`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:1", "type": "T", "a": 1}"#)
        #expect(try await city.ask(.get, "entities?attrs=a&datasetId=urn:d:1").json == [["id": "urn:x:1", "type": "T"]])
        #expect(try await city.ask(.get, "entities?type=T&attrs=b").json == [])
    }

    /// Clauses 4.3.6.8, 6.3.6.
    @Test func `a consumer of an earlier version gets what that version knows`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:1", "type": "T", "a": {"vocab": "open"}, "scope": "/x"}"#)
        let earlier = try await city.ask(.get, "entities/urn:x:1", nil, [.prefer: "ngsi-ld=1.3"])
        #expect(earlier.status == 203)
        #expect(earlier.headers[.preferenceApplied] == "ngsi-ld=1.3")
        #expect(try earlier.json == ["id": "urn:x:1", "type": "T", "a": ["type": "Property", "value": "open"]])
        for (wanted, applied) in [("ngsi-ld=1.9", "ngsi-ld=1.9"), ("ngsi-ld=1.12", "ngsi-ld=1.9")] {
            let own = try await city.ask(.get, "entities/urn:x:1", nil, [.prefer: wanted])
            #expect(own.status == 200)
            #expect(own.headers[.preferenceApplied] == applied)
        }
        #expect(try await city.ask(.get, "entities/urn:x:1", nil, [.prefer: "ngsi-ld=2.0"]).headers[.preferenceApplied] == nil)
    }

    /// Clauses 4.4, 5.5.5, 6.3.5, 6.3.6.
    @Test func `an answer names the context that the request named, and the core context otherwise`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:1", "type": "Bus", "line": 5}"#, Installation.link(Installation.transport))
        var headers = Installation.link(Installation.transport)
        headers[.accept] = "application/ld+json"
        let named = try await city.ask(.get, "entities/urn:x:1", nil, headers).json
        #expect(named["type"] == "Bus")
        #expect(named["@context"] == .string(Installation.transport))
        let unnamed = try await city.ask(.get, "entities/urn:x:1", nil, Self.linkedData).json
        #expect(unnamed["type"] == "https://city.example/Bus")
        #expect(unnamed["@context"]?.stringValue?.hasPrefix("https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context") ?? false)
    }

    /// Clauses 4.5.16, 6.3.7, 6.3.15, 5.2.29, 5.2.30.
    @Test func `features carry the wanted geometry`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:1", "type": "T", "location": {"type": "Point", "coordinates": [3, 43]}}"#)
        let feature = try await city.ask(.get, "entities/urn:x:1", nil, Self.geoJSON)
        #expect(feature.headers[.contentType] == "application/geo+json")
        #expect(try feature.json["geometry"] == ["type": "Point", "coordinates": [3, 43]])
        #expect(try await city.ask(.get, "entities/urn:x:1?geometryProperty=none", nil, Self.geoJSON).json["geometry"] == .null)
        #expect(try await city.ask(.get, "entities?type=T", nil, Self.geoJSON).json["features"]?.arrayValue?.count == 1)
        #expect(try await city.ask(.get, "entities?type=T", nil, [.accept: "text/html"]).status == 406)
    }

    /// Clauses 4.5.10, 4.5.13, 4.5.15, 6.25.3.1, 6.27.3.1, 6.28.3.1.
    @Test func `types and attributes are listed and described`() async throws {
        let city = try Installation()
        try await city.create(#"{"id": "urn:x:1", "type": "T", "a": 1, "b": {"object": "urn:x:2"}}"#)
        #expect(try await city.ask(.get, "types").json["typeList"] == ["T"])
        #expect(try await city.ask(.get, "attributes").json["attributeList"] == ["a", "b"])
        let attribute = try await city.ask(.get, "attributes/b").json
        #expect(attribute["attributeTypes"] == ["Relationship"])
        #expect(attribute["attributeCount"] == 1)
        #expect(attribute["typeNames"] == ["T"])
        for name in ["id", "type", "scope", "createdAt", "none"] {
            #expect(try await city.ask(.get, "attributes/\(name)").problem == "ResourceNotFound")
        }
    }

    /// Clauses 5.7.2.4, 6.4.3.2.
    @Test(arguments: ["entities", "entities?id=urn:x:1", "entities?attrs=createdAt", "entities?type=T&csf=))bad((", "entities?type=*&local=false"])
    func `a query that is too wide or cannot be read is bad data`(target: String) async throws {
        #expect(try await Installation().ask(.get, target).problem == "BadRequestData")
    }

    /// Clause 6.3.2.
    @Test(arguments: ["entities?type=T&nosuch=1", "types?nosuch=1", "entities/urn:x:1?nosuch=1"])
    func `an unknown parameter makes a request invalid`(target: String) async throws {
        #expect(try await Installation().ask(.get, target).problem == "InvalidRequest")
    }
}
