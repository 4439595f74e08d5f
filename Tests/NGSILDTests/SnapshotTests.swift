internal import CityModel
internal import Door
internal import HTTPTypes
internal import OrderedCollections
internal import Testing

/// Snapshots over HTTP (clauses 5.2.41, 5.5.15, 5.16, 6.3.22, 6.36 to 6.38).
@Suite struct SnapshotTests {
    private func city() async throws -> Installation {
        let city = try Installation()
        try await city.create(#"{"id":"urn:ngsi-ld:Bus:1","type":"Bus","speed":{"type":"Property","value":80}}"#)
        try await city.create(#"{"id":"urn:ngsi-ld:Bus:2","type":"Bus","speed":{"type":"Property","value":30}}"#)
        return city
    }

    private let fast = #""snapshotQueries":[{"type":"Query","entities":[{"type":"Bus"}],"q":"speed>50"}]"#
    private let all = #""snapshotQueries":[{"type":"Query","entities":[{"type":"Bus"}]}]"#

    /// Makes a snapshot and prepares it.
    /// - Returns: its path and its status.
    private func make(_ city: Installation, _ members: String, _ link: HTTPFields = [:]) async throws -> (path: String, status: JSON) {
        let created = try await city.ask(.post, "snapshots", #"{"type":"Snapshot",\#(members)}"#, link)
        try #require(created.status == 201, "\(created.text)")
        let path = String(try #require(created.headers[.location]).dropFirst("/ngsi-ld/v1/".count))
        #expect(try await city.ask(.get, path).json["snapshotStatus"] == "preparing")
        try await city.prepareSnapshots()
        return (path, try await city.ask(.get, path).json)
    }

    private func on(_ snapshot: JSON) throws -> HTTPFields { [.ngsildSnapshot: try #require(snapshot["id"]?.stringValue)] }

    private func ids(_ answer: Answer) throws -> [String] {
        try #require(try answer.json.arrayValue).compactMap { $0["id"]?.stringValue?.split(separator: ":").last.map(String.init) }
    }

    @Test func `a snapshot freezes what its queries find (clauses 5.2.42, 5.16.1.4)`() async throws {
        let city = try await city()
        let (_, status) = try await make(city, fast)
        #expect(status["type"] == "Snapshot")
        #expect(status["snapshotStatus"] == "success")
        #expect(status["snapshotPriority"] == 5)
        #expect(status["snapshotQueriesDetails"] == [["resultStatus": "success"]])
        #expect(status["lastUsedAt"] == status["createdAt"])
        #expect(status["expiresAt"]?.stringValue.flatMap { Instant($0) } == Installation.start.adding(seconds: 86_400))

        let frozen = try on(status)
        _ = try await city.ask(.patch, "entities/urn:ngsi-ld:Bus:1", #"{"speed":10}"#)
        try await city.create(#"{"id":"urn:ngsi-ld:Bus:3","type":"Bus","speed":{"type":"Property","value":90}}"#)
        #expect(try ids(await city.ask(.get, "entities?type=Bus", nil, frozen)) == ["1"])
        #expect(try await city.ask(.get, "entities/urn:ngsi-ld:Bus:1", nil, frozen).json["speed"]?["value"] == 80)
        #expect(try await city.ask(.get, "entities/urn:ngsi-ld:Bus:2", nil, frozen).status == 404)
        #expect(try await city.ask(.get, "entities/urn:ngsi-ld:Bus:1").json["speed"]?["value"] == 10)
    }

    @Test func `what is read of a snapshot is local, whatever is said (clauses 5.5.13, 5.5.15)`() async throws {
        let city = try await city()
        let frozen = try on(await make(city, all).status)
        #expect(try ids(await city.ask(.get, "entities", nil, frozen)) == ["1", "2"])
        #expect(try ids(await city.ask(.get, "entities?type=*&local=false", nil, frozen)) == ["1", "2"])
        #expect(try await city.ask(.get, "entities").status == 400)
    }

    @Test func `all that reads the city reads a snapshot too (clause 5.5.15)`() async throws {
        let city = try await city()
        let frozen = try on(await make(city, all).status)
        _ = try await city.ask(.delete, "entities/urn:ngsi-ld:Bus:2")
        try await city.create(#"{"id":"urn:ngsi-ld:Tram:1","type":"Tram"}"#)
        #expect(try await city.ask(.get, "types", nil, frozen).json["typeList"] == ["Bus"])
        #expect(try await city.ask(.get, "types/Bus", nil, frozen).json["entityCount"] == 2)
        #expect(try await city.ask(.get, "attributes", nil, frozen).json["attributeList"] == ["speed"])
        #expect(try await city.ask(.get, "entities?type=Bus&count=true&limit=0", nil, frozen).headers[.ngsildResultsCount] == "2")
        let ordered = try await city.ask(.get, "entities?type=Bus&orderBy=speed&local=true&format=simplified&pick=id,speed", nil, frozen)
        #expect(try ordered.json.arrayValue?.map { $0["speed"] } == [30, 80])
        let posted = try await city.ask(.post, "entityOperations/query", #"{"type":"Query","entities":[{"type":"Bus"}],"q":"speed<50"}"#, frozen)
        #expect(try ids(posted) == ["2"])
        let mapped = try await city.ask(.get, "entities?type=Bus&entityMap=true", nil, frozen)
        let map = try #require(mapped.headers[.ngsildEntityMap])
        #expect(try await city.ask(.get, "entities?type=Bus", nil, [.ngsildEntityMap: map]).status == 201, "a map of a snapshot is none of the city")
    }

    @Test func `only what a query asks for of its entities is frozen`() async throws {
        let city = try Installation()
        try await city.create(
            #"{"id":"urn:ngsi-ld:Bus:1","type":"Bus","speed":{"type":"Property","value":80},"driver":{"type":"Property","value":"Kim"}}"#)
        let (_, status) = try await make(city, #""snapshotQueries":[{"type":"Query","entities":[{"type":"Bus"}],"attrs":["speed"]}]"#)
        let bus = try await city.ask(.get, "entities/urn:ngsi-ld:Bus:1", nil, on(status)).json
        #expect(bus["speed"] != nil)
        #expect(bus["driver"] == nil)
    }

    @Test func `queries are read with the context of the request that made the snapshot (clause 5.5.7)`() async throws {
        let city = try Installation()
        let link = Installation.link(Installation.transport)
        try await city.create(#"{"id":"urn:ngsi-ld:Bus:1","type":"Bus","line":{"type":"Property","value":"7"}}"#, link)
        let (_, status) = try await make(city, all, link)
        #expect(status["snapshotStatus"] == "success")
        let frozen = try on(status)
        #expect(try ids(await city.ask(.get, "entities?type=https://city.example/Bus", nil, frozen)) == ["1"])
    }

    @Test func `temporal queries freeze the history within their interval (clause 5.16.1.4)`() async throws {
        let city = try await city()
        _ = try await city.ask(.patch, "entities/urn:ngsi-ld:Bus:1", #"{"speed":81}"#, seconds: 10)
        let (at, later) = (Installation.start.description, Installation.start.adding(seconds: 20).description)
        let query = #"{"type":"Query","entities":[{"type":"Bus"}],"temporalQ":{"timerel":"between","timeAt":"\#(at)","endTimeAt":"\#(later)","timeproperty":"createdAt"}}"#
        let (_, status) = try await make(city, #""snapshotTemporalQueries":[\#(query)]"#)
        #expect(status["snapshotTemporalQueriesDetails"] == [["resultStatus": "success"]])
        _ = try await city.ask(.patch, "entities/urn:ngsi-ld:Bus:1", #"{"speed":82}"#, seconds: 15)
        _ = try await city.ask(.delete, "temporal/entities/urn:ngsi-ld:Bus:2")
        let target = "temporal/entities?type=Bus&timerel=after&timeAt=2000-01-01T00:00:00Z&timeproperty=createdAt&format=temporalValues"
        let frozen = try await city.ask(.get, target, nil, on(status), seconds: 30)
        #expect(try ids(frozen) == ["1", "2"])
        let values = try frozen.json.arrayValue?.first?["speed"]?["values"]?.arrayValue?.compactMap { $0.arrayValue?.first }
        #expect(values == [80, 81])
    }

    @Test(arguments: [
        (#"[{"type":"Query","entities":[{"type":"Bus"}]},{"type":"Query","entities":[{"type":"Tram"}]}]"#, "partial"),
        (#"[{"type":"Query","entities":[{"type":"Tram"}]}]"#, "empty"),
    ])
    func `the status says how the queries went (clause 5.16.1.4)`(queries: String, status: String) async throws {
        let city = try await city()
        #expect(try await make(city, #""snapshotQueries":\#(queries)"#).status["snapshotStatus"] == .string(status))
    }

    @Test(arguments: [
        "", #""snapshotQueries":[]"#, #""snapshotQueries":[{"type":"Query"}]"#, #""snapshotQueries":[{"type":"Query","entities":[{"type":"B"}],"q":"=="}]"#,
        #""snapshotQueries":[{"type":"Query","entities":[{"type":"B"}],"temporalQ":{"timerel":"after","timeAt":"2020-01-01T00:00:00Z"}}]"#,
        #""snapshotTemporalQueries":[{"type":"Query","entities":[{"type":"B"}]}]"#,
    ].flatMap { queries in [queries] } + ["0", "11", "1.5"].map { #""snapshotPriority":\#($0)"# } + [
        #""snapshotLifetime":"long""#, #""endpoint":"nowhere""#, #""endpoint":"mqtt://broker.example/topic""#, #""receiverInfo":[]"#,
        #""id":"no URI""#, #""unknown":1"#,
    ])
    func `a snapshot that is described wrongly is refused (clause 5.2.41)`(members: String) async throws {
        let isAboutQueries = members.isEmpty || members.contains("Queries")
        let body = #"{"type":"Snapshot"\#(isAboutQueries ? "" : "," + all)\#(members.isEmpty ? "" : "," + members)}"#
        let answer = try await city().ask(.post, "snapshots", body)
        #expect(answer.status == 400)
        #expect(answer.problem == "BadRequestData")
    }

    @Test func `what is only for output is passed over, and the system has the last word on the lifetime (clause 5.2.41)`() async throws {
        let city = try await city()
        let (_, status) = try await make(
            city, #""id":"urn:ngsi-ld:Snapshot:mine","snapshotLifetime":"P1Y","expiresAt":"2099-01-01T00:00:00Z","snapshotStatus":"failure",\#(all)"#)
        #expect(status["id"] == "urn:ngsi-ld:Snapshot:mine")
        #expect(status["snapshotStatus"] == "success")
        #expect(status["expiresAt"]?.stringValue.flatMap { Instant($0) } == Installation.start.adding(seconds: 604_800))
        let again = try await city.ask(.post, "snapshots", #"{"type":"Snapshot","id":"urn:ngsi-ld:Snapshot:mine",\#(all)}"#)
        #expect(again.status == 409)
    }

    @Test func `a snapshot expires (clause 5.16.3.4)`() async throws {
        let city = try await city()
        let (path, status) = try await make(city, #""snapshotLifetime":"PT10S",\#(all)"#)
        let frozen = try on(status)
        #expect(try await city.ask(.get, "entities?type=Bus", nil, frozen, seconds: 9).status == 200)
        #expect(try await city.ask(.get, "entities?type=Bus", nil, frozen, seconds: 10).problem == "ResourceNotFound")
        #expect(try await city.ask(.get, path, seconds: 10).status == 404)
    }

    @Test func `lifetime, priority and endpoint can be changed, queries can't (clause 5.16.4.4)`() async throws {
        let city = try await city()
        let (path, _) = try await make(city, all)
        let changed = try await city.ask(.patch, path, #"{"snapshotPriority":2,"snapshotLifetime":"PT1H"}"#, seconds: 100)
        #expect(changed.status == 200)
        #expect(try changed.json["snapshotPriority"] == 2)
        #expect(try changed.json["expiresAt"]?.stringValue.flatMap { Instant($0) } == Installation.start.adding(seconds: 3_700))
        #expect(try changed.json["modifiedAt"]?.stringValue.flatMap { Instant($0) } == Installation.start.adding(seconds: 100))
        #expect(try await city.ask(.patch, path, #"{"snapshotPriority":null}"#).json["snapshotPriority"] == 5)
        #expect(try await city.ask(.patch, path, #"{"snapshotQueries":[]}"#).problem == "BadRequestData")
        #expect(try await city.ask(.patch, path, #"{"id":"urn:ngsi-ld:Snapshot:other"}"#).problem == "BadRequestData")
        #expect(try await city.ask(.patch, "snapshots/urn:ngsi-ld:Snapshot:none", "{}").problem == "ResourceNotFound")
        #expect(try await city.ask(.patch, "snapshots/none", "{}").problem == "BadRequestData")
    }

    @Test func `a clone holds what its original held, also when that is gone (clauses 5.16.2.4, 5.16.5.4)`() async throws {
        let city = try await city()
        let (path, _) = try await make(city, fast)
        _ = try await city.ask(.delete, "entities/urn:ngsi-ld:Bus:1")
        let cloned = try await city.ask(.post, path + "/clone", #"{"type":"Snapshot","snapshotPriority":9}"#)
        #expect(cloned.status == 201)
        #expect(try await city.ask(.post, path + "/clone", #"{"type":"Snapshot",\#(all)}"#).problem == "BadRequestData")
        #expect(try await city.ask(.post, "snapshots/urn:ngsi-ld:Snapshot:none/clone", #"{"type":"Snapshot"}"#).status == 404)
        #expect(try await city.ask(.delete, path).status == 204)
        #expect(try await city.ask(.delete, path).status == 404)
        let clone = try await city.ask(.get, String(try #require(cloned.headers[.location]).dropFirst("/ngsi-ld/v1/".count))).json
        #expect(clone["snapshotStatus"] == "success")
        #expect(clone["snapshotPriority"] == 9)
        #expect(clone["snapshotQueries"] != nil)
        #expect(try ids(await city.ask(.get, "entities?type=Bus", nil, on(clone))) == ["1"])
    }

    @Test func `a purge removes the snapshots that match, and asks about nothing else (clause 5.16.7.4)`() async throws {
        let city = try await city()
        let (low, _) = try await make(city, #""snapshotPriority":2,\#(all)"#)
        let (high, _) = try await make(city, #""snapshotPriority":8,\#(all)"#)
        #expect(try await city.ask(.delete, "snapshots").problem == "BadRequestData")
        #expect(try await city.ask(.delete, "snapshots?q=speed%3E50").problem == "BadRequestData")
        #expect(try await city.ask(.delete, "snapshots?q=snapshotPriority%3E9").problem == "ResourceNotFound")
        #expect(try await city.ask(.delete, "snapshots?q=snapshotPriority%3C5;snapshotStatus==%22success%22").status == 204)
        #expect(try await city.ask(.get, low).status == 404)
        #expect(try await city.ask(.get, high).status == 200)
    }

    @Test func `a snapshot belongs to its municipality (clause 5.5.15)`() async throws {
        let city = try await city()
        let (path, status) = try await make(city, all)
        try await city.create(#"{"id":"urn:ngsi-ld:Bus:1","type":"Bus"}"#, [.ngsildTenant: "elsewhere"])
        #expect(try await city.ask(.get, path, nil, [.ngsildTenant: "elsewhere"]).status == 404)
        var headers = try on(status)
        headers[.ngsildTenant] = "elsewhere"
        #expect(try await city.ask(.get, "entities?type=Bus", nil, headers).problem == "ResourceNotFound")
    }

    @Test func `what can be done with the city can be done with a snapshot, and stays in it (clause 5.5.15)`() async throws {
        let city = try await city()
        let frozen = try on(await make(city, all).status)
        let bus = "entities/urn:ngsi-ld:Bus:"
        func done(_ method: HTTPRequest.Method, _ path: String, _ body: String?, _ status: Int) async throws {
            let answer = try await city.ask(method, path, body, frozen, seconds: 60)
            #expect(answer.status == status, "\(method) \(path): \(answer.text)")
        }
        try await done(.post, "entities", #"{"id":"urn:ngsi-ld:Bus:3","type":"Bus","speed":{"type":"Property","value":55}}"#, 201)
        try await done(.patch, bus + "1", #"{"speed":{"type":"Property","value":81}}"#, 204)
        try await done(.post, bus + "1/attrs", #"{"line":{"type":"Property","value":"7"}}"#, 204)
        try await done(.patch, bus + "1/attrs/line", #"{"type":"Property","value":"8"}"#, 204)
        try await done(.put, bus + "1/attrs/line", #"{"type":"Property","value":"9"}"#, 204)
        try await done(.delete, bus + "1/attrs/line", nil, 204)
        try await done(.delete, bus + "2", nil, 204)
        try await done(.post, "entityOperations/upsert", #"[{"id":"urn:ngsi-ld:Bus:4","type":"Bus"}]"#, 201)
        try await done(.post, "entityOperations/delete", #"["urn:ngsi-ld:Bus:4"]"#, 204)
        try await done(.put, bus + "3", #"{"id":"urn:ngsi-ld:Bus:3","type":"Bus","speed":{"type":"Property","value":56}}"#, 204)
        try await done(
            .post, "temporal/entities/urn:ngsi-ld:Bus:1/attrs",
            #"{"speed":[{"type":"Property","value":40,"observedAt":"2020-01-01T00:00:00Z"}]}"#, 204)
        #expect(try ids(await city.ask(.get, "entities?type=Bus", nil, frozen)) == ["1", "3"])
        #expect(try await city.ask(.get, "entities?type=Bus&q=speed>80&count=true", nil, frozen).headers[.ngsildResultsCount] == "1")
        let past = "temporal/entities/urn:ngsi-ld:Bus:1?timerel=after&timeAt=2000-01-01T00:00:00Z&format=temporalValues&timeproperty="
        func values(_ timeproperty: String, _ headers: HTTPFields) async throws -> [JSON]? {
            try await city.ask(.get, past + timeproperty, nil, headers, seconds: 60).json["speed"]?["values"]?.arrayValue?.compactMap { $0.arrayValue?.first }
        }
        #expect(try await values("observedAt", frozen) == [40])
        #expect(try await values("modifiedAt", frozen)?.last == 40)
        #expect(try await values("modifiedAt", frozen)?.contains(81) == true)
        #expect(try await values("modifiedAt", [:]) == [80])
        #expect(try ids(await city.ask(.get, "entities?type=Bus")) == ["1", "2"])
        #expect(try await city.ask(.get, bus + "1").json["speed"]?["value"] == 80)
    }

    @Test func `subscriptions to a snapshot are in it (clause 5.5.15)`() async throws {
        let city = try await city()
        let frozen = try on(await make(city, all).status)
        let subscription =
            #"{"id":"urn:x:sub","type":"Subscription","entities":[{"type":"Bus"}],"notification":{"endpoint":{"uri":"http://receiver.example/"}}}"#
        #expect(try await city.ask(.post, "subscriptions", subscription, frozen).status == 201)
        #expect(try await city.ask(.get, "subscriptions/urn:x:sub", nil, frozen).status == 200)
        #expect(try await city.ask(.get, "subscriptions/urn:x:sub").status == 404)
        #expect(try await city.ask(.patch, "subscriptions/urn:x:sub", #"{"isActive":false}"#, frozen).status == 204)
        #expect(try await city.ask(.delete, "subscriptions/urn:x:sub", nil, frozen).status == 204)
        #expect(try await city.ask(.get, "subscriptions", nil, frozen).json == [])
    }

    @Test func `contexts, registrations, subscriptions to them and snapshots themselves are the city's, also where a request names a snapshot`() async throws {
        let city = try await city()
        let (path, status) = try await make(city, all)
        let frozen = try on(status)
        #expect(try await city.ask(.get, path, nil, frozen).status == 200)
        let hosted = try await city.ask(.post, "jsonldContexts", #"{"@context":{"Ferry":"https://city.example/Ferry"}}"#, frozen)
        #expect(hosted.status == 201)
        #expect(try await city.ask(.get, "jsonldContexts?kind=Hosted").json.arrayValue?.count == 1)
        let registration = #"{"id":"urn:x:reg","type":"ContextSourceRegistration","endpoint":"http://source.example/","information":[{"entities":[{"type":"Bus"}]}]}"#
        #expect(try await city.ask(.post, "csourceRegistrations", registration, frozen).status == 201)
        #expect(try await city.ask(.get, "csourceRegistrations/urn:x:reg", nil, frozen).status == 200)
        let watching =
            #"{"id":"urn:x:sub","type":"Subscription","entities":[{"type":"Bus"}],"notification":{"endpoint":{"uri":"http://receiver.example/"}}}"#
        #expect(try await city.ask(.post, "csourceSubscriptions", watching, frozen).status == 201)
        #expect(try await city.ask(.get, "csourceSubscriptions/urn:x:sub").status == 200)
        // What is registered there is not asked: no source answers in these tests.
        let read = try await city.ask(.get, "entities?type=Bus", nil, frozen)
        #expect(try ids(read) == ["1", "2"] && read.headers[HTTPField.Name("NGSILD-Warning")!] == nil)
        #expect(try await city.ask(.patch, "entities/urn:ngsi-ld:Bus:1", #"{"speed":1}"#, frozen).status == 204)
    }

    @Test func `a snapshot is not used before it is prepared, nor one that is not there`() async throws {
        let city = try await city()
        _ = try await city.ask(.post, "snapshots", #"{"type":"Snapshot","id":"urn:ngsi-ld:Snapshot:new",\#(all)}"#)
        for (id, problem) in [("new", "OperationNotSupported"), ("none", "ResourceNotFound")] {
            let header: HTTPFields = [.ngsildSnapshot: "urn:ngsi-ld:Snapshot:\(id)"]
            #expect(try await city.ask(.get, "entities?type=Bus", nil, header).problem == problem)
            #expect(try await city.ask(.delete, "entities/urn:ngsi-ld:Bus:1", nil, header).problem == problem)
        }
    }

    @Test func `its endpoint is told when it is ready and when it is changed (clauses 5.16.6, 5.3.4)`() async throws {
        let city = try await city()
        let receiver = #""endpoint":"http://receiver.example/told","receiverInfo":[{"key":"Authorization","value":"Bearer x"}]"#
        let (path, status) = try await make(city, "\(receiver),\(all)")
        #expect(city.sent.count == 1)
        let message = try #require(city.sent.first)
        #expect(message.uri == "http://receiver.example/told")
        #expect(message.headers.contains { $0 == ("Authorization", "Bearer x") })
        #expect(message.body["type"] == "SnapshotNotification")
        #expect(message.body["snapshotId"] == status["id"])
        #expect(message.body["snapshotStatus"] == "success")
        #expect(message.body["snapshotQueriesDetails"] == [["resultStatus": "success"]])
        _ = try await city.ask(.patch, path, #"{"snapshotPriority":1}"#)
        try await city.prepareSnapshots()
        #expect(city.sent.map { $0.body["snapshotPriority"] } == [5, 1])
        try await city.prepareSnapshots()
        #expect(city.sent.count == 2)
    }
}
