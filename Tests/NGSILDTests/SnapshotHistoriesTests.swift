internal import Broker
internal import CityModel
internal import Door
@testable import Federation
internal import HTTPTypes
internal import OrderedCollections
internal import Synchronization
internal import Testing

/// Snapshots of the histories that context sources have (clauses 5.16.1.4 and 5.7.4.4).
@Suite struct SnapshotHistoriesTests {
    private static let all = #""timerel":"after","timeAt":"2020-01-01T00:00:00Z""#

    private func register(_ city: Installation, _ more: String = "") async throws {
        let registration = #"{"id":"urn:x:r","type":"ContextSourceRegistration","information":[{"entities":[{"type":"Bus"}]}],"#
            + #""endpoint":"http://source.example:1026","operations":["queryTemporal","retrieveTemporal","queryEntity"]\#(more)}"#
        try #require(try await city.ask(.post, "csourceRegistrations", registration).status == 201)
    }

    private func record(_ city: Installation, _ body: String) async throws {
        let answer = try await city.ask(.post, "temporal/entities?local=true", body)
        try #require([201, 204].contains(answer.status), "\(answer.text)")
    }

    private func query(_ temporal: String = all, _ more: String = "") -> String {
        #"{"type":"Query","entities":[{"type":"Bus"}],"temporalQ":{\#(temporal)}\#(more)}"#
    }

    private func make(_ city: Installation, _ id: String = "urn:x:s", _ queries: String..., current: String? = nil) async throws -> JSON {
        let ofState = current.map { #","snapshotQueries":[\#($0)]"# } ?? ""
        let body = #"{"id":"\#(id)","type":"Snapshot","snapshotTemporalQueries":[\#(queries.joined(separator: ","))]\#(ofState)}"#
        let created = try await city.ask(.post, "snapshots", body)
        try #require(created.status == 201, "\(created.text)")
        try await city.prepareSnapshots()
        return try await city.ask(.get, "snapshots/" + id).json
    }

    private func frozen(_ city: Installation, _ target: String, of id: String = "urn:x:s") async throws -> Answer {
        try await city.ask(.get, target, nil, [HTTPField.Name("NGSILD-Snapshot")!: id])
    }

    // MARK: - As the query itself answers

    /// What is here: one history that is elsewhere too, one that is not, and one that is of the past.
    private static let here = [
        #"""
        {"id":"urn:x:1","type":"Bus","scope":[{"type":"Property","value":"/north","observedAt":"2026-05-01T00:00:00Z"}],
        "level":[{"type":"Property","value":1,"observedAt":"2026-05-01T00:00:00Z"},{"type":"Property","value":2,"observedAt":"2026-05-02T00:00:00Z"},
        {"type":"Property","value":3,"observedAt":"2026-05-03T00:00:00Z","datasetId":"urn:x:a"}],
        "note":[{"type":"Property","value":"urn:ngsi-ld:null","observedAt":"2026-05-03T00:00:00Z"}]}
        """#,
        #"{"id":"urn:x:2","type":"Bus","level":[{"type":"Property","value":5,"unitCode":"CEL","observedAt":"2026-05-02T00:00:00Z"}]}"#,
    ]

    /// What a source has: all that may be said of an instance, and less than is usually said.
    private static let elsewhere = #"""
        [{"id":"urn:x:1","type":["Bus","Vehicle"],"createdAt":"2024-01-01T00:00:00Z","modifiedAt":"2026-11-25T00:00:00.5Z",
        "scope":[{"type":"Property","value":["/south","/west"],"observedAt":"2026-05-02T00:00:00Z","createdAt":"2026-05-02T00:00:01Z"},
        {"type":"Property","value":"urn:ngsi-ld:null","observedAt":"2026-05-04T00:00:00Z","deletedAt":"2026-05-04T00:00:00Z"}],
        "level":[
        {"type":"Property","value":22,"observedAt":"2026-05-02T00:00:00Z","createdAt":"2026-05-02T00:00:00Z","modifiedAt":"2099-01-01T00:00:00Z","instanceId":"urn:x:i1"},
        {"type":"Property","value":11,"observedAt":"2026-05-01T00:00:00Z","createdAt":"2026-05-01T00:00:00Z","modifiedAt":"2026-05-01T00:00:00Z","instanceId":"urn:x:i2"},
        {"type":"Property","value":4.5,"unitCode":"CEL","observedAt":"2026-05-04T00:00:00.123456Z","createdAt":"2026-05-04T00:00:02Z","modifiedAt":"2026-05-05T00:00:00Z",
         "instanceId":"urn:x:i3","accuracy":{"type":"Property","value":0.5,"createdAt":"2026-05-04T00:00:02Z","by":{"type":"Relationship","object":"urn:x:lab"}}},
        {"type":"Property","value":6,"observedAt":"2026-05-06T00:00:00Z","datasetId":"urn:x:a"},
        {"type":"Property","value":"urn:ngsi-ld:null","observedAt":"2026-05-07T00:00:00Z","deletedAt":"2026-05-07T00:00:00Z","createdAt":"2026-05-07T00:00:01Z"}]},
        {"id":"urn:x:3","type":"Bus",
        "place":[{"type":"GeoProperty","value":{"type":"Point","coordinates":[2.35,48.85]},"observedAt":"2026-05-01T00:00:00Z","createdAt":"2026-05-01T00:00:00Z"}],
        "line":[{"type":"Relationship","object":["urn:x:l1","urn:x:l2"],"objectType":"Line","observedAt":"2026-05-01T00:00:00Z"}],
        "name":[{"type":"LanguageProperty","languageMap":{"fr":"Navette","en":["Shuttle","Bus"]},"createdAt":"2026-05-01T00:00:00Z","modifiedAt":"2026-05-02T00:00:00Z"},
         {"type":"LanguageProperty","languageMap":{"@none":"urn:ngsi-ld:null"},"deletedAt":"2026-05-09T00:00:00Z","modifiedAt":"2026-05-09T00:00:00Z"}],
        "stops":[{"type":"ListProperty","valueList":[1,"two",null],"observedAt":"2026-05-01T00:00:00Z","expiresAt":"2099-01-01T00:00:00Z"}],
        "plan":[{"type":"JsonProperty","json":{"a":[true,{"b":null}]},"observedAt":"2026-05-01T00:00:00Z"}],
        "kind":[{"type":"VocabProperty","vocab":"Shuttle","modifiedAt":"2026-05-01T00:00:00Z"}],
        "isFull":[{"type":"Property","value":true,"observedAt":"2026-05-01T00:00:00Z"},{"type":"Property","value":false,"observedAt":"2026-05-02T00:00:00Z","instanceId":"urn:x:i4"}],
        "since":[{"type":"Property","value":{"@type":"Date","@value":"2026-05-01"},"createdAt":"2026-05-02T00:00:00Z"}],
        "code":[{"type":"Property","value":"x\u0000y","createdAt":"2026-05-02T00:00:00Z"},{"type":"Property","value":12345678901234567,"createdAt":"2026-05-03T00:00:00Z"},
         {"type":"Property","value":"urn:ngsi-ld:null","createdAt":"2026-05-04T00:00:00Z","deletedAt":"2026-05-05T00:00:00Z","instanceId":"urn:x:i5"}]},
        {"id":"urn:x:4","type":"Bus","createdAt":"2026-01-01T00:00:00Z","modifiedAt":"2026-02-01T00:00:00Z","deletedAt":"2026-06-01T00:00:00Z",
        "level":[{"type":"Property","value":7,"observedAt":"2026-05-01T00:00:00Z","createdAt":"2026-05-01T00:00:01Z","modifiedAt":"2026-05-01T00:00:01Z","instanceId":"urn:x:i6"},
        {"type":"Property","value":"urn:ngsi-ld:null","createdAt":"2026-06-01T00:00:00Z","deletedAt":"2026-06-01T00:00:00Z","instanceId":"urn:x:i7"}]}]
        """#

    /// Members in one order, and instances too: which of them stands first is left open.
    private static func ordered(_ json: JSON) -> JSON {
        switch json {
        case .array(let elements): .array(elements.map(ordered).sorted { $0.description < $1.description })
        case .object(let members): .object(JSONObject(uniqueKeysWithValues: members.mapValues(ordered).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
        default: json
        }
    }

    private static let variants: [(parameters: String, members: String)] = [
        ("", ""), ("&lastN=2", ""), ("&attrs=level", #","attrs":["level"]"#), ("&pick=id,level,name,isFull", #","pick":["id","level","name","isFull"]"#),
        ("&omit=scope,code", #","omit":["scope","code"]"#), ("&datasetId=urn:x:a,@none", #","datasetId":["urn:x:a","@none"]"#),
        ("&q=level>4", #","q":"level>4""#), ("&q=level>4&splitEntities=true", #","q":"level>4","splitEntities":true"#),
        ("&scopeQ=/south&splitEntities=true", #","scopeQ":"/south","splitEntities":true"#),
    ]

    @Test(arguments: ["observedAt", "createdAt", "modifiedAt", "deletedAt"], SnapshotHistoriesTests.variants)
    func `what was frozen comes back as the distributed query answered it (clauses 4.5.5.3, 5.7.4.4 and 5.16.1.4)`(
        property: String, variant: (parameters: String, members: String)
    ) async throws {
        let asked = Mutex(0)
        let city = try Installation { _ in
            asked.withLock { $0 += 1 }
            return .answer(status: 200, headers: [], body: Array(Self.elsewhere.utf8))
        }
        for body in Self.here { try await record(city, body) }
        try await register(city)
        let target = "temporal/entities?type=Bus&timerel=after&timeAt=2020-01-01T00:00:00Z&timeproperty=\(property)&options=sysAttrs"
        let answered = try await city.ask(.get, target + variant.parameters)
        try #require(answered.status == 200, "\(answered.text)")
        let count = try answered.json.arrayValue?.count ?? 0
        let lastN = variant.parameters.contains("lastN") ? #","lastN":2"# : ""
        let status = try await make(city, "urn:x:s", query(Self.all + #","timeproperty":"\#(property)"\#(lastN)"#, variant.members))
        #expect(status["snapshotTemporalQueriesDetails"] == [["resultStatus": count == 0 ? "empty" : "success"]], "\(status)")
        let before = asked.withLock { $0 }
        // Of a part that was frozen the whole is asked for, but for members that always come along.
        let projection = variant.parameters.hasPrefix("&pick") || variant.parameters.hasPrefix("&omit") ? variant.parameters : ""
        let back = try await frozen(city, target + projection)
        #expect(back.status == 200)
        #expect(try Self.ordered(back.json) == Self.ordered(answered.json))
        #expect(asked.withLock { $0 } == before, "a snapshot is local (clause 5.5.15)")
    }

    @Test func `one entity has one history in a snapshot, whichever query found it`() async throws {
        let current = #"[{"id":"urn:x:3","type":"Bus","line":{"type":"Property","value":7}},{"id":"urn:x:5","type":"Bus","line":{"type":"Property","value":8}}]"#
        let city = try Installation { request in
            .answer(status: 200, headers: [], body: Array((request.path == "entities" ? current : Self.elsewhere).utf8))
        }
        // Of this one there is nothing here but a history, of which the current state lies elsewhere.
        try await record(city, #"{"id":"urn:x:5","type":"Bus","level":[{"type":"Property","value":5,"observedAt":"2026-05-02T00:00:00Z"}]}"#)
        try await register(city)
        let status = try await make(
            city, "urn:x:s", query(), query(Self.all + #","timeproperty":"createdAt""#), query(),
            current: #"{"type":"Query","entities":[{"type":"Bus"}]}"#)
        #expect(status["snapshotStatus"] == "success")
        for (number, line) in [(3, 7), (5, 8)] {
            #expect(try await frozen(city, "entities/urn:x:\(number)").json["line"]?["value"] == .integer(Int64(line)))
        }
        #expect(try await frozen(city, "temporal/entities/urn:x:5").json["level"]?.arrayValue?.count == 1)
        let whole = try await frozen(city, "temporal/entities/urn:x:3").json
        #expect(whole["isFull"]?.arrayValue?.map { $0["value"] } == [false, true] || whole["isFull"]?.arrayValue?.map { $0["value"] } == [true, false])
        #expect(whole["code"]?.arrayValue?.count == 3)
        #expect(try await frozen(city, "temporal/entities?type=Bus&timerel=after&timeAt=2020-01-01T00:00:00Z&count=true&limit=0").headers[.ngsildResultsCount] == "4")
    }

    @Test func `when it was recorded is not made up where a source does not say it`() async throws {
        let body = #"[{"id":"urn:x:9","type":"Bus","level":[{"type":"Property","value":1,"observedAt":"2026-05-01T00:00:00Z"}]}]"#
        let city = try Installation { _ in .answer(status: 200, headers: [], body: Array(body.utf8)) }
        try await register(city)
        _ = try await make(city, "urn:x:s", query())
        let one = try await frozen(city, "temporal/entities/urn:x:9?options=sysAttrs").json
        #expect(one["createdAt"] == nil && one["modifiedAt"] == nil)
        #expect(one["level"]?.arrayValue?.first?["createdAt"] == nil)
        for property in ["createdAt", "modifiedAt"] {
            for relation in ["before", "after"] {
                let target = "temporal/entities?type=Bus&timerel=\(relation)&timeAt=2026-05-01T00:00:00Z&timeproperty=\(property)"
                #expect(try await frozen(city, target).json == [])
            }
        }
    }

    // MARK: - All of it

    /// A source with as many buses and instances of each as it is told, which answers pages and parts as it likes.
    private final class Rides: Sendable {
        let busCount: Int, instanceCount: Int
        /// Instances of a series in one answer, and entities.
        let partMax: Int, pageMax: Int
        let asked = Mutex<[SourceRequest]>([])

        init(busCount: Int = 1, instanceCount: Int = 1, partMax: Int = .max, pageMax: Int = .max) {
            (self.busCount, self.instanceCount, self.partMax, self.pageMax) = (busCount, instanceCount, partMax, pageMax)
        }

        private static let start: Int64 = 1_777_593_600
        static func moment(_ number: Int) -> String { Instant(seconds: start + Int64(number) * 60).description }

        func answer(_ request: SourceRequest) -> SourceAnswer {
            asked.withLock { $0.append(request) }
            func parameter(_ name: String) -> String? { request.query.first { $0.name == name }?.value }
            let relation = parameter("timerel")
            let (from, to) = (relation == "before" ? nil : parameter("timeAt"), relation == "before" ? parameter("timeAt") : parameter("endTimeAt"))
            let (lower, upper) = (from.flatMap { Instant($0) }, to.flatMap { Instant($0) })
            let all = (0..<instanceCount).filter { number in
                let moment = Instant(Self.moment(number))!
                return lower.map { moment >= $0 } ?? true && upper.map { moment < $0 } ?? true
            }
            let isBackwards = parameter("lastN") != nil
            let wanted = parameter("lastN").flatMap { Int($0) }.map { Array(all.suffix($0)) } ?? all
            let numbers = isBackwards ? wanted.suffix(partMax) : wanted.prefix(partMax)
            let named = parameter("id")?.split(separator: ",").map(String.init)
            let ids = (0..<busCount).map { "urn:x:\($0)" }.filter { named?.contains($0) ?? true }
            let offset = parameter("offset").flatMap { Int($0) } ?? 0
            let page = ids.dropFirst(offset).prefix(min(pageMax, parameter("limit").flatMap { Int($0) } ?? 1))
            let instances = numbers.map { #"{"type":"Property","value":\#($0),"observedAt":"\#(Self.moment($0))"}"# }.joined(separator: ",")
            let bodies = numbers.isEmpty ? [] : page.map { #"{"id":"\#($0)","type":"Bus","seats":[\#(instances)]}"# }
            let headers = ids.count > offset + page.count ? [(name: "Link", value: "<x>; rel=\"next\"")] : []
            return .answer(status: numbers.count < wanted.count ? 206 : 200, headers: headers, body: Array("[\(bodies.joined(separator: ","))]".utf8))
        }
    }

    private func seats(_ city: Installation, _ id: String, _ more: String = "") async throws -> [Int] {
        let target = "temporal/entities/\(id)?format=temporalValues\(more)"
        let pairs = try await frozen(city, target).json["seats"]?["values"]?.arrayValue ?? []
        return pairs.compactMap { $0.arrayValue?.first?.integerValue.map(Int.init) }
    }

    @Test(arguments: [Int.max, 7])
    func `all pages of a source are frozen (clause 5.16.1.4)`(pageMax: Int) async throws {
        let rides = Rides(busCount: 23, pageMax: pageMax)
        let city = try Installation(limits: FederationLimits(gatheredCountMax: 10)) { rides.answer($0) }
        try await register(city)
        let status = try await make(city, "urn:x:s", query())
        #expect(status["snapshotStatus"] == "success")
        let counted = try await frozen(city, "temporal/entities?type=Bus&timerel=after&timeAt=2020-01-01T00:00:00Z&count=true&limit=0")
        #expect(counted.headers[.ngsildResultsCount] == "23")
    }

    @Test(arguments: [1, 3, 9])
    func `a history that a source answers in parts is frozen whole (clause 6.3.10)`(busCount: Int) async throws {
        let rides = Rides(busCount: busCount, instanceCount: 25, partMax: 10, pageMax: 2)
        // Many requests one after the other: on a busy machine they take longer than one source may without this.
        let city = try Installation(limits: FederationLimits(timeoutSeconds: 120, timeoutSecondsMax: 120)) { rides.answer($0) }
        try await register(city)
        let status = try await make(city, "urn:x:s", query(Self.all, #","q":"seats==3""#))
        #expect(status["snapshotTemporalQueriesDetails"] == [["resultStatus": "success"]])
        for number in [0, busCount - 1] { #expect(try await seats(city, "urn:x:\(number)") == Array(0..<25)) }
        let conditions = rides.asked.withLock { $0.map { request in request.query.contains { $0.name == "q" } } }
        #expect(conditions.first == true && conditions.last == false, "what follows a part need not meet the conditions again")
    }

    @Test func `the last instances are those of all that was put together, in parts or not (clause 5.7.4.4)`() async throws {
        let rides = Rides(instanceCount: 25, partMax: 10)
        let city = try Installation { rides.answer($0) }
        try await record(
            city, #"{"id":"urn:x:0","type":"Bus","seats":[{"type":"Property","value":99,"observedAt":"2099-01-01T00:00:00Z"}]}"#)
        try await register(city)
        _ = try await make(city, "urn:x:s", query(Self.all + #","lastN":15"#))
        #expect(try await seats(city, "urn:x:0") == Array(11..<25) + [99])
    }

    @Test func `a source that does not get on is named`() async throws {
        let body = #"[{"id":"urn:x:0","type":"Bus","seats":[{"type":"Property","value":1,"observedAt":"2026-05-01T00:00:00Z"}]}]"#
        let city = try Installation { _ in .answer(status: 206, headers: [], body: Array(body.utf8)) }
        try await register(city)
        let status = try await make(city, "urn:x:s", query())
        let details = status["snapshotTemporalQueriesDetails"]?.arrayValue?.first
        #expect(details?["resultStatus"] == "success")
        #expect(details?["problemDetails"]?["detail"]?.stringValue?.contains("111 urn:x:r") ?? false)
        #expect(try await seats(city, "urn:x:0") == [1])
    }

    @Test(arguments: [(SourceAnswer.timedOut, "199"), (.answer(status: 500, headers: [], body: []), "299"), (.answer(status: 200, headers: [], body: []), "111")])
    func `a source that fails is named, and what is here is frozen (clauses 5.2.42 and 6.3.17)`(answer: SourceAnswer, code: String) async throws {
        let city = try Installation { _ in answer }
        try await record(city, Self.here[1])
        try await register(city)
        let status = try await make(city, "urn:x:s", query())
        #expect(status["snapshotStatus"] == "success")
        let details = status["snapshotTemporalQueriesDetails"]?.arrayValue?.first
        #expect(details?["problemDetails"]?["detail"]?.stringValue?.contains("\(code) urn:x:r") ?? false)
        #expect(try await frozen(city, "temporal/entities/urn:x:2").status == 200)
    }

    @Test(arguments: [(busCount: 21, instanceCount: 1), (busCount: 11, instanceCount: 10)])
    func `sources that have more than a snapshot holds fail the query`(busCount: Int, instanceCount: Int) async throws {
        let rides = Rides(busCount: busCount, instanceCount: instanceCount, pageMax: 4)
        let city = try Installation(snapshots: SnapshotLimits(entityCountMax: 20, instanceCountMax: 100)) { rides.answer($0) }
        try await record(city, Self.here[1])
        try await register(city)
        let status = try await make(city, "urn:x:s", query(), query(Self.all, #","local":true"#))
        #expect(status["snapshotStatus"] == "partial")
        let problem = status["snapshotTemporalQueriesDetails"]?.arrayValue?.first?["problemDetails"]
        #expect(problem?["type"]?.stringValue?.hasSuffix("/TooManyResults") ?? false)
    }

    @Test func `a query that says local asks no source, nor does one that no registration matches (clause 5.5.13)`() async throws {
        let rides = Rides()
        let city = try Installation { rides.answer($0) }
        try await register(city)
        let trams = #"{"type":"Query","entities":[{"type":"Tram"}],"temporalQ":{\#(Self.all)}}"#
        let status = try await make(city, "urn:x:s", query(Self.all, #","local":true"#), trams)
        #expect(status["snapshotStatus"] == "empty")
        #expect(rides.asked.withLock { $0.isEmpty })
        let ordered = try await make(city, "urn:x:o", query(Self.all, #","orderBy":"id""#))
        #expect(ordered["snapshotStatus"] == "failure", "what sources have can't be put in order (clause 5.7.4.4)")
    }
}
