import Broker
import CityModel
import NIOHTTP1
import OrderedCollections
@testable import Server
import Store
import Testing
import Trust

/// Two brokers, spoken to over HTTP (clauses 4.3.6, 5.7.1, 5.7.2, 5.12).
@Suite(.serialized, .timeLimit(.minutes(10))) struct DistributedReadingTests {
    /// Runs `body` with a broker and a source.
    private func withTwo(_ body: (RunningServer, RunningServer) async throws -> Void) async throws {
        let (broker, source) = (try await RunningServer(), try await RunningServer())
        let result: Result<Void, any Error>
        do { result = .success(try await body(broker, source)) } catch { result = .failure(error) }
        try await broker.close()
        try await source.close()
        try result.get()
    }

    @Test func `an entity is put together, the most recent observation wins (clause 4.5.5.3)`() async throws {
        try await withTwo { broker, source in
            try await broker.create("entities", lamp(1, property("level", "1", #","observedAt":"2026-01-01T00:00:00Z""#) + "," + property("mast", "\"A\"")))
            try await source.create("entities", lamp(1, property("level", "2", #","observedAt":"2026-01-02T00:00:00Z""#) + "," + property("lux", "9")))
            try await broker.create("csourceRegistrations", registration(source.address))
            let whole = try await broker.ask(.GET, "entities/urn:ngsi-ld:Lamp:1").json
            #expect(whole["level"]?["value"] == 2)
            #expect(whole["mast"]?["value"] == "A")
            #expect(whole["lux"]?["value"] == 9)
            #expect(whole["modifiedAt"] == nil)
            let local = try await broker.ask(.GET, "entities/urn:ngsi-ld:Lamp:1?local=true").json
            #expect(local["level"]?["value"] == 1)
            #expect(local["lux"] == nil)
        }
    }

    @Test func `an auxiliary source only adds what is not known elsewhere (clause 5.7.1.4)`() async throws {
        try await withTwo { broker, source in
            try await broker.create("entities", lamp(1, property("level", "1")))
            try await source.create("entities", lamp(1, property("level", "2") + "," + property("lux", "9")))
            try await broker.create("csourceRegistrations", registration(source.address, #""mode":"auxiliary""#))
            let whole = try await broker.ask(.GET, "entities/urn:ngsi-ld:Lamp:1").json
            #expect(whole["level"]?["value"] == 1)
            #expect(whole["lux"]?["value"] == 9)
        }
    }

    @Test func `nothing that was not registered comes from a source (clause 4.3.6.1)`() async throws {
        try await withTwo { broker, source in
            try await source.create("entities", lamp(1, property("level", "2") + "," + property("lux", "9")))
            let information = #"[{"entities":[{"type":"Lamp"}],"propertyNames":["lux"]}]"#
            try await broker.create("csourceRegistrations", registration(source.address, information: information))
            let found = try await broker.ask(.GET, "entities?type=Lamp").json.arrayValue
            #expect(found?.count == 1)
            #expect(found?.first?["lux"]?["value"] == 9)
            #expect(found?.first?["level"] == nil)
        }
    }

    @Test func `pages of several sources together hold each entity once (clauses 5.5.9 and 5.7.2.4)`() async throws {
        try await withTwo { broker, source in
            for number in 1...5 { try await broker.create("entities", lamp(number, property("a", "\(number)"))) }
            for number in 4...9 { try await source.create("entities", lamp(number, property("b", "\(number)"))) }
            try await broker.create("csourceRegistrations", registration(source.address))
            var seen: [String] = []
            for offset in stride(from: 0, to: 10, by: 2) {
                let page = try await broker.ask(.GET, "entities?type=Lamp&limit=2&offset=\(offset)")
                for entity in try page.json.arrayValue ?? [] {
                    let id = try #require(entity["id"]?.stringValue)
                    seen.append(id)
                    if id.hasSuffix(":4") || id.hasSuffix(":5") { #expect(entity["a"] != nil && entity["b"] != nil, "\(id) at \(offset)") }
                }
            }
            #expect(seen.count == 9)
            #expect(Set(seen).count == 9)
        }
    }

    @Test func `split entities are filtered when they are whole (clause 5.7.2.4)`() async throws {
        try await withTwo { broker, source in
            try await broker.create("entities", lamp(1, property("level", "7")))
            try await source.create("entities", lamp(1, property("lux", "9")))
            try await source.create("entities", lamp(2, property("lux", "9")))
            try await broker.create("csourceRegistrations", registration(source.address))
            let split = try await broker.ask(.GET, "entities?type=Lamp&q=level==7;lux==9&splitEntities=true").json
            #expect(split.arrayValue?.compactMap { $0["id"] } == ["urn:ngsi-ld:Lamp:1"])
            #expect(try await broker.ask(.GET, "entities?type=Lamp&q=level==7;lux==9").json == [])
        }
    }

    @Test func `a request that comes back is not passed on again (clause 4.3.6.4)`() async throws {
        try await withTwo { broker, source in
            try await source.create("entities", lamp(1, property("lux", "9")))
            try await broker.create("csourceRegistrations", registration(source.address))
            try await source.create("csourceRegistrations", registration(broker.address))
            let answer = try await broker.ask(.GET, "entities/urn:ngsi-ld:Lamp:1")
            #expect(try answer.json["lux"]?["value"] == 9)
            // The source found the loop and says so, as this broker then does.
            #expect(answer.warnings.count == 1 && answer.warnings[0].hasPrefix("199 "))
            let alias = try #require(try await broker.ask(.GET, "info/sourceIdentity").json["contextSourceAlias"]?.stringValue)
            let looping = try await broker.ask(.GET, "entities/urn:ngsi-ld:Lamp:1", headers: [("Via", "1.1 \(alias)")])
            #expect(looping.status == 404)
            #expect(looping.warnings.first?.hasPrefix("199 ") ?? false)
        }
    }

    @Test func `a source that is not there is warned of, and the rest is answered (clause 6.3.17)`() async throws {
        try await withTwo { broker, source in
            try await broker.create("entities", lamp(1, property("level", "1")))
            try await broker.create("csourceRegistrations", registration("http://127.0.0.1:1", #""management":{"timeout":500,"cooldown":60000}"#))
            let answer = try await broker.ask(.GET, "entities?type=Lamp")
            #expect(try answer.json.arrayValue?.count == 1)
            #expect(answer.warnings.first?.hasPrefix("199 ") ?? false)
        }
    }

    @Test func `a source that asks for a credential is passed over by those who have none`() async throws {
        let (broker, source) = (try await RunningServer(isOpen: false), try await RunningServer())
        let token = try await broker.token(.administer, in: "alder")
        try await source.create("entities", lamp(1, property("lux", "9")))
        let secret = #""contextSourceInfo":[{"key":"X-Key","value":"secret"}]"#
        try await broker.create("csourceRegistrations", registration(source.address, secret), tenant: "alder", token: token)
        #expect(try await broker.ask(.GET, "entities?type=Lamp", tenant: "alder").json == [])
        #expect(try await broker.ask(.GET, "entities?type=Lamp", tenant: "alder", token: token).json.arrayValue?.count == 1)
        let reader = try await broker.token(.read, in: "alder")
        #expect(try await broker.ask(.GET, "csourceRegistrations?type=Lamp", tenant: "alder").status == 401)
        #expect(try await broker.ask(.GET, "entities?type=Lamp&csf=endpoint", tenant: "alder").status == 401)
        let seen = try await broker.ask(.GET, "csourceRegistrations?type=Lamp", tenant: "alder", token: reader).json.arrayValue
        #expect(seen?.count == 1)
        #expect(seen?.first?["contextSourceInfo"] == nil)
        try await broker.close()
        try await source.close()
    }
}
