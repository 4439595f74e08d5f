internal import CityModel
internal import Door
@testable import Federation
internal import HTTPTypes
internal import OrderedCollections
internal import Synchronization
internal import Testing

/// Context sources that answer what they like (clauses 4.3.6, 5.6, 5.7 and 6.3.17).
@Suite struct ContextSourceTests {
    private static let operations = #""operations":["federationOps","redirectionOps","createBatch","upsertBatch"]"#

    private func register(_ city: Installation, _ more: String = operations, number: Int = 1, information: String = #"[{"entities":[{"type":"Bus"}]}]"#) async throws {
        let registration = #"{"id":"urn:ngsi-ld:ContextSourceRegistration:\#(number)","type":"ContextSourceRegistration","#
            + #""information":\#(information),"endpoint":"http://source.example:1026",\#(more)}"#
        let answer = try await city.ask(.post, "csourceRegistrations", registration)
        try #require(answer.status == 201, "\(answer.text)")
    }

    @Test func `a count that no source can have breaks nothing`() async throws {
        let city = try Installation { _ in .answer(status: 200, headers: [("NGSILD-Results-Count", "9223372036854775807")], body: Array("[]".utf8)) }
        try await register(city, number: 1)
        try await register(city, number: 2)
        #expect(try await city.ask(.get, "entities?type=Bus&count=true").status == 200)
    }

    @Test func `more than was asked for is not looked at`() async throws {
        let bus = #"{"id":"urn:x:%","type":"Bus"}"#
        let many = "[" + (1...5000).map { bus.replacing("%", with: String($0)) }.joined(separator: ",") + "]"
        let city = try Installation { _ in .answer(status: 200, headers: [], body: Array(many.utf8)) }
        try await register(city)
        let answer = try await city.ask(.get, "entities?type=Bus&limit=3&count=true")
        #expect(try answer.json.arrayValue?.compactMap { $0["id"] } == ["urn:x:1", "urn:x:2", "urn:x:3"])
        #expect(answer.headers[.ngsildResultsCount] == "4")
    }

    @Test func `an answer that names many contexts is not read`() async throws {
        let many = "[" + (1...9).map { #"{"id":"urn:x:\#($0)","type":"Bus","@context":[{"a\#($0)":"urn:a"}]}"# }.joined(separator: ",") + "]"
        let mediaType = Mutex("application/ld+json")
        let city = try Installation { _ in .answer(status: 200, headers: [("Content-Type", mediaType.withLock { $0 })], body: Array(many.utf8)) }
        try await register(city)
        let answer = try await city.ask(.get, "entities?type=Bus")
        #expect(try answer.json == [])
        #expect(answer.headers[.ngsildWarning]?.hasPrefix("111 ") ?? false)
        // In JSON a context has no place in the body: it is not looked at (clause 6.3.5).
        mediaType.withLock { $0 = "application/json" }
        #expect(try await city.ask(.get, "entities?type=Bus").json.arrayValue?.count == 9)
    }

    @Test func `of a source's problem only what can be short is said`() async throws {
        let long = String(repeating: "x", count: 100_000)
        let problem = #"{"type":"urn:p","title":"No","detail":"\#(long)","more":"\#(long)","status":400}"#
        let city = try Installation { _ in .answer(status: 400, headers: [], body: Array(problem.utf8)) }
        try await register(city)
        let answer = try await city.ask(.post, "entityOperations/create", #"[{"id":"urn:x:1","type":"Bus"},{"id":"urn:x:2","type":"Bus"}]"#)
        #expect(answer.status == 207)
        #expect(answer.bytes.count < 3000)
        let error = try #require(try answer.json["errors"]?.arrayValue?.first?["error"])
        #expect(error["title"] == "No" && error["status"] == 400 && error["more"] == nil)
    }

    @Test func `of a batch that a source did in part, what it lists was done (clause 5.2.16)`() async throws {
        let city = try Installation { _ in
            .answer(status: 207, headers: [], body: Array(#"{"success":["urn:x:1"],"errors":[{"entityId":"urn:x:2","error":{"title":"No","status":400}}]}"#.utf8))
        }
        try await register(city, #""mode":"redirect","# + Self.operations)
        let batch = "[" + (1...3).map { #"{"id":"urn:x:\#($0)","type":"Bus"}"# }.joined(separator: ",") + "]"
        let answer = try await city.ask(.post, "entityOperations/create", batch)
        #expect(try answer.json["success"] == ["urn:x:1"])
        #expect(try answer.json["errors"]?.arrayValue?.compactMap { $0["entityId"] } == ["urn:x:2", "urn:x:3"])
    }

    @Test(arguments: [
        ("create", #""createEntity""#, ["POST entities"]),
        ("upsert", #""createEntity","replaceEntity""#, ["POST entities"]),
        ("upsert", #""replaceEntity","updateEntity""#, ["PUT entities/urn:x:1"]),
        ("upsert?options=update", #""replaceEntity","updateEntity""#, ["PATCH entities/urn:x:1/attrs"]),
        ("update", #""updateEntity","appendAttrs""#, ["PATCH entities/urn:x:1/attrs"]),
        ("update?options=noOverwrite", #""updateEntity","appendAttrs""#, ["POST entities/urn:x:1/attrs"]),
        ("merge", #""mergeEntity""#, ["PATCH entities/urn:x:1"]),
        ("upsert", #""updateEntity""#, []),
    ])
    func `a batch goes entry by entry to a source that has no operation for it (clauses 5.6.7.4 to 5.6.9.4 and 5.6.20.4)`(
        batch: String, operations: String, asked: [String]
    ) async throws {
        let source = AskedSource()
        let city = try Installation(source: source.answer)
        try await register(city, #""mode":"redirect","operations":[\#(operations)]"#)
        let body = #"[{"id":"urn:x:1","type":"Bus","line":{"type":"Property","value":2}}]"#
        let answer = try await city.ask(.post, "entityOperations/\(batch)", body)
        #expect(source.requests.map { "\($0.method.rawValue) \($0.path)" } == asked)
        #expect(answer.status == (asked.isEmpty ? 207 : 204) || answer.status == 201)
    }

    @Test func `identifiers are deleted one by one where a source deletes no batch (clause 5.6.10.4)`() async throws {
        let source = AskedSource()
        let city = try Installation(source: source.answer)
        try await register(city, #""mode":"redirect","operations":["deleteEntity"]"#)
        #expect(try await city.ask(.post, "entityOperations/delete", #"["urn:x:1","urn:x:2"]"#).status == 204)
        #expect(source.requests.map { "\($0.method.rawValue) \($0.path)" }.sorted() == ["DELETE entities/urn:x:1", "DELETE entities/urn:x:2"])
    }

    @Test(arguments: [
        ("upsert", #","replaceEntity""#, "PUT entities/urn:x:1", 204), ("upsert?options=update", #","updateEntity""#, "PATCH entities/urn:x:1/attrs", 204),
        ("upsert", #","updateEntity""#, nil, 207),
    ])
    func `what a source has already is replaced or updated by an upsert (clause 5.6.8.4)`(
        batch: String, more: String, second: String?, status: Int
    ) async throws {
        let asked = Mutex<[String]>([])
        let city = try Installation { request in
            asked.withLock { $0.append("\(request.method.rawValue) \(request.path)") }
            let problem = #"{"type":"https://uri.etsi.org/ngsi-ld/errors/AlreadyExists","title":"x","status":409}"#
            return .answer(status: request.method == .post ? 409 : 204, headers: [], body: Array((request.method == .post ? problem : "").utf8))
        }
        try await register(city, #""mode":"redirect","operations":["createEntity"\#(more)]"#)
        let answer = try await city.ask(.post, "entityOperations/\(batch)", #"[{"id":"urn:x:1","type":"Bus","line":{"type":"Property","value":2}}]"#)
        #expect(answer.status == status)
        #expect(asked.withLock { $0 } == ["POST entities", second].compactMap { $0 })
        if second == nil {
            #expect(try answer.json["errors"]?.arrayValue?.first?["error"]?["type"]?.stringValue?.hasSuffix("/OperationNotSupported") ?? false)
        }
    }

    @Test func `what no source and nobody here has is not found, and a loop at the source is one here (clauses 5.6.6.4 and 6.3.17)`() async throws {
        let status = Mutex(404)
        let city = try Installation { _ in .answer(status: status.withLock { $0 }, headers: [], body: []) }
        try await register(
            city, #""mode":"redirect","# + Self.operations, information: #"[{"entities":[{"type":"Bus"}],"propertyNames":["line"]}]"#)
        #expect(try await city.ask(.delete, "entities/urn:x:1?type=Tram").status == 404)
        try await register(city, #""mode":"exclusive","# + Self.operations, number: 2, information: #"[{"entities":[{"id":"urn:x:7","type":"Tram"}],"propertyNames":["line"]}]"#)
        status.withLock { $0 = 508 }
        #expect(try await city.ask(.patch, "entities/urn:x:7/attrs", #"{"line":{"type":"Property","value":2}}"#).status == 508)
    }

    @Test func `warnings of a source are handed on, in the name of its registration (clause 6.3.17)`() async throws {
        let city = try Installation { _ in
            let many = (1...20).map { _ in (name: "NGSILD-Warning", value: #"199 urn:other "a registration loop""#) }
            return .answer(status: 200, headers: many + [("ngsild-warning", "500 x \"no code\"")], body: Array("[]".utf8))
        }
        try await register(city)
        let warnings = try await city.ask(.get, "entities?type=Bus").headers[values: .ngsildWarning]
        #expect(warnings == [#"199 urn:ngsi-ld:ContextSourceRegistration:1 "a registration loop""#])
    }

    @Test func `a context that a source asks for is named as it asks for it (clause 6.3.19)`() async throws {
        let source = AskedSource()
        let city = try Installation(source: source.answer)
        let core = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
        try await register(city, #""contextSourceInfo":[{"key":"jsonldContext","value":"\#(core)"}],"# + Self.operations)
        _ = try await city.ask(.get, "entities?type=Bus")
        let headers = try #require(source.requests.last).headers
        #expect(headers.first { $0.name == "Link" }?.value.hasPrefix("<\(core)>") ?? false)
        #expect(!headers.contains { $0.name == "jsonldContext" })
    }

    @Test func `a batch that is too large goes to no source`() async throws {
        let source = AskedSource()
        let city = try Installation(batchCountMax: 1, source: source.answer)
        try await register(city)
        let batch = #"[{"id":"urn:x:1","type":"Bus"},{"id":"urn:x:2","type":"Bus"}]"#
        #expect(try await city.ask(.post, "entityOperations/create", batch).status == 403)
        #expect(try await city.ask(.post, "entityOperations/delete", #"["urn:x:1","urn:x:2"]"#).status == 403)
        #expect(source.queries == [])
    }

    @Test func `a purge reaches no further than what is registered (clause 4.3.6.1)`() async throws {
        let source = AskedSource()
        let city = try Installation(source: source.answer)
        try await register(
            city, #""mode":"exclusive","# + Self.operations,
            information: #"[{"entities":[{"id":"urn:x:1","type":"Bus"},{"id":"urn:x:2","type":"Bus"}],"propertyNames":["speed","line"]}]"#)
        #expect(try await city.ask(.delete, "entities?type=Bus").status == 204)
        #expect(try await city.ask(.delete, "entities?type=Bus&id=urn:x:2,urn:x:3&keep=line").status == 204)
        #expect(try await city.ask(.delete, "entities?type=Bus&drop=other").status == 204)
        #expect(try await city.ask(.delete, "entities?type=Bus&idPattern=1$").status == 204)
        #expect(source.queries == [
            "type=Bus&id=urn:x:1,urn:x:2&drop=line,speed", "type=Bus&id=urn:x:2&drop=speed", "type=Bus&id=urn:x:1&drop=line,speed",
        ])
    }

    @Test func `a purge goes out in the names that the source reads (clause 4.3.6.6)`() async throws {
        let source = AskedSource()
        let city = try Installation(source: source.answer)
        try await register(
            city, #""contextSourceInfo":[{"key":"jsonldContext","value":"\#(Installation.transport)"}],"# + Self.operations,
            information: #"[{"entities":[{"idPattern":"^urn:x:"}]}]"#)
        let (type, line) = ("https%3A%2F%2Fcity.example%2FBus", "https%3A%2F%2Fcity.example%2Fline")
        #expect(try await city.ask(.delete, "entities?type=\(type)&attrs=\(line)&drop=\(line)").status == 204)
        #expect(source.queries == ["type=Bus&idPattern=^urn:x:&attrs=line&drop=line"])
        // What the registered pattern and the one that is asked for have in common can't be said: nothing is sent.
        #expect(try await city.ask(.delete, "entities?type=\(type)&idPattern=7").status == 207)
        #expect(source.queries.count == 1)
    }

    @Test func `a purge of what a map holds purges nothing else at a source (clause 5.5.14)`() async throws {
        let source = AskedSource()
        let city = try Installation(source: source.answer)
        try await city.create(#"{"id":"urn:x:1","type":"Bus"}"#)
        let map = try #require(try await city.ask(.get, "entities?type=Bus&entityMap=true").headers[.ngsildEntityMap])
        try await register(city)
        #expect(try await city.ask(.delete, "entities?type=Bus", nil, [.ngsildEntityMap: map]).status == 204)
        #expect(source.queries == ["type=Bus&id=urn:x:1"])
    }

    @Test func `the type that an entity has to be of is said to its sources too (clause 4.17)`() async throws {
        let source = AskedSource()
        let city = try Installation(source: source.answer)
        try await register(city, #""mode":"redirect","# + Self.operations)
        #expect(try await city.ask(.delete, "entities/urn:x:1?type=Bus").status == 204)
        #expect(source.queries == ["type=Bus"])
    }

    @Test func `names of a body that is passed on as it came keep their meaning (clause 4.3.6.6)`() async throws {
        let source = AskedSource()
        let city = try Installation(source: source.answer)
        try await register(
            city, #""mode":"redirect","contextSourceInfo":[{"key":"jsonldContext","value":"\#(Installation.transport)"}],"# + Self.operations)
        let body = #"{"value":1,"line":{"type":"Property","value":2}}"#
        #expect(try await city.ask(.patch, "entities/urn:x:1/attrs/line", body).status == 204)
        let inline: HTTPFields = [.contentType: "application/ld+json"]
        let whole = #"{"value":1,"@context":[{"line":"urn:x:line"}]}"#
        #expect(try await city.ask(.patch, "entities/urn:x:1/attrs/line", whole, inline).status == 204)
        let sent = source.requests
        #expect(sent.map(\.path) == ["entities/urn:x:1/attrs/line", "entities/urn:x:1/attrs/line"])
        #expect(sent.allSatisfy { !$0.headers.contains { $0.name == "Link" } })
        #expect(try JSON(parsing: #require(sent.last?.body))["@context"] != nil)
    }

    @Test func `a request that was passed on three times is passed on no more`() async throws {
        let source = AskedSource()
        let city = try Installation(source: source.answer)
        try await register(city, #""mode":"redirect","# + Self.operations)
        let far: HTTPFields = [.via: "1.1 a, 1.1 b, 1.1 c"]
        #expect(try await city.ask(.delete, "entities/urn:x:1", nil, far).status == 508)
        #expect(source.queries == [])
        #expect(try await city.ask(.delete, "entities/urn:x:1", nil, [.via: "1.1 a, 1.1 b"]).status == 204)
    }

    @Test(arguments: [(Classification.open, true), (.internalUse, false)])
    func `a source is not told of an entity that is not for everybody`(classification: Classification, isNamed: Bool) async throws {
        let source = AskedSource(#"[{"id":"urn:x:5","type":"Bus"},{"id":"urn:x:6","type":"Bus"}]"#)
        let city = try Installation(source: source.answer)
        try await city.record("urn:x:0", classification)
        try await register(city)
        let page = try await city.ask(.get, "entities?type=Bus&limit=1")
        #expect(try page.json.arrayValue?.compactMap { $0["id"] } == ["urn:x:0"])
        #expect(source.queries.contains { $0.contains("urn:x:0") } == isNamed)
    }

    @Test func `a page as long as pages may be is answered where sources take part`() async throws {
        let source = AskedSource("[]")
        let city = try Installation(source: source.answer)
        try await register(city)
        #expect(try await city.ask(.get, "entities?type=Bus&limit=1000").status == 200)
        #expect(source.queries.first?.contains("limit=1000") ?? false)
    }

    @Test func `requests leave in the order in which they came, and who gives up keeps no place`() async throws {
        let gate = OutboundGate(countMax: 1)
        #expect(await gate.enter())
        let given = Task { await gate.enter() }
        given.cancel()
        #expect(await given.value == false)
        let next = Task { await gate.enter() }
        gate.leave()
        #expect(await next.value)
        gate.leave()
    }
}

/// A source that does all it is asked, and remembers it.
private final class AskedSource: Sendable {
    private let asked = Mutex<[SourceRequest]>([])
    private let found: String?

    /// - Parameter found: what it answers when it is read from.
    init(_ found: String? = nil) { self.found = found }

    var requests: [SourceRequest] { asked.withLock { $0 } }
    var queries: [String] {
        asked.withLock { $0.map { $0.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&") } }
    }

    func answer(_ request: SourceRequest) -> SourceAnswer {
        asked.withLock { $0.append(request) }
        guard let found else { return .answer(status: 204, headers: [], body: []) }
        return .answer(status: 200, headers: [], body: Array(found.utf8))
    }
}

extension HTTPField.Name {
    fileprivate static let via = HTTPField.Name("Via")!
    fileprivate static let ngsildWarning = HTTPField.Name("NGSILD-Warning")!
}
