import CityModel
import HTTPTypes
import NIOHTTP1
import OrderedCollections
@testable import Server
import Testing
import Trust

/// Histories of several brokers, spoken to over HTTP (clauses 4.3.6, 5.6.11 to 5.6.16, 5.7.3, 5.7.4).
@Suite(.serialized, .timeLimit(.minutes(10))) struct DistributedEvolutionTests {
    private static let reading = #""operations":["retrieveTemporal","queryTemporal"]"#
    private static let all = "timerel=after&timeAt=2020-01-01T00:00:00Z"

    /// Runs `body` with a broker and a source that the broker has registered.
    private func withTwo(_ more: String = reading, information: String? = nil, _ body: (RunningServer, RunningServer) async throws -> Void) async throws {
        let (broker, source) = (try await RunningServer(), try await RunningServer())
        let result: Result<Void, any Error>
        do {
            let made = information.map { registration(source.address, more, information: $0) } ?? registration(source.address, more)
            try await broker.create("csourceRegistrations", made)
            result = .success(try await body(broker, source))
        } catch { result = .failure(error) }
        try await broker.close()
        try await source.close()
        try result.get()
    }

    private func level(_ value: Int, day: Int, _ more: String = "") -> String {
        #"{"type":"Property","value":\#(value),"observedAt":"2026-05-0\#(day)T00:00:00Z"\#(more)}"#
    }

    private func history(_ number: Int, _ instances: String...) -> String { lamp(number, #""level":[\#(instances.joined(separator: ","))]"#) }

    private func record(_ server: RunningServer, _ body: String) async throws {
        let answer = try await server.ask(.POST, "temporal/entities?local=true", body)
        try #require([201, 204].contains(answer.status), "\(answer.text)")
    }

    private func values(_ json: JSON?) -> [JSON?] { json?.arrayValue?.map { $0["value"] } ?? [] }

    @Test func `instances of all sources make one series, the last of them are the last of all (clause 5.7.3.4)`() async throws {
        try await withTwo { broker, source in
            try await record(broker, history(1, level(1, day: 1), level(4, day: 4)))
            try await record(source, history(1, level(2, day: 2), level(3, day: 3)))
            let whole = try await broker.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1?\(Self.all)").json
            #expect(values(whole["level"]) == [1, 2, 3, 4])
            #expect(whole["level"]?.arrayValue?.allSatisfy { $0["instanceId"] != nil && $0["createdAt"] == nil } ?? false)
            #expect(values(try await broker.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1?\(Self.all)&lastN=2").json["level"]) == [3, 4])
            #expect(values(try await broker.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1?\(Self.all)&local=true").json["level"]) == [1, 4])
            let window = "timerel=between&timeAt=2026-05-02T00:00:00Z&endTimeAt=2026-05-04T00:00:00Z"
            #expect(values(try await broker.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1?\(window)").json["level"]) == [2, 3])
            #expect(values(try await broker.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1").json["level"]) == [1, 2, 3, 4])
        }
    }

    @Test func `of one moment and dataset one instance is answered, the one that was changed last (clause 4.5.5.3)`() async throws {
        try await withTwo { broker, source in
            try await record(broker, history(1, level(1, day: 1), level(7, day: 2, #","datasetId":"urn:x:a""#)))
            try await record(source, history(1, level(2, day: 1), level(8, day: 2, #","datasetId":"urn:x:b""#)))
            let whole = try await broker.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1?\(Self.all)").json
            #expect(values(whole["level"]).count == 3)
            #expect(values(whole["level"]).contains(2) && !values(whole["level"]).contains(1))
        }
    }

    @Test func `a snapshot of histories comes back as the query was answered (clause 5.16.1.4)`() async throws {
        try await withTwo { broker, source in
            try await record(broker, history(1, level(1, day: 1), level(7, day: 2, #","datasetId":"urn:x:a""#)))
            try await record(source, history(1, level(2, day: 1), level(8, day: 3, #","unitCode":"LUX","by":{"type":"Relationship","object":"urn:x:lab"}"#)))
            try await record(source, history(2, level(3, day: 4)))
            try await source.create("entities", lamp(3, property("level", "4") + #","scope":"/north""#))
            #expect(try await source.ask(.DELETE, "entities/urn:ngsi-ld:Lamp:3").status == 204)
            for timeproperty in ["observedAt", "createdAt", "deletedAt"] {
                let target = "temporal/entities?type=Lamp&\(Self.all)&timeproperty=\(timeproperty)&options=sysAttrs"
                let answered = try await broker.ask(.GET, target).json
                let temporal = #""temporalQ":{"timerel":"after","timeAt":"2020-01-01T00:00:00Z","timeproperty":"\#(timeproperty)"}"#
                let id = "urn:ngsi-ld:Snapshot:\(timeproperty)"
                let query = #"{"type":"Query","entities":[{"type":"Lamp"}],\#(temporal)}"#
                try await broker.create("snapshots", #"{"id":"\#(id)","type":"Snapshot","snapshotTemporalQueries":[\#(query)]}"#)
                var status: JSON? = "preparing"
                let end = ContinuousClock.now.advanced(by: .seconds(60))
                while status == "preparing", .now < end { status = try await broker.ask(.GET, "snapshots/" + id).json["snapshotStatus"] }
                #expect(status == "success")
                let frozen = try await broker.ask(.GET, target, headers: [("NGSILD-Snapshot", id)]).json
                #expect(frozen.ordered == answered.ordered)
            }
        }
    }

    @Test func `of an auxiliary source no operations on histories can be registered (clause 5.9.2.4)`() async throws {
        let (broker, source) = (try await RunningServer(), try await RunningServer())
        let answer = try await broker.ask(.POST, "csourceRegistrations", registration(source.address, #""mode":"auxiliary",\#(Self.reading)"#))
        #expect(answer.status == 400)
        try await broker.close()
        try await source.close()
    }

    @Test func `aggregates are made of what was put together (clauses 4.5.19, 5.7.4.4)`() async throws {
        try await withTwo { broker, source in
            try await record(broker, history(1, level(100, day: 1)))
            try await record(source, history(1, level(300, day: 2)))
            let target = "?type=Lamp&timerel=between&timeAt=2026-05-01T00:00:00Z&endTimeAt=2026-05-03T00:00:00Z&format=aggregatedValues&aggrMethods=avg,totalCount"
            let found = try await broker.ask(.GET, "temporal/entities" + target).json.arrayValue?.first
            #expect(found?["level"]?["avg"] == [[.number(200), "2026-05-01T00:00:00Z", "2026-05-03T00:00:00Z"]])
            #expect(found?["level"]?["totalCount"] == [[2, "2026-05-01T00:00:00Z", "2026-05-03T00:00:00Z"]])
            let daily = try await broker.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1\(target.replacing("type=Lamp&", with: ""))&aggrPeriodDuration=P1D&lastN=1").json
            #expect(daily["level"]?["avg"]?.arrayValue?.compactMap { $0.arrayValue?.first?.doubleValue } == [100, 300])
            let none = try await broker.ask(.GET, "temporal/entities" + target.replacing("avg,totalCount", with: "stddev") + "&attrs=level")
            #expect(none.status == 200)
        }
    }

    @Test func `pages of several sources together hold each entity once (clauses 5.5.9, 5.7.4.4)`() async throws {
        try await withTwo { broker, source in
            for number in 1...5 { try await record(broker, history(number, level(number, day: 1))) }
            for number in 4...9 { try await record(source, history(number, level(number, day: 2))) }
            var seen: [String] = []
            for offset in stride(from: 0, to: 10, by: 2) {
                let page = try await broker.ask(.GET, "temporal/entities?type=Lamp&\(Self.all)&limit=2&offset=\(offset)&count=true")
                for entity in try page.json.arrayValue ?? [] {
                    let id = try #require(entity["id"]?.stringValue)
                    seen.append(id)
                    if id.hasSuffix(":4") || id.hasSuffix(":5") { #expect(values(entity["level"]).count == 2) }
                }
                #expect(page.headers["Link"].contains { $0.contains("rel=\"next\"") } == (offset < 8))
            }
            #expect(seen.count == 9 && Set(seen).count == 9)
            let ordered = try await broker.ask(.GET, "temporal/entities?type=Lamp&\(Self.all)&orderBy=id")
            #expect(ordered.status == 400)
        }
    }

    @Test func `conditions go to the sources, and of split entities hold of the whole (clause 5.7.4.4)`() async throws {
        try await withTwo { broker, source in
            try await record(broker, lamp(1, #""lux":[{"type":"Property","value":9,"observedAt":"2026-05-01T00:00:00Z"}]"#))
            try await record(source, history(1, level(7, day: 2)))
            try await record(source, history(2, level(1, day: 2)))
            let plain = try await broker.ask(.GET, "temporal/entities?type=Lamp&\(Self.all)&q=level>5").json.arrayValue
            #expect(plain?.compactMap { $0["id"] } == ["urn:ngsi-ld:Lamp:1"])
            let split = "temporal/entities?type=Lamp&\(Self.all)&q=level>5;lux==9"
            #expect(try await broker.ask(.GET, split).json == [])
            let whole = try await broker.ask(.GET, split + "&splitEntities=true").json.arrayValue
            #expect(whole?.count == 1 && whole?.first?["lux"] != nil && whole?.first?["level"] != nil)
            let query = #"{"type":"Query","entities":[{"type":"Lamp"},{"type":"Mast"}],"q":"level>5","temporalQ":{"timerel":"after","timeAt":"2020-01-01T00:00:00Z"}}"#
            let posted = try await broker.ask(.POST, "temporal/entityOperations/query", query).json.arrayValue
            #expect(posted?.compactMap { $0["id"] } == ["urn:ngsi-ld:Lamp:1"])
        }
    }

    @Test func `a source is asked for times that it registers, and for nothing that is not registered (clauses 4.3.6.1, 5.10.2.4)`() async throws {
        let interval = #""observationInterval":{"startAt":"2026-05-01T00:00:00Z","endAt":"2026-05-03T00:00:00Z"}"#
        try await withTwo(Self.reading + "," + interval, information: #"[{"entities":[{"type":"Lamp"}],"propertyNames":["level"]}]"#) { broker, source in
            try await record(source, lamp(1, #""level":[\#(level(1, day: 2)),\#(level(2, day: 9))],"secret":[\#(level(3, day: 2))]"#))
            let found = try await broker.ask(.GET, "temporal/entities?type=Lamp&\(Self.all)").json.arrayValue?.first
            #expect(values(found?["level"]) == [1, 2])
            #expect(found?["secret"] == nil)
            let later = "timerel=after&timeAt=2026-05-04T00:00:00Z"
            #expect(try await broker.ask(.GET, "temporal/entities?type=Lamp&\(later)").json == [])
            // About creation times this registration says nothing.
            #expect(try await broker.ask(.GET, "temporal/entities?type=Lamp&\(Self.all)&timeproperty=createdAt").json == [])
            // It is about histories, and not about current state.
            try await source.create("entities", lamp(5, property("level", "1")))
            #expect(try await broker.ask(.GET, "entities?type=Lamp").json == [])
        }
    }

    @Test func `a registration of current state has no part in histories (clause 5.10.2.4)`() async throws {
        try await withTwo(#""mode":"redirect","operations":["redirectionOps"]"#) { broker, source in
            try await record(source, history(1, level(1, day: 1)))
            #expect(try await broker.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1").status == 404)
            #expect(try await broker.ask(.POST, "temporal/entities", history(2, level(1, day: 1))).status == 201)
        }
    }

    @Test func `writes of histories go where they are registered (clauses 5.6.11 to 5.6.16)`() async throws {
        let writing = #""operations":["upsertTemporal","appendAttrsTemporal","deleteAttrsTemporal","updateAttrInstanceTemporal","deleteAttrInstanceTemporal","deleteTemporal","retrieveTemporal"]"#
        try await withTwo(#""mode":"redirect","# + writing, information: #"[{"entities":[{"type":"Lamp"}],"propertyNames":["level"]}]"#) { broker, source in
            let one = "temporal/entities/urn:ngsi-ld:Lamp:1"
            let created = try await broker.ask(.POST, "temporal/entities", lamp(1, #""level":[\#(level(1, day: 1))],"lux":[\#(level(9, day: 1))]"#))
            #expect(created.status == 201, "\(created.text)")
            let (here, there) = (try await broker.ask(.GET, one + "?local=true").json, try await source.ask(.GET, one).json)
            #expect(here["level"] == nil && here["lux"] != nil)
            #expect(there["level"] != nil && there["lux"] == nil)
            #expect(try await broker.ask(.POST, one + "/attrs", #"{"level":[\#(level(2, day: 2)),\#(level(3, day: 3))]}"#).status == 204)
            #expect(values(try await broker.ask(.GET, one + "?\(Self.all)").json["level"]) == [1, 2, 3])
            let instance = try #require(try await broker.ask(.GET, one + "?\(Self.all)").json["level"]?.arrayValue?.last?["instanceId"]?.stringValue)
            #expect(try await broker.ask(.PATCH, one + "/attrs/level/" + instance, level(33, day: 3)).status == 204)
            #expect(values(try await source.ask(.GET, one + "?\(Self.all)").json["level"]) == [1, 2, 33])
            let moved = try #require(try await source.ask(.GET, one + "?\(Self.all)").json["level"]?.arrayValue?.last?["instanceId"]?.stringValue)
            #expect(try await broker.ask(.DELETE, one + "/attrs/level/" + moved).status == 204)
            #expect(try await broker.ask(.DELETE, one + "/attrs/level/" + moved).status == 404)
            #expect(try await broker.ask(.DELETE, one + "/attrs/level").status == 204)
            #expect(try await source.ask(.GET, one + "?\(Self.all)").status == 404)
            #expect(try await broker.ask(.POST, one + "/attrs", #"{"level":[\#(level(4, day: 4))]}"#).status == 204)
            #expect(try await broker.ask(.DELETE, one).status == 204)
            #expect(try await source.ask(.GET, one).status == 404)
            #expect(try await broker.ask(.GET, one).status == 404)
        }
    }

    @Test func `a write that its source does not offer is a conflict, and in part a success in part (clause 5.6.12.4)`() async throws {
        try await withTwo(#""mode":"redirect","operations":["retrieveTemporal"]"#, information: #"[{"entities":[{"type":"Lamp"}],"propertyNames":["level"]}]"#) { broker, _ in
            let whole = try await broker.ask(.POST, "temporal/entities", history(1, level(1, day: 1)))
            #expect(whole.status == 409)
            let part = try await broker.ask(.POST, "temporal/entities", lamp(1, #""level":[\#(level(1, day: 1))],"lux":[\#(level(9, day: 1))]"#))
            #expect(part.status == 207)
            #expect(try part.json["success"] == ["urn:ngsi-ld:Lamp:1"])
            #expect(try await broker.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1?local=true").json["level"] == nil)
        }
    }

    @Test func `an inclusive source gets what is held here too (clause 5.6.11.4)`() async throws {
        try await withTwo(#""operations":["upsertTemporal","deleteAttrInstanceTemporal","retrieveTemporal"]"#) { broker, source in
            #expect(try await broker.ask(.POST, "temporal/entities", history(1, level(1, day: 1))).status == 201)
            #expect(try await broker.ask(.POST, "temporal/entities", history(1, level(2, day: 2))).status == 204)
            for server in [broker, source] {
                #expect(values(try await server.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1?\(Self.all)&local=true").json["level"]) == [1, 2])
            }
            // An instance lies at one of them: that the other has none of this name is no failure.
            try await record(source, history(1, level(3, day: 3)))
            let instance = try #require(try await source.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1?\(Self.all)").json["level"]?.arrayValue?.last?["instanceId"]?.stringValue)
            #expect(try await broker.ask(.DELETE, "temporal/entities/urn:ngsi-ld:Lamp:1/attrs/level/" + instance).status == 204)
        }
    }

    @Test func `a request that comes back is not passed on again (clause 4.3.6.4)`() async throws {
        try await withTwo { broker, source in
            try await source.create("csourceRegistrations", registration(broker.address, Self.reading))
            try await record(source, history(1, level(1, day: 1)))
            let answer = try await broker.ask(.GET, "temporal/entities?type=Lamp&\(Self.all)")
            #expect(try answer.json.arrayValue?.count == 1)
            let alias = try #require(try await broker.ask(.GET, "info/sourceIdentity").json["contextSourceAlias"]?.stringValue)
            let looping = try await broker.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1", headers: [("Via", "1.1 \(alias)")])
            #expect(looping.status == 404)
            #expect(looping.warnings.first?.hasPrefix("199 ") ?? false)
        }
    }
}

extension JSON {
    /// The same with members and elements in one order.
    fileprivate var ordered: JSON {
        switch self {
        case .array(let elements): .array(elements.map(\.ordered).sorted { $0.description < $1.description })
        case .object(let members): .object(JSONObject(uniqueKeysWithValues: members.sorted { $0.key < $1.key }.map { ($0.key, $0.value.ordered) }))
        default: self
        }
    }
}

/// Sources of histories that answer what they should not.
@Suite(.serialized, .timeLimit(.minutes(10))) struct HostileEvolutionTests {
    private static let all = "timerel=after&timeAt=2026-01-01T00:00:00Z"
    private static let reading = #""operations":["retrieveTemporal","queryTemporal"]"#
    private static let impatient = reading + #","management":{"timeout":400}"#

    private func asked(_ said: StandIn.Said, _ target: String) async throws -> Answer {
        let broker = try await RunningServer()
        let source = try await StandIn { _ in said }
        try await broker.create("csourceRegistrations", registration(source.address, Self.reading))
        let own = lamp(1, #""level":[{"type":"Property","value":1,"observedAt":"2026-05-01T00:00:00Z"}]"#)
        #expect(try await broker.ask(.POST, "temporal/entities?local=true", own).status == 201)
        let answer = try await broker.ask(.GET, target)
        try await broker.close()
        try await source.close()
        return answer
    }

    @Test(arguments: [
        "garbage", "{}", "[1,2]", #"[{"id":"urn:ngsi-ld:Lamp:1","type":"Lamp","level":[[1,"2026-05-01"]]}]"#, #"[{"id":"no uri","type":"Lamp"}]"#,
        #"[{"id":"urn:ngsi-ld:Lamp:1","type":"Lamp","level":[{"type":"Property","value":2,"observedAt":"soon"}]}]"#,
        String(repeating: "[", count: 100), "",
    ])
    func `an answer that is none is warned of, and what is here is answered (clause 6.3.17)`(body: String) async throws {
        let answer = try await asked(.init(body: body), "temporal/entities?type=Lamp&\(Self.all)")
        #expect(answer.status == 200)
        #expect(try answer.json.arrayValue?.count == 1)
        #expect(answer.warnings.first?.hasPrefix("111 ") ?? false)
    }

    @Test func `instances that were not asked for are not answered (clause 4.11)`() async throws {
        let body = #"""
            [{"id":"urn:ngsi-ld:Lamp:1","type":"Lamp","level":[{"type":"Property","value":2,"observedAt":"2020-01-01T00:00:00Z"},
            {"type":"Property","value":3},{"type":"Property","value":4,"observedAt":"2026-06-01T00:00:00Z","instanceId":"urn:x:4"}]},
            {"id":"urn:ngsi-ld:Mast:1","type":"Mast","level":[{"type":"Property","value":5,"observedAt":"2026-06-01T00:00:00Z"}]}]
            """#
        let answer = try await asked(.init(headers: [("NGSILD-Results-Count", "-5"), ("Link", "<x>; rel=\"next\"")], body: body), "temporal/entities?type=Lamp&\(Self.all)&count=true")
        let found = try answer.json.arrayValue
        #expect(found?.count == 1)
        #expect(found?.first?["level"]?.arrayValue?.map { $0["value"] } == [1, 4])
    }

    @Test func `a source that always says that there is more holds up nobody`() async throws {
        let answer = try await asked(
            .init(headers: [("Link", "<x>; rel=\"next\"")], body: "[]"), "temporal/entities?type=Lamp&\(Self.all)&limit=1")
        #expect(try answer.json.arrayValue?.count == 1)
        #expect(!answer.headers["Link"].contains { $0.contains("rel=\"next\"") })
    }

    @Test func `an answer in part makes the whole one in part, and no aggregate (clause 6.3.10)`() async throws {
        let body = #"""
            {"id":"urn:ngsi-ld:Lamp:1","type":"Lamp","level":[{"type":"Property","value":2,"observedAt":"2026-03-01T00:00:00Z"},
            {"type":"Property","value":3,"observedAt":"2026-04-01T00:00:00Z"}]}
            """#
        let answer = try await asked(.init(status: 206, body: body), "temporal/entities/urn:ngsi-ld:Lamp:1?\(Self.all)")
        #expect(answer.status == 206)
        #expect(answer.headers["Content-Range"].first?.contains("2026-04-01T00:00:00Z/*") ?? false)
        #expect(try answer.json["level"]?.arrayValue?.map { $0["value"] } == [2, 3], "what lies beyond the source's end comes with the next part")
        let aggregated = try await asked(
            .init(status: 206, body: body), "temporal/entities/urn:ngsi-ld:Lamp:1?\(Self.all)&format=aggregatedValues&aggrMethods=avg")
        #expect(aggregated.status == 403 || aggregated.status == 400, "\(aggregated.status)")
    }

    @Test func `one that does not answer in time is warned of`() async throws {
        let broker = try await RunningServer()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let source = try await StandIn { _ in
            for await _ in gate { break }
            return .init(body: "[]")
        }
        try await broker.create("csourceRegistrations", registration(source.address, Self.impatient))
        let answer = try await broker.ask(.GET, "temporal/entities?type=Lamp&\(Self.all)")
        #expect(answer.status == 200)
        #expect(answer.warnings.first?.hasPrefix("199 ") ?? false)
        open.finish()
        try await broker.close()
        try await source.close()
    }

    @Test func `what is not open is not named to sources on the web to complete a page`() async throws {
        let broker = try await RunningServer(isOpen: false)
        let token = try await broker.token(.administer, in: "alder")
        // It always has as many as it was asked for.
        let source = try await StandIn { asked in
            let body = (1...40).map { lamp(1000 + $0, #""level":[{"type":"Property","value":1,"observedAt":"2026-05-01T00:00:00Z"}]"#) }
            return .init(body: asked.target.contains("&id=") || asked.target.contains("?id=") ? "[]" : "[" + body.joined(separator: ",") + "]")
        }
        try await broker.create("csourceRegistrations", registration(source.address, Self.reading), tenant: "alder", token: token)
        for number in 1...2 {
            let secret = lamp(number, #""level":[{"type":"Property","value":1,"observedAt":"2026-05-01T00:00:00Z"}]"#)
            #expect(try await broker.ask(.POST, "temporal/entities?local=true", secret, tenant: "alder", token: token).status == 201)
        }
        let page = try await broker.ask(.GET, "temporal/entities?type=Lamp&\(Self.all)&limit=4", tenant: "alder", token: token)
        #expect(try page.json.arrayValue?.count == 4)
        #expect(!source.asked.isEmpty)
        #expect(source.asked.allSatisfy { !$0.target.contains("urn:ngsi-ld:Lamp:1&") && !$0.target.contains("urn%3Angsi-ld%3ALamp%3A1&") && !$0.target.contains("Lamp:2") })
        #expect(source.asked.allSatisfy { $0.headers[.authorization] == nil })
        // Without a token nothing of this municipality is told, and what the source has is.
        #expect(try await broker.ask(.GET, "temporal/entities/urn:ngsi-ld:Lamp:1", tenant: "alder").status == 404)
        try await broker.close()
        try await source.close()
    }
}
